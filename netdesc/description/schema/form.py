"""Tree to typed data: the schema checked, defaults filled in, quantities in base units, all faults noted."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isfinite
from typing import Any

from netdesc import units
from netdesc.description.model import Choice
from netdesc.description.reading.context import Reading
from netdesc.description.reading.suggestion import did_you_mean
from netdesc.description.reading.tree import Node, expanded, grown, named
from netdesc.description.schema.document import resolved
from netdesc.description.schema.leaves import ARRAYS, LEAVES
from netdesc.description.schema.numbers import integer

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

Read = Callable[[Node, dict[str, Any], str, Reading], Any]


def shaped(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Any:
    """Read a value as a part of the schema orders.

    Parameters
    ----------
    node : Node
    part : dict
        Part of the schema.
    path : str
        Dotted path of the value.
    reading : Reading
        Receives the faults.

    Returns
    -------
    object
        Mappings become dicts with every default, choices `Choice`, quantities floats in base units,
        values and parameters their records; a value whose unit depends on something else stays a Node;
        None where a fault was noted or the file says null.
    """
    part = resolved(part)
    if node.value is None:
        if "null" not in part["type"] if "type" in part else True:
            reading.fail(
                f"expected {_wanted(part)}, got nothing; write one", path, reading.place(path) or node.place
            )
        return None
    form = _form(part)
    return _READERS[form](node if form in ARRAYS else expanded(node), part, path, reading)


def _form(part: dict[str, Any]) -> str:
    if "x-form" in part:
        return str(part["x-form"])
    if "x-unit" in part:
        return "quantity"
    kind = part["type"]
    return kind if isinstance(kind, str) else next(item for item in kind if item != "null")


def _wanted(part: dict[str, Any]) -> str:
    names = {
        "object": "a mapping",
        "array": "a list",
        "boolean": "true or false",
        "quantity": "a quantity",
        "number": "a number",
        "integer": "a whole number",
    }
    form = _form(part)
    if part.get("enum"):
        return f"one of {', '.join(str(item) for item in part['enum'])}"
    if form == "choice":
        return f"one of {', '.join(part['properties'])}"
    wanted = names.get(form, "a value")
    if form == "quantity":
        wanted = units.DIMENSIONS[part["x-unit"]].name
    default = part.get("default")
    return (
        f"{wanted}, for example {default}"
        if isinstance(default, str | int | float) and default != ""
        else wanted
    )


def _object(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Any:
    if not isinstance(node.value, dict):
        reading.fail(f"expected {_wanted(part)}, got {named(node)}", path, node.place)
        return None
    if part.get("additionalProperties") is True:
        return _free(node, path, reading)
    entries = _entries(node, part, path, reading)
    if not entries and part.get("minProperties"):
        reading.fail(f"expected at least one {part.get('x-names', 'entry')}", path)
    for key in part.get("required", ()):
        if key not in node.mapping and not _misspelt(key, node, part):
            reading.fail(
                f"the key '{key}' is missing; {_example(key, part['properties'][key])}",
                path,
                reading.place(path) or node.place,
            )
    for key, inner in part.get("properties", {}).items():
        if key not in node.mapping and "default" in inner:
            place = node.place
            entries[key] = (
                None
                if inner["default"] is None
                else shaped(grown(inner["default"], place), inner, f"{path}.{key}" if path else key, reading)
            )
    order = [key for key in part.get("properties", {}) if key in entries]
    return {key: entries[key] for key in [*order, *(key for key in entries if key not in order)]}


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


def _entries(node: Node, part: dict[str, Any], path: str, reading: Reading) -> dict[str, Any]:
    known, others = part.get("properties", {}), part.get("additionalProperties", False)
    entries = {}
    for key, item in node.mapping.items():
        inner = f"{path}.{key}" if path else key
        if key in known:
            entries[key] = shaped(item, known[key], inner, reading)
        elif not isinstance(others, dict):
            reading.fail(
                f"there is no key '{key}' here{did_you_mean(key, known)}", inner, node.key_place(key)
            )
        elif not _NAME.fullmatch(key):
            reading.fail(
                f"'{key}' cannot be the name of a {part.get('x-names', 'part')}; names begin with a letter "
                "and continue with letters, digits, _ and -",
                inner,
                node.key_place(key),
            )
        else:
            entries[key] = shaped(item, others, inner, reading)
    return entries


def _misspelt(key: str, node: Node, part: dict[str, Any]) -> bool:
    known = part.get("properties", {})
    return any(f"'{key}'?" in did_you_mean(name, known) for name in node.mapping if name not in known)


def _example(key: str, part: dict[str, Any]) -> str:
    if part.get("x-unit"):
        return f"write for example {key}: 10 {units.DIMENSIONS[part['x-unit']].example}"
    return f"add it: {_about(str(part.get('description', '')).partition(';')[0])}"


def _about(description: str) -> str:
    """Return a description as it goes on within a sentence, without what is in brackets at its end."""
    text = description.partition(" (")[0]
    return text if text[1:2].isupper() else f"{text[:1].lower()}{text[1:]}"


def _choice(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Choice | None:
    kinds = part["properties"]
    if isinstance(node.value, str):
        kind, options, place = node.value, Node({}, node.place), node.place
    elif isinstance(node.value, dict) and len(node.value) == 1:
        kind, options = next(iter(node.value.items()))
        place = node.key_place(kind)
    else:
        found = f"keys {', '.join(node.mapping)}" if node.mapping else named(node)
        reading.fail(
            f"expected one type, a name or a mapping with one key, got {found}; types are {', '.join(kinds)}",
            path,
            node.place,
        )
        return None
    if kind not in kinds:
        reading.fail(f"there is no type '{kind}' here{did_you_mean(kind, kinds)}", path, place)
        return None
    if isinstance(node.value, str) and kinds[kind].get("required"):
        keys = ", ".join(f"{key}: ..." for key in kinds[kind]["required"])
        reading.fail(
            f"{kind} needs {' and '.join(kinds[kind]['required'])}; write {{{kind}: {{{keys}}}}}", path, place
        )
        return None
    result = shaped(options, kinds[kind], f"{path}.{kind}", reading)
    return Choice(kind, result) if isinstance(result, dict) else None


def _array(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Any:
    if not isinstance(node.value, list):
        about = _about(str(part.get("description", "")))
        reading.fail(f"expected a list ({about}), got {named(node)}", path, node.place)
        return None
    least, most = part.get("minItems", 0), part.get("maxItems", len(node.value))
    if not least <= len(node.value) <= most:
        wanted = f"{least}" if least == most else f"at least {least}"
        reading.fail(f"expected a list of {wanted} items, got {len(node.value)}", path, node.place)
        return None
    return [_item(item, part["items"], f"{path}.{index}", reading) for index, item in enumerate(node.value)]


def _item(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Any:
    before = len(reading.diagnostics)
    result = shaped(node, part, path, reading)
    if len(reading.diagnostics) > before and not isinstance(node.value, dict | list):
        last = reading.diagnostics.pop()
        reading.fail(last.message, path, node.place)
    return result


def _neuron(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Choice | str | None:
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


def _target(node: Node, part: dict[str, Any], path: str, reading: Reading) -> Any:
    if isinstance(node.value, list):
        return _array(node, part, path, reading)
    return integer(node, {"minimum": 0, "x-what": "index of an output"}, path, reading)


_READERS: dict[str, Read] = {
    **LEAVES,
    "object": _object,
    "choice": _choice,
    "array": _array,
    "neuron": _neuron,
    "target": _target,
}
