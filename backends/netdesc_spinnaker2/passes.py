"""Graph passes of the emulated SpiNNaker2."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from netdesc.display import counted
from netdesc.errors import Diagnostic
from netdesc.graph.ir import NetworkGraph
from netdesc_spinnaker2.mapping.network import view_graph
from netdesc_spinnaker2.mapping.pipeline import plan
from netdesc_spinnaker2.mapping.plan import ROLES, Plan
from netdesc_spinnaker2.options import Options


@dataclass(frozen=True, slots=True)
class CheckBoard:
    """Lay the network out on the board, refuse what does not fit, and note the map in a line.

    It must follow ``CheckLimits``, for a map knows the cells of the chip alone, and ``RoundToSteps``, for it
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
