"""Figures that a notebook shows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def new_figure(size: tuple[float, float], path: Path | str | None) -> Figure:
    """Return an empty figure.

    Parameters
    ----------
    size : tuple of float
        In inches.
    path : Path, str or None
        Where the picture goes; a figure without one is shown at the end of a notebook's cell.

    Returns
    -------
    matplotlib.figure.Figure
    """
    if path is None and in_notebook():
        from matplotlib import pyplot

        return pyplot.figure(figsize=size, layout="constrained")
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="constrained")


def in_notebook() -> bool:
    """Return whether the code runs in IPython, which shows open figures."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None
