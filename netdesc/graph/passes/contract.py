"""What a pass is."""

from __future__ import annotations

from typing import Protocol

from netdesc.graph.ir import NetworkGraph


class Pass(Protocol):
    """A step that takes a graph and returns a new one; a frozen dataclass."""

    @property
    def name(self) -> str:
        """Name, for ``netdesc show --after NAME``."""
        ...

    def __call__(self, graph: NetworkGraph) -> NetworkGraph:
        """Transform a graph.

        Parameters
        ----------
        graph : NetworkGraph
            Left as it is.

        Raises
        ------
        NetdescError
            With every violation found, each with its path.
        """
        ...
