"""Sorting within kernels.

A kernel takes seconds to compile if it calls ``numpy.argsort`` or assigns a part of an array, for what numba
has for these is long; these few loops do the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.dynamics.jit import shared
from netdesc.events import Integers

# Items of a run that is sorted by insertion.
RUN = 16


@shared
def merge_runs(begin: int, middle: int, end: int, keys: Any, runs: Integers, merged: Integers) -> None:
    """Merge two sorted runs of indices, ``begin`` to ``middle`` and ``middle`` to ``end``."""
    left, right = begin, middle
    for k in range(begin, end):
        if left < middle and (right == end or keys[runs[left]] <= keys[runs[right]]):
            merged[k] = runs[left]
            left += 1
        else:
            merged[k] = runs[right]
            right += 1


@shared
def sort_runs(keys: Any, order: Integers) -> None:
    """Sort runs of `RUN` indices by their keys, by insertion."""
    for k in range(len(keys)):
        key, m, begin = keys[k], k, k // RUN * RUN
        while m > begin and keys[order[m - 1]] > key:
            order[m] = order[m - 1]
            m -= 1
        order[m] = k


@shared
def find_order(keys: Any) -> Integers:
    """Return the indices that sort an array; items with equal keys keep their order.

    Parameters
    ----------
    keys : ndarray, shape (n,)
        Without NaN.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    n = len(keys)
    order, other = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    sort_runs(keys, order)
    width = RUN
    while width < n:
        for begin in range(0, n, 2 * width):
            merge_runs(begin, min(begin + width, n), min(begin + 2 * width, n), keys, order, other)
        order, other = other, order
        width *= 2
    return order


@shared
def rearrange(values: Any, order: Integers) -> None:
    """Put values into an order in place."""
    moved = np.empty_like(values)
    for k in range(len(order)):
        moved[k] = values[order[k]]
    for k in range(len(order)):
        values[k] = moved[k]
