"""Values without parts that the schema describes: one reader for each form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from netdesc.description.reading.context import Reading
from netdesc.description.reading.suggestion import nearest
from netdesc.description.reading.tree import Node, named
from netdesc.description.schema.numbers import check_range, integer, number, quantity
from netdesc.description.sections.pairs import read_pairs
from netdesc.description.sections.values import read_parameter, read_value


def _boolean(node: Node, part: dict[str, Any], path: str, reading: Reading) -> bool | None:
    if isinstance(node.value, bool):
        return node.value
    reading.fail(f"expected true or false, got {named(node)}", path, node.place)
    return None


def _text(node: Node, part: dict[str, Any], path: str, reading: Reading) -> str | None:
    words = [word for word in part.get("enum", ()) if word is not None]
    if words and isinstance(node.value, bool) and str(node.value).lower() in words:
        return str(node.value).lower()
    if words and (not isinstance(node.value, str) or node.value not in words):
        end = nearest(node.value, words) if isinstance(node.value, str) else ""
        reading.fail(f"expected one of {', '.join(words)}, got {named(node)}{end}", path, node.place)
        return None
    if isinstance(node.value, bool | dict | list):
        reading.fail(f"expected a text, got {named(node)}", path, node.place)
        return None
    return str(node.value)


def _raw(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Node:
    return node


def _version(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Any:
    if node.value != 1 or isinstance(node.value, bool):
        reading.fail(
            f"expected version 1 of the language, got {named(node)}; write netdesc: 1", path, node.place
        )
    return 1


def _size(node: Node, part: dict[str, Any], path: str, reading: Reading) -> tuple[int, ...] | None:
    sides = node.items if isinstance(node.value, list) else [node]
    if not sides:
        reading.fail(
            "the shape is empty; write a number of neurons such as 10, or a shape such as [4, 4]",
            path,
            node.place,
        )
        return None
    shape = [integer(side, {"minimum": 1, "x-what": "number of neurons"}, path, reading) for side in sides]
    return tuple(side for side in shape if isinstance(side, int)) if None not in shape else None


def _names(node: Node, part: dict[str, Any], path: str, reading: Reading) -> tuple[str, ...] | None:
    names = node.items if isinstance(node.value, list) else [node]
    if not names or any(isinstance(item.value, dict | list | bool | None) for item in names):
        reading.fail(
            f"expected the name of a population, or a list of names, got {named(node)}",
            path,
            node.place,
        )
        return None
    return tuple(str(item.value) for item in names)


def _value(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Any:
    return read_value(node, part["x-unit"], path, reading, sign=part.get("x-sign"))


def _parameter(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Any:
    return read_parameter(node, part["x-unit"], path, reading, sign=part.get("x-sign"))


def _quantity(node: Node, part: dict[str, Any], path: str, reading: Reading) -> float | None:
    value = quantity(node, part["x-unit"], path, reading)
    return value if value is None or check_range(value, part, path, reading, node.place) else None


def _share(node: Node, part: dict[str, Any], path: str, reading: Reading) -> float | str | None:
    """Read a fraction, or the name of a file."""
    if isinstance(node.value, str):
        return node.value
    return number(node, part, path, reading)


def _column(node: Node, part: dict[str, Any], path: str, reading: Reading) -> str | None:
    if isinstance(node.value, bool | dict | list | None):
        reading.fail(f"expected the name of a column, got {named(node)}", path, node.place)
        return None
    return str(node.value)


def _columns(node: Node, part: dict[str, Any], path: str, reading: Reading) -> tuple[str, ...] | None:
    names = node.items if isinstance(node.value, list) else [node]
    if not names:
        reading.fail("expected at least one column, got an empty list", path, node.place)
    read = [_column(item, part, path, reading) for item in names]
    twice = sorted({name for name in read if name is not None and read.count(name) > 1})
    if twice:
        reading.fail(f"expected every column once, got {', '.join(twice)} twice", path, node.place)
    return tuple(name for name in read if name is not None)


ARRAYS = frozenset(("raw", "value", "parameter", "pairs"))
"""Forms that take an array whole; the others see it as a list."""


LEAVES: Mapping[str, Callable[[Node, dict[str, Any], str, Reading], Any]] = {
    "boolean": _boolean,
    "string": _text,
    "raw": _raw,
    "version": _version,
    "size": _size,
    "names": _names,
    "value": _value,
    "parameter": _parameter,
    "pairs": read_pairs,
    "quantity": _quantity,
    "share": _share,
    "column": _column,
    "columns": _columns,
    "number": number,
    "integer": integer,
}
"""Readers by form: each takes a node, its part of the schema, its path, and the reading."""
