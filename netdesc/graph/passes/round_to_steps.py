"""Move delays and refractory periods to the steps of a device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from netdesc.errors import Diagnostic, GraphError
from netdesc.events import Floats
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc.steps import round_to_steps


@dataclass(frozen=True, slots=True)
class RoundToSteps:
    """Round delays and refractory periods to whole steps, and note every rounding.

    Parameters
    ----------
    step : float
        In ms.
    noun : str
        What the device calls its steps.
    code, delay_code : str
        Of diagnostics, and of those about delays.
    transport : bool
        Whether every delay takes at least one step.
    instead : str
        What else helps against a cycle without a delay, for messages.
    """

    step: float
    noun: str
    code: str
    delay_code: str
    transport: bool = False
    instead: str = ""
    name: str = field(default="round_to_steps", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Return the graph with all times on steps.

        Parameters
        ----------
        graph : NetworkGraph
            With stages found and delays drawn.

        Returns
        -------
        NetworkGraph
            With a note for every projection and population that was changed.

        Raises
        ------
        GraphError
            If the duration is not a whole number of steps; or if projections without delay form a cycle,
            unless ``simulation.loop_delay`` is ``one_tick``. In a cycle with a delay elsewhere, what would
            be rounded to 0 becomes one step.
        """
        faults = [*self.duration_faults(graph), *self.loop_faults(graph)]
        if faults:
            raise GraphError(faults)
        looped = looping(graph)
        notes: list[Diagnostic] = []
        edges = [self.round_edge(edge, edge.name in looped, notes) for edge in graph.edges]
        nodes = [self.round_node(node, notes) for node in graph.nodes]
        return graph.with_nodes(nodes).with_edges(edges).with_notes(notes)

    def duration_faults(self, graph: NetworkGraph) -> Iterator[Diagnostic]:
        """Yield the fault of a duration that is not a whole number of steps."""
        steps = graph.settings.duration / self.step
        if abs(steps - round(steps)) > 1e-9 * steps:
            message = (
                f"{graph.settings.duration:g} ms is not a whole number of {self.noun} of {self.step:g} ms; "
                f"set {max(1, round(steps)) * self.step:g} ms"
            )
            yield Diagnostic(message, "simulation.duration", self.code)

    def loop_faults(self, graph: NetworkGraph) -> Iterator[Diagnostic]:
        """Yield the fault of a cycle of projections that all have synapses with a delay of 0."""
        if self.transport or graph.settings.loop_delay == "one_tick":
            return
        cycle = undelayed_cycle(graph)
        if cycle:
            chain = " -> ".join(edge.name for edge in cycle)
            message = (
                f"the cycle {chain} has no delay, and a grid of {self.step:g} ms cannot step through it; "
                f"give one of them a delay, {self.instead}or write loop_delay: one_tick under simulation"
            )
            yield Diagnostic(message, f"{cycle[0].path}.delay", self.delay_code)

    def round_edge(self, edge: Edge, looped: bool, notes: list[Diagnostic]) -> Edge:
        """Return an edge with its delays on steps; add a note where they were not."""
        if edge.delays is None:
            return edge
        least = self.step if looped or self.transport else 0.0
        rounded = np.maximum(round_to_steps(edge.delays, self.step), least)
        error = largest_change(edge.delays, rounded)
        if error > 0.0:
            changed = int(np.sum(np.abs(edge.delays - rounded) > 1e-9 * self.step))
            steps = f"{self.noun} of {self.step:g} ms{', at least one' if self.transport else ''}"
            message = f"{changed} of {len(edge.delays)} delays rounded to {steps}, by at most {error:.3g} ms"
            notes.append(Diagnostic(message, f"{edge.path}.delay", self.delay_code))
        return replace(edge, delays=rounded)

    def round_node(self, node: Node, notes: list[Diagnostic]) -> Node:
        """Return a node with its refractory periods on steps; add a note where they were not."""
        key = "tau_refrac" if node.equations is None else node.equations.refractory
        if key not in node.values:
            return node
        before = node.values[key]
        rounded = round_to_steps(before, self.step)
        error = largest_change(before, rounded)
        if error > 0.0:
            message = (
                f"refractory periods rounded to {self.noun} of {self.step:g} ms, by at most {error:.3g} ms"
            )
            notes.append(Diagnostic(message, f"{node.path}.neuron.{key}", self.code))
        return replace(node, values={**node.values, key: rounded})


def looping(graph: NetworkGraph) -> set[str]:
    """Return the names of the edges that lie on a cycle of populations."""
    stage = {name: k for k, group in enumerate(graph.stages) for name in group.populations}
    return {edge.name for edge in graph.edges if edge.pre in stage and stage[edge.pre] == stage[edge.post]}


def undelayed_cycle(graph: NetworkGraph) -> list[Edge]:
    """Return a shortest cycle of projections that have a delay of 0, from the first one in the file on.

    Only cycles need networkx, which is slow to import.
    """
    looped = looping(graph)
    edges = [
        edge
        for edge in graph.edges
        if edge.name in looped and edge.delays is not None and np.min(edge.delays, initial=np.inf) == 0.0
    ]
    if not edges:
        return []
    import networkx as nx

    network = nx.DiGraph()
    for edge in reversed(edges):
        network.add_edge(edge.pre, edge.post, edge=edge)
    for edge in edges:
        if nx.has_path(network, edge.post, edge.pre):
            nodes = nx.shortest_path(network, edge.post, edge.pre)
            return [edge, *(network.edges[step]["edge"] for step in pairwise(nodes))]
    return []


def largest_change(before: Floats, after: Floats) -> float:
    """Return the largest difference, 0 where it is within rounding errors."""
    change = float(np.max(np.abs(before - after), initial=0.0))
    return change if change > 1e-9 * float(np.max(np.abs(before), initial=0.0)) else 0.0
