"""The schema of the language, completed by what is declared elsewhere: cells and options of backends."""

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
from netdesc.dynamics.equations import KIND, Parameter
from netdesc.errors import BackendError, Location
from netdesc.models import catalogue
from netdesc.options import Option, section_part
from netdesc.registry import backend_class, names
from netdesc.units import DIMENSIONS

CODE = "OPTION"
"""Code of an option that is not possible, as its declaration says."""


def list_options(name: str) -> tuple[Option, ...]:
    """Return the options that an installed backend declares; empty where it declares none.

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

    It is unchanged where the schema already describes the section, or the backend declares no options.

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


def complete_schema() -> dict[str, Any]:
    """Return the schema with every cell of the catalogue and the options of every installed backend.

    Returns
    -------
    dict
        JSON Schema; a backend that cannot be imported, or declares nothing, has no section of its own.
    """
    whole = dict(schema())
    backends = dict(whole["properties"]["backends"])
    sections = dict(backends["properties"])
    for name in names():
        try:
            options = list_options(name)
        except BackendError:
            continue
        if options:
            about = sections.get(name, {}).get("description", f"Options of the backend {name}")
            sections[name] = section_part(options, about)
    order = [*backends["properties"], *(name for name in sections if name not in backends["properties"])]
    backends["properties"] = {name: sections[name] for name in order}
    whole["properties"] = {**whole["properties"], "backends": backends}
    whole["definitions"] = {**whole["definitions"], "neuron": add_cells(whole["definitions"]["neuron"])}
    return whole


def add_cells(neuron: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a neuron type with every cell of the catalogue."""
    cells = {
        name: {
            "type": "object",
            "properties": {key: parameter_part(item) for key, item in cell.parameters.items()},
            "additionalProperties": False,
            "description": cell.description,
        }
        for name, cell in catalogue().items()
    }
    models = {**neuron["properties"], **cells}
    given = models.pop(KIND)
    return {**neuron, "then": {"enum": list(models)}, "properties": {**models, KIND: given}}


def parameter_part(parameter: Parameter) -> dict[str, Any]:
    """Return the part of the schema that describes a parameter of a cell."""
    dimension = DIMENSIONS[parameter.unit]
    kind = dimension.name.partition(" ")[2]
    shown = f"{kind}, for example in {dimension.example}" if parameter.unit else kind
    sign = {} if parameter.low != 0.0 else {"x-sign": "positive" if parameter.above else "nonnegative"}
    return {
        "allOf": [{"$ref": "#/definitions/parameter"}],
        "x-form": "parameter",
        "x-unit": parameter.unit,
        **sign,
        "description": f"{parameter.meaning} ({shown})",
        "default": parameter.default if parameter.unit else float(parameter.default),
    }
