"""Give every neuron its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from netdesc.description.model import Constant, Distribution, Explicit, Value
from netdesc.errors import Diagnostic, GraphError
from netdesc.events import Floats, frozen
from netdesc.graph.distributions import resolve
from netdesc.graph.ir import NetworkGraph, Node


@dataclass(frozen=True, slots=True)
class ResolveParameters:
    """Draw or spread parameters, initial values, currents and rates over the neurons."""

    name: str = field(default="resolve_parameters", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Fill in ``Node.values``; GraphError if explicit values do not fit the size of a population."""
        faults: list[Diagnostic] = []
        nodes = [replace(node, values=_values(node, graph.settings.seed, faults)) for node in graph.nodes]
        if faults:
            raise GraphError(faults)
        return graph.with_nodes(nodes)


def _values(node: Node, seed: int, faults: list[Diagnostic]) -> dict[str, Floats]:
    result = {}
    for key, path, value in _written(node):
        try:
            result[key] = frozen(resolve(value, node.size, seed=seed, path=path), np.float64)
        except GraphError as error:
            faults.extend(error.diagnostics)
    return result


def _written(node: Node) -> Iterator[tuple[str, str, Value]]:
    """Yield key, path and value of all that is written about the neurons of a population."""
    for name, parameter in node.parameters.items():
        yield name, f"{node.path}.neuron.{name}", parameter.init
    for name, value in node.initial.items():
        yield f"initial.{name}", f"{node.path}.initial.{name}", value
    if node.current is not None:
        yield "current", f"{node.path}.current", node.current
    rate = node.source.get("rate")
    if isinstance(rate, Constant | Distribution | Explicit):
        yield "rate", f"{node.path}.source.rate", rate
