"""The JSON Schema of the language, the source of truth for its form.

Besides Draft-07's keywords it carries a few of its own, which editors ignore: ``x-unit`` (base unit of a
quantity), ``x-sign`` (``positive`` or ``nonnegative``), ``x-form`` (how a value is read where its JSON
type does not say it), ``x-words`` (words allowed in place of a number), and for messages ``x-names`` (what
the keys name), ``x-what`` (what a number is) and ``x-expects`` (what is
expected, where the keywords do not say it in words) and ``x-fix`` (what to do).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from netdesc.errors import DescriptionError

Part = dict[str, Any]
"""A part of the schema."""

_NAME = "netdesc-1.schema.json"


@cache
def schema() -> Part:
    """Return the JSON Schema (Draft-07) of language version 1, shared between callers and not to be changed.

    Raises
    ------
    DescriptionError
        If the installation lacks the file.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "schemas", package.parent / "schemas"):
        if (folder / _NAME).is_file():
            result: Part = json.loads((folder / _NAME).read_text(encoding="utf-8"))
            return result
    raise DescriptionError(f"{_NAME} is missing from the installation; install netdesc again")


def resolved(part: Part) -> Part:
    """Return a part of the schema, or the definition that its ``$ref`` refers to."""
    if "$ref" not in part:
        return part
    definition: Part = schema()["definitions"][part["$ref"].rpartition("/")[2]]
    return definition


def form_of(part: Part) -> str:
    """Return how a value is read: ``x-form``, ``quantity`` where it has a unit, or its JSON type."""
    if "x-form" in part:
        return str(part["x-form"])
    if "x-unit" in part:
        return "quantity"
    kind = part.get("type", "object")
    return kind if isinstance(kind, str) else next(item for item in kind if item != "null")
