"""Find the order in which populations can be computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from heapq import heapify, heappop, heappush

from netdesc.graph.ir import Group, NetworkGraph


@dataclass(frozen=True, slots=True)
class OrderStages:
    """Order the strongly connected components of the populations; ties by the order of the file."""

    name: str = field(default="order_stages", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Fill in ``NetworkGraph.stages``; sources are in no stage."""
        rank = {node.name: index for index, node in enumerate(graph.nodes) if node.kind != "source"}
        links = {(edge.pre, edge.post) for edge in graph.edges if edge.pre in rank and edge.post in rank}
        try:
            groups: list[tuple[str, ...]] = [(name,) for name in _ordered(rank, links)]
        except CycleError:
            groups = _components(rank, links)
        stages = (Group(names, len(names) > 1 or (names[0], names[0]) in links) for names in groups)
        return replace(graph, stages=tuple(stages))


def _ordered(rank: Mapping[str, int], links: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield populations after those that project to them; CycleError if there is no such order."""
    sorter: TopologicalSorter[str] = TopologicalSorter({name: () for name in rank})
    for pre, post in links:
        if pre != post:
            sorter.add(post, pre)
    sorter.prepare()
    ready = [(rank[name], name) for name in sorter.get_ready()]
    heapify(ready)
    while ready:
        name = heappop(ready)[1]
        yield name
        sorter.done(name)
        for follower in sorter.get_ready():
            heappush(ready, (rank[follower], follower))


def _components(rank: Mapping[str, int], links: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Return the strongly connected components in their order; only cycles need networkx, slow to import."""
    import networkx as nx

    # names alone: a graph of networkx refers to itself, and would keep synapses until the next collection
    network = nx.DiGraph()
    network.add_nodes_from(rank)
    network.add_edges_from(links)
    condensed = nx.condensation(network)
    members = {key: sorted(names, key=rank.__getitem__) for key, names in condensed.nodes(data="members")}
    order = nx.lexicographical_topological_sort(condensed, key=lambda key: rank[members[key][0]])
    return [tuple(members[key]) for key in order]
