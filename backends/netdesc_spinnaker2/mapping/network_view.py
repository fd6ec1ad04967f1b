"""From a graph or a program to the view of the mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netdesc.block import Block
from netdesc.errors import Diagnostic
from netdesc.events import Floats, Integers
from netdesc.graph.ir import NetworkGraph
from netdesc.lower import lower
from netdesc.program import PopulationSlice, Program
from netdesc.steps import whole_steps
from netdesc_spinnaker2.mapping.network import Link, Network, Population, Record
from netdesc_spinnaker2.options import Options


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
        Delays in ticks, at least one, with a note for every projection that was changed.

    Raises
    ------
    GraphError
        If a projection is not drawn yet.
    """
    losses = {loss.population: loss.kind for loss in graph.settings.losses.values()}
    network = view_program(lower(graph), options, losses)
    spikes = tuple(
        Record(
            item.population,
            item.variable,
            np.arange(graph.node(item.population).size)
            if item.neurons is None
            else np.array(item.neurons, dtype=np.int64),
            None,
        )
        for item in graph.settings.recordings
        if item.variable == "spikes"
    )
    return replace(network, records=(*network.records, *spikes))


def view_program(program: Program, options: Options, losses: Mapping[str, str]) -> Network:
    """See a program as the mapping does.

    Parameters
    ----------
    program : Program
    options : Options
    losses : mapping of str to str
        Kind of the loss of each population that has one; a program does not know.

    Returns
    -------
    Network
        As ``view_graph`` gives it. Every sampled quantity is a record.
    """
    notes = list[Diagnostic]()
    populations = tuple(
        Population(
            item.name,
            item.path,
            item.size,
            item.kind,
            item.model,
            len(item.receptors),
            item.subtractive_reset,
            losses.get(item.name, ""),
            _spikes(item, program.duration, options),
            _levels(item, program.parameters),
        )
        for item in program.populations
    )
    links = tuple(_block_link(block, program, options.step, notes) for block in program.blocks)
    records = tuple(
        Record(item.population, item.variable, item.neurons, item.every) for item in program.sampling
    )
    return Network(program.name, program.duration, options.step, populations, links, records, tuple(notes))


def ticks_of(delays: Floats, step: float, path: str, notes: list[Diagnostic]) -> Integers:
    """Round delays to ticks, at least one, and note it where that changes them.

    Parameters
    ----------
    delays : ndarray
        In ms.
    step : float
        Length of a tick in ms.
    path : str
        Dotted path of the projection.
    notes : list of Diagnostic
        A note is added.

    Returns
    -------
    ndarray of int64
    """
    ticks: Integers = np.maximum(whole_steps(delays, step), 1)
    change = np.abs(ticks * step - delays)
    changed = int(np.sum(change > 1e-9 * step))
    if changed:
        message = (
            f"{changed} of {len(delays)} delays rounded to ticks of {step:g} ms, at least one, by at most "
            f"{float(change.max()):.3g} ms"
        )
        notes.append(Diagnostic(message, f"{path}.delay", "S2-DELAY"))
    return ticks


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


def _levels(item: PopulationSlice, parameters: Mapping[str, Floats]) -> dict[str, Floats]:
    if item.kind == "source":
        return {}
    return {
        name: parameters[name][item.start : item.stop]
        for name in ("rest", "reset", "tau_ref")
        if name in parameters
    }


def _block_link(block: Block, program: Program, step: float, notes: list[Diagnostic]) -> Link:
    return Link(
        block.name,
        block.path,
        program.populations[block.pre].name,
        program.populations[block.post].name,
        block.n_pre,
        block.n_post,
        block.indptr,
        block.indices,
        block.sign * block.spread(block.weights),
        ticks_of(block.delays, step, block.path, notes),
        block.train_weight,
    )
