"""A file as a tree in which every value and every key has its place, and scalars of YAML 1.2."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.errors import Location

Scalar = str | int | float | bool | None
_NO_KEYS: Mapping[str, Location] = MappingProxyType({})  # one for all: most nodes are scalars
Plain = Scalar | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file.

    Parameters
    ----------
    value : scalar, list of Node, dict of str to Node, or ndarray
        An array has one or two axes and holds numbers in base units; only callers in Python have them.
    place : Location
        Where the value begins.
    keys : mapping of str to Location
        Where the keys of a mapping stand; empty otherwise.
    count : int
        Number of nodes of the tree, aliases expanded.
    base : bool
        Whether a number is in the base unit of its quantity, as in arrays and files of numbers.
    """

    value: Scalar | list[Node] | dict[str, Node] | NDArray[Any]
    place: Location
    keys: Mapping[str, Location] = field(default_factory=lambda: _NO_KEYS)
    count: int = 1
    base: bool = False

    @property
    def mapping(self) -> dict[str, Node]:
        """The entries of a mapping; empty for anything else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items of a list; empty for anything else."""
        return self.value if isinstance(self.value, list) else []

    def key_place(self, key: str) -> Location:
        """Return where a key stands, or where the mapping begins if the key is absent."""
        return self.keys.get(key, self.place)


def plain(node: Node) -> Plain:
    """Return the data of a tree without places."""
    value = node.value
    if isinstance(value, np.ndarray):
        return plain(expanded(node))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def expanded(node: Node) -> Node:
    """Return an array as a list, or list of lists, of numbers in base units; any other node as it is."""
    if not isinstance(node.value, np.ndarray):
        return node
    return _listed(node.value.tolist(), node.place)


def _listed(data: Any, place: Location) -> Node:
    if isinstance(data, list):
        return Node([_listed(item, place) for item in data], place)
    return Node(data, place, base=True)


def grown(data: object, place: Location) -> Node:
    """Return plain data as a tree of which every part has the same place."""
    if isinstance(data, Mapping):
        return Node({str(key): grown(item, place) for key, item in data.items()}, place)
    if isinstance(data, list | tuple):
        return Node([grown(item, place) for item in data], place)
    if data is None or isinstance(data, bool | str | int | float):
        return Node(data, place)
    # numpy's numbers and the like, from Python callers
    return Node(float(data) if hasattr(data, "__float__") else str(data), place)


def named(node: Node) -> str:
    """Describe a value in a message: ``a list``, ``the text 'abc'``, ``5``."""
    value = node.value
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the text '{shortened(value)}'" if isinstance(value, str) else str(value)


def shortened(text: str) -> str:
    """Cut a text to a length that fits a message."""
    return text if len(text) <= 60 else text[:57] + "..."


def places(node: Node, path: str = "") -> Iterator[tuple[str, Location]]:
    """Yield the dotted path and place of everything in a tree.

    A scalar stands where its text stands, a mapping or list where its key stands.
    """
    for key, item in node.mapping.items():
        inner = f"{path}.{key}" if path else key
        yield inner, node.key_place(key) if isinstance(item.value, dict | list) else item.place
        yield from places(item, inner)


_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = frozenset((".nan", ".NaN", ".NAN"))
_LONGEST_INTEGER = 300


def scalar(text: str) -> Scalar:
    """Read a plain scalar, which is not quoted in the file.

    By YAML 1.2 ``1e-3`` is a number; ``no``, ``on`` and ``1:30`` are texts.
    """
    if text in _NULL:
        return None
    if text[0] not in "+-.0123456789":
        return _BOOLEAN.get(text, text)
    if _INTEGER.fullmatch(text):
        # Python refuses to read integers of thousands of digits; such a number is no count anyway.
        return int(text, base_of(text)) if len(text) < _LONGEST_INTEGER else float(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float("-inf") if text[0] == "-" else float("inf")
    return float("nan") if text in _NAN else text


def base_of(text: str) -> int:
    """Return the base of an integer as YAML 1.2 writes it: 8, 10 or 16."""
    return {"0o": 8, "0x": 16}.get(text[:2], 10)
