"""Receptors of two currents: merged where they decay alike, and fed by the sign of the weights where not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from netdesc.errors import Diagnostic, GraphError
from netdesc.events import Floats
from netdesc.graph.cells import LINEAR_CELLS
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc.graph.synapses import Synapses


@dataclass(frozen=True, slots=True)
class SplitSigned:
    """Split a signed edge onto cells with two synaptic currents by the sign of its weights.

    Positive weights go to an edge ``NAME.excitatory``, negative ones, as magnitudes, to
    ``NAME.inhibitory``; an edge whose weights all have one sign keeps its name. Cells with one current
    take either sign and are left alone.
    """

    name: str = field(default="split_signed", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Split where needed, in a graph with drawn weights.

        GraphError if the weights of such an edge are trained, since they could change sign.
        """
        faults: list[Diagnostic] = []
        edges = [part for edge in graph.edges for part in _parts(edge, graph, faults)]
        if faults:
            raise GraphError(faults)
        return graph.with_edges(edges)


def _parts(edge: Edge, graph: NetworkGraph, faults: list[Diagnostic]) -> Iterator[Edge]:
    if edge.receptor != "signed" or len(graph.node(edge.post).receptors) < 2:
        yield edge
        return
    if edge.weight.train:
        faults.append(
            Diagnostic(
                f"{edge.post} has two synaptic time constants, so a trained weight cannot change its sign; "
                f"set receptor: excitatory or inhibitory, or give {edge.post} equal time constants",
                edge.path,
            )
        )
    if edge.synapses is None or edge.weights is None or edge.delays is None:
        raise GraphError("its weights are not drawn yet; run draw_values first", edge.path)
    negative = edge.weights < 0.0
    mixed = negative.any() and not negative.all()
    for receptor, mask in (("excitatory", ~negative), ("inhibitory", negative)):
        if mask.any() or (receptor == "excitatory" and not mask.size):
            name = f"{edge.name}.{receptor}" if mixed else edge.name
            yield replace(
                edge,
                name=name,
                receptor=receptor,
                synapses=_kept(edge.synapses, mask),
                weights=np.abs(edge.weights[mask]),
                delays=_delays(edge.delays, mask),
            )


def _kept(synapses: Synapses, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Synapses:
    return Synapses.from_flat(synapses.flat()[mask], synapses.n_pre, synapses.n_post)


def _delays(delays: Floats, mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    return delays if len(delays) == 1 and len(mask) != 1 else delays[mask]


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
