"""From a graph or a program to the view of the mapping."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.block import Block
from netdesc.errors import Diagnostic, GraphError
from netdesc.events import Floats, Integers
from netdesc.graph.cells import LINEAR_CELLS
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc.program import PopulationSlice, Program
from netdesc.steps import whole_steps
from netdesc_spinnaker2.mapping.plan import Link, Network, Population, Record
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
    settings, notes = graph.settings, list[Diagnostic]()
    losses = {loss.population: loss.kind for loss in settings.losses.values()}
    populations = tuple(
        Population(
            node.name,
            node.path,
            node.size,
            node.kind,
            node.model,
            len(node.receptors),
            node.subtractive_reset,
            losses.get(node.name, ""),
            _spikes(node.name, _options_of(node), settings.duration, options),
            _levels(node),
        )
        for node in graph.nodes
    )
    links = tuple(_edge_link(edge, options.step, notes) for edge in graph.edges)
    records = tuple(
        Record(
            item.population,
            item.variable,
            np.arange(graph.node(item.population).size)
            if item.neurons is None
            else np.array(item.neurons, dtype=np.int64),
            item.every,
        )
        for item in settings.recordings
    )
    return Network(settings.name, settings.duration, options.step, populations, links, records, tuple(notes))


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
            _spikes(
                item.name, {"kind": item.kind, "model": item.model, **item.source}, program.duration, options
            ),
            _slice_levels(item, program.parameters),
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
        notes.append(
            Diagnostic(
                f"{changed} of {len(delays)} delays rounded to ticks of {step:g} ms, at least one, by "
                "at most "
                f"{float(change.max()):.3g} ms",
                f"{path}.delay",
                "S2-DELAY",
            )
        )
    return ticks


def _spikes(name: str, source: Mapping[str, object], duration: float, options: Options) -> float:
    """Return the expected spikes of one neuron in a sample; at least one, so that there is room for it."""
    if name in options.rates:
        return options.rates[name] * duration
    if source["kind"] == "readout":
        return 0.0
    if source["kind"] == "spiking":
        return max(1.0, options.profile.expected_rate.value * duration)
    times, rate = source.get("times"), source.get("rate")
    if isinstance(times, tuple | list):
        return float(max((len(row) for row in times), default=0))
    if isinstance(rate, np.ndarray):
        return float(np.max(rate, initial=0.0)) * duration
    return 1.0


def _options_of(node: Node) -> dict[str, object]:
    source: dict[str, object] = {"kind": node.kind, **node.source}
    if "rate" in node.values:
        source["rate"] = node.values["rate"]
    return source


def _levels(node: Node) -> dict[str, Floats]:
    cell, values = LINEAR_CELLS.get(node.model), node.values
    if node.kind == "source" or cell is None or cell.rest not in values:
        return {}
    zero = np.zeros(node.size)
    resistance = values[cell.tau_m] / values[cell.capacitance] if cell.capacitance else np.ones(node.size)
    offset = values.get(cell.offset, zero) + values.get("current", zero)
    return {
        "rest": values[cell.rest] + resistance * offset,
        "reset": values.get(cell.reset, values[cell.rest]),
        "tau_ref": values.get(cell.tau_refrac, zero),
    }


def _slice_levels(item: PopulationSlice, parameters: Mapping[str, Floats]) -> dict[str, Floats]:
    if item.kind == "source":
        return {}
    return {
        name: parameters[name][item.start : item.stop]
        for name in ("rest", "reset", "tau_ref")
        if name in parameters
    }


def _edge_link(edge: Edge, step: float, notes: list[Diagnostic]) -> Link:
    synapses = edge.synapses
    if synapses is None or edge.weights is None or edge.delays is None:
        raise GraphError(Diagnostic("its synapses are not drawn yet; run all passes first", edge.path))
    return Link(
        edge.name,
        edge.path,
        edge.pre,
        edge.post,
        synapses.n_pre,
        synapses.n_post,
        synapses.indptr,
        synapses.indices,
        edge.sign * edge.weights,
        ticks_of(edge.delays, step, edge.path, notes),
        edge.weight.train,
    )


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
