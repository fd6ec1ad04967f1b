"""Find the order in which populations can be computed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import networkx as nx

from netdesc.graph.ir import Group, NetworkGraph


@dataclass(frozen=True, slots=True)
class OrderStages:
    """Order the strongly connected components of the populations; ties by the order of the file."""

    name: str = field(default="order_stages", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Fill in ``NetworkGraph.stages``.

        Parameters
        ----------
        graph : NetworkGraph

        Returns
        -------
        NetworkGraph
            Sources are in no stage.
        """
        rank = {node.name: index for index, node in enumerate(graph.nodes) if node.kind != "source"}
        network = graph.network.subgraph(rank)
        condensed = nx.condensation(nx.DiGraph(network))
        members = {key: sorted(names, key=rank.__getitem__) for key, names in condensed.nodes(data="members")}
        order = nx.lexicographical_topological_sort(condensed, key=lambda key: rank[members[key][0]])
        stages = tuple(
            Group(tuple(members[key]), len(members[key]) > 1 or network.has_edge(*members[key] * 2))
            for key in order
        )
        return replace(graph, stages=stages)
