"""Refusal of samples that begin in the state in which others ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from netdesc.errors import LimitError
from netdesc.graph.ir import NetworkGraph


@dataclass(frozen=True, slots=True)
class CheckState:
    """Refuse samples that start where the one before them ended; for backends that start all of them afresh.

    Parameters
    ----------
    device : str
        Name for the message.
    prefix : str
        Of the code: ``X`` gives ``X-STATE``.
    """

    device: str
    prefix: str
    name: str = field(default="check_state", init=False)

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Return the graph as it is; LimitError if the model asks for ``carry_state: true``."""
        if graph.settings.carry_state:
            raise LimitError(
                f"{self.device} starts every sample in a fresh state; set carry_state: false",
                "simulation.carry_state",
                f"{self.prefix}-STATE",
            )
        return graph
