"""What the values of a file are: real numbers, finite ones, whole ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.formats.source import fault

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_KINDS = {
    "c": "complex numbers",
    "O": "Python objects",
    "V": "records or raw bytes",
    "M": "dates",
    "m": "time spans",
    "U": "texts",
    "S": "texts",
    "T": "texts",
}


def require_kind(file: Path, dtype: np.dtype[Any], where: str = "", *, text: bool = False) -> None:
    """Refuse values that are not real numbers, or texts where these are accepted too.

    ``where`` says in messages which of the arrays in the file it is; it ends with ``: ``.
    """
    if dtype.kind in "iufb" or (text and dtype.kind in "US"):
        return
    raise fault(
        file,
        f"{where}expected real numbers, got {_KINDS.get(dtype.kind, 'others')} "
        f"(type {dtype!s:.60}); use float64 or integers",
    )


def as_floats(file: Path, values: NDArray[Any], where: str = "", *, missing: bool = False) -> Floats:
    """Return real numbers as finite float64 of the same shape; NaN is accepted where some may be missing.

    Raises
    ------
    DescriptionError
        With the index of the first value that is not finite, counted from 0.
    """
    require_kind(file, values.dtype, where)
    with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite, refused below
        floats = np.ascontiguousarray(values, dtype=np.float64).reshape(values.shape)
    _refuse(
        file, floats, np.isinf(floats) if missing else ~np.isfinite(floats), f"{where}expected finite numbers"
    )
    return floats


def as_integers(file: Path, values: NDArray[Any], where: str = "", *, least: int = 0) -> Integers:
    """Return real numbers as int64 of the same shape, none of them below ``least``.

    Raises
    ------
    DescriptionError
        With the index of the first value that is not whole, too small or beyond 64 bits.
    """
    require_kind(file, values.dtype, where)
    if values.dtype.kind == "f":
        wrong = ~(np.isfinite(values) & (np.floor(values) == values) & (values >= least) & (values < 2.0**63))
    else:
        wrong = (values < least) | (values > np.iinfo(np.int64).max)
    _refuse(file, values, wrong, f"{where}expected whole numbers of at least {least}")
    return np.ascontiguousarray(values, dtype=np.int64).reshape(values.shape)


def _refuse(file: Path, values: NDArray[Any], wrong: NDArray[np.bool_], expected: str) -> None:
    """Refuse values of which some are wrong, with the first of them."""
    if wrong.any():
        index = np.unravel_index(int(wrong.argmax()), values.shape)
        text = ", ".join(str(int(side)) for side in index)
        raise fault(file, f"{expected}, got {values[index]} at index [{text}], counted from 0; replace it")
