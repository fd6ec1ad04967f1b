"""Files that a command reads, so that it does not write over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path


def list_mentioned(mentions: Iterable[str], folder: Path) -> Iterator[Path]:
    """Yield the files that a description mentions.

    Parameters
    ----------
    mentions : iterable of str
        Texts of the description that may name files.
    folder : Path
        Where relative paths begin.

    Yields
    ------
    Path
        Each text that names a file, without the dataset that may follow it, and the IDX files of each text
        that names a folder.
    """
    for text in mentions:
        if "\0" not in text:
            yield from _list_named(text, folder)


def list_weights(weights: Path | None) -> Iterator[Path]:
    """Yield the files that are read for ``--weights``.

    Parameters
    ----------
    weights : Path or None
        A run directory, or a file of weights.
    """
    if weights is not None:
        yield from (weights / "weights.h5", weights / "metrics.csv") if weights.is_dir() else (weights,)


def _list_named(text: str, folder: Path) -> Iterator[Path]:
    whole, colon, _ = text.rpartition(":")
    for name in (text, whole) if colon else (text,):
        try:
            path = folder / name
            if path.is_file():
                yield path
            elif name and path.is_dir():
                yield from (
                    item for item in path.iterdir() if item.name.removesuffix(".gz").endswith("-ubyte")
                )
        except OSError:
            # Longer than any name, or in a folder that cannot be read.
            continue
