"""Loops over spike trains; each train is a span of a flat array of times."""

from __future__ import annotations

import math

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers


@kernel
def match_trains(
    times: Floats,
    offsets: Integers,
    others: Floats,
    other_offsets: Integers,
    window: float,
    deviations: Floats,
    trains: Integers,
    matched: Integers,
) -> int:
    """Match spikes of two sets of trains in order of time; return how many were matched."""
    found = 0
    for train in range(len(offsets) - 1):
        i, j = offsets[train], other_offsets[train]
        while i < offsets[train + 1] and j < other_offsets[train + 1]:
            apart = others[j] - times[i]
            if abs(apart) <= window:
                deviations[found] = apart
                trains[found] = train
                matched[train] += 1
                found += 1
                i += 1
                j += 1
            elif apart > 0.0:
                i += 1
            else:
                j += 1
    return found


@kernel
def measure_van_rossum(
    times: Floats,
    offsets: Integers,
    others: Floats,
    other_offsets: Integers,
    tau: float,
    result: Floats,
) -> None:
    """Write the distance of van Rossum of every pair of trains."""
    for train in range(len(offsets) - 1):
        start, stop = offsets[train], offsets[train + 1]
        first, last = other_offsets[train], other_offsets[train + 1]
        total = 0.0
        for i in range(start, stop):
            for j in range(start, stop):
                total += math.exp(-abs(times[i] - times[j]) / tau)
            for j in range(first, last):
                total -= 2.0 * math.exp(-abs(times[i] - others[j]) / tau)
        for i in range(first, last):
            for j in range(first, last):
                total += math.exp(-abs(others[i] - others[j]) / tau)
        # The sum is a square; rounding can leave it a little below 0.
        result[train] = math.sqrt(max(total, 0.0))


@kernel
def measure_victor_purpura(
    times: Floats,
    offsets: Integers,
    others: Floats,
    other_offsets: Integers,
    cost: float,
    row: Floats,
    result: Floats,
) -> None:
    """Write the distance of Victor and Purpura of every pair of trains."""
    for train in range(len(offsets) - 1):
        first = other_offsets[train]
        width = other_offsets[train + 1] - first
        for j in range(width + 1):
            row[j] = j
        for i in range(offsets[train], offsets[train + 1]):
            diagonal = row[0]
            row[0] += 1.0
            for j in range(width):
                moved = diagonal + cost * abs(times[i] - others[first + j])
                diagonal = row[j + 1]
                row[j + 1] = min(min(row[j] + 1.0, row[j + 1] + 1.0), moved)
        result[train] = row[width]
