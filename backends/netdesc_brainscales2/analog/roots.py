"""Crossings of many circuits at once, in loops that the compiler vectorizes.

``flagged`` is a record of circuits that may spike, see ``burst.Flagged``; ``cells`` holds their parameters.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.dynamics.elementary import fused, logarithm
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif import CONVERGED, guess
from netdesc.dynamics.protocol import crossing, flow, load
from netdesc.dynamics.two_currents import propagate
from netdesc_brainscales2.analog.circuit import may_spike
from netdesc_brainscales2.analog.crossing import TOUCH
from netdesc_brainscales2.analog.propagator import decay_by, propagator

NONE, CERTAIN, POSSIBLE, SOLVED = range(4)
"""What is known of the rest of an interval: no spike, a bracketed crossing, perhaps one, one found."""

ROUNDS = 7
FALLS = 60
# Relative error of the end of a bracket: v turns there, so its own error is the square of that.
PRECISE = 1e-9


@inlined
def judge(q: int, flagged: Any, cells: Any) -> int:
    """Return what is known of a spike of a flagged circuit from the state at both ends of the interval.

    A current i + j, i not negative and j not positive, that exceeds a positive threshold at the start does so
    on one stretch from there on: it rises, if j decays faster, then falls, and once it is below 0 it stays
    there. v can pass upward only on that stretch and downward only behind it, so if v ends above the
    threshold, there is exactly one crossing. The other cases are left to the general solution.
    """
    x, end, left = load(flagged.state, q, cells), load(flagged.end, q, cells), flagged.left[q]
    u, i, j, threshold = x
    if not (left > 0.0 and may_spike(x, cells, q)):
        return NONE
    flagged.error[q] = np.inf
    flagged.width[q] = left
    flagged.high[q] = end[0]
    if threshold > 0.0 and u < threshold:
        if i + j > threshold:
            if end[0] >= threshold:
                return CERTAIN
            return NONE if end[1] + end[2] > threshold else POSSIBLE
        if cells.tau_i[q] <= cells.tau_j[q]:
            return NONE
        # what the current cannot exceed: that of circuit.spike_possible, times the decay of i
        share = end[1] / i
        if share > 0.0 and fused(threshold, -share, end[1]) + max(share * j, end[2]) <= 0.0:
            return NONE
    return solve(q, flagged, cells)


@inlined
def solve(q: int, flagged: Any, cells: Any) -> int:
    """Solve one circuit for its spike in what is left of the interval, and return whether it has one."""
    x = load(flagged.state, q, cells)
    s = crossing(x, cells, q, flagged.left[q])
    flagged.found[q] = s
    flagged.high[q] = x[3]
    flagged.error[q] = 0.0
    return SOLVED if s >= 0.0 else NONE


@inlined
def confirm(q: int, flagged: Any, cells: Any) -> bool:
    """Return whether a circuit whose spike is possible spikes: v is above the threshold where it turns.

    Where the two are too close, it is solved.
    """
    threshold, high = flagged.state[q, 3], flagged.high[q]
    if flagged.error[q] > 0.0 and abs(high - threshold) <= TOUCH * threshold:
        return bool(solve(q, flagged, cells) == SOLVED)
    return bool(high >= threshold)


@inlined
def bracket_crossings(count: int, flagged: Any, cells: Any) -> None:
    """Find where the current falls through the threshold, and v there, where v ends below the threshold.

    By Newton's method in a bracket; see ``crossing.falls_below``.
    """
    left, width, before, beyond = flagged.left, flagged.width, flagged.before, flagged.beyond
    for q in range(count):
        _, i, j, threshold = load(flagged.state, q, cells)
        unknown = (flagged.error[q] > 0.0) & (flagged.end[q, 0] < threshold)
        guessed = cells.tau_i[q] * logarithm((i + j) / threshold)
        before[q] = 0.0
        beyond[q] = left[q] if unknown else 0.0
        width[q] = min(guessed, left[q]) if unknown else left[q]
    for _ in range(FALLS):
        unsolved = 0
        for q in range(count):
            unsolved += 1 if beyond[q] - before[q] > PRECISE * left[q] else 0
        if unsolved == 0:
            break
        for q in range(count):
            _, i, j, threshold = load(flagged.state, q, cells)
            s, low, high = width[q], before[q], beyond[q]
            i *= decay_by(s, cells.tau_i[q], cells.rate_i[q])
            j *= decay_by(s, cells.tau_j[q], cells.rate_j[q])
            miss = i + j - threshold
            active = high - low > PRECISE * left[q]
            new_low = s if miss > 0.0 else low
            new_high = high if miss > 0.0 else s
            following = s + miss / fused(i, cells.rate_i[q], j * cells.rate_j[q])
            inside = (following > new_low) & (following < new_high)
            following = following if inside else 0.5 * (new_low + new_high)
            near = abs(following - s) <= PRECISE * left[q]
            before[q] = new_low if active else low
            beyond[q] = (new_low if near else new_high) if active else high
            width[q] = following if active else s
    for q in range(count):
        y = flow(load(flagged.state, q, cells), cells, q, width[q])
        flagged.high[q] = y[0] if flagged.error[q] > 0.0 else flagged.high[q]


@inlined
def solve_crossings(count: int, flagged: Any, cells: Any) -> None:
    """Find bracketed crossings, up to ``flagged.error``, by Halley's method; see ``two_currents.rise``."""
    found, error = flagged.found, flagged.error
    for q in range(count):
        u, i, j, threshold = load(flagged.state, q, cells)
        slope = (i + j - u) * cells.rate_m[q]
        s = guess(u - threshold, slope, flagged.high[q] - threshold, flagged.width[q])
        found[q] = s if error[q] > 0.0 else found[q]
    for _ in range(ROUNDS):
        unsolved = 0
        for q in range(count):
            unsolved += 0 if error[q] <= CONVERGED else 1
        if unsolved == 0:
            return
        for q in range(count):
            u, i, j, threshold = load(flagged.state, q, cells)
            s, rate_m, rate_i, rate_j = found[q], cells.rate_m[q], cells.rate_i[q], cells.rate_j[q]
            a, b, c, gain_i, gain_j = propagator(s, cells, q)
            u = propagate(u, i, j, a, gain_i, gain_j)
            i, j = i * b, j * c
            first = (i + j - u) * rate_m
            inverse = 1.0 / first
            bend = -fused(i, rate_i, fused(j, rate_j, first)) * rate_m * inverse
            newton = (u - threshold) * inverse
            change = newton / fused(-0.5 * newton, bend, 1.0)
            # a lane that has converged stays, so that its result does not depend on its neighbours
            active = not error[q] <= CONVERGED
            rest = abs(change) * (abs(bend) + max(rate_i, rate_j))
            found[q] = s - change if active else s
            error[q] = rest if active else error[q]
