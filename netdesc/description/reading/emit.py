"""A resolved description as YAML text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from netdesc.description.model import Description
from netdesc.description.schema.scalars import scalar

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
