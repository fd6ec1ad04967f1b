"""Graph passes of the numba backend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import networkx as nx
import numpy as np

from netdesc.errors import Diagnostic, GraphError, LimitError
from netdesc.events import Floats
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc.steps import round_to_steps


@dataclass(frozen=True, slots=True)
class RoundToGrid:
    """Round delays and refractory periods to whole steps, and note every rounding.

    Parameters
    ----------
    timestep : float
        In ms.
    """

    timestep: float
    name: str = field(default="round_to_grid", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Return the graph with all times on the grid.

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
            If projections without delay form a cycle, unless ``simulation.loop_delay`` is ``one_tick``; or
            if the duration is not a whole number of steps. In a cycle with a delay elsewhere, what would
            be rounded to 0 becomes one step.
        """
        faults = [*self.duration_fault(graph), *self.loop_faults(graph)]
        if faults:
            raise GraphError(faults)
        looped = looping(graph)
        notes: list[Diagnostic] = []
        edges = [self.round_edge(edge, edge.name in looped, notes) for edge in graph.edges]
        nodes = [self.round_node(node, notes) for node in graph.nodes]
        return graph.with_nodes(nodes).with_edges(edges).with_notes(notes)

    def duration_fault(self, graph: NetworkGraph) -> list[Diagnostic]:
        """Return the fault of a duration that is not a whole number of steps."""
        steps = graph.settings.duration / self.timestep
        if abs(steps - round(steps)) <= 1e-9 * steps:
            return []
        best = max(1, round(steps)) * self.timestep
        message = (
            f"{graph.settings.duration:g} ms is not a whole number of steps of {self.timestep:g} ms; set "
            f"{best:g} ms"
        )
        return [Diagnostic(message, "simulation.duration", "NB-GRID")]

    def loop_faults(self, graph: NetworkGraph) -> list[Diagnostic]:
        """Return the fault of a cycle of projections that all have synapses with a delay of 0."""
        if graph.settings.loop_delay == "one_tick":
            return []
        cycle = undelayed_cycle(graph)
        if not cycle:
            return []
        chain = " -> ".join(edge.name for edge in cycle)
        message = (
            f"the cycle {chain} has no delay, and a grid of {self.timestep:g} ms cannot step through it; "
            "give one of them a delay, use solver: event, or write loop_delay: one_tick under simulation"
        )
        return [Diagnostic(message, f"{cycle[0].path}.delay", "NB-GRID")]

    def round_edge(self, edge: Edge, looped: bool, notes: list[Diagnostic]) -> Edge:
        """Return an edge with its delays on the grid; add a note where they were not."""
        if edge.delays is None:
            return edge
        rounded = np.maximum(round_to_steps(edge.delays, self.timestep), self.timestep if looped else 0.0)
        error = largest_change(edge.delays, rounded)
        if error > 0.0:
            changed = int(np.sum(np.abs(edge.delays - rounded) > 1e-9 * self.timestep))
            message = (
                f"{changed} of {len(edge.delays)} delays rounded to steps of {self.timestep:g} ms, by at "
                f"most {error:.3g} ms"
            )
            notes.append(Diagnostic(message, f"{edge.path}.delay", "NB-GRID"))
        return replace(edge, delays=rounded)

    def round_node(self, node: Node, notes: list[Diagnostic]) -> Node:
        """Return a node with its refractory periods on the grid; add a note where they were not."""
        key = "tau_refrac" if node.equations is None else node.equations.refractory
        if key not in node.values:
            return node
        before = node.values[key]
        rounded = round_to_steps(before, self.timestep)
        error = largest_change(before, rounded)
        if error > 0.0:
            message = (
                f"refractory periods rounded to steps of {self.timestep:g} ms, by at most {error:.3g} ms"
            )
            notes.append(Diagnostic(message, f"{node.path}.neuron.{key}", "NB-GRID"))
        return replace(node, values={**node.values, key: rounded})


def looping(graph: NetworkGraph) -> set[str]:
    """Return the names of the edges that lie on a cycle of populations."""
    stage = {name: k for k, group in enumerate(graph.stages) for name in group.populations}
    return {edge.name for edge in graph.edges if edge.pre in stage and stage[edge.pre] == stage[edge.post]}


def undelayed_cycle(graph: NetworkGraph) -> list[Edge]:
    """Return a shortest cycle of projections that have a delay of 0, from the first one in the file on."""
    edges = [
        edge for edge in graph.edges if edge.delays is not None and np.min(edge.delays, initial=np.inf) == 0.0
    ]
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


@dataclass(frozen=True, slots=True)
class CheckCells:
    """Refuse recordings, losses and cycles that only the linear membrane with exponential currents has."""

    name: str = field(default="check_cells", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Check the graph and return it as it is.

        Parameters
        ----------
        graph : NetworkGraph
            With stages found.

        Raises
        ------
        LimitError
            With every fault.
        """
        own = {node.name: node for node in graph.nodes if node.equations is not None}
        faults = [
            *_recordings(graph, own),
            *_losses(graph, own),
            *_gradient(graph, own),
            *_cycles(graph, own),
        ]
        if faults:
            raise LimitError(faults)
        return graph


def _recordings(graph: NetworkGraph, own: dict[str, Node]) -> Iterator[Diagnostic]:
    for item in graph.settings.recordings:
        if item.population in own and item.variable in ("lam_v", "lam_i"):
            message = (
                f"{item.variable} is an adjoint of membranes with exponential currents; "
                f"{own[item.population].model} has others; remove it"
            )
            yield Diagnostic(message, f"record.{item.population}", "NB-CELL")


def _losses(graph: NetworkGraph, own: dict[str, Node]) -> Iterator[Diagnostic]:
    for name, loss in graph.settings.losses.items():
        if loss.population in own and float(loss.options.get("pull") or 0.0) > 0.0:
            message = (
                "pull needs the last voltage of membranes with exponential currents, not of "
                f"{own[loss.population].model}; remove it"
            )
            yield Diagnostic(message, f"losses.{name}.{loss.kind}.pull", "NB-CELL")


def _gradient(graph: NetworkGraph, own: dict[str, Node]) -> Iterator[Diagnostic]:
    gradient = graph.settings.gradient
    if own and gradient is not None and gradient.kind == "surrogate":
        node = next(iter(own.values()))
        message = (
            f"surrogate gradients need LIF, LI or IF_curr_exp, not {node.model}; use gradient: eventprop"
        )
        yield Diagnostic(message, "training.gradient", "NB-CELL")


def _cycles(graph: NetworkGraph, own: dict[str, Node]) -> Iterator[Diagnostic]:
    for stage in graph.stages:
        cells = {name: graph.node(name).model for name in stage.populations}
        if len(set(cells.values())) > 1 and any(name in own for name in cells):
            listed = ", ".join(f"{name} ({model})" for name, model in cells.items())
            message = (
                f"populations that form a cycle need one neuron model here, got {listed}; give all of them "
                "the same"
            )
            yield Diagnostic(message, f"populations.{stage.populations[0]}.neuron", "NB-CELL")
