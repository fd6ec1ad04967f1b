"""From graph to flat arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.block import Block
from netdesc.description.model import Recording
from netdesc.errors import BackendError, Diagnostic, GraphError
from netdesc.events import Floats, frozen
from netdesc.graph.cells import LINEAR_CELLS, Cell, time_constants
from netdesc.graph.ir import Edge, NetworkGraph, Node, Settings
from netdesc.models import catalogue
from netdesc.observation import Reading, Sampling
from netdesc.program import PopulationSlice, Program, Stage, Surrogate


def lower(graph: NetworkGraph) -> Program:
    """Lay a graph out as a program.

    Parameters
    ----------
    graph : NetworkGraph
        After all passes.

    Returns
    -------
    Program
        Populations and blocks in the order of the file.

    Raises
    ------
    BackendError
        If a cell, a plasticity rule or a setting has no form as a program.
    GraphError
        If a pass was left out.
    """
    _refuse(graph)
    slices = lay_out(graph)
    index = {item.name: number for number, item in enumerate(slices)}
    settings = graph.settings
    return Program(
        name=settings.name,
        duration=settings.duration,
        seed=settings.seed,
        populations=slices,
        blocks=tuple(_block(edge, graph, index) for edge in graph.edges),
        parameters=_parameters(graph),
        stages=tuple(
            Stage(tuple(index[name] for name in group.populations), group.recurrent) for group in graph.stages
        ),
        sampling=_sampling(graph),
        digest=settings.digest,
        readings=_readings(settings),
        surrogate=_surrogate(settings),
        max_memory=settings.max_memory,
    )


def _refuse(graph: NetworkGraph) -> None:
    faults = [
        Diagnostic(
            f"{node.model} is not supported yet; use one of {', '.join((*LINEAR_CELLS, *catalogue()))}",
            f"{node.path}.neuron",
        )
        for node in graph.nodes
        if node.kind != "source" and node.model not in LINEAR_CELLS and node.equations is None
    ]
    faults += [
        Diagnostic(
            f"{edge.plasticity.kind} is not supported yet; leave plasticity out for static weights",
            f"{edge.path}.plasticity",
        )
        for edge in graph.edges
        if edge.plasticity is not None
    ]
    faults += [
        Diagnostic(f"training of {name} is not supported yet; set train: false", f"{node.path}.neuron.{name}")
        for node in graph.nodes
        for name, parameter in node.parameters.items()
        if parameter.train
    ]
    if graph.settings.carry_state:
        faults.append(
            Diagnostic("carry_state: true is not supported yet; remove it", "simulation.carry_state")
        )
    if faults:
        raise BackendError(faults)


def lay_out(graph: NetworkGraph) -> tuple[PopulationSlice, ...]:
    """Return the populations of a graph as ranges of neuron indices.

    Parameters
    ----------
    graph : NetworkGraph

    Returns
    -------
    tuple of PopulationSlice
        In the order of the file.
    """
    slices, start = [], 0
    for node in graph.nodes:
        slices.append(
            PopulationSlice(
                name=node.name,
                start=start,
                stop=start + node.size,
                kind=node.kind,
                model=node.model,
                receptors=node.receptors,
                subtractive_reset=node.subtractive_reset,
                shape=node.shape,
                source=_source(node),
                equations=node.equations,
                values=_own_values(node),
            )
        )
        start += node.size
    return tuple(slices)


def _source(node: Node) -> Mapping[str, Any]:
    options = dict(node.source)
    if "rate" in node.values:
        options["rate"] = node.values["rate"]
    return options


def _own_values(node: Node) -> dict[str, Floats]:
    """Return the values of a cell that is given by equations, its constant current included."""
    cell = node.equations
    if cell is None:
        return {}
    values = {name: item for name, item in node.values.items() if name != "current"}
    if cell.offset and "current" in node.values:
        values[cell.offset] = values[cell.offset] + node.values["current"]
    return values


def _block(edge: Edge, graph: NetworkGraph, index: Mapping[str, int]) -> Block:
    synapses = edge.synapses
    if synapses is None or edge.weights is None or edge.delays is None:
        raise GraphError("its synapses are not drawn yet; run all passes first", edge.path)
    return Block(
        name=edge.name,
        path=edge.path,
        pre=index[edge.pre],
        post=index[edge.post],
        n_pre=synapses.n_pre,
        n_post=synapses.n_post,
        receptor=_receptor(edge, graph.node(edge.post).receptors),
        charge=_charge(edge, graph.node(edge.post)),
        indptr=synapses.indptr,
        indices=synapses.indices,
        weights=edge.weights,
        delays=edge.delays,
        train_weight=edge.weight.train,
        train_delay=edge.delay.train,
        weight_bounds=(edge.weight.low, edge.weight.high),
        delay_bounds=(max(edge.delay.low, 0.0), edge.delay.high),
    )


def _charge(edge: Edge, post: Node) -> Floats:
    """Return the voltage of every target per unit of weight; a conductance is never negative."""
    if post.equations is not None:
        return np.full(post.size, 1.0 if post.equations.conductance else edge.sign)
    return edge.sign * _resistance(post, LINEAR_CELLS[post.model])


def _receptor(edge: Edge, receptors: tuple[str, ...]) -> int:
    if len(receptors) == 1:
        return 0
    if edge.receptor not in receptors:
        raise GraphError(
            f"{edge.post} has receptors {', '.join(receptors)}, not {edge.receptor}; run split_signed first",
            f"{edge.path}.receptor",
        )
    return receptors.index(edge.receptor)


def _parameters(graph: NetworkGraph) -> dict[str, Floats]:
    width = max((len(node.receptors) for node in graph.nodes), default=1) or 1
    columns = [_columns(node, width) for node in graph.nodes]
    return (
        {name: frozen(np.concatenate([column[name] for column in columns]), np.float64) for name in _NAMES}
        if columns
        else {}
    )


_NAMES = ("tau_m", "tau_ref", "tau_s", "rest", "threshold", "reset", "v_init", "i_init")


def _columns(node: Node, width: int) -> dict[str, Floats]:
    """Return the parameters of one population, by name, shape (size,) or (size, width)."""
    empty = {
        name: np.full((node.size, width) if name in ("tau_s", "i_init") else node.size, np.nan)
        for name in _NAMES
    }
    if node.equations is not None:
        hold = node.values.get(node.equations.refractory, np.zeros(node.size))
        return empty | {"tau_ref": hold, "rest": np.zeros(node.size)}
    cell = LINEAR_CELLS.get(node.model)
    if node.kind == "source" or cell is None:
        return empty
    return empty | _membrane(node, cell) | _synaptic(node, cell, width)


def _resistance(node: Node, cell: Cell) -> Floats:
    if not cell.capacitance:
        return np.ones(node.size)
    return node.values[cell.tau_m] / node.values[cell.capacitance]


def _membrane(node: Node, cell: Cell) -> dict[str, Floats]:
    values, zero = node.values, np.zeros(node.size)
    resistance, leak = _resistance(node, cell), values[cell.rest]
    offset = values.get(cell.offset, zero) + values.get("current", zero)
    return {
        "tau_m": values[cell.tau_m],
        "tau_ref": values.get(cell.tau_refrac, zero),
        "rest": leak + resistance * offset,
        "threshold": values.get(cell.threshold, np.full(node.size, np.inf)),
        "reset": values.get(cell.reset, leak),
        "v_init": values.get("initial.v", leak),
    }


def _synaptic(node: Node, cell: Cell, width: int) -> dict[str, Floats]:
    tau_s, current = np.full((node.size, width), np.nan), np.full((node.size, width), np.nan)
    resistance, zero = _resistance(node, cell), np.zeros(node.size)
    for column, name in enumerate(time_constants(node.model, node.receptors)):
        tau_s[:, column] = node.values[name]
        current[:, column] = resistance * node.values.get(_initial(node.receptors, column), zero)
    if len(node.receptors) > 1 and "initial.i" in node.values:
        raise GraphError(
            f"{node.name} has two synaptic currents; write i_exc or i_inh", f"{node.path}.initial.i"
        )
    return {"tau_s": tau_s, "i_init": current}


def _initial(receptors: tuple[str, ...], column: int) -> str:
    return "initial.i" if len(receptors) == 1 else ("initial.i_exc", "initial.i_inh")[column]


def sampling_of(item: Recording, graph: NetworkGraph, every: float) -> Sampling:
    """Return what a recording of a file samples, every so many ms; all neurons where it names none."""
    neurons = np.arange(graph.node(item.population).size) if item.neurons is None else item.neurons
    return Sampling(item.population, item.variable, np.array(neurons, dtype=np.int64), every)


def _sampling(graph: NetworkGraph) -> tuple[Sampling, ...]:
    read = {
        loss.population: Sampling(
            loss.population,
            "v",
            np.arange(graph.node(loss.population).size),
            float(loss.options["interval"]),
            needed=True,
        )
        for loss in graph.settings.losses.values()
        if loss.kind == "voltage_mse"
    }
    # A recording of the same voltages has the same times, which the description makes sure of.
    asked = tuple(
        sampling_of(item, graph, item.every)
        for item in graph.settings.recordings
        if item.every is not None
        and item.variable != "spikes"
        and (item.variable != "v" or item.population not in read)
    )
    return (*asked, *read.values())


def _readings(settings: Settings) -> tuple[Reading, ...]:
    readings = []
    for loss in settings.losses.values():
        if loss.kind == "max_voltage":
            readings.append(Reading(loss.population, "maximum"))
        elif loss.kind == "mean_voltage":
            weighting = loss.options["weighting"]
            tau = float(weighting.options["tau"]) if weighting.kind == "exponential" else np.inf
            readings.append(Reading(loss.population, "mean", tau))
        elif float(loss.options.get("pull") or 0.0) > 0.0:
            readings.append(Reading(loss.population, "final"))
    return tuple(dict.fromkeys(readings))


def _surrogate(settings: Settings) -> Surrogate | None:
    gradient = settings.gradient
    if gradient is None or gradient.kind != "surrogate":
        return None
    return Surrogate(str(gradient.options["shape"]), float(gradient.options["slope"]))
