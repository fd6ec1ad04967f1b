"""Parallel runs of kernels over parts of a batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")


def available() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


@cache
def workers(count: int) -> ThreadPoolExecutor:
    """Return the pool of that many threads, kept warm for the life of the process."""
    return ThreadPoolExecutor(count, thread_name_prefix="netdesc")


def split(count: int, parts: int) -> list[tuple[int, int]]:
    """Divide a range into nearly equal parts.

    Parameters
    ----------
    count : int
        Length of the range.
    parts : int
        How many parts at most.

    Returns
    -------
    list of (int, int)
        First and one past the last of each part; none is empty.
    """
    parts = max(1, min(parts, count))
    edges = [count * k // parts for k in range(parts + 1)]
    return list(pairwise(edges)) if count else []


def run(task: Callable[[int, int], T], parts: Sequence[tuple[int, int]], threads: int) -> list[T]:
    """Run a task on every part, on several threads.

    Parameters
    ----------
    task : callable
        Takes first and one past the last index; must release the interpreter's lock to gain anything.
    parts : sequence of (int, int)
        From ``split``.
    threads : int
        At most this many at once.

    Returns
    -------
    list
        Results in the order of the parts, whatever the number of threads.
    """
    if threads == 1 or len(parts) <= 1:
        return [task(first, last) for first, last in parts]
    return list(workers(threads).map(lambda part: task(*part), parts))
