"""A graph as stable text."""

from __future__ import annotations

from collections.abc import Iterator

from netdesc.description.model import Choice, Constant, Distribution, Explicit, Parameter, Value
from netdesc.events import Floats
from netdesc.graph.ir import Edge, Group, NetworkGraph, Node

_SHOWN = 6


def render(graph: NetworkGraph) -> str:
    """Write a graph after any pass as text, the same on every machine.

    Populations, projections, stages and notes are in the order of the file, in base units (ms, mV, nA, nF),
    with six significant digits; long arrays are cut.
    """
    return "\n".join(_lines(graph)) + "\n"


def _lines(graph: NetworkGraph) -> Iterator[str]:
    settings = graph.settings
    yield f"network {settings.name}: {settings.duration:.6g} ms, seed {settings.seed}"
    for node in graph.nodes:
        yield from _node_lines(node)
    for edge in graph.edges:
        yield from _edge_lines(edge)
    if graph.stages:
        yield "stages: " + " -> ".join(_stage(group) for group in graph.stages)
    for note in graph.notes:
        yield f"note {note.path}: {note.message}"


def _node_lines(node: Node) -> Iterator[str]:
    receptors = f", receptors {' '.join(node.receptors)}" if node.receptors else ""
    reset = ", subtractive reset" if node.subtractive_reset else ""
    shape = f" ({' x '.join(map(str, node.shape))})" if len(node.shape) > 1 else ""
    yield f"population {node.name}: {node.kind} {node.model}, size {node.size}{shape}{receptors}{reset}"
    if node.values:
        for name, values in sorted(node.values.items()):
            yield f"  {name} = {_array(values)}{_trained(node.parameters.get(name))}"
        return
    written: dict[str, Value] = {name: parameter.init for name, parameter in node.parameters.items()}
    written |= {f"initial.{name}": value for name, value in node.initial.items()}
    if node.current is not None:
        written["current"] = node.current
    for name, value in sorted(written.items()):
        yield f"  {name}: {_value(value)}{_trained(node.parameters.get(name))}"


def _edge_lines(edge: Edge) -> Iterator[str]:
    yield f"projection {edge.name}: {edge.pre} -> {edge.post}, {_choice(edge.rule)}, {edge.receptor}"
    if edge.synapses is not None:
        synapses = edge.synapses
        yield f"  synapses: {synapses.size} of {synapses.n_pre} x {synapses.n_post}"
    rows = (("weight", edge.weight, edge.weights), ("delay", edge.delay, edge.delays))
    for name, parameter, values in rows:
        text = f": {_value(parameter.init)}" if values is None else f" = {_array(values)}"
        yield f"  {name}{text}{_trained(parameter)}"
    if edge.plasticity is not None:
        yield f"  plasticity: {_choice(edge.plasticity)}"


def _value(value: Value) -> str:
    match value:
        case Constant(number):
            return f"{number:.6g}"
        case Distribution(kind, parameters):
            return f"{kind}({', '.join(f'{name} {number:.6g}' for name, number in parameters.items())})"
        case Explicit(values):
            return f"{_array(values.ravel())} of shape {values.shape}"


def _array(values: Floats) -> str:
    if len(values) > 1 and bool((values == values[0]).all()):
        return f"{values[0]:.6g}"
    if len(values) <= _SHOWN:
        return " ".join(f"{value:.6g}" for value in values) or "none"
    shown = " ".join(f"{value:.6g}" for value in values[:_SHOWN])
    return f"{shown} ... ({len(values)} values, mean {values.mean():.6g})"


def _trained(parameter: Parameter | None) -> str:
    if parameter is None or not parameter.train:
        return ""
    return f", trained between {parameter.low:.6g} and {parameter.high:.6g}"


def _choice(choice: Choice) -> str:
    options = ", ".join(f"{name} {_option(value)}" for name, value in choice.options.items())
    return f"{choice.kind}({options})" if options else choice.kind


def _option(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    size = getattr(value, "size", None)
    if isinstance(value, tuple | list):
        return f"of {len(value)}"
    return str(value) if size is None else f"of {size}"


def _stage(group: Group) -> str:
    names = " ".join(group.populations)
    return f"[{names}] recurrent" if group.recurrent else f"[{names}]"
