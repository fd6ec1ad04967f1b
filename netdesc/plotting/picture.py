"""From a figure to a file, whole or not at all; and names that are drawn as they are."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from netdesc.errors import OutputError
from netdesc.escapes import visible
from netdesc.files import replace_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


ENDINGS = (".png", ".svg", ".pdf", ".jpg", ".jpeg", ".eps", ".tif", ".tiff", ".webp")
"""What names of pictures end with."""

DOTS = 150
"""Per inch."""

LARGEST = 2**16 - 1
"""Dots along a side, as many as the library draws."""


def save(figure: Figure, path: Path | str | None) -> None:
    """Write a figure to a file, whole or not at all; its ending names the format. None for no file.

    Raises
    ------
    OutputError
        If there is no such format, or the file cannot be written.
    """
    if path is None:
        return
    picture = Path(path)
    require_ending(picture)
    content = BytesIO()
    dots = min(DOTS, LARGEST / max(figure.get_size_inches()))
    figure.savefig(content, dpi=dots, format=picture.suffix[1:].lower())
    replace_bytes(picture, content.getvalue())


def require_ending(picture: Path) -> None:
    """Refuse a picture whose ending names no format.

    Raises
    ------
    OutputError
    """
    if picture.suffix.lower() not in ENDINGS:
        raise OutputError(
            f"{picture}: expected a name that ends with {', '.join(ENDINGS)}, "
            f"got {picture.suffix or 'no ending'}; use for example {picture.stem}.png"
        )


def drawn(name: str) -> str:
    """Return a name as text of a figure, which shows it letter by letter.

    Returns
    -------
    str
        Control characters are written out, and a dollar sign begins no formula.
    """
    return visible(name).replace("$", r"\$")


def new_figure(size: tuple[float, float], path: Path | str | None) -> Figure:
    """Return an empty figure.

    Parameters
    ----------
    size : tuple of float
        In inches.
    path : Path, str or None
        Where the picture goes; a figure without one is shown at the end of a notebook's cell.
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
