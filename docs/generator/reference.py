"""The language reference: one line for every key of the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from netdesc.description.schema.document import resolved, schema

Part = dict[str, Any]
Row = tuple[str, str, str, str]

HEAD = """# Every key

Generated from the schema that files are checked with. [The language](language.md) explains how the keys work
together.

The second column gives the form of the value: a *quantity* is a number with its unit, such as `20 ms`; a
*type* is a name or a mapping with one key; a *value* is one value, a distribution, a list or a file; a
*parameter* is a value or `{init, train, min, max}`. A key without a default has a dash; a key that must be
given is *required*.
"""

NAMES = {
    "quantity": "quantity",
    "number": "number",
    "integer": "whole number",
    "string": "text",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
    "choice": "type",
    "share": "fraction or file",
    "amount": "number or quantity",
    "column": "column",
    "columns": "list of columns",
    "pairs": "list of pairs or file",
    "raw": "number or quantity",
    "version": "whole number",
    "size": "whole number or shape",
    "names": "name or list of names",
    "value": "value",
    "parameter": "parameter",
    "neuron": "name or neuron type",
    "target": "index or list",
}
"""Words for the forms of the schema."""


def write_reference() -> str:
    """Return the page of all keys as Markdown.

    Returns
    -------
    str
    """
    root = schema()
    parts = [HEAD, "\n".join(table(rows_of(root)))]
    for name, part in root["properties"].items():
        parts.append("\n".join(section(name, name, resolved(part), 2)))
    definitions = (("Neuron types", "neurons.NAME", "neuron"), ("Values", "", "parameter"))
    for title, path, name in definitions:
        parts.append("\n".join(section(title, path, resolved({"$ref": f"#/definitions/{name}"}), 2)))
    return "\n\n".join(part for part in parts if part) + "\n"


def section(title: str, path: str, part: Part, level: int) -> Iterator[str]:
    """Yield the lines about one part: its keys in a table, then the parts below it.

    Parameters
    ----------
    title : str
        Of the heading.
    path : str
        Dotted path of the part in a file, with NAME for what the user names.
    part : dict
        Part of the schema.
    level : int
        Of the heading.

    Yields
    ------
    str
    """
    inner = list(children(path, part))
    rows = rows_of(part)
    if not rows and not inner:
        return
    yield f"{'#' * min(level, 5)} {title if level == 2 and ' ' in title else f'`{title}`'}"
    yield ""
    yield sentence(part)
    yield ""
    yield from table(rows)
    for name, below, child in inner:
        yield ""
        yield from section(name, below, child, level + 1)


def children(path: str, part: Part) -> Iterator[tuple[str, str, Part]]:
    """Yield title, path and schema of every part below that has keys of its own."""
    for name, child in part.get("properties", {}).items():
        if "$ref" in child or any("$ref" in item for item in child.get("allOf", ())):
            continue
        below = f"{path}.{name}".strip(".")
        if child.get("properties") or inside(child) is not None:
            yield below, below, child
    deeper = inside(part)
    if deeper is not None:
        below = f"{path}.NAME" if isinstance(part.get("additionalProperties"), dict) else f"{path}[]"
        yield below, below, deeper


def inside(part: Part) -> Part | None:
    """Return what a mapping of names, or a list, holds, where that has keys of its own."""
    for item in (part.get("additionalProperties"), part.get("items")):
        if isinstance(item, dict) and "$ref" not in item and (item.get("properties") or inside(item)):
            return item
    return None


def rows_of(part: Part) -> list[Row]:
    """Return the keys of a part: key, kind with unit, default, description."""
    required = part.get("required", ())
    return [
        (f"`{name}`", kind_of(child), default_of(child, name in required), sentence(child))
        for name, child in part.get("properties", {}).items()
    ]


def kind_of(part: Part) -> str:
    """Return what stands at a key, in words, with its unit."""
    parts = [part, *part.get("allOf", ())]
    reference = next((item["$ref"].rpartition("/")[2] for item in parts if "$ref" in item), None)
    kind = reference or part.get("type", "object")
    form = part.get("x-form") or ("quantity" if "x-unit" in part else kind)
    if isinstance(form, list):
        form = next(item for item in form if item != "null")
    if part.get("enum") and form == "string":
        return ", ".join(f"`{word}`" for word in part["enum"])
    unit = f", {part['x-unit']}" if part.get("x-unit") else ""
    return f"{NAMES[form]}{unit}"


def default_of(part: Part, required: bool) -> str:
    """Return the default of a key as a file would say it."""
    if required:
        return "required"
    if part.get("default") is None:
        return "-"
    default = part["default"]
    return f"`{default}`" if isinstance(default, str) and default else f"`{json.dumps(default)}`"


def sentence(part: Part) -> str:
    """Return the description of a part without the unit that editors show, safe within a table."""
    text = re.sub(
        r"\s*\((?:[^()]*, for example in [^()]*|count|number without unit)\)$",
        "",
        str(part.get("description", "")),
    )
    least, most = part.get("minimum"), part.get("maximum")
    bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
    bounds += {"positive": ["above 0"], "nonnegative": ["at least 0"]}.get(part.get("x-sign", ""), [])
    end = f"; {' and '.join(bounds)}" if bounds else ""
    return f"{text}{end}".replace("|", "\\|").replace("<", "&lt;").replace("{", "`{").replace("}", "}`")


def table(rows: list[Row]) -> Iterator[str]:
    """Yield the lines of a table of keys; none for no keys."""
    if rows:
        yield "| key | form | default | meaning |"
        yield "|---|---|---|---|"
        yield from (f"| {' | '.join(row)} |" for row in rows)
