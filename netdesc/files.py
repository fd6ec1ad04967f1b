"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

DRAFT = ".draft"
"""Stands before the ending of the names of files that are not complete yet."""


def replace_file(path: Path, fill: Callable[[Path], None]) -> None:
    """Write a file beside its place and move it there once it is safely on the disk.

    Parameters
    ----------
    path : Path
        Its old content stays until the new one is complete, whatever happens meanwhile.
    fill : callable
        Writes the file whose path it is given.

    Raises
    ------
    OSError
        If the disk does not take it; no half-written file is left.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=DRAFT + path.suffix)
    os.close(handle)
    draft = Path(name)
    try:
        fill(draft)
        draft.chmod(0o644)
        synchronize(draft)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    synchronize(path.parent)


def replace_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Parameters
    ----------
    path : Path
    text : str
        Written as UTF-8.
    """
    def fill(draft: Path) -> None:
        draft.write_text(text, encoding="utf-8")

    replace_file(path, fill)


def remove_drafts(folder: Path) -> None:
    """Remove what a process that was killed left half-written.

    Parameters
    ----------
    folder : Path
    """
    for draft in folder.glob(f".*{DRAFT}.*"):
        draft.unlink(missing_ok=True)


def synchronize(path: Path) -> None:
    """Wait until a file or directory is on the disk.

    Parameters
    ----------
    path : Path
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
