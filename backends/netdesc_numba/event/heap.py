"""A binary heap of events in arrays, earliest first, ties by the first key."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import inlined, kernel
from netdesc.events import Floats, Integers

Queue = tuple[int, Floats, Integers]
"""Number of events, their times, shape (capacity,), and their keys, shape (capacity, 2)."""


@kernel
def earlier(t: float, a: int, other_t: float, other_a: int) -> bool:
    """Tell whether an event comes before another."""
    return t < other_t or (t == other_t and a < other_a)


@inlined
def put(k: int, t: float, a: int, c: int, when: Floats, keys: Integers) -> None:
    """Write an event to a place."""
    when[k], keys[k, 0], keys[k, 1] = t, a, c


@kernel
def push(queue: Queue, t: float, a: int, c: int) -> Queue:
    """Return the queue with one more event, at t in ms, of keys a and c; its arrays are wider where full."""
    size, when, keys = queue
    if size == len(when):
        wider, more = np.empty(2 * size), np.empty((2 * size, 2), dtype=np.int64)
        # assignments of slices would take seconds to compile
        for k in range(size):
            put(k, when[k], keys[k, 0], keys[k, 1], wider, more)
        when, keys = wider, more
    k = size
    while k > 0:
        parent = (k - 1) // 2
        if not earlier(t, a, when[parent], keys[parent, 0]):
            break
        put(k, when[parent], keys[parent, 0], keys[parent, 1], when, keys)
        k = parent
    put(k, t, a, c, when, keys)
    return size + 1, when, keys


@kernel
def drop(size: int, when: Floats, keys: Integers) -> None:
    """Remove the earliest of ``size`` events."""
    t, a, c = when[size - 1], keys[size - 1, 0], keys[size - 1, 1]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= size - 1:
            break
        if child + 1 < size - 1 and earlier(when[child + 1], keys[child + 1, 0], when[child], keys[child, 0]):
            child += 1
        if not earlier(when[child], keys[child, 0], t, a):
            break
        put(k, when[child], keys[child, 0], keys[child, 1], when, keys)
        k = child
    put(k, t, a, c, when, keys)
