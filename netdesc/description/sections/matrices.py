"""Values that are written out: nested lists, and files of numbers."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc import units
from netdesc.description.reading.context import Reading
from netdesc.description.reading.tree import Node
from netdesc.description.schema.numbers import quantity
from netdesc.errors import DescriptionError
from netdesc.formats.source import fault, shape_text

Floats = NDArray[np.float64]

PER_WRITTEN_VALUE = 200.0
"""Bytes that a value from a file takes at most: as a number, as text and in the digest of the model."""

_IN_HDF5 = re.compile(r"(.+\.(?:h5|hdf5)):(.*)", re.DOTALL)


def read_list(node: Node, unit: str, path: str, reading: Reading, needed_by: str = "") -> Floats | None:
    """Read a list of values, or a list of such lists.

    Parameters
    ----------
    node : Node
    unit : str
        Base unit; empty where numbers without unit are due.
    path : str
    reading : Reading
        Receives the faults; at most one for the whole list.
    needed_by : str
        Who needs it, for messages.

    Returns
    -------
    ndarray of float64 or None
        Shape (n,) or (rows, columns), in the base unit, NaN for null; None where a fault was noted.
    """
    nested = [isinstance(row.value, list) for row in node.items]
    if any(nested) and not all(nested):
        reading.fail(
            "some items are lists and others are not; write a list of lists, pre by post", path, node.place
        )
        return None
    rows = node.items if any(nested) else [node]
    lengths = [len(row.items) for row in rows]
    if len(set(lengths)) > 1:
        odd = next(index for index, length in enumerate(lengths) if length != lengths[0])
        reading.fail(
            f"row {odd + 1} has {lengths[odd]} values, row 1 has {lengths[0]}; all rows must be equally long",
            path,
            rows[odd].place,
        )
        return None
    values = [[_number(item, unit, path, reading, needed_by) for item in row.items] for row in rows]
    if any(value is None for row in values for value in row):
        return None
    array = np.array(values, dtype=np.float64)
    return array if any(nested) else array[0]


def read_array(node: Node, path: str, reading: Reading) -> Floats | None:
    """Return a copy of an array from Python in base units, with one or two axes and NaN where it has none."""
    values = np.array(node.value, dtype=np.float64)
    if values.size == 0 or np.isinf(values).any():
        found = "an infinite number" if values.size else "an array without values"
        reading.fail(
            f"expected finite numbers, got {found}; use NaN where there is no synapse", path, node.place
        )
        return None
    return values


def _number(node: Node, unit: str, path: str, reading: Reading, needed_by: str) -> float | None:
    value = node.value
    if value is None:
        return float("nan")
    if not unit and type(value) is float and abs(value) < 1e300:
        return value
    known = any(item.path == path for item in reading.diagnostics)
    return None if known else quantity(node, unit, path, reading, needed_by)


def read_file(node: Node, path: str, reading: Reading) -> Floats | None:
    """Read ``{file: NAME, column: COLUMN}``: CSV, NPY, or HDF5 as ``NAME.h5:DATASET``.

    Parameters
    ----------
    node : Node
    path : str
    reading : Reading
        Gives the directory; receives the faults.

    Returns
    -------
    ndarray of float64 or None
        In base units, NaN where the file has none; shape (rows,) of one column; None where a fault was
        noted.
    """
    name, digest = str(node.mapping["file"].value), node.mapping.get("sha256")
    place = node.mapping["file"].place
    try:
        values = _array(reading, name)
        file, _ = _parts(reading, name)
        if "column" in node.mapping:
            values = _column(values, node.mapping["column"].value, file, reading.limit)
        if digest is not None and digest.value != content_digest(file):
            raise fault(
                file,
                f"expected a file with the SHA-256 hash {digest.value!s:.64}, got a different "
                "one; remove sha256 to accept the file as it is",
            )
    except DescriptionError as error:
        reading.absorb(error, f"{path}.file", place)
        return None
    return values


def _column(values: Floats, column: object, file: Path, limit: float) -> Floats:
    """Return one column of a table, by index or by the name in its first line."""
    if isinstance(column, str):
        from netdesc.formats.csv import read_table

        known = {item.name: item for item in read_table(file, limit=limit).columns} if _is_text(file) else {}
        if column not in known or known[column].numbers is None:
            names = ", ".join(known) or "unnamed"
            what = "holds texts" if column in known else f"is not there; columns are {names}"
            raise fault(file, f"expected a column of numbers, but '{column:.60}' {what}")
        numbers = known[column].numbers
        return values if numbers is None else numbers
    width = values.shape[1] if values.ndim > 1 else 1
    if not isinstance(column, int) or column >= width:
        raise fault(file, f"expected a column from 0 to {width - 1} or a name, got {column!s:.60}")
    return values[:, column] if values.ndim > 1 else values


def _is_text(file: Path) -> bool:
    return file.suffix in (".csv", ".tsv", ".txt")


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_shape(values: Floats, shape: tuple[int, ...], path: str, reading: Reading, what: str) -> bool:
    """Return whether written-out values have the shape that they need; note a fault if not.

    ``what`` says in the message what the shape means, for example ``pre by post``.
    """
    if values.shape == shape:
        return True
    reading.fail(f"expected {_times(shape)} values, {what}, got {_times(values.shape)}", path)
    return False


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)


def _parts(reading: Reading, name: str) -> tuple[Path, str]:
    """Split ``FILE.h5:DATASET``; the dataset is empty where none is named."""
    found = _IN_HDF5.fullmatch(name)
    return reading.directory / (found[1] if found else name), found[2] if found else ""


def _array(reading: Reading, name: str) -> Floats:
    """Read a file of numbers, one or two axes, NaN where one is missing."""
    file, dataset = _parts(reading, name)
    limit = reading.limit / PER_WRITTEN_VALUE * 8
    if not os.path.lexists(file):
        raise fault(
            file,
            "expected a file of numbers, but there is no such file; correct the path, which "
            "begins at the folder of the description",
        )
    match file.suffix:
        case _ if _is_text(file):
            from netdesc.formats.csv import read_matrix

            values = read_matrix(file, limit=limit, missing=True)
        case ".npy":
            from netdesc.formats.npy import read_npy
            from netdesc.formats.numbers import as_floats

            values = as_floats(file, read_npy(file, limit=limit), missing=True)
        case ".h5" | ".hdf5":
            if not dataset:
                raise fault(file, "expected the name of a dataset; write FILE.h5:DATASET")
            from netdesc.formats import hdf5

            with hdf5.opened(file, limit=limit) as content:
                values = content.floats(dataset, missing=True)
        case _:
            raise fault(file, f"expected a file .csv, .npy or FILE.h5:DATASET, got '{name:.80}'; convert it")
    if values.ndim not in (1, 2) or not values.size:
        raise fault(
            file,
            f"expected one or two axes with values, got {shape_text(values.shape)}; "
            "write a row of values, or rows of values",
        )
    return values


def plain_values(values: Floats) -> list[Any]:
    """Return values as nested lists, null where there is none.

    Parameters
    ----------
    values : ndarray of float64
    """
    if values.ndim > 1:
        return [plain_values(row) for row in values]
    return [None if value != value else value for value in values.tolist()]


def unit_values(values: Floats, unit: str) -> list[Any]:
    """Return values as nested lists of quantities.

    Parameters
    ----------
    values : ndarray of float64
        In the base unit.
    unit : str
        Base unit; empty for numbers without unit.
    """
    if not unit:
        return plain_values(values)
    if values.ndim > 1:
        return [unit_values(row, unit) for row in values]
    return [None if value != value else units.format_quantity(value, unit) for value in values.tolist()]


def read_spikes(name: str, size: int, path: str, reading: Reading) -> list[list[float]] | None:
    """Read a CSV file of two columns: index of the neuron, time in ms.

    Parameters
    ----------
    name : str
        Relative to the directory of the description.
    size : int
        Number of neurons.
    path : str
    reading : Reading
        Gives the directory; receives the faults.

    Returns
    -------
    list of list of float, or None
        Times in ms per neuron; None where a fault was noted.
    """
    try:
        rows = _array(reading, name)
        file, _ = _parts(reading, name)
        if rows.ndim != 2 or rows.shape[1] != 2:
            raise fault(
                file,
                "expected two columns, index of the neuron and time in ms, got "
                f"{shape_text(rows.shape)} numbers; write a line for each spike",
            )
        _require_spikes(rows, size, file)
    except DescriptionError as error:
        reading.absorb(error, path)
        return None
    times: list[list[float]] = [[] for _ in range(size)]
    for index, time in rows.tolist():
        times[int(index)].append(time)
    return times


def _require_spikes(rows: Floats, size: int, file: Path) -> None:
    faults = (
        (~np.isfinite(rows).all(axis=1), "expected a number in both columns"),
        (
            (rows[:, 0] < 0) | (rows[:, 0] >= size) | (rows[:, 0] % 1 != 0),
            f"expected the index of a neuron from 0 to {size - 1}",
        ),
        (rows[:, 1] < 0, "expected a time of at least 0 ms"),
    )
    for wrong, expected in faults:
        if wrong.any():
            row = int(wrong.argmax())
            raise fault(
                file, f"{expected}, got {rows[row, 0]:g} and {rows[row, 1]:g} as spike {row + 1}; correct it"
            )
