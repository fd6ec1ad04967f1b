"""Graph passes of the emulated BrainScaleS-2."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netdesc.errors import Diagnostic, LimitError
from netdesc.graph.cells import LINEAR_CELLS
from netdesc.graph.ir import NetworkGraph
from netdesc.lower import lower
from netdesc_brainscales2.mapping.pipeline import lay_out
from netdesc_brainscales2.mapping.text import summary
from netdesc_brainscales2.options import Options


@dataclass(frozen=True, slots=True)
class MapToChip:
    """Lay the network out on the chip, refuse what does not fit, and note the map in a line."""

    options: Options
    name: str = field(default="map_to_chip", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Check the graph and return it with notes.

        Parameters
        ----------
        graph : NetworkGraph
            After all other passes.

        Raises
        ------
        LimitError
            With every limit of the chip that the network exceeds.
        """
        plan, faults = lay_out(lower(graph), self.options)
        if plan is None or faults:
            raise LimitError([name_current(fault, graph) for fault in faults])
        return graph.with_notes(
            [*plan.notes, Diagnostic(summary(plan, self.options), "backends.brainscales2", "B2-NEURONS")]
        )


def name_current(fault: Diagnostic, graph: NetworkGraph) -> Diagnostic:
    """Return a fault, with the constant current as the cause where it moves the rest away from the start.

    Parameters
    ----------
    fault : Diagnostic
    graph : NetworkGraph
        With resolved parameters.

    Returns
    -------
    Diagnostic
        The same where the cause is another.
    """
    for node in graph.nodes:
        cell = LINEAR_CELLS.get(node.model)
        if cell is None or fault.path != f"{node.path}.initial" or "initial.v" in node.values:
            continue
        places = {"current": f"{node.path}.current", cell.offset: f"{node.path}.neuron.{cell.offset}"}
        for name, path in places.items():
            values = node.values.get(name, np.zeros(1))
            if np.any(values != 0.0):
                message = (
                    f"brainscales2 starts every membrane at its rest, which a constant {name} of "
                    f"{values[int(np.argmax(np.abs(values)))]:g} moves; remove it, or set initial.v to the "
                    "potential at which the membrane rests with it"
                )
                return Diagnostic(message, path, fault.code)
    return fault
