"""How fast this machine is, in relation to the one that the constants of backends were measured on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from time import process_time

import numpy as np

REFERENCE = 0.6e-3
"""Seconds of `work_a_little` on the machine of the constants: x86_64 with AVX-512."""

ROUNDS = 30
"""Repetitions; their mean counts."""

SLOWEST = 20.0
"""What a measurement is limited to, in either direction."""


def work_a_little() -> None:
    """Do arithmetic, look-ups and calls of Python, half a millisecond of it."""
    values = np.linspace(0.1, 1.0, 2048)
    places = np.arange(2048) * 7 % 2048
    total = 0.0
    for _ in range(40):
        values = np.sqrt(values * 0.5 + 0.25 * values[places])
        total += sum(range(100)) + float(values[0])


def measure_slowness(
    clock: Callable[[], float] = process_time, work: Callable[[], None] = work_a_little
) -> float:
    """Return how many times as long this machine takes as that of the constants.

    Parameters
    ----------
    clock : callable
        Returns seconds; by default of the processor, so that what else runs on the machine counts only as far
        as it slows the processor down.
    work : callable
        Takes `REFERENCE` seconds on the machine of the constants.
    """
    work()
    begin = clock()
    for _ in range(ROUNDS):
        work()
    taken = (clock() - begin) / ROUNDS
    return float(np.clip(taken / REFERENCE, 1.0 / SLOWEST, SLOWEST))


@cache
def slowness() -> float:
    """Return `measure_slowness`, measured once in a process."""
    return measure_slowness()
