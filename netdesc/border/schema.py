"""The schema of the language, completed by what is declared elsewhere: cells and options of backends."""

from __future__ import annotations

from typing import Any

from netdesc.border.options import list_options
from netdesc.description import schema
from netdesc.dynamics.equations import KIND, Equations, Parameter
from netdesc.errors import BackendError
from netdesc.models import catalogue
from netdesc.options import section_part
from netdesc.registry import names
from netdesc.units import DIMENSIONS


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
    models = {**neuron["properties"], **{name: cell_part(cell) for name, cell in catalogue().items()}}
    given = models.pop(KIND)
    return {**neuron, "then": {"enum": list(models)}, "properties": {**models, KIND: given}}


def cell_part(cell: Equations) -> dict[str, Any]:
    """Return the part of the schema that describes a cell of the catalogue."""
    return {
        "type": "object",
        "properties": {name: parameter_part(item) for name, item in cell.parameters.items()},
        "additionalProperties": False,
        "description": cell.description,
    }


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
