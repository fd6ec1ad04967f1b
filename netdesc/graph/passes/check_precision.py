"""Refuse numbers that single precision cannot hold."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netdesc.errors import Diagnostic, GraphError
from netdesc.events import Floats
from netdesc.graph.cells import LINEAR_CELLS
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc.precision import beyond_float32


@dataclass(frozen=True, slots=True)
class CheckPrecision:
    """Refuse weights, parameters, currents and initial states beyond float32, for devices that compute in it.

    Times that a device counts in steps, which are delays and refractory periods, may be of any length.

    Parameters
    ----------
    prefix : str
        Of the code: ``X`` gives ``X-RANGE``.
    """

    prefix: str
    name: str = field(default="check_precision", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Return a graph with values as it is; GraphError with the path of all that does not fit."""
        code = f"{self.prefix}-RANGE"
        faults = [fault for node in graph.nodes if node.kind != "source" for fault in check_node(node, code)]
        faults += [fault for edge in graph.edges for fault in check_edge(edge, graph, code)]
        if faults:
            raise GraphError(faults)
        return graph


def check_node(node: Node, code: str) -> list[Diagnostic]:
    """Return the faults of the parameters, the current and the initial state of a population."""
    cell, faults = LINEAR_CELLS.get(node.model), []
    for name, values in node.values.items():
        if cell is not None and name == cell.tau_refrac:
            continue
        charged = name in ("current", "initial.i", "initial.i_exc", "initial.i_inh")
        charged = charged or (cell is not None and bool(cell.offset) and name == cell.offset)
        path = (
            f"{node.path}.{name}"
            if name == "current" or name.startswith("initial.")
            else (f"{node.path}.neuron.{name}")
        )
        faults += beyond_float32(values, path, scale=resistance(node) if charged else 1.0, code=code)
    return faults


def check_edge(edge: Edge, graph: NetworkGraph, code: str) -> list[Diagnostic]:
    """Return the fault of the weights of a projection, in the voltage of the targets."""
    if edge.weights is None:
        return []
    largest = float(np.max(resistance(graph.node(edge.post)), initial=0.0))
    return beyond_float32(edge.weights, f"{edge.path}.weight", scale=largest, code=code)


def resistance(node: Node) -> Floats:
    """Return the voltage per unit of current, shape (size,); 1 where the cell has no capacitance."""
    cell = LINEAR_CELLS.get(node.model)
    if cell is None or not cell.capacitance or cell.capacitance not in node.values:
        return np.ones(node.size)
    with np.errstate(over="ignore"):
        return np.asarray(node.values[cell.tau_m] / node.values[cell.capacitance])
