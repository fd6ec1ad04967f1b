"""Front of the language: a file, text or mapping, with overrides, to a `Description`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from netdesc.description.model import Description
from netdesc.description.reading.files import text_of
from netdesc.description.reading.mapping import NOWHERE, tree
from netdesc.description.reading.overrides import overridden
from netdesc.description.reading.reader import read
from netdesc.description.reading.tree import named
from netdesc.description.sections.build import build
from netdesc.errors import DescriptionError, Location

Overrides = Mapping[str, object] | Sequence[str]


def describe(file: str | Path, overrides: Overrides = ()) -> Description:
    """Read a description from a YAML file.

    Parameters
    ----------
    file : str or Path
    overrides : mapping of dotted path to value, or sequence of ``path=value``
        Changes of the file, for example ``{"training.epochs": 5}`` or ``["training.epochs=5"]``.

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

    Raises
    ------
    DescriptionError
        As `describe`.
    """
    return _described(text, file, overrides, Path(file).parent)


def describe_mapping(data: Mapping[str, object], overrides: Overrides = ()) -> Description:
    """Read a description from a nested mapping.

    Parameters
    ----------
    data : mapping of str to object
        As a file: mappings, lists, texts such as ``"10 ms"``, numbers and booleans. Wherever a file may
        have a list or a matrix, numpy arrays in base units (ms, mV, nA, nF, MOhm, uS) are read too, NaN
        where a matrix has no synapse. Relative paths begin at the working directory.
    overrides : mapping of dotted path to value, or sequence of ``path=value``
        As for `describe`.

    Returns
    -------
    Description
        Of the same digest as a file with the same content and a name.

    Raises
    ------
    DescriptionError
        With every fault, each with its dotted path.
    """
    try:
        root = tree(data)
        described = build(overridden(root, overrides) if overrides else root, "model", Path())
    except DescriptionError as error:
        raise DescriptionError(
            replace(item, location=None) if item.location and item.location.file in _UNPLACED else item
            for item in error.diagnostics
        ) from error.__cause__
    known = {path: place for path, place in described.locations.items() if place.file not in _UNPLACED}
    return replace(described, locations=known)


_UNPLACED = (NOWHERE, "model")


def _described(text: str, file: str, overrides: Overrides, directory: Path) -> Description:
    root = read(text, file)
    place = Location(file, 1, 1)
    if root is None:
        raise DescriptionError(
            "the file is empty; `netdesc new yin-yang` writes one to start from", location=place
        )
    if not isinstance(root.value, dict):
        raise DescriptionError(
            f"expected a mapping that begins with netdesc: 1, got {named(root)}", location=root.place
        )
    return build(overridden(root, overrides) if overrides else root, file, directory)
