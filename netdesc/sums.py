"""Sums in one order, so that they are the same bits wherever they are added."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from netdesc.events import Floats


def add_up(values: ArrayLike) -> float:
    """Return the sum of all elements, added one after the other, row after row.

    A library of linear algebra adds in an order that depends on the processor, its threads and the shape.

    Parameters
    ----------
    values : array_like of float64

    Returns
    -------
    float
        0 where there is none.
    """
    flat = np.ravel(np.asarray(values, dtype=np.float64))
    return float(np.add.accumulate(flat)[-1]) if len(flat) else 0.0


def blend(values: Floats, shares: Floats) -> Floats:
    """Return ``values @ shares.T`` for shares that are mostly 0, added by ascending column.

    Parameters
    ----------
    values : ndarray of float64, shape (..., n)
    shares : ndarray of float64, shape (m, n)

    Returns
    -------
    ndarray of float64, shape (..., m)
    """
    result = np.zeros((*values.shape[:-1], len(shares)))
    for place, row in enumerate(shares):
        for column in np.flatnonzero(row):
            result[..., place] += values[..., column] * row[column]
    return result
