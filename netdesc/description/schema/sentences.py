"""What is wrong with a value that the schema refuses, in our own words, with its place and what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from netdesc import units
from netdesc.description.reading.context import Reading
from netdesc.description.reading.suggestion import did_you_mean, nearest
from netdesc.description.reading.tree import Node, named
from netdesc.description.schema.document import Part, form_of, resolved
from netdesc.description.schema.numbers import check_range, integer, number, quantity
from netdesc.description.schema.validation import Fault, find_faults
from netdesc.errors import Location

_OF_KEYS = ("required", "additionalProperties", "propertyNames", "minProperties")
"""Keywords about the keys of a mapping, whose other values are read all the same."""

_ONE_OF = ("choice", "neuron", "value", "parameter")
"""Forms of which a key says what the value is."""

_LONG = ("init", "train", "min", "max")

_NOUNS = {
    "object": "a mapping",
    "array": "a list",
    "boolean": "true or false",
    "number": "a number",
    "integer": "a whole number",
}


class _Faulty(NamedTuple):
    """A refused value: its node, dotted path and place of its key, and the node that holds it."""

    node: Node
    path: str
    place: Location | None
    listed: bool


def report_faults(root: Node, part: Part, reading: Reading, path: str = "") -> None:
    """Note everything in a tree that a part of the schema refuses; every value once.

    The reading receives the faults, and the paths of values that cannot be read.
    """
    seen = set[tuple[object, ...]]()
    for fault in find_faults(root, part):
        where, keyword = fault.where, _keyword(fault)
        whole = keyword not in _OF_KEYS or form_of(fault.part) in _ONE_OF
        key = where if whole else (*where, keyword, fault.value if isinstance(fault.value, str) else "")
        if key in seen:
            continue
        seen.add(key)
        faulty = _find(root, fault, path, reading)
        reading.refuse(faulty.path, whole=whole)
        _SENTENCES.get(form_of(fault.part) if whole else keyword, _leaf)(fault, faulty, reading)


def _keyword(fault: Fault) -> str:
    return "propertyNames" if fault.schema is fault.part.get("propertyNames") else fault.keyword


def _find(root: Node, fault: Fault, path: str, reading: Reading) -> _Faulty:
    where = fault.where
    # An item of a pair is known by the pair.
    in_pair = len(where) > 1 and {"x-expects", "maxItems"} <= fault.parts[-2].keys()
    node, listed, above = root, False, path
    for step in where:
        listed = isinstance(step, int)
        node = _item(node, step) if isinstance(step, int) else node.mapping[step]
        path, above = (f"{path}.{step}" if path else str(step)), path
    path = above if in_pair else path
    return _Faulty(node, path, node.place if listed else reading.place(path) or node.place, listed)


def _item(node: Node, index: int) -> Node:
    if not isinstance(node.value, np.ndarray):
        return node.items[index]
    item = node.value[index]
    return Node(item if isinstance(item, np.ndarray) else item.item(), node.place, base=True)


def _required(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    node, part = faulty.node, fault.schema
    for key in part["required"]:
        if key not in node.mapping and not _misspelt(key, node, part):
            message = f"the key '{key}' is missing; {_example(key, part['properties'][key])}"
            reading.fail(message, faulty.path, faulty.place)


def _misspelt(key: str, node: Node, part: Part) -> bool:
    known = part.get("properties", {})
    return any(f"'{key}'?" in did_you_mean(name, known) for name in node.mapping if name not in known)


def _example(key: str, part: Part) -> str:
    if part.get("x-unit"):
        return f"write for example {key}: 10 {units.DIMENSIONS[part['x-unit']].example}"
    return f"add it: {_about(str(part.get('description', '')).partition(';')[0])}"


def _about(description: str) -> str:
    """Return a description as it goes on within a sentence, without what is in brackets at its end."""
    text = description.partition(" (")[0]
    return text if text[1:2].isupper() else f"{text[:1].lower()}{text[1:]}"


def _unknown_key(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    key = str(fault.value)
    reading.fail(
        f"there is no key '{key}' here{did_you_mean(key, fault.schema.get('properties', ()))}",
        f"{faulty.path}.{key}" if faulty.path else key,
        faulty.node.key_place(key),
    )


def _wrong_name(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    key, expects = str(fault.value), fault.schema.get("x-expects")
    message = (
        f"'{key}' cannot be the name of a {fault.part.get('x-names', 'part')}; names begin with a letter "
        "and continue with letters, digits, _ and -"
    )
    if expects:
        message = f"expected {expects}, got '{key}'"
    reading.refuse(f"{faulty.path}.{key}", whole=True)
    reading.fail(message, f"{faulty.path}.{key}", faulty.node.key_place(key))


def _without_keys(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    reading.fail(f"expected at least one {fault.part.get('x-names', 'entry')}", faulty.path)


def _choice(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    node, path = faulty.node, faulty.path
    kinds = fault.part["properties"] if "properties" in fault.part else _neurons()
    if node.value is None:
        return _nothing(fault, faulty, reading)
    if isinstance(node.value, str):
        kind, place = node.value, node.place
    elif len(node.mapping) == 1:
        kind = next(iter(node.mapping))
        place = node.key_place(kind)
    else:
        found = f"keys {', '.join(node.mapping)}" if node.mapping else named(node)
        return reading.fail(
            f"expected one type, a name or a mapping with one key, got {found}; types are {', '.join(kinds)}",
            path,
            node.place,
        )
    needed = kinds.get(kind, {}).get("required", ())
    message = f"there is no type '{kind}' here{did_you_mean(kind, kinds)}"
    if needed:
        keys = ", ".join(f"{key}: ..." for key in needed)
        message = f"{kind} needs {' and '.join(needed)}; write {{{kind}: {{{keys}}}}}"
    reading.fail(message, path, place)


def _neurons() -> Part:
    kinds: Part = resolved({"$ref": "#/definitions/neuron"})["properties"]
    return kinds


def _nothing(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    reading.fail(f"expected {_wanted(fault.part)}, got nothing; write one", faulty.path, faulty.place)


def _wanted(part: Part) -> str:
    """Return what a part of the schema expects, in words."""
    form = form_of(part)
    if "x-expects" in part and form not in _ONE_OF:
        return str(part["x-expects"])
    if part.get("enum"):
        return f"one of {', '.join(str(item) for item in part['enum'])}"
    if form == "choice":
        return f"one of {', '.join(part['properties'])}"
    wanted = units.DIMENSIONS[part["x-unit"]].name if form == "quantity" else _NOUNS.get(form, "a value")
    default = part.get("default")
    given = isinstance(default, str | int | float) and default != ""
    return f"{wanted}, for example {default}" if given else wanted


def _array(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    node, part = faulty.node, fault.part
    if node.value is None:
        return _nothing(fault, faulty, reading)
    if not isinstance(node.value, list):
        about = part.get("x-expects") or f"a list ({_about(str(part.get('description', '')))})"
        message = f"expected {about}, got {named(node)}"
    elif "x-expects" in part:
        message = f"expected {part['x-expects']}, got {len(node.value)} values"
    else:
        least = part.get("minItems", 0)
        wanted = f"{least}" if least == part.get("maxItems") else f"at least {least}"
        message = f"expected a list of {wanted} items, got {len(node.value)}"
    reading.fail(message, faulty.path, node.place)


def _columns(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    names = [item.value for item in faulty.node.items]
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    message = f"expected the name of a column, got {named(faulty.node)}"
    if isinstance(faulty.node.value, list):
        message = "expected at least one column, got an empty list"
    if twice:
        message = f"expected every column once, got {', '.join(twice)} twice"
    reading.fail(message, faulty.path, faulty.node.place)


def _value(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    """Say what is wrong with a value, which is one of several things, or one of them to be trained."""
    keys, fail = list(faulty.node.mapping), reading.fail
    known = resolved({"$ref": f"#/definitions/{form_of(fault.part)}"})["properties"]
    kinds = [name for name in known if name not in (*_LONG, "column", "sha256")]
    if not isinstance(faulty.node.value, dict):
        return _leaf(fault, faulty, reading)
    if "init" in known and any(key in _LONG for key in keys):
        return _trained_value(faulty, kinds, reading)
    if "file" in keys:
        other = next(key for key in keys if key not in ("file", "column", "sha256"))
        message = f"expected only the key file, got '{other}' too; write {{file: weights.csv}}"
        return fail(message, faulty.path, faulty.node.place)
    if len(keys) == 1:
        message = f"there is no distribution '{keys[0]}'{did_you_mean(keys[0], kinds)}"
    else:
        found = ", ".join(keys) or "an empty mapping"
        message = f"expected one distribution, got {found}; use one of {', '.join(kinds[:-1])}"
    fail(message, faulty.path, faulty.node.key_place(keys[0] if keys else ""))


def _trained_value(faulty: _Faulty, kinds: list[str], reading: Reading) -> None:
    others = [key for key in faulty.node.mapping if key not in _LONG]
    for key in others:
        message = f"there is no key '{key}' here{did_you_mean(key, _LONG)}"
        if key in kinds:
            message = f"expected {key} within init, got it beside init; write init: {{{key}: ...}}"
        reading.fail(message, f"{faulty.path}.{key}", faulty.node.key_place(key))
    if not others:
        message = "the key 'init' is missing; it holds the value at the start"
        reading.fail(message, faulty.path, faulty.place)


def _object(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    if faulty.node.value is None:
        return _nothing(fault, faulty, reading)
    keys = ", ".join(f"{key}: ..." for key in fault.part.get("required", ()))
    fix = f"; write {{{keys}}}" if keys else ""
    reading.fail(f"expected a mapping, got {named(faulty.node)}{fix}", faulty.path, faulty.node.place)


def _leaf(fault: Fault, faulty: _Faulty, reading: Reading) -> None:
    """Say what is wrong with a value without parts, first of all with its unit."""
    node, part = faulty.node, fault.part
    before = len(reading.diagnostics)
    reader = _NUMERIC.get(form_of(part))
    if node.value is None:
        return _nothing(fault, faulty, reading)
    if form_of(part) == "size" and isinstance(node.value, list):
        return reading.fail(
            "the shape is empty; write a number of neurons such as 10, or a shape such as [4, 4]",
            faulty.path,
            node.place,
        )
    if reader is None and "x-unit" in part:
        reader = _NUMERIC["quantity"]
    if reader is not None and "x-expects" not in part:
        value = reader(node, part, faulty.path, reading)
        if isinstance(value, float) and len(reading.diagnostics) == before:
            check_range(value, part, faulty.path, reading, node.place)
    if len(reading.diagnostics) == before:
        reading.fail(_expectation(part, fault.keyword, node), faulty.path, node.place)


def _expectation(part: Part, keyword: str, node: Node) -> str:
    words = [str(word) for word in part.get("enum", ()) if word not in (None, True)]
    if "x-expects" in part:
        wanted, end = part["x-expects"], ""
    elif words:
        wanted = f"one of {', '.join(words)}"
        end = nearest(node.value, words) if isinstance(node.value, str) else ""
    else:
        wanted = _wanted({key: item for key, item in part.items() if key != "default"})
        wanted, end = ("a text", "") if form_of(part) == "string" else (wanted, "")
        if form_of(part) == "string" and isinstance(node.value, int | float):
            end = "; put it in quotes"
    end = f"; {part['x-fix']}" if "x-fix" in part else end
    return f"expected {wanted}, got {named(node)}{end}"


_NUMERIC: Mapping[str, Callable[[Node, Part, str, Reading], object]] = {
    "quantity": lambda node, part, path, reading: quantity(node, part["x-unit"], path, reading),
    "number": number,
    "share": number,
    "amount": number,
    "integer": integer,
    "size": integer,
    "target": integer,
}

_SENTENCES: Mapping[str, Callable[[Fault, _Faulty, Reading], None]] = {
    "required": _required,
    "additionalProperties": _unknown_key,
    "propertyNames": _wrong_name,
    "minProperties": _without_keys,
    "choice": _choice,
    "neuron": _choice,
    "object": _object,
    "array": _array,
    "columns": _columns,
    "value": _value,
    "parameter": _value,
}
"""Sentences by keyword about keys, and by form of the value."""
