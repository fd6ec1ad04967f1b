"""The network as flat arrays: what every backend receives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from netdesc.block import Block
from netdesc.budget import PER_NEURON, SpikeBudget
from netdesc.connection import Connection
from netdesc.dynamics.equations import Equations
from netdesc.errors import NumericsError
from netdesc.events import Events, Floats
from netdesc.observation import Reading, Sampling
from netdesc.parameters import Parameter


@dataclass(frozen=True, slots=True)
class PopulationSlice:
    """A population as a range of neuron indices.

    Parameters
    ----------
    name : str
    start, stop : int
        Neurons ``start`` to ``stop - 1`` of the program.
    kind : str
        ``source`` (its spikes are the stimulus), ``spiking`` or ``readout`` (a membrane without spikes).
    model : str
        Name of the neuron model, or kind of the source.
    receptors : tuple of str
        Names of the synaptic currents: ``("signed",)`` or ``("excitatory", "inhibitory")``; empty for
        a source.
    subtractive_reset : bool
        Whether a spike subtracts ``threshold - reset`` instead of setting ``reset``; the same event in
        continuous time, a different one on a grid.
    shape : tuple of int
        As written in the file.
    source : mapping
        Options of a source: ``times`` (tuple of tuples of ms) for ``spike_times``; ``rate`` (ndarray,
        1/ms, shape (size,)), ``start`` and ``stop`` (ms) for ``poisson``; empty otherwise.
    equations : Equations or None
        Of a model that is given by them.
    values : mapping of str to ndarray of float64, shape (size,)
        Parameters and initial values (``initial.NAME``) of such a model, in the units of its equations.
    """

    name: str
    start: int
    stop: int
    kind: str
    model: str
    receptors: tuple[str, ...]
    subtractive_reset: bool
    shape: tuple[int, ...]
    source: Mapping[str, Any]
    equations: Equations | None = None
    values: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of neurons."""
        return self.stop - self.start

    @property
    def path(self) -> str:
        """Dotted path in the description."""
        return f"populations.{self.name}"


@dataclass(frozen=True, slots=True)
class Stage:
    """Populations that are computed together.

    Parameters
    ----------
    populations : tuple of int
        Indices into ``Program.populations``, ascending.
    recurrent : bool
        Whether their projections form a cycle; False for a single population that does not reach itself.
    """

    populations: tuple[int, ...]
    recurrent: bool


@dataclass(frozen=True, slots=True)
class Surrogate:
    """A stand-in for the derivative of spikes, for gradients by back-propagation through time.

    Parameters
    ----------
    shape : str
        ``superspike``, ``sigmoid`` or ``triangle``.
    slope : float
        Its steepness; voltages are measured in units of threshold - rest.
    """

    shape: str
    slope: float


