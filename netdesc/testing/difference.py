"""Derivatives by differences.

Difference quotients are extrapolated to a vanishing step by Ridders' method (C. J. F. Ridders, Accurate
computation of F'(x) and F'(x) F''(x), Advances in Engineering Software 4 (1982) 75), which looks only at how
well its own estimates agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 12
"""How many steps are tried."""

SHRINK = 2.5
"""How much shorter each is than the one before: spikes that overtake arrivals put kinks into a loss, and some
of the steps must be shorter than the way to the nearest kink."""

NOISE = 1e-12
"""Rounding of a loss: estimates that agree better than this allows agree by chance."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A direction to walk in: the loss at a distance, None where spikes come or go; how far, which side."""

    loss: Callable[[float], float | None]
    reach: float
    both_sides: bool


def extrapolate(probe: Probe) -> float:
    """Extrapolate difference quotients to a vanishing step.

    Returns
    -------
    float
        The entry of Ridders' table that agrees best with its neighbours; NaN where spikes come or go even
        at the third smallest step.
    """
    factor = SHRINK**2 if probe.both_sides else SHRINK
    best, agreement = float("nan"), float("inf")
    row: list[float] = []
    for attempt in range(ROUNDS):
        step = probe.reach / SHRINK**attempt
        ends = probe.loss(step), probe.loss(-step if probe.both_sides else 0.0)
        if ends[0] is None or ends[1] is None:
            row, best, agreement = [], float("nan"), float("inf")
            continue
        noise = NOISE * (1.0 + abs(ends[0]))
        before, row = row, [(ends[0] - ends[1]) / (2 * step if probe.both_sides else step)]
        for order, coarse in enumerate(before):
            weight = factor ** (order + 1)
            row.append(row[-1] + (row[-1] - coarse) / (weight - 1))
            spread = max(abs(row[-1] - row[-2]), abs(row[-1] - coarse), noise / step)
            if len(row) > 2 and spread < agreement:
                best, agreement = row[-1], spread
    return best
