"""Tree to typed data: what the schema accepts, with defaults filled in and quantities in base units."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from netdesc.description.model import Choice
from netdesc.description.reading.context import Reading
from netdesc.description.reading.suggestion import did_you_mean
from netdesc.description.reading.tree import Node, expanded, grown
from netdesc.description.schema.document import Part, form_of, resolved
from netdesc.description.schema.numbers import integer, number, quantity
from netdesc.description.schema.sentences import report_faults
from netdesc.description.schema.validation import compiled
from netdesc.description.sections.connectors import read_pairs
from netdesc.description.sections.values import read_parameter, read_value

Read = Callable[[Node, Part, str, Reading], Any]

_ARRAYS = frozenset(("raw", "value", "parameter", "pairs"))
"""Forms that take an array whole; the others see it as a list."""

_WHOLE = _ARRAYS | {"names", "columns"}
"""Forms of which nothing is read where the schema refuses a part of them."""


def shaped(node: Node, part: Part, path: str, reading: Reading) -> Any:
    """Validate a tree by a part of the schema, and read it.

    Returns
    -------
    object
        Mappings become dicts with every default, choices `Choice`, quantities floats in base units,
        values and parameters their records; a value whose unit depends on something else stays a Node;
        None where a fault was noted or the file says null.
    """
    report_faults(node, part, reading, path)
    return _read(node, part, path, reading)


def _read(node: Node, part: Part, path: str, reading: Reading) -> Any:
    part = resolved(part)
    form = form_of(part)
    if node.value is None or reading.refused(path, within=form in _WHOLE):
        return None
    return _READERS[form](node if form in _ARRAYS else expanded(node), part, path, reading)


def _object(node: Node, part: Part, path: str, reading: Reading) -> Any:
    known, others = part.get("properties", {}), part.get("additionalProperties", False)
    if others is True:
        return _free(node, path, reading)
    entries = {
        key: _read(item, known.get(key, others), f"{path}.{key}" if path else key, reading)
        for key, item in node.mapping.items()
        if key in known or (isinstance(others, dict) and _may_name(key, part))
    }
    for key, inner in known.items():
        if key not in node.mapping and "default" in inner:
            default = grown(inner["default"], node.place)
            entries[key] = _read(default, inner, f"{path}.{key}" if path else key, reading)
    order = [key for key in known if key in entries]
    return {key: entries[key] for key in [*order, *(key for key in entries if key not in known)]}


def _may_name(key: str, part: Part) -> bool:
    names = part.get("propertyNames")
    return names is None or compiled(names["pattern"]).search(key) is not None


def _free(node: Node, path: str, reading: Reading) -> Any:
    """Return what no schema describes as plain data; numbers must be finite there, too."""
    value = expanded(node).value
    if isinstance(value, dict):
        return {key: _free(item, f"{path}.{key}", reading) for key, item in value.items()}
    if isinstance(value, list):
        return [_free(item, path, reading) for item in value]
    if isinstance(value, float) and not isfinite(value):
        reading.fail(f"{value} is not a finite number", path, node.place)
    return value


def _choice(node: Node, part: Part, path: str, reading: Reading) -> Choice | None:
    kind, options = next(iter(node.mapping.items()), (str(node.value), Node({}, node.place)))
    result = _read(options, part["properties"][kind], f"{path}.{kind}", reading)
    return Choice(kind, result) if isinstance(result, dict) else None


def _array(node: Node, part: Part, path: str, reading: Reading) -> Any:
    return [_read(item, part["items"], f"{path}.{index}", reading) for index, item in enumerate(node.items)]


def _neuron(node: Node, part: Part, path: str, reading: Reading) -> Choice | str | None:
    models = resolved({"$ref": "#/definitions/neuron"})
    if isinstance(node.value, str):
        if node.value in reading.neuron_types:
            return node.value
        if node.value not in models["properties"]:
            known = [*sorted(reading.neuron_types), *models["properties"]]
            reading.fail(
                f"there is no neuron type '{node.value}'{did_you_mean(node.value, known)}", path, node.place
            )
            return None
    return _choice(node, models, path, reading)


def _target(node: Node, part: Part, path: str, reading: Reading) -> Any:
    read = _array if isinstance(node.value, list) else integer
    return read(node, part, path, reading)


def _text(node: Node, part: Part, path: str, reading: Reading) -> str:
    # The reader of a file makes a truth value of a bare true.
    return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)


def _texts(node: Node, part: Part, path: str, reading: Reading) -> tuple[str, ...]:
    return tuple(str(item.value) for item in (node.items if isinstance(node.value, list) else [node]))


def _text_or_number(node: Node, part: Part, path: str, reading: Reading) -> str | float | None:
    return node.value if isinstance(node.value, str) else number(node, part, path, reading)


def _size(node: Node, part: Part, path: str, reading: Reading) -> tuple[int, ...] | None:
    if isinstance(node.value, list):
        shape = _array(node, part, path, reading)
    else:
        shape = [integer(node, part, path, reading)]
    return None if None in shape else tuple(shape)


_READERS: Mapping[str, Read] = {
    "object": _object,
    "choice": _choice,
    "array": _array,
    "neuron": _neuron,
    "target": _target,
    "boolean": lambda node, part, path, reading: node.value,
    "version": lambda node, part, path, reading: node.value,
    "raw": lambda node, part, path, reading: node,
    "string": _text,
    "column": _text,
    "columns": _texts,
    "names": _texts,
    "size": _size,
    "value": lambda node, part, path, reading: read_value(
        node, part["x-unit"], path, reading, sign=part.get("x-sign")
    ),
    "parameter": lambda node, part, path, reading: read_parameter(
        node, part["x-unit"], path, reading, sign=part.get("x-sign")
    ),
    "pairs": lambda node, part, path, reading: read_pairs(node, path, reading),
    "quantity": lambda node, part, path, reading: quantity(node, part["x-unit"], path, reading),
    "share": _text_or_number,
    "amount": _text_or_number,
    "number": number,
    "integer": integer,
}
"""Readers by form: each takes a node that the schema accepts, its part, its path and the reading."""
