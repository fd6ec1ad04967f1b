"""Decide which synapses there are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from netdesc.description.model import Explicit
from netdesc.errors import Diagnostic, GraphError
from netdesc.graph.connectors import Ends, connect
from netdesc.graph.ir import Edge, NetworkGraph
from netdesc.graph.synapses import Synapses
from netdesc.streams import stream


@dataclass(frozen=True, slots=True)
class DrawConnections:
    """Apply the connector of every edge.

    With ``all_to_all`` an explicit matrix of weights or delays that holds ``null`` somewhere has no
    synapse there.
    """

    name: str = field(default="draw_connections", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Fill in ``Edge.synapses``; GraphError if a rule does not fit the sizes of its populations."""
        faults: list[Diagnostic] = []
        edges = []
        for edge in graph.edges:
            try:
                edges.append(replace(edge, synapses=_synapses(edge, graph)))
            except GraphError as error:
                faults.extend(
                    item if item.path else replace(item, path=f"{edge.path}.connector")
                    for item in error.diagnostics
                )
        if faults:
            raise GraphError(faults)
        return graph.with_edges(edges)


def _synapses(edge: Edge, graph: NetworkGraph) -> Synapses:
    ends = Ends(graph.node(edge.pre).size, graph.node(edge.post).size, edge.pre == edge.post)
    generator = stream(graph.settings.seed, f"{edge.stream_path}.connector")
    synapses = connect(edge.rule, ends, generator)
    for name in ("weight", "delay"):
        synapses = _restricted(synapses, edge, name)
    return synapses


def _restricted(synapses: Synapses, edge: Edge, name: str) -> Synapses:
    value = getattr(edge, name).init
    if not isinstance(value, Explicit):
        return synapses
    shape = (synapses.n_pre, synapses.n_post)
    if edge.rule.kind == "list" and value.values.ndim == 1:
        if len(value.values) != synapses.size:
            raise GraphError(
                f"expected a value for each of the {synapses.size} pairs, got {len(value.values)}; write the "
                "values in the order of the pairs",
                f"{edge.path}.{name}",
            )
        return synapses
    if value.values.shape != shape:
        raise GraphError(
            f"the matrix has shape {value.values.shape}; {edge.pre} to {edge.post} needs {shape} (pre, post)",
            f"{edge.path}.{name}",
        )
    missing = np.isnan(value.values).ravel()
    if edge.rule.kind != "all_to_all" or not missing.any():
        return synapses
    places = synapses.flat()
    return Synapses.from_flat(places[~missing[places]], *shape)
