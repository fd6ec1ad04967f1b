"""Connectors: what must hold between a rule and the populations that it joins."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.description.model import Choice
from netdesc.description.reading.context import Reading
from netdesc.description.reading.tree import Node, named
from netdesc.description.sections.matrices import check_shape, read_array, read_file
from netdesc.events import frozen

Pairs = list[list[int]]


def read_pairs(node: Node, path: str, reading: Reading) -> Pairs | None:
    """Read pairs of indices.

    They are a list of pairs, an array of two columns, or ``{file: NAME}`` of a table whose first two columns
    are source and target.
    """
    if "file" in node.mapping or isinstance(node.value, np.ndarray):
        values = (read_file if node.mapping else read_array)(node, path, reading)
        return None if values is None else _of_table(values, path, reading)
    return [[round(item.value) for item in row.items] for row in node.items]  # type: ignore[arg-type]


def check_pairs(pairs: Pairs, sizes: tuple[int, float], path: str, reading: Reading) -> None:
    """Note a fault where an index is beyond its population.

    The sizes are those of pre and post; infinity where there are several populations as post.
    """
    if not pairs:
        return
    outside = (np.array(pairs, dtype=np.int64) >= np.array(sizes)).any(axis=1)
    if outside.any():
        row = int(outside.argmax())
        more = int(outside.sum()) - 1
        reading.fail(
            f"pair {row + 1} of the list, [{pairs[row][0]}, {pairs[row][1]}], is outside of {sizes[0]} x "
            f"{sizes[1]} neurons{f', and {more} more are' if more else ''}; indices begin at 0",
            path,
        )


def _of_table(values: NDArray[np.float64], path: str, reading: Reading) -> Pairs | None:
    if values.ndim != 2 or values.shape[1] < 2:
        reading.fail("expected two columns, index of the source and of the target, got one", path)
        return None
    indices = values[:, :2]
    with np.errstate(invalid="ignore"):
        wrong = ~((indices >= 0) & (indices % 1 == 0) & (indices < 2**53)).all(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        reading.fail(
            f"expected whole numbers of at least 0 as indices, got {indices[row, 0]:g} and "
            f"{indices[row, 1]:g} in row {row + 1}",
            path,
        )
        return None
    found: Pairs = indices.astype(np.int64).tolist()
    return found


def resolve_connector(
    data: dict[str, Any], shape: tuple[int, int] | None, path: str, reading: Reading
) -> None:
    """Read the matrix of an ``array`` connector of a projection, in place, and note all faults.

    The shape is that of pre by post, -1 for several populations as post; None where it is not known.
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
        case "fixed_total_number":
            own = data["post"] == (data["pre"],) and not options["allow_self_connections"]
            _check_total(options["n"], shape, own, path, reading)
        case "fixed_number_pre" | "fixed_number_post":
            side, size = ("pre", pre) if connector.kind == "fixed_number_pre" else ("post", post)
            own = data["post"] == (data["pre"],) and not options["allow_self_connections"]
            if size >= 0 and options["n"] > size - own:
                reading.fail(
                    f"n is {options['n']}, but {side} has only {size - own} neurons to choose from; lower n",
                    path,
                )


def _check_total(total: int, shape: tuple[int, int], own: bool, path: str, reading: Reading) -> None:
    """Note a fault where synapses are asked for and no pair of neurons may have one."""
    if total and own and shape == (1, 1):
        reading.fail(
            f"expected n to be 0 where the only neuron may not connect to itself, got {total}; allow "
            "self-connections",
            path,
        )


def _array(node: Node, path: str, reading: Reading) -> Any:
    if "file" in node.mapping or isinstance(node.value, np.ndarray):
        values = (read_file if node.mapping else read_array)(node, path, reading)
        if values is not None and values.ndim != 2:
            reading.fail(f"expected two axes, pre by post, got {values.ndim}", path, node.place)
            return None
        # An empty cell means that there is no synapse, as it does among weights.
        return None if values is None else frozen((values != 0) & ~np.isnan(values), np.bool_)
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
    return frozen(np.array(rows), np.bool_)
