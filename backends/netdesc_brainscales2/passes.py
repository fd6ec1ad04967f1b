"""Graph passes of the emulated BrainScaleS-2."""

from __future__ import annotations

from dataclasses import dataclass, field

from netdesc.errors import Diagnostic, LimitError
from netdesc.graph.ir import NetworkGraph
from netdesc.lower import lower
from netdesc_brainscales2.mapping import lay_out
from netdesc_brainscales2.options import Options
from netdesc_brainscales2.text import summary


@dataclass(frozen=True, slots=True)
class MapToChip:
    """Lay the network out on the chip, refuse what does not fit, and note the map in a line.

    Parameters
    ----------
    options : Options
    """

    options: Options
    name: str = field(default="map_to_chip", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Check the graph and return it with notes.

        Parameters
        ----------
        graph : NetworkGraph
            After all other passes.

        Returns
        -------
        NetworkGraph

        Raises
        ------
        LimitError
            With every limit of the chip that the network exceeds.
        """
        plan, faults = lay_out(lower(graph), self.options)
        if plan is None or faults:
            raise LimitError([*faults])
        return graph.with_notes([*plan.notes, Diagnostic(summary(plan, self.options), "backends.brainscales2",
                                                         "B2-NEURONS")])
