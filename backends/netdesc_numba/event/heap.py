"""A binary heap of events in arrays, earliest first, ties by the first key."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers


@kernel
def earlier(t: float, a: int, other_t: float, other_a: int) -> bool:
    """Tell whether an event comes before another."""
    return t < other_t or (t == other_t and a < other_a)


@kernel
def push(size: int, when: Floats, keys: Integers, t: float, a: int, c: int) -> tuple[Floats, Integers]:
    """Add an event.

    Parameters
    ----------
    size : int
        Events in the heap before.
    when : ndarray of float64, shape (capacity,)
    keys : ndarray of int64, shape (capacity, 2)
    t : float
        Time of the event in ms.
    a, c : int
        Its keys.

    Returns
    -------
    tuple of ndarray
        ``when`` and ``keys``: the same, or larger ones where they were full.
    """
    if size == len(when):
        wider = np.empty(2 * size)
        more = np.empty((2 * size, 2), dtype=np.int64)
        # assignments of slices would take seconds to compile
        for k in range(size):
            wider[k] = when[k]
            more[k, 0], more[k, 1] = keys[k, 0], keys[k, 1]
        when, keys = wider, more
    k = size
    while k > 0:
        parent = (k - 1) // 2
        if not earlier(t, a, when[parent], keys[parent, 0]):
            break
        when[k] = when[parent]
        keys[k, 0] = keys[parent, 0]
        keys[k, 1] = keys[parent, 1]
        k = parent
    when[k] = t
    keys[k, 0] = a
    keys[k, 1] = c
    return when, keys


@kernel
def drop(size: int, when: Floats, keys: Integers) -> None:
    """Remove the earliest of ``size`` events."""
    t = when[size - 1]
    a = keys[size - 1, 0]
    c = keys[size - 1, 1]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= size - 1:
            break
        if child + 1 < size - 1 and earlier(when[child + 1], keys[child + 1, 0], when[child], keys[child, 0]):
            child += 1
        if not earlier(when[child], keys[child, 0], t, a):
            break
        when[k] = when[child]
        keys[k, 0] = keys[child, 0]
        keys[k, 1] = keys[child, 1]
        k = child
    when[k] = t
    keys[k, 0] = a
    keys[k, 1] = c
