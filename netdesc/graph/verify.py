"""What must hold of a graph, checked between passes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.equations import Equations
from netdesc.errors import Diagnostic, GraphError
from netdesc.events import Integers
from netdesc.graph.cells import LINEAR_CELLS, Cell
from netdesc.graph.connectors import MULTAPSES
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc.graph.synapses import Synapses


def verify(graph: NetworkGraph, before: NetworkGraph | None = None) -> None:
    """Check a graph as far as it is drawn, but for what it shares with a graph without violations before it.

    Raises
    ------
    GraphError
        With every violation, each with its path.
    """
    known = set() if before is None else {id(item) for item in (*before.nodes, *before.edges)}
    sound = {node.name for node in graph.nodes if id(node) in known}
    faults = [fault for node in graph.nodes if node.name not in sound for fault in _node_faults(node)]
    faults += [
        fault
        for edge in graph.edges
        if not (id(edge) in known and {edge.pre, edge.post} <= sound)
        for fault in _edge_faults(edge, graph)
    ]
    faults += _stage_faults(graph)
    if faults:
        raise GraphError(faults)


def _node_faults(node: Node) -> Iterator[Diagnostic]:
    if node.size < 1:
        yield Diagnostic(f"size is {node.size}; a population has at least 1 neuron", f"{node.path}.size")
        return
    for name, values in node.values.items():
        path = f"{node.path}.neuron.{name}" if name in node.parameters else f"{node.path}.{name}"
        source = f"{node.path}.source.rate"
        if values.shape != (node.size,):
            yield Diagnostic(f"{len(values)} values for {node.size} neurons; give one per neuron", path)
        elif not np.all(np.isfinite(values)):
            yield Diagnostic("a value is not a finite number; write a number for every neuron", path)
        elif name == "rate" and values.min() < 0.0:
            yield Diagnostic(f"a rate is {1e3 * values.min():g} Hz; rates are at least 0 Hz", source)
    cell = LINEAR_CELLS.get(node.model)
    if cell and node.values:
        yield from _cell_faults(node, cell)
    if node.equations is not None and node.values:
        yield from _equation_faults(node, node.equations)


def _cell_faults(node: Node, cell: Cell) -> Iterator[Diagnostic]:
    wanted = (
        *cell.tau_syn,
        cell.tau_m,
        cell.rest,
        cell.tau_refrac,
        cell.threshold,
        cell.reset,
        cell.capacitance,
    )
    missing = [name for name in wanted if name and name not in node.values]
    if missing:
        yield Diagnostic(f"{node.model} needs {', '.join(missing)}", f"{node.path}.neuron")
        return
    for name in filter(None, (cell.tau_m, *cell.tau_syn, cell.capacitance)):
        lowest = node.values[name].min()
        if not lowest > 0.0:
            yield Diagnostic(
                f"the smallest value is {lowest:g}; it must be above 0", f"{node.path}.neuron.{name}"
            )
    if cell.tau_refrac and node.values[cell.tau_refrac].min() < 0.0:
        yield Diagnostic(
            "a refractory period is negative; it is at least 0 ms", f"{node.path}.neuron.{cell.tau_refrac}"
        )
    if cell.spiking and not np.all(node.values[cell.reset] < node.values[cell.threshold]):
        yield Diagnostic(
            f"{cell.reset} must lie below {cell.threshold}, or the neuron spikes endlessly",
            f"{node.path}.neuron.{cell.reset}",
        )


def _equation_faults(node: Node, cell: Equations) -> Iterator[Diagnostic]:
    """Yield the faults of a population whose cell is given by equations."""
    for name, parameter in cell.parameters.items():
        path = f"{node.path}.neuron.{name}"
        if name not in node.values:
            yield Diagnostic(f"{node.model} needs {name}", f"{node.path}.neuron")
            return
        lowest = node.values[name].min()
        if not (lowest > parameter.low or (lowest == parameter.low and not parameter.above)):
            what = "above" if parameter.above else "at least"
            yield Diagnostic(f"the smallest value is {lowest:g}; it must be {what} {parameter.low:g}", path)
    if cell.order and not np.all(node.values[cell.order[0]] < node.values[cell.order[1]]):
        yield Diagnostic(
            f"{cell.order[0]} must lie below {cell.order[1]}, or the neuron spikes endlessly",
            f"{node.path}.neuron.{cell.order[0]}",
        )


def _edge_faults(edge: Edge, graph: NetworkGraph) -> Iterator[Diagnostic]:
    unknown = [name for name in (edge.pre, edge.post) if not graph.has(name)]
    if unknown:
        yield Diagnostic(f"there is no population {unknown[0]!r}", edge.path)
        return
    pre, post = graph.node(edge.pre), graph.node(edge.post)
    if post.kind == "source":
        yield Diagnostic(f"{post.name} is a source and receives no synapses; project to a neuron", edge.path)
    if pre.kind == "readout":
        yield Diagnostic(
            f"{pre.name} never spikes, since {pre.model} has no threshold; project from a "
            f"population that spikes",
            edge.path,
        )
    if edge.synapses is not None:
        yield from _synapse_faults(edge, edge.synapses, (pre.size, post.size))


def _synapse_faults(edge: Edge, synapses: Synapses, shape: tuple[int, int]) -> Iterator[Diagnostic]:
    if (synapses.n_pre, synapses.n_post) != shape:
        yield Diagnostic(
            f"synapses for {synapses.n_pre} by {synapses.n_post} neurons between populations of "
            f"{shape[0]} and {shape[1]}",
            edge.path,
        )
        return
    if synapses.indptr is not None and synapses.indices is not None:
        yield from _index_faults(edge, synapses)
    for name, values in (("weight", edge.weights), ("delay", edge.delays)):
        if values is None:
            continue
        sizes = (synapses.size,) if name == "weight" or edge.delay.train else (1, synapses.size)
        if len(values) not in sizes:
            yield Diagnostic(f"{len(values)} values for {synapses.size} synapses", f"{edge.path}.{name}")
        if not np.all(np.isfinite(values)):
            yield Diagnostic("a value is not a finite number", f"{edge.path}.{name}")
    if edge.delays is not None and np.any(edge.delays < 0.0):
        yield Diagnostic("a delay is negative; a delay is at least 0 ms", f"{edge.path}.delay")
    if edge.weights is not None and edge.receptor != "signed" and np.any(edge.weights < 0.0):
        yield Diagnostic(f"a weight is negative, but receptor: {edge.receptor} takes magnitudes", edge.path)


def _index_faults(edge: Edge, synapses: Synapses) -> Iterator[Diagnostic]:
    indptr, indices = synapses.indptr, synapses.indices
    if indptr is None or indices is None:
        return
    whole = len(indptr) == synapses.n_pre + 1 and indptr[0] == 0 and indptr[-1] == len(indices)
    if not whole or np.any(np.diff(indptr) < 0):
        yield Diagnostic("the rows of its synapses do not add up", edge.path)
    elif len(indices) and not 0 <= indices.min() <= indices.max() < synapses.n_post:
        yield Diagnostic(f"a synapse reaches a neuron outside {edge.post}", edge.path)
    elif np.any(_within_rows(indices[1:] < indices[:-1], indptr)):
        yield Diagnostic("its synapses are not in order", edge.path)
    elif edge.rule.kind not in MULTAPSES and np.any(_within_rows(indices[1:] == indices[:-1], indptr)):
        yield Diagnostic(f"{edge.rule.kind} makes a synapse twice", edge.path)


def _within_rows(marks: NDArray[np.bool_], indptr: Integers) -> NDArray[np.bool_]:
    """Take back what marks the pairs of neighbouring synapses that leave different sources."""
    last = indptr[1:-1] - 1
    marks[last[(last >= 0) & (last < len(marks))]] = False
    return marks


def _stage_faults(graph: NetworkGraph) -> list[Diagnostic]:
    if not graph.stages:
        return []
    order = {name: index for index, group in enumerate(graph.stages) for name in group.populations}
    listed = [name for group in graph.stages for name in group.populations]
    expected = {node.name for node in graph.nodes if node.kind != "source"}
    faults = (
        []
        if set(listed) == expected and len(listed) == len(expected)
        else [Diagnostic("the stages do not hold every population exactly once")]
    )
    for edge in graph.edges:
        before, after = order.get(edge.pre, -1), order.get(edge.post, -1)
        if before > after or (before == after >= 0 and not graph.stages[after].recurrent):
            message = f"{edge.post} is computed before {edge.pre}, which projects to it"
            faults.append(Diagnostic(message, edge.path))
    return faults
