"""A program, as far as the mapping needs it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from netdesc.block import Block
from netdesc.events import Floats, Integers
from netdesc.graph.ir import NetworkGraph
from netdesc.lower import lower, sampling_of
from netdesc.observation import Sampling
from netdesc.program import PopulationSlice, Program
from netdesc.steps import whole_steps
from netdesc_spinnaker2.options import Options


@dataclass(frozen=True, slots=True)
class Network:
    """A program, seen by the mapping.

    Parameters
    ----------
    program : Program
    tick : float
        In ms.
    delays : mapping of str to ndarray of int64, shape (k,) or (1,)
        In ticks, at least 1, by block.
    spikes : mapping of str to float
        Expected spikes of one neuron in a sample, by population.
    losses : collection of str
        Populations with a loss.
    records : tuple of Sampling
        What is recorded; for the variable ``spikes`` the interval has no meaning.
    """

    program: Program
    tick: float
    delays: Mapping[str, Integers]
    spikes: Mapping[str, float]
    losses: Collection[str] = ()
    records: tuple[Sampling, ...] = ()

    @property
    def ticks(self) -> int:
        """Ticks of a sample."""
        return max(1, round(self.program.duration / self.tick))

    def source(self, block: Block) -> PopulationSlice:
        """Return the population that a block leaves."""
        return self.program.populations[block.pre]

    def target(self, block: Block) -> PopulationSlice:
        """Return the population that a block enters."""
        return self.program.populations[block.post]

    def incoming(self, name: str) -> tuple[Block, ...]:
        """Return the blocks that end at a population, in the order of the file."""
        return tuple(block for block in self.program.blocks if self.target(block).name == name)


def weights_of(block: Block) -> Floats:
    """Return the weight of every synapse of a block in the units of the file, sign included."""
    return np.asarray(block.sign * block.spread(block.weights))


def view_graph(graph: NetworkGraph, options: Options) -> Network:
    """See a graph as the mapping does.

    Parameters
    ----------
    graph : NetworkGraph
        With drawn connections and values.
    options : Options

    Returns
    -------
    Network
        Delays in ticks, at least one.

    Raises
    ------
    GraphError
        If a projection is not drawn yet.
    """
    losses = {loss.population for loss in graph.settings.losses.values()}
    network = view_program(lower(graph), options, losses)
    spikes = tuple(
        sampling_of(item, graph, np.inf) for item in graph.settings.recordings if item.variable == "spikes"
    )
    return replace(network, records=(*network.records, *spikes))


def view_program(program: Program, options: Options, losses: Collection[str]) -> Network:
    """See a program as the mapping does.

    Parameters
    ----------
    program : Program
    options : Options
    losses : collection of str
        Populations that have a loss; a program does not know.

    Returns
    -------
    Network
        As ``view_graph`` gives it. Every sampled quantity is a record.
    """
    delays = {block.name: np.maximum(whole_steps(block.delays, options.step), 1) for block in program.blocks}
    spikes = {item.name: _spikes(item, program.duration, options) for item in program.populations}
    return Network(program, options.step, delays, spikes, losses, program.sampling)


def _spikes(item: PopulationSlice, duration: float, options: Options) -> float:
    """Return the expected spikes of one neuron in a sample; at least one, so that there is room for it."""
    if item.name in options.rates:
        return options.rates[item.name] * duration
    if item.kind == "readout":
        return 0.0
    if item.kind == "spiking":
        return max(1.0, options.profile.expected_rate.value * duration)
    if item.source.get("times") is not None:
        return float(max((len(row) for row in item.source["times"]), default=0))
    if "rate" in item.source:
        return float(np.max(item.source["rate"], initial=0.0)) * duration
    return 1.0
