"""The JSON Schema of the language, the source of truth for its form.

Besides Draft-07's keywords it carries a few of its own, which editors ignore: ``x-unit`` (base unit of a
quantity), ``x-sign`` (``positive`` or ``nonnegative``), ``x-form`` (how a value is read where its JSON
type does not say it) and ``x-words`` (words allowed in place of a number).
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from netdesc.errors import DescriptionError

_NAME = "netdesc-1.schema.json"


@cache
def schema() -> dict[str, Any]:
    """Return the JSON Schema (Draft-07) of language version 1.

    Returns
    -------
    dict
        Shared between callers; not to be changed.

    Raises
    ------
    DescriptionError
        If the installation lacks the file.
    """
    package = Path(__file__).resolve().parents[2]
    for folder in (package / "schemas", package.parent / "schemas"):
        if (folder / _NAME).is_file():
            result: dict[str, Any] = json.loads((folder / _NAME).read_text(encoding="utf-8"))
            return result
    raise DescriptionError(f"{_NAME} is missing from the installation; install netdesc again")


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """Follow a ``$ref`` into the definitions of the schema.

    Parameters
    ----------
    part : dict
        Part of the schema.

    Returns
    -------
    dict
        The part itself, or what it refers to.
    """
    if "$ref" not in part:
        return part
    definition: dict[str, Any] = schema()["definitions"][part["$ref"].rpartition("/")[2]]
    return definition
