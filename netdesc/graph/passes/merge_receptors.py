"""Make one synaptic current of two that decay alike."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from netdesc.graph.cells import LINEAR_CELLS
from netdesc.graph.ir import NetworkGraph, Node


@dataclass(frozen=True, slots=True)
class MergeReceptors:
    """Merge the receptors of a population where all its neurons have equal synaptic time constants.

    The sum of two exponentials with one time constant is one exponential, so nothing changes but the
    work. Populations that train a synaptic time constant keep their receptors.
    """

    name: str = field(default="merge_receptors", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Merge where possible, in a graph with resolved parameters."""
        return graph.with_nodes([_merged(node) if _alike(node) else node for node in graph.nodes])


def _alike(node: Node) -> bool:
    cell = LINEAR_CELLS.get(node.model)
    if cell is None or len(node.receptors) < 2:
        return False
    first, *others = cell.tau_syn
    trained = any(node.parameters[name].train for name in cell.tau_syn)
    return not trained and all(np.array_equal(node.values[first], node.values[name]) for name in others)


def _merged(node: Node) -> Node:
    parts = [node.values[name] for name in _INITIAL_CURRENTS if name in node.values]
    kept = {name: value for name, value in node.values.items() if name not in _INITIAL_CURRENTS}
    if parts:
        kept["initial.i"] = np.sum(parts, axis=0)
    return replace(node, receptors=("signed",), values=kept)


_INITIAL_CURRENTS = ("initial.i", "initial.i_exc", "initial.i_inh")
