"""Fit delays to the steps of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import networkx as nx
import numpy as np

from netdesc.errors import Diagnostic, GraphError
from netdesc.events import Floats
from netdesc.graph.ir import Edge, NetworkGraph


@dataclass(frozen=True, slots=True)
class RoundDelays:
    """Round every delay to the nearest step of a grid, and note every rounding.

    A step cannot depend on itself, so an edge within a cycle gets at least one step. A cycle of which no
    edge has a delay is an error, unless the file says ``loop_delay: one_tick``.

    Parameters
    ----------
    timestep : float
        In ms.
    """

    timestep: float
    name: str = field(default="round_delays", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Round the delays of all edges.

        Parameters
        ----------
        graph : NetworkGraph
            With drawn values.

        Returns
        -------
        NetworkGraph

        Raises
        ------
        GraphError
            If a cycle has no delay at all and ``loop_delay`` is ``exact``.
        """
        looped, refused = _looped(graph.edges), set[str]()
        if graph.settings.loop_delay == "exact":
            refused = _looped([edge for edge in graph.edges if np.any(_drawn(edge) == 0.0)])
        faults, notes, edges = [], [], []
        for edge in graph.edges:
            delays = _drawn(edge)
            if edge.name in refused:
                faults.append(_zero(edge, self.timestep))
            least = 1.0 if edge.name in looped else 0.0
            rounded = self.timestep * np.maximum(np.rint(delays / self.timestep), least)
            notes += _notes(edge, delays, rounded)
            edges.append(replace(edge, delays=rounded))
        if faults:
            raise GraphError(faults)
        return graph.with_edges(edges).with_notes(notes)


def _looped(edges: Sequence[Edge]) -> set[str]:
    """Return the names of the edges that are part of a cycle made of these edges."""
    network = nx.DiGraph((edge.pre, edge.post) for edge in edges)
    parts = {name: number for number, part in enumerate(nx.strongly_connected_components(network))
             for name in part}
    return {edge.name for edge in edges if parts[edge.pre] == parts[edge.post]}


def _drawn(edge: Edge) -> Floats:
    if edge.delays is None:
        raise GraphError(Diagnostic("its delays are not drawn yet; run draw_values first", edge.path))
    return edge.delays


def _zero(edge: Edge, timestep: float) -> Diagnostic:
    return Diagnostic(
        f"a cycle without delay cannot run on a grid: {edge.pre} to {edge.post} has a delay of 0 ms; give "
        f"it at least {timestep:g} ms, or set simulation.loop_delay: one_tick", f"{edge.path}.delay")


def _notes(edge: Edge, delays: Floats, rounded: Floats) -> list[Diagnostic]:
    # Dividing and multiplying by the step moves a delay on the grid by the last bit; that is no rounding.
    moved = np.abs(rounded - delays) > 1e-9 * np.maximum(delays, rounded)
    if not moved.any():
        return []
    largest = float(np.max(np.abs(rounded - delays)))
    return [Diagnostic(
        f"{int(moved.sum())} of {len(delays)} delays rounded to the time step, by at most {largest:.6g} ms",
        f"{edge.path}.delay")]
