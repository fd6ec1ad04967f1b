"""Tables of numbers and texts from CSV, NPZ, NPY and Parquet files, by columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.description.reading.suggestion import did_you_mean
from netdesc.errors import DescriptionError
from netdesc.formats import csv, npy
from netdesc.formats.csv import Column
from netdesc.formats.source import fault, shape_text, size_of

EMPTY = frozenset(("", "NA", "N/A", "n/a", "nan", "NaN", "null", "NULL", "None", "?"))
"""Cells that stand for a missing value."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns of a file.

    Parameters
    ----------
    file : Path
    columns : tuple of netdesc.formats.csv.Column
    goals : tuple of str
        Columns that are labels or targets by their name in an NPZ file, ``y``; empty for other files.
    labelled : bool
        Whether these are labels: texts or whole numbers, one per sample.
    targets : ndarray or None
        The array ``targets`` of an NPZ file, as it is there.
    """

    file: Path
    columns: tuple[Column, ...]
    goals: tuple[str, ...] = ()
    labelled: bool = False
    targets: NDArray[Any] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(item.name for item in self.columns)

    @property
    def rows(self) -> int:
        """Number of samples."""
        first = self.columns[0]
        return len(first.texts) if first.numbers is None else len(first.numbers)

    def fault(self, what: str) -> DescriptionError:
        """Return the error about a table that cannot be used."""
        return fault(self.file, what)


def read_sheet(file: Path) -> Sheet:
    """Read a table.

    Parameters
    ----------
    file : Path
        ``.npz`` with the array ``x`` of shape (samples, ...) and, if it has them, labels or targets ``y``
        and target voltages ``targets``;
        ``.npy`` with an array of shape (samples, columns); ``.parquet``; text with separators otherwise.

    Returns
    -------
    Sheet
        Columns of an array are numbered from 1: ``x1``, ``x2``, ... in an NPZ file, ``1``, ``2``, ... in an
        NPY file.

    Raises
    ------
    DescriptionError
        If the file cannot be read, or has another content.
    """
    ending = file.suffix.lower()
    if ending == ".npz":
        return read_arrays(file)
    if ending == ".npy":
        values = npy.read_npy(file)
        return Sheet(file, tuple(columns_of(file, values, "", "the array")))
    if ending == ".parquet":
        return Sheet(file, read_parquet(file))
    columns = csv.read_table(file).columns
    return Sheet(file, tuple(repaired(file, item) for item in columns))


def read_arrays(file: Path) -> Sheet:
    """Read an NPZ file with ``x``, and ``y`` and ``targets`` if they are there."""
    arrays = npy.read_npz(file, text=True)
    targets = arrays.get("targets")
    if "x" not in arrays or not set(arrays) <= {"x", "y", "targets"}:
        raise fault(
            file,
            f"expected the arrays x and y, got {', '.join(arrays)}; "
            "write numpy.savez(file, x=features, y=labels)",
        )
    x, columns = arrays["x"], list[Column]()
    if x.dtype.kind in "US":
        raise fault(file, "expected numbers in the array x, got texts; write texts to y")
    columns += columns_of(file, x, "x", "the array x")
    if "y" not in arrays:
        return Sheet(file, tuple(columns), targets=targets)
    y = arrays["y"]
    if y.ndim not in (1, 2) or len(y) != len(x):
        raise fault(
            file,
            f"expected y with one row for each of the {len(x)} samples of x, got the shape "
            f"{shape_text(y.shape)}; write one label or row of targets for each",
        )
    if y.dtype.kind in "US":
        if y.ndim != 1:
            raise fault(
                file,
                f"expected one text per sample in y, got the shape {shape_text(y.shape)}; "
                "write one label for each sample",
            )
        goals = [Column("y", None, tuple(decoded(file, y)))]
    else:
        goals = (
            [Column("y", y.astype(np.float64))]
            if y.ndim == 1
            else list(columns_of(file, y, "y", "the array y"))
        )
    return Sheet(
        file,
        (*columns, *goals),
        tuple(item.name for item in goals),
        y.ndim == 1 and y.dtype.kind in "iubUS",
        targets,
    )


def decoded(file: Path, texts: NDArray[Any]) -> list[str]:
    """Return texts of an array; texts of bytes must be UTF-8."""
    try:
        return [item.decode("utf-8") if isinstance(item, bytes) else str(item) for item in texts.tolist()]
    except UnicodeDecodeError:
        raise fault(
            file, "expected texts in UTF-8 in the array y, got other bytes; write them as str"
        ) from None


def columns_of(file: Path, values: NDArray[Any], prefix: str, what: str) -> Iterator[Column]:
    """Yield the columns of an array of numbers, everything after the first axis in one row."""
    if values.ndim < 1 or not values.size:
        raise fault(
            file,
            f"expected {what} of shape (samples, columns), got the shape "
            f"{shape_text(values.shape)}; write one row for each sample",
        )
    rows = values.reshape(len(values), -1).astype(np.float64)
    for column in range(rows.shape[1]):
        yield Column(f"{prefix}{column + 1}", rows[:, column])


def read_parquet(file: Path) -> tuple[Column, ...]:
    """Read a Parquet file, where pandas is installed."""
    size_of(file, "a Parquet file")
    try:
        from pandas import read_parquet as read
    except ImportError:
        raise fault(
            file,
            "expected pandas for a Parquet file, but it is not installed; install pandas and "
            "pyarrow, or write the table as CSV",
        ) from None
    try:
        table = read(file)
        columns = [(str(name), table[name].to_numpy()) for name in table.columns]
    except ImportError:
        raise fault(
            file,
            "expected pyarrow for a Parquet file, but it is not installed; install it, or "
            "write the table as CSV",
        ) from None
    except Exception:  # noqa: BLE001 - pandas lets through whatever its engine raises
        raise fault(
            file, "expected a Parquet file, got something else or a damaged one; write it again"
        ) from None
    return tuple(column_of(name, values) for name, values in columns)


def column_of(name: str, values: NDArray[Any]) -> Column:
    """Return an array of one column, texts where it is not numbers."""
    if values.dtype.kind in "iufb":
        return Column(name, values.astype(np.float64))
    return Column(name, None, tuple("" if item is None else str(item) for item in values.tolist()))


def repaired(file: Path, column: Column) -> Column:
    """Return a column whose words for missing values are NaN, if all others are numbers."""
    if column.numbers is not None:
        return column
    values, odd = [], list[tuple[int, str]]()
    for row, cell in enumerate(column.texts, 1):
        if cell in EMPTY:
            values.append(np.nan)
            continue
        number = csv.number_of(cell)
        if number is None:
            odd.append((row, cell))
        else:
            values.append(number)
    if odd and len(odd) < 0.1 * len(column.texts) and len(values) > sum(map(np.isnan, values)):
        row, cell = odd[0]
        raise fault(
            file,
            f"expected a number in row {row} of the column {column.name:.60}, got '{cell:.60}', "
            f"where {len(values)} other cells are numbers; correct it, or leave it empty",
        )
    return column if odd or all(map(np.isnan, values)) else Column(column.name, np.array(values))


def require_columns(sheet: Sheet, wanted: Iterable[str]) -> None:
    """Refuse a table without a column that is needed.

    Raises
    ------
    DescriptionError
        With one diagnostic per column.
    """
    faults = [
        sheet.fault(
            f"expected a column {name}, got {', '.join(sheet.names[:20])}"
            f"{did_you_mean(name, sheet.names) if len(sheet.names) <= 1000 else ''}"
        ).diagnostics[0]
        for name in wanted
        if name not in sheet.names
    ]
    if faults:
        raise DescriptionError(faults)
