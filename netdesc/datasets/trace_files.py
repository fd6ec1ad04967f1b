"""Target voltages from NPY, NPZ, HDF5 and CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.datasets.sheet import read_sheet
from netdesc.events import Floats
from netdesc.formats import hdf5, npy
from netdesc.formats.csv import Column
from netdesc.formats.numbers import as_floats
from netdesc.formats.source import fault, shape_text
from netdesc.goals import Traces

ENDINGS = (".h5", ".hdf5")
"""Endings of HDF5 files."""

NAME = "targets"
"""Array of target voltages in NPZ and HDF5 files."""


def read_traces(file: Path, interval: float, samples: int) -> Traces:
    """Read the target voltages of all samples.

    Parameters
    ----------
    file : Path
        ``.npy``; ``.npz`` or HDF5 with the array ``targets``; otherwise a table with one row for each sample
        and one column for each step of one output.
    interval : float
        In ms.
    samples : int
        How many there must be.

    Raises
    ------
    DescriptionError
        If the file is missing or damaged, or does not fit.
    """
    ending = file.suffix.lower()
    if ending == ".npy":
        return as_traces(file, npy.read_npy(file), interval, samples=samples)
    if ending == ".npz":
        arrays = npy.read_npz(file, text=True)
        if NAME not in arrays:
            raise fault(
                file,
                f"expected the array {NAME}, got {', '.join(arrays)}; write numpy.savez(file, {NAME}=...)",
            )
        return as_traces(file, arrays[NAME], interval, samples=samples)
    if ending in ENDINGS:
        with hdf5.opened(file) as content:
            return as_traces(file, content.floats(NAME, missing=True), interval, samples=samples)
    columns = read_sheet(file).columns
    return as_traces(file, join_columns(file, columns), interval, samples=samples)


def join_columns(file: Path, columns: tuple[Column, ...]) -> Floats:
    """Return columns as the steps of one output, shape (samples, steps); empty cells are NaN.

    Raises
    ------
    DescriptionError
        If a column holds texts.
    """
    for item in columns:
        if item.numbers is None and any(item.texts):
            word = next(cell for cell in item.texts if cell)
            raise fault(
                file,
                f"expected numbers in the column {item.name:.60}, got '{word:.60}'; write target voltages",
            )
    return np.column_stack(
        [np.full(len(item.texts), np.nan) if item.numbers is None else item.numbers for item in columns]
    )


def as_traces(file: Path, values: NDArray[Any], interval: float, *, samples: int) -> Traces:
    """Return an array as target voltages.

    Parameters
    ----------
    file : Path
    values : ndarray, shape (samples, steps) or (samples, steps, outputs)
        NaN where there is no target.
    interval : float
        In ms.
    samples : int

    Raises
    ------
    DescriptionError
        If the shape does not fit, or a value is not a number.
    """
    if values.ndim not in (2, 3) or not values.size:
        raise fault(
            file,
            f"expected target voltages of shape (samples, steps, outputs), got the shape "
            f"{shape_text(values.shape)}; with target_interval every output has one value for each step",
        )
    if len(values) != samples:
        raise fault(
            file,
            f"expected target voltages of {samples} samples, got those of {len(values)}; write one row for "
            "each sample",
        )
    numbers = as_floats(file, values, f"the array '{NAME}': ", missing=True)
    return Traces(numbers[:, :, None] if numbers.ndim == 2 else numbers, interval)
