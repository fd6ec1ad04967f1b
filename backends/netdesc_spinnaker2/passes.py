"""Graph passes of the emulated SpiNNaker2."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from netdesc.display import counted
from netdesc.errors import Diagnostic, GraphError
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc_spinnaker2.mapping.network import ticks_of, view_graph
from netdesc_spinnaker2.mapping.pipeline import plan
from netdesc_spinnaker2.mapping.plan import ROLES, Plan
from netdesc_spinnaker2.options import Options


@dataclass(frozen=True, slots=True)
class RoundToTicks:
    """Round delays, to at least one tick, and refractory periods to whole ticks; note every rounding."""

    options: Options
    name: str = field(default="round_to_ticks", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Return the graph with all times on ticks.

        Parameters
        ----------
        graph : NetworkGraph
            With delays drawn.

        Raises
        ------
        GraphError
            If the duration is not a whole number of ticks.
        """
        step, duration = self.options.step, graph.settings.duration
        if abs(duration / step - round(duration / step)) > 1e-9 * duration / step:
            message = (
                f"{duration:g} ms is not a whole number of ticks of {step:g} ms; set "
                f"{max(1, round(duration / step)) * step:g} ms"
            )
            raise GraphError(Diagnostic(message, "simulation.duration", "S2-TICK"))
        notes: list[Diagnostic] = []
        edges = [self.round_edge(edge, notes) for edge in graph.edges]
        nodes = [self.round_node(node, notes) for node in graph.nodes]
        return graph.with_nodes(nodes).with_edges(edges).with_notes(notes)

    def round_edge(self, edge: Edge, notes: list[Diagnostic]) -> Edge:
        """Return an edge with its delays on ticks; add a note where they were not."""
        if edge.delays is None:
            return edge
        ticks = ticks_of(edge.delays, self.options.step, edge.path, notes)
        return replace(edge, delays=np.asarray(ticks * self.options.step, dtype=np.float64))

    def round_node(self, node: Node, notes: list[Diagnostic]) -> Node:
        """Return a node with its refractory periods on ticks; add a note where they were not."""
        if "tau_refrac" not in node.values:
            return node
        before, step = node.values["tau_refrac"], self.options.step
        rounded = np.rint(before / step) * step
        error = float(np.max(np.abs(rounded - before), initial=0.0))
        if error > 1e-9 * step:
            message = f"refractory periods rounded to ticks of {step:g} ms, by at most {error:.3g} ms"
            notes.append(Diagnostic(message, f"{node.path}.neuron.tau_refrac", "S2-TICK"))
        return replace(node, values={**node.values, "tau_refrac": rounded})


@dataclass(frozen=True, slots=True)
class CheckBoard:
    """Lay the network out on the board, refuse what does not fit, and note the map in a line.

    It must follow ``CheckLimits``, for a map knows the cells of the chip alone, and ``RoundToTicks``, for it
    maps the delays that run; the other passes may stand in any order.
    """

    options: Options
    name: str = field(default="check_board", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Check the graph and return it with notes.

        Parameters
        ----------
        graph : NetworkGraph
            After all other passes.

        Raises
        ------
        LimitError
            With every limit of the machine that the network exceeds.
        """
        found = plan(view_graph(graph, self.options), self.options)
        note = Diagnostic(summary(found, self.options), "backends.spinnaker2", "S2-CORES")
        return graph.with_notes([*found.notes, note])


def summary(plan: Plan, options: Options) -> str:
    """Return a map in a line."""
    roles = Counter(item.role for item in plan.slices)
    parts = ", ".join(f"{roles[role]} {role}" for role in ROLES if roles[role])
    fullest = max(plan.bytes(item.index) for item in plan.slices)
    entries = max((len(table) for table in plan.tables.values()), default=0)
    return (
        f"{plan.extent} in "
        f"{counted(plan.copies, 'copy', 'copies')} ({parts}); at most {fullest} "
        f"of {options.profile.data_sram.value:g} B of SRAM, "
        f"{max(plan.cycles):.0f} of {options.budget.value:.0f} cycles per tick, "
        f"{entries} of {options.profile.table_entries.value:g} table entries"
    )
