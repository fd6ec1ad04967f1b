"""Linear cells of any form: exact propagators from divided differences, and certified first crossings.

For a triangular system dx/dt = A x + c an element of exp(sA) is a sum over the paths along which one variable
acts on another: products of couplings times powers of s times the divided difference of exp at the diagonal
elements on the path. Divided differences are evaluated without cancellation, so time constants may coincide.
"""

# mypy: disable-error-code="empty-body"
from __future__ import annotations

from typing import Any

from netdesc.dynamics.elementary import exponential, relative_decay
from netdesc.dynamics.jit import inlined, shared
from netdesc.dynamics.lif import guess
from netdesc.dynamics.protocol import NEVER, State, flow, operation

TERMS = 18
"""Of the Taylor series of divided differences, for arguments at most 1 apart: remainder below 1e-17."""

STEPS = 100
SHORTEST = 2.0**-40
"""Part of an interval below which it is not halved any more."""


@inlined
def difference_1(a: float, b: float) -> float:
    """Return (exp(a) - exp(b)) / (a - b), exp(a) where they are equal."""
    x = a - b
    near = exponential(a) * relative_decay(x)
    far = (exponential(a) - exponential(b)) / x
    return near if abs(x) <= 1.0 else far


@shared
def difference_2(a: float, b: float, c: float) -> float:
    """Return the second divided difference of exp."""
    low, high = min(a, min(b, c)), max(a, max(b, c))
    middle = max(min(a, b), min(max(a, b), c))
    if high - low > 1.0:
        return (difference_1(high, middle) - difference_1(middle, low)) / (high - low)
    first = total = 0.0
    term = 0.5
    power = 1.0
    for n in range(TERMS):
        first = first * (middle - low) + power
        total += term * first
        power *= high - low
        term /= n + 3.0
    return exponential(low) * total


@shared
def difference_3(a: float, b: float, c: float, d: float) -> float:
    """Return the third divided difference of exp."""
    p, q = min(a, b), max(a, b)
    r, t = min(c, d), max(c, d)
    low, high = min(p, r), max(q, t)
    one, two = max(p, r), min(q, t)
    if high - low > 1.0:
        return (difference_2(high, one, two) - difference_2(one, two, low)) / (high - low)
    first = second = total = 0.0
    term = 1.0 / 6.0
    power = 1.0
    for n in range(TERMS):
        first = first * (one - low) + power
        second = second * (two - low) + first
        total += term * second
        power *= high - low
        term /= n + 4.0
    return exponential(low) * total


@inlined
def largest(x: float, drive: float, rate: float, s: float) -> float:
    """Return a bound of |x| over s ms where dx/dt = rate x + d with |d| <= drive."""
    if rate > 0.0:
        return (abs(x) + s * drive) * exponential(rate * s)
    grown = abs(x) + s * drive
    return min(grown, max(abs(x), drive / -rate)) if rate < 0.0 else grown


@operation
def margin(x: State, cells: Any, cell: int) -> float:
    """Return the threshold's expression: a spike where it reaches 0 from below."""


@operation
def margin_rate(x: State, cells: Any, cell: int) -> float:
    """Return d/dt of the margin along the free flow."""


@operation
def margin_bend(x: State, cells: Any, cell: int, s: float) -> float:
    """Return a bound of the second derivative of the margin by time over s ms from a state."""


@shared
def rising_root(x: State, cells: Any, cell: int, width: float, end: float, bend: float) -> float:
    """Return where a margin that rises from below 0 to ``end`` within ``width`` ms is 0."""
    s = guess(margin(x, cells, cell), margin_rate(x, cells, cell), end, width)
    left, right = 0.0, width
    for _ in range(STEPS):
        if not left < s < right:
            s = 0.5 * (left + right)
        y = flow(x, cells, cell, s)
        miss = margin(y, cells, cell)
        rate = margin_rate(y, cells, cell)
        if miss < 0.0:
            left = s
        else:
            right = s
        step = miss / rate
        if miss == 0.0 or bend * step * step <= 1e-16 * rate * width or right - left <= 1e-16 * width:
            return min(max(s - step, left), right)
        s -= step
    return right


@shared
def first_crossing(x: State, cells: Any, cell: int, s: float) -> float:
    """Return the first time within s ms at which the margin reaches 0 from below; ``NEVER`` without.

    A part of the interval is passed over where a bound of the second derivative excludes a crossing, and
    solved where it proves the margin to rise; otherwise it is halved.
    """
    t = 0.0
    length = s
    here = margin(x, cells, cell)
    if here >= 0.0 and margin_rate(x, cells, cell) > 0.0:
        return 0.0
    while t < s:
        span = min(length, s - t)
        y = flow(x, cells, cell, span)
        there = margin(y, cells, cell)
        bend = margin_bend(x, cells, cell, span)
        if there < 0.0:
            # a margin that starts at 0 or above falls
            decided = here >= 0.0 or max(here, there) + 0.125 * bend * span * span < 0.0
            decided = decided or span <= SHORTEST * s
        else:
            rate = margin_rate(x, cells, cell)
            decided = rate >= bend * span or margin_rate(y, cells, cell) >= bend * span
            decided = decided or span <= SHORTEST * s
            if decided and rate > 0.0:
                return t + rising_root(x, cells, cell, span, there, bend)
            if decided:
                return t + span
        if decided:
            t = s if span == s - t else t + span
            x, here = y, there
            length = 2.0 * span
        else:
            length = 0.5 * span
    return NEVER
