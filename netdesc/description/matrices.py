"""Values that are written out: nested lists, and files of numbers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc import units
from netdesc.description.numbers import quantity
from netdesc.description.reading import Reading
from netdesc.description.tree import Node, named
from netdesc.errors import DescriptionError

Floats = NDArray[np.float64]


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
    values = [
        [_number(item, unit, path, reading, needed_by) for item in row.items] for row in _until_fault(rows)
    ]
    if any(value is None for row in values for value in row):
        return None
    array = np.array(values, dtype=np.float64)
    return array if any(nested) else array[0]


def read_array(node: Node, path: str, reading: Reading) -> Floats | None:
    """Read an array from Python.

    Parameters
    ----------
    node : Node
        Its value is an ndarray in base units, with one or two axes.
    path : str
    reading : Reading
        Receives the fault.

    Returns
    -------
    ndarray of float64 or None
        A copy, NaN where the array has it; None where a fault was noted.
    """
    values = np.array(node.value, dtype=np.float64)
    if values.size == 0 or np.isinf(values).any():
        found = "an infinite number" if values.size else "an array without values"
        reading.fail(f"expected finite numbers, got {found}; use NaN where there is no synapse", path,
                     node.place)
        return None
    return values


def _until_fault(rows: list[Node]) -> list[Node]:
    return rows


def _number(node: Node, unit: str, path: str, reading: Reading, needed_by: str) -> float | None:
    value = node.value
    if value is None:
        return float("nan")
    if not unit and type(value) is float and abs(value) < 1e300:
        return value
    known = any(item.path == path for item in reading.diagnostics)
    return None if known else quantity(node, unit, path, reading, needed_by)


def read_file(node: Node, path: str, reading: Reading) -> Floats | None:
    """Read ``{file: NAME}``: CSV, NPY, or HDF5 as ``NAME.h5:DATASET``.

    Parameters
    ----------
    node : Node
    path : str
    reading : Reading
        Gives the directory; receives the faults.

    Returns
    -------
    ndarray of float64 or None
        In base units, NaN where the file has none; None where a fault was noted.
    """
    name, digest = node.mapping["file"].value, node.mapping.get("sha256")
    others = [key for key in node.mapping if key not in ("file", "sha256")]
    if others or not isinstance(name, str):
        what = (
            f"the key '{others[0]}' stands beside file"
            if others
            else f"file is {named(node.mapping['file'])}"
        )
        reading.fail(f"{what}; write {{file: weights.csv}}", path, node.place)
        return None
    place = node.mapping["file"].place
    try:
        content = _content(reading.directory / name.partition(".h5:")[0], ".h5" if ".h5:" in name else "")
        if digest is not None and digest.value != content_digest(content):
            raise DescriptionError(
                f"the file {name} has changed since sha256 was written; remove sha256 to take it"
            )
        values = _array(content, name)
        if np.isinf(values).any():
            raise DescriptionError(f"the file {name} holds an infinite number; every value must be finite")
    except DescriptionError as error:
        reading.absorb(error, f"{path}.file", place)
        return None
    return values


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def check_shape(values: Floats, shape: tuple[int, ...], path: str, reading: Reading, what: str) -> bool:
    """Note a fault where written-out values have another shape than they need.

    Parameters
    ----------
    values : ndarray
    shape : tuple of int
        As it must be.
    path : str
    reading : Reading
        Receives the fault.
    what : str
        What the shape means, for example ``pre by post``.

    Returns
    -------
    bool
        Whether the shapes agree.
    """
    if values.shape == shape:
        return True
    reading.fail(f"the values are {_times(values.shape)}, but {what} is {_times(shape)}", path)
    return False


def _times(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} in a row" if len(shape) == 1 else " x ".join(str(side) for side in shape)


def _content(path: Path, suffix: str) -> Path:
    full = path.with_name(path.name + suffix)
    if not full.is_file():
        reason = "is a directory" if full.is_dir() else "does not exist"
        raise DescriptionError(f"the file {full.name} {reason}; paths begin at the folder of this file")
    return full


def _array(path: Path, name: str) -> Floats:
    readers: dict[str, Any] = {".csv": _csv, ".npy": _npy, ".h5": _hdf5, ".hdf5": _hdf5}
    if path.suffix not in readers:
        raise DescriptionError(f"the file {name} is none of .csv, .npy and FILE.h5:DATASET")
    try:
        values = np.asarray(readers[path.suffix](path, name), dtype=np.float64)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise DescriptionError(f"the file {name} cannot be read as numbers: {error}") from error
    if values.ndim not in (1, 2):
        raise DescriptionError(f"the file {name} holds {values.ndim} axes; one or two are due")
    return values


def _csv(path: Path, name: str) -> Floats:
    rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not rows:
        raise ValueError("it is empty")
    if len({len(row) for row in rows}) > 1:
        raise ValueError("its lines are not equally long")
    return np.array([[float(cell) if cell.strip() else np.nan for cell in row] for row in rows])


def _npy(path: Path, name: str) -> Any:
    return np.load(path, allow_pickle=False)


def _hdf5(path: Path, name: str) -> Any:
    import h5py

    dataset = name.partition(".h5:")[2]
    if not dataset:
        raise ValueError("name the dataset, as in FILE.h5:DATASET")
    with h5py.File(path, "r") as file:
        return file[dataset][()]


def plain_values(values: Floats) -> list[Any]:
    """Return values as nested lists, null where there is none.

    Parameters
    ----------
    values : ndarray of float64

    Returns
    -------
    list
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

    Returns
    -------
    list
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
        rows = _array(_content(reading.directory / name, ""), name)
    except DescriptionError as error:
        reading.absorb(error, path)
        return None
    if rows.ndim != 2 or rows.shape[1] != 2 or not np.isfinite(rows).all() or (rows < 0).any():
        reading.fail(
            f"the file {name} needs two columns, index of the neuron and time in ms, all at least 0", path
        )
        return None
    if (rows[:, 0] >= size).any() or (rows[:, 0] % 1).any():
        reading.fail(
            f"the file {name} names neuron {rows[:, 0].max():g}, but the population has {size}, "
            "counted from 0",
            path,
        )
        return None
    times: list[list[float]] = [[] for _ in range(size)]
    for index, time in rows.tolist():
        times[int(index)].append(time)
    return times
