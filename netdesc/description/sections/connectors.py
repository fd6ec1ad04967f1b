"""Connectors: what must hold between a rule and the populations that it joins."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from netdesc.description.model import Choice
from netdesc.description.reading.context import Reading
from netdesc.description.reading.tree import Node, named
from netdesc.description.sections.matrices import check_shape, read_array, read_file
from netdesc.description.sections.pairs import check_pairs


def resolve_connector(
    data: dict[str, Any], shape: tuple[int, int] | None, path: str, reading: Reading
) -> None:
    """Read the matrix of an ``array`` connector, in place, and note all faults of a connector.

    Parameters
    ----------
    data : dict
        The projection, as read.
    shape : tuple of int, or None
        Sizes of pre and post, -1 for several populations as post; None where they are not known.
    path : str
        Dotted path of the projection.
    reading : Reading
        Receives the faults.
    """
    connector = data.get("connector")
    if not isinstance(connector, Choice):
        return
    inner = f"{path}.connector.{connector.kind}"
    if connector.kind == "array" and isinstance(connector.options.get("values"), Node):
        values = _array(connector.options["values"], f"{inner}.values", reading)
        data["connector"] = Choice("array", {"values": values}) if values is not None else None
        connector = data["connector"]
    if shape is None or connector is None or not reading.sound(inner):
        return
    _check_fit(connector, shape, data, inner if inner in reading.places else f"{path}.connector", reading)


def _check_fit(
    connector: Choice, shape: tuple[int, int], data: dict[str, Any], path: str, reading: Reading
) -> None:
    pre, post = shape
    options = connector.options
    match connector.kind:
        case "array" if post < 0 or options["values"].shape != shape:
            if post < 0:
                reading.fail(
                    "a connector with given pairs needs a single population as post; write one projection "
                    "for each",
                    path,
                )
            else:
                check_shape(
                    options["values"],
                    shape,
                    path,
                    reading,
                    f"pre by post ({data['pre']} by {data['post'][0]})",
                )
        case "list":
            check_pairs(options["pairs"], (pre, inf if post < 0 else post), path, reading)
        case "one_to_one" if post >= 0 and pre != post:
            reading.fail(
                f"one_to_one needs populations of equal size; {data['pre']} has {pre}, {data['post'][0]} has "
                f"{post}",
                path,
            )
        case "fixed_number_pre" | "fixed_number_post":
            side, size = ("pre", pre) if connector.kind == "fixed_number_pre" else ("post", post)
            own = data["post"] == (data["pre"],) and not options["allow_self_connections"]
            if size >= 0 and options["n"] > size - own:
                reading.fail(
                    f"n is {options['n']}, but {side} has only {size - own} neurons to choose from; lower n",
                    path,
                )


def _array(node: Node, path: str, reading: Reading) -> Any:
    if "file" in node.mapping or isinstance(node.value, np.ndarray):
        values = (read_file if node.mapping else read_array)(node, path, reading)
        if values is not None and values.ndim != 2:
            reading.fail(f"expected two axes, pre by post, got {values.ndim}", path, node.place)
            return None
        # An empty cell means that there is no synapse, as it does among weights.
        return None if values is None else _frozen((values != 0) & ~np.isnan(values))
    rows = [[item.value for item in row.items] for row in node.items]
    entries = {entry for row in rows for entry in row if isinstance(entry, bool | int)}
    whole = all(isinstance(entry, bool | int) for row in rows for entry in row)
    if not rows or not whole or not entries <= {0, 1} or len({len(row) for row in rows}) > 1 or not rows[0]:
        reading.fail(
            f"expected a matrix of true and false (or 1 and 0), pre by post, got {named(node)} "
            "of another form",
            path,
            node.place,
        )
        return None
    return _frozen(np.array(rows, dtype=bool))


def _frozen(values: Any) -> Any:
    values.flags.writeable = False
    return values
