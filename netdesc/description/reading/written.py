"""Typed data back to plain data that is itself a valid file, and that as YAML text."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from netdesc import units
from netdesc.description.model import Choice, Constant, Description, Distribution, Explicit, Parameter, Value
from netdesc.description.reading.tree import scalar
from netdesc.description.schema.document import resolved
from netdesc.description.sections.matrices import unit_values
from netdesc.description.sections.values import DISTRIBUTIONS


def written(data: Any, part: dict[str, Any]) -> Any:
    """Write data that `netdesc.description.schema.form.shaped` has read.

    Parameters
    ----------
    data : object
    part : dict
        Part of the schema that read it.

    Returns
    -------
    object
        Plain data: quantities as text in base units, every choice as a mapping with one key.
    """
    part = resolved(part)
    if isinstance(data, Choice):
        kinds = resolved({"$ref": "#/definitions/neuron"}) if part.get("x-form") == "neuron" else part
        return {data.kind: written(dict(data.options), kinds["properties"][data.kind])}
    if isinstance(data, Parameter):
        return written_parameter(data, part["x-unit"])
    if isinstance(data, Constant | Distribution | Explicit):
        return written_value(data, part["x-unit"])
    if isinstance(data, dict):
        known, others = part.get("properties", {}), part.get("additionalProperties")
        return {
            key: written(item, known.get(key) or (others if isinstance(others, dict) else {}))
            for key, item in data.items()
        }
    if isinstance(data, list | tuple):
        return [written(item, part.get("items", {})) for item in data]
    if isinstance(data, float) and part.get("x-unit"):
        return units.format_quantity(data, part["x-unit"])
    return data


def written_parameter(parameter: Parameter, unit: str) -> Any:
    """Return a value that may be trained as plain data, in the short form where nothing else is to be said.

    The unit is the base unit; empty for numbers without unit.
    """
    init = written_value(parameter.init, unit)
    if not parameter.train:
        return init
    bounds = {
        key: _number(value, unit)
        for key, value in (("min", parameter.low), ("max", parameter.high))
        if math.isfinite(value)
    }
    return {"init": init, "train": True, **bounds}


def written_value(value: Value, unit: str) -> Any:
    """Return a constant, a distribution or a list as plain data, in a base unit or without one."""
    match value:
        case Constant():
            return _number(value.value, unit)
        case Explicit():
            return unit_values(value.values, unit)
        case Distribution():
            kinds = DISTRIBUTIONS[value.kind]
            return {
                value.kind: {
                    name: _number(number, unit if kinds[name] else "")
                    for name, number in value.parameters.items()
                }
            }


def _number(value: float, unit: str) -> Any:
    return units.format_quantity(value, unit) if unit else value


_WIDTH = 100


def dump(description: Description) -> str:
    """Write a description with every default and no expression.

    Returns
    -------
    str
        A valid file; reading it gives a description of the same digest.
    """
    return "\n".join(_lines(description.resolved, "")) + "\n"


def _lines(data: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, item in data.items():
        flow = _flow(item)
        if isinstance(item, Mapping) and item and len(indent) + len(key) + len(flow) > _WIDTH - 2:
            yield f"{indent}{_text(key)}:"
            yield from _lines(item, indent + "  ")
        else:
            yield f"{indent}{_text(key)}: {flow}"


def _flow(data: Any) -> str:
    if isinstance(data, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_flow(item)}" for key, item in data.items()) + "}"
    if isinstance(data, list | tuple):
        return "[" + ", ".join(_flow(item) for item in data) + "]"
    return _text(data) if isinstance(data, str) else json.dumps(data, allow_nan=False)


def _text(text: str) -> str:
    plain = text and all(character.isalnum() or character in " _-./" for character in text) and text.isascii()
    if (
        plain
        and (text[0].isalnum() or text[0] in "_-.")
        and text == text.strip()
        and isinstance(scalar(text), str)
        and (text[:1] != "-" or (len(text) > 1 and text[1] != " "))
        and "---" not in text
        and "..." not in text
    ):
        return text
    return "".join(map(_escaped, json.dumps(text, ensure_ascii=False)))


def _escaped(character: str) -> str:
    # JSON's pairs of surrogates are not YAML, which has an escape of eight digits instead.
    if character.isprintable():
        return character
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"
