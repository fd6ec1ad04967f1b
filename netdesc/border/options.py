"""Options that backends declare: checked before the backend sees them, and described in the schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from netdesc.border.calls import blame
from netdesc.description import schema
from netdesc.description.reading.context import Reading
from netdesc.description.reading.tree import grown
from netdesc.description.schema.form import shaped
from netdesc.errors import BackendError, Location
from netdesc.options import Option, section_part
from netdesc.registry import backend_class

CODE = "OPTION"
"""Code of an option that is not possible, as its declaration says."""


def list_options(name: str) -> tuple[Option, ...]:
    """Return the options that a backend declares.

    Parameters
    ----------
    name : str
        Under which it is installed.

    Returns
    -------
    tuple of Option
        Empty where it declares none.

    Raises
    ------
    BackendError
        If there is no such backend, or what it declares are not options.
    """
    found = getattr(backend_class(name), "declared_options", ())
    if not isinstance(found, tuple) or not all(isinstance(item, Option) for item in found):
        raise BackendError(blame(name, f"expected a tuple of Option as declared_options, got {found!r:.80}"))
    return found


def read_options(name: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the section of a backend with every declared option in base units.

    Parameters
    ----------
    name : str
    given : mapping
        As in the file.

    Returns
    -------
    mapping
        Unchanged where the schema already describes the section, or the backend declares no options.

    Raises
    ------
    BackendError
        With every option that is unknown or not possible.
    """
    options = list_options(name)
    if not options or name in schema()["properties"]["backends"]["properties"]:
        return given
    path, nowhere = f"backends.{name}", Location("", 0, 0)
    reading = Reading({}, Path())
    values = shaped(grown(given, nowhere), section_part(options, ""), path, reading)
    if reading.diagnostics:
        raise BackendError(replace(item, location=None, code=CODE) for item in reading.diagnostics)
    return dict(values)
