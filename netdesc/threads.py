"""Parallel runs of kernels over parts of a batch."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Generic, TypeVar

T = TypeVar("T")

LEAST = 50_000
"""Steps of neurons below which another thread takes longer to wake than it saves."""


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
    shared = Share(task, parts)
    others = [workers(threads - 1).submit(shared.work) for _ in range(min(threads, len(parts)) - 1)]
    shared.work()
    for other in others:
        other.result()
    return shared.conclude()


class Share(Generic[T]):
    """Parts of a task that several threads take in turn.

    Parameters
    ----------
    task : callable
    parts : sequence of (int, int)
    """

    def __init__(self, task: Callable[[int, int], T], parts: Sequence[tuple[int, int]]) -> None:
        self.task = task
        self.parts = parts
        self.results: dict[int, T] = {}
        self.errors: dict[int, Exception] = {}
        self.queue: deque[int] = deque(range(len(parts)))

    def work(self) -> None:
        """Take parts until none is left or one has failed."""
        while not self.errors:
            try:
                k = self.queue.popleft()
            except IndexError:
                return
            try:
                self.results[k] = self.task(*self.parts[k])
            except Exception as error:  # noqa: BLE001 - raised by conclude, whatever it is
                self.errors[k] = error

    def conclude(self) -> list[T]:
        """Return the results in the order of the parts, or raise the error of the first part that failed."""
        if self.errors:
            raise self.errors[min(self.errors)]
        return [self.results[k] for k in range(len(self.parts))]


def worthwhile(threads: int, steps: int) -> int:
    """Return the number of threads that shorten a run.

    Parameters
    ----------
    threads : int
        At most this many.
    steps : int
        Intervals between events, times neurons, in all samples.
    """
    return threads if steps >= LEAST else 1