@dataclass(frozen=True, slots=True)
class Program:
    """A compiled network.

    Parameters
    ----------
    name : str
    duration : float
        Length of a sample in ms.
    seed : int
        Seed of all random numbers.
    populations : tuple of PopulationSlice
        In the order of the file.
    blocks : tuple of Block
        In the order of the file.
    parameters : mapping of str to ndarray
        Per neuron, shape (n,) unless said otherwise; NaN for sources. ``tau_m``, ``tau_ref`` in ms;
        ``tau_s`` in ms, shape (n, r), r the largest number of receptors, NaN where there are fewer;
        ``rest`` (with constant currents folded in), ``threshold`` (infinite for read-outs), ``reset``,
        ``v_init`` in the voltage of the cell; ``i_init``, shape (n, r), in the same.
    stages : tuple of Stage
        Order of execution; sources are in no stage.
    sampling : tuple of Sampling
    digest : str
        Hash of the description it came from.
    readings : tuple of Reading
        What the losses read from membranes; each once.
    surrogate : Surrogate or None
        How the adjoint treats spikes; None for exact gradients.
    max_memory : float
        Bytes that network and spikes of a run may take.
    """

    name: str
    duration: float
    seed: int
    populations: tuple[PopulationSlice, ...]
    blocks: tuple[Block, ...]
    parameters: Mapping[str, Floats]
    stages: tuple[Stage, ...]
    sampling: tuple[Sampling, ...] = ()
    digest: str = ""
    readings: tuple[Reading, ...] = ()
    surrogate: Surrogate | None = None
    max_memory: float = np.inf

    @property
    def size(self) -> int:
        """Number of neurons and sources."""
        return self.populations[-1].stop if self.populations else 0

    @property
    def memory(self) -> float:
        """Bytes that neurons and synapses take, in the program and on a machine."""
        return PER_NEURON * self.size + sum(block.memory for block in self.blocks)

    def population(self, name: str) -> PopulationSlice:
        """Return a population by name.

        Parameters
        ----------
        name : str

        Returns
        -------
        PopulationSlice

        Raises
        ------
        KeyError
            If there is none of that name.
        """
        for item in self.populations:
            if item.name == name:
                return item
        raise KeyError(name)

    def select_stimulus(self, stimulus: Events) -> dict[int, Events]:
        """Return the spikes of every source population, by population index.

        Parameters
        ----------
        stimulus : Events
            By program-wide neuron index.

        Raises
        ------
        NumericsError
            If a spike belongs to no source, is not finite, or lies before 0.
        """
        sources = [(k, p) for k, p in enumerate(self.populations) if p.kind == "source"]
        if len(sources) == 1 and sources[0][1].start == 0:
            result = {sources[0][0]: stimulus}
            inside = not len(stimulus) or bool(stimulus.sources.max() < sources[0][1].stop)
        else:
            result = {k: stimulus.select(p.start, p.stop) for k, p in sources}
            inside = sum(len(events) for events in result.values()) == len(stimulus)
        if not inside or (len(stimulus) and stimulus.sources.min() < 0):
            raise NumericsError("the stimulus holds a spike of a neuron that is not a source")
        if len(stimulus) and not (np.isfinite(stimulus.times).all() and stimulus.times.min() >= 0.0):
            raise NumericsError("the stimulus holds a spike at a time that is not finite or before 0 ms")
        return result

    def spike_budget(self, batch: int) -> SpikeBudget:
        """Return a count of the spikes of a run that keeps them within ``max_memory``.

        Parameters
        ----------
        batch : int
            Number of samples.

        Returns
        -------
        SpikeBudget
        """
        return SpikeBudget(self.max_memory, network=self.memory, batch=batch)

    def connections(self) -> dict[str, Connection]:
        """Return which neurons the weights and delays of all blocks join, by key."""
        result = {}
        for block in self.blocks:
            names = (self.populations[index].name for index in (block.pre, block.post))
            result[block.weight_key] = result[block.delay_key] = block.connection(*names)
        return result

    def declared(self) -> dict[str, Parameter]:
        """Return every parameter that can be written, by key, in the order of the file."""
        return {item.key: item for block in self.blocks for item in block.parameters()}

    def trainable(self) -> dict[str, Floats]:
        """Return copies of the parameters that training may change, by key.

        Returns
        -------
        dict of str to ndarray of float64, shape (k,)
        """
        return {key: np.array(item.values) for key, item in self.declared().items() if item.trained}

    def with_parameters(self, values: Mapping[str, Floats]) -> Program:
        """Return the program with other weights and delays.

        Parameters
        ----------
        values : mapping of str to ndarray
            By the keys of the blocks; what is absent stays.

        Returns
        -------
        Program
        """
        blocks = tuple(
            replace(
                block,
                weights=values.get(block.weight_key, block.weights),
                delays=values.get(block.delay_key, block.delays),
            )
            for block in self.blocks
        )
        return replace(self, blocks=blocks)

    def without_sampling(self) -> Program:
        """Return the program with nothing to sample but what losses read, for training."""
        return replace(self, sampling=tuple(item for item in self.sampling if item.needed))
