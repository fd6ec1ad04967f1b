"""Front of the language: a file or text, with overrides, to a `Description`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from netdesc.description.build import build
from netdesc.description.files import text_of
from netdesc.description.model import Description
from netdesc.description.overrides import overridden
from netdesc.description.reader import read
from netdesc.description.tree import named
from netdesc.errors import DescriptionError, Diagnostic, Location

Overrides = Mapping[str, object] | Sequence[str]


def describe(file: str | Path, overrides: Overrides = ()) -> Description:
    """Read a description from a YAML file.

    Parameters
    ----------
    file : str or Path
    overrides : mapping of dotted path to value, or sequence of ``path=value``
        Changes of the file, for example ``{"training.epochs": 5}`` or ``["training.epochs=5"]``.

    Returns
    -------
    Description

    Raises
    ------
    DescriptionError
        With every fault of the file and of the overrides, each with its place.
    """
    path = Path(file)
    return _described(text_of(path), str(file), overrides, path.parent)


def describe_text(text: str, file: str = "<text>", overrides: Overrides = ()) -> Description:
    """Read a description from YAML text.

    Parameters
    ----------
    text : str
    file : str
        Name for places in messages; relative paths in the text begin at its folder.
    overrides : mapping of dotted path to value, or sequence of ``path=value``
        As for `describe`.

    Returns
    -------
    Description

    Raises
    ------
    DescriptionError
        As `describe`.
    """
    return _described(text, file, overrides, Path(file).parent)


def _described(text: str, file: str, overrides: Overrides, directory: Path) -> Description:
    root = read(text, file)
    place = Location(file, 1, 1)
    if root is None:
        raise DescriptionError(
            Diagnostic("the file is empty; `netdesc new yin-yang` writes one to start from", location=place)
        )
    if not isinstance(root.value, dict):
        raise DescriptionError(
            Diagnostic(
                f"a description is a mapping that begins with netdesc: 1, found {named(root)}",
                location=root.place,
            )
        )
    return build(overridden(root, overrides) if overrides else root, file, directory)
