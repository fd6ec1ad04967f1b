"""Nested mappings from Python as a tree: plain values, numpy's numbers, and arrays in base units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from os import PathLike, fspath

import numpy as np

from netdesc.description.reading.reader import DEEPEST
from netdesc.description.reading.tree import Node
from netdesc.errors import DescriptionError, Diagnostic, Location

NOWHERE = "<mapping>"
"""File of places that only put faults in order."""


@dataclass(slots=True)
class _Growth:
    """Where the next value stands, and what cannot be read."""

    places: Iterator[Location]
    faults: list[Diagnostic] = field(default_factory=list)

    def fail(self, message: str, path: str, place: Location) -> Node:
        self.faults.append(Diagnostic(message, path, location=place))
        return Node(None, place)


def tree(data: object, path: str = "", place: Location | None = None) -> Node:
    """Return data of Python as a tree.

    Parameters
    ----------
    data : object
        Mappings, lists and tuples; texts, numbers, booleans and None; paths; whatever numpy can turn
        into an array of numbers, with one or two axes, in base units (ms, mV, nA, nF, MOhm, uS).
    path : str
        Dotted path of the data.
    place : Location or None
        Of everything in the tree; None for places that follow each other, in the file `NOWHERE`.

    Raises
    ------
    DescriptionError
        With everything that has no form in the language, and its path.
    """
    places = (place or Location(NOWHERE, line, 1) for line in count(1))
    growth = _Growth(places)
    root = _node(data, path, 0, growth)
    if growth.faults:
        raise DescriptionError(growth.faults)
    return root


def _node(data: object, path: str, depth: int, growth: _Growth) -> Node:
    place = next(growth.places)
    if depth > DEEPEST:
        return growth.fail(f"nested deeper than {DEEPEST} levels; a model never needs that", path, place)
    if isinstance(data, np.generic):
        data = data.item()
    if data is None or isinstance(data, bool | str | int | float):
        return Node(data, place)
    if isinstance(data, PathLike):
        return Node(str(fspath(data)), place)
    if isinstance(data, Mapping):
        return _mapping(data, path, depth, place=place, growth=growth)
    if isinstance(data, list | tuple):
        return Node(
            [
                _node(item, f"{path}.{index}" if path else str(index), depth + 1, growth)
                for index, item in enumerate(data)
            ],
            place,
        )
    if hasattr(data, "__array__"):
        return _array(data, path, place, growth)
    return growth.fail(
        f"expected a mapping, list, text, number or array, got {type(data).__name__}", path, place
    )


def _mapping(
    data: Mapping[object, object], path: str, depth: int, *, place: Location, growth: _Growth
) -> Node:
    entries, keys = {}, {}
    for key, item in data.items():
        inner = f"{path}.{key}" if path else str(key)
        keys[str(key)] = next(growth.places)
        if not isinstance(key, str):
            growth.fail(f"expected a text as key, got {type(key).__name__}", inner, keys[str(key)])
        entries[str(key)] = _node(item, inner, depth + 1, growth)
    return Node(entries, place, keys)


def _array(data: object, path: str, place: Location, growth: _Growth) -> Node:
    values = np.asarray(data)
    if values.dtype.kind not in "biuf":
        return growth.fail(
            f"expected an array of numbers, got one of {values.dtype}; use float64", path, place
        )
    if values.ndim == 0:
        return Node(values.item(), place)
    if values.ndim > 2:
        return growth.fail(f"expected an array of one or two axes, got {values.ndim}", path, place)
    return Node(values, place)
