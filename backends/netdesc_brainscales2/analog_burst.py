"""All spikes of flagged circuits within an interval, many circuits at once."""

from __future__ import annotations

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.physics.elementary import fused, logarithm
from netdesc.physics.jit import kernel
from netdesc.physics.lif import CONVERGED, guess
from netdesc.physics.two_currents import propagate
from netdesc_brainscales2.analog_crossing import first_crossing
from netdesc_brainscales2.analog_step import (
    BAR,
    BEND_I,
    BEND_J,
    EXC,
    FAR_I,
    FAR_J,
    GAP,
    HIGH,
    HIGHEST,
    INH,
    LOW,
    RATE_I,
    RATE_J,
    RATE_M,
    RESET,
    TAU_I,
    TAU_J,
    TAU_M,
    TAU_REF,
    WAIT,
    U,
    charge_by,
    decay_by,
)
from netdesc_brainscales2.noise import THRESHOLD, noise

# Doubles in a vector register.
WIDTH = 8
ROUNDS = 7
FALLS = 60
# Relative error of the end of a bracket: v turns there, so its own error is the square of that.
PRECISE = 1e-9
# What is known of the rest of an interval: no spike, a crossing in a bracket, perhaps one, one that is found.
NONE, CERTAIN, PERHAPS, FIXED = range(4)
# Rows of what a burst works on: state, parameters, state at the end of the interval, bracket and crossing.
V, X, Y, HELD, TOP, LEFT = range(6)
TM, TI, TJ, RM, RI, RJ, BI, FI, BJ, FJ, BACK = range(6, 17)
V_END, X_END, Y_END, WIDE, HIGH_END, FOUND, SIZE, BEFORE, BEYOND = range(17, 26)
ROWS = 26
KEPT = 17


@kernel
def load_lanes(
    count: int, lane: Integers, cells: Floats, state: Floats, span: Floats, care: Floats
) -> None:
    """Gather the state of flagged circuits and what is left of the interval; see ``settle_lanes``."""
    for q in range(count):
        k = lane[q]
        care[V, q] = state[U, k]
        care[X, q] = state[EXC, k]
        care[Y, q] = state[INH, k]
        care[HELD, q] = state[WAIT, k]
        care[TOP, q] = state[BAR, k]
        care[LEFT, q] = span[k]
        care[TM, q] = cells[TAU_M, k]
        care[TI, q] = cells[TAU_I, k]
        care[TJ, q] = cells[TAU_J, k]
        care[RM, q] = cells[RATE_M, k]
        care[RI, q] = cells[RATE_I, k]
        care[RJ, q] = cells[RATE_J, k]
        care[BI, q] = cells[BEND_I, k]
        care[FI, q] = cells[FAR_I, k]
        care[BJ, q] = cells[BEND_J, k]
        care[FJ, q] = cells[FAR_J, k]
        care[BACK, q] = cells[RESET, k]


@kernel
def pad_lanes(count: int, rows: int, care: Floats) -> int:
    """Repeat the first lane up to whole vector registers, and return the number of lanes then.

    What a vectorized loop leaves over runs as slow as a plain one.
    """
    padded = (count + WIDTH - 1) // WIDTH * WIDTH
    for q in range(count, padded):
        for row in range(rows):
            care[row, q] = care[row, 0]
    return padded


@kernel
def hold_lanes(count: int, care: Floats) -> None:
    """Keep refractory circuits at their reset, and take the time from what is left of the interval."""
    for q in range(count):
        held = min(care[HELD, q], care[LEFT, q])
        care[X, q] *= decay_by(held, care[TI, q], care[RI, q])
        care[Y, q] *= decay_by(held, care[TJ, q], care[RJ, q])
        care[V, q] = care[BACK, q] if care[HELD, q] > 0.0 else care[V, q]
        care[LEFT, q] -= held
        care[HELD, q] -= held


@kernel
def end_lanes(count: int, care: Floats) -> None:
    """Find where circuits would be at the end of the interval if they did not spike."""
    for q in range(count):
        s = care[LEFT, q]
        a = decay_by(s, care[TM, q], care[RM, q])
        b = decay_by(s, care[TI, q], care[RI, q])
        c = decay_by(s, care[TJ, q], care[RJ, q])
        gain_i = charge_by(s, a, b, care[RM, q], care[BI, q], care[FI, q])
        gain_j = charge_by(s, a, c, care[RM, q], care[BJ, q], care[FJ, q])
        care[V_END, q] = propagate(care[V, q], care[X, q], care[Y, q], a, gain_i, gain_j)
        care[X_END, q] = care[X, q] * b
        care[Y_END, q] = care[Y, q] * c


@kernel
def finish_lane(q: int, k: int, cells: Floats, care: Floats, after: Floats) -> int:
    """Store the state of a circuit that does not spike again; return 1 where a rail stops it."""
    if care[LEFT, q] <= 0.0:
        after[U, k] = care[V, q]
        after[EXC, k] = care[X, q]
        after[INH, k] = care[Y, q]
        after[WAIT, k] = care[HELD, q]
        return 0
    v = care[V_END, q]
    after[U, k] = min(max(v, cells[LOW, k]), cells[HIGH, k])
    after[EXC, k] = care[X_END, q]
    after[INH, k] = care[Y_END, q]
    after[WAIT, k] = 0.0
    return 1 if (v < cells[LOW, k]) | (v > cells[HIGH, k]) else 0


@kernel
def judge_lane(q: int, highest: float, care: Floats) -> int:
    """Tell whether a circuit spikes in what is left of the interval.

    A current i + j, i not negative and j not positive, that exceeds a positive threshold at the start does so
    on one stretch from there on: it rises, if j decays faster, then falls, and once it is below 0 it stays
    there. v can pass upward only on that stretch and downward only behind it, so if v ends above the
    threshold, there is exactly one crossing. The other cases are left to the general solution.
    """
    u, i, j, bar, left = care[V, q], care[X, q], care[Y, q], care[TOP, q], care[LEFT, q]
    above = max(u, 0.0)
    if not (left > 0.0 and i > bar and bar <= max(fused(i, highest, above), above)):
        return NONE
    care[SIZE, q] = np.inf
    care[WIDE, q] = left
    care[HIGH_END, q] = care[V_END, q]
    if bar > 0.0 and u < bar:
        if i + j > bar:
            if care[V_END, q] >= bar:
                return CERTAIN
            return NONE if care[X_END, q] + care[Y_END, q] > bar else PERHAPS
        if care[TI, q] <= care[TJ, q]:
            return NONE
        # what the current cannot exceed: that of analog_step.needs_care, times the decay of i
        share = care[X_END, q] / i
        if share > 0.0 and fused(bar, -share, care[X_END, q]) + max(share * j, care[Y_END, q]) <= 0.0:
            return NONE
    s = first_crossing(u, i, j, bar, care[TM, q], care[TI, q], care[TJ, q], left)
    care[FOUND, q] = s
    care[HIGH_END, q] = bar
    care[SIZE, q] = 0.0
    return FIXED if s >= 0.0 else NONE


@kernel
def fall_lanes(count: int, care: Floats) -> None:
    """Find where the current falls through the threshold, and v there, where v ends below the threshold.

    By Newton's method in a bracket; see ``analog_crossing.falls_below``.
    """
    for q in range(count):
        unknown = (care[SIZE, q] > 0.0) & (care[V_END, q] < care[TOP, q])
        guessed = care[TI, q] * logarithm((care[X, q] + care[Y, q]) / care[TOP, q])
        care[BEFORE, q] = 0.0
        care[BEYOND, q] = care[LEFT, q] if unknown else 0.0
        care[WIDE, q] = min(guessed, care[LEFT, q]) if unknown else care[LEFT, q]
    for _ in range(FALLS):
        going_on = 0
        for q in range(count):
            going_on += 1 if care[BEYOND, q] - care[BEFORE, q] > PRECISE * care[LEFT, q] else 0
        if going_on == 0:
            break
        for q in range(count):
            s, low, high = care[WIDE, q], care[BEFORE, q], care[BEYOND, q]
            b = care[X, q] * decay_by(s, care[TI, q], care[RI, q])
            c = care[Y, q] * decay_by(s, care[TJ, q], care[RJ, q])
            miss = b + c - care[TOP, q]
            going = high - low > PRECISE * care[LEFT, q]
            new_low = s if miss > 0.0 else low
            new_high = high if miss > 0.0 else s
            following = s + miss / fused(b, care[RI, q], c * care[RJ, q])
            inside = (following > new_low) & (following < new_high)
            following = following if inside else 0.5 * (new_low + new_high)
            near = abs(following - s) <= PRECISE * care[LEFT, q]
            care[BEFORE, q] = new_low if going else low
            care[BEYOND, q] = (new_low if near else new_high) if going else high
            care[WIDE, q] = following if going else s
    for q in range(count):
        s = care[WIDE, q]
        a = decay_by(s, care[TM, q], care[RM, q])
        b = decay_by(s, care[TI, q], care[RI, q])
        c = decay_by(s, care[TJ, q], care[RJ, q])
        gain_i = charge_by(s, a, b, care[RM, q], care[BI, q], care[FI, q])
        gain_j = charge_by(s, a, c, care[RM, q], care[BJ, q], care[FJ, q])
        v = propagate(care[V, q], care[X, q], care[Y, q], a, gain_i, gain_j)
        care[HIGH_END, q] = v if care[SIZE, q] > 0.0 else care[HIGH_END, q]


@kernel
def move_lane(source: int, target: int, lane: Integers, care: Floats) -> None:
    """Copy one lane to a place before it."""
    if target < source:
        lane[target] = lane[source]
        for row in range(BEFORE):
            care[row, target] = care[row, source]


@kernel
def pick_lanes(
    count: int, lane: Integers, cells: Floats, care: Floats, after: Floats
) -> tuple[int, int]:
    """Keep the circuits that spike in what is left of the interval, and finish the others.

    Returns
    -------
    kept : int
        How many spike, each with its crossing bracketed or found.
    clipped : int
        Circuits that a rail stopped.
    """
    kept, clipped, open_cases = 0, 0, 0
    for q in range(count):
        verdict = judge_lane(q, cells[HIGHEST, lane[q]], care)
        if verdict == NONE:
            clipped += finish_lane(q, lane[q], cells, care, after)
        else:
            move_lane(q, kept, lane, care)
            kept += 1
            open_cases += 1 if verdict == PERHAPS else 0
    if open_cases > 0:
        fall_lanes(pad_lanes(kept, BEFORE, care), care)
        count, kept = kept, 0
        for q in range(count):
            if care[HIGH_END, q] >= care[TOP, q]:
                move_lane(q, kept, lane, care)
                kept += 1
            else:
                clipped += finish_lane(q, lane[q], cells, care, after)
    return kept, clipped


@kernel
def solve_lanes(count: int, care: Floats) -> None:
    """Find bracketed crossings by Halley's method; see ``two_currents.rise`` for the steps."""
    for q in range(count):
        slope = (care[X, q] + care[Y, q] - care[V, q]) * care[RM, q]
        s = guess(care[V, q] - care[TOP, q], slope, care[HIGH_END, q] - care[TOP, q], care[WIDE, q])
        care[FOUND, q] = s if care[SIZE, q] > 0.0 else care[FOUND, q]
    for _ in range(ROUNDS):
        going_on = 0
        for q in range(count):
            going_on += 0 if care[SIZE, q] <= CONVERGED else 1
        if going_on == 0:
            return
        for q in range(count):
            s = care[FOUND, q]
            a = decay_by(s, care[TM, q], care[RM, q])
            b = decay_by(s, care[TI, q], care[RI, q])
            c = decay_by(s, care[TJ, q], care[RJ, q])
            gain_i = charge_by(s, a, b, care[RM, q], care[BI, q], care[FI, q])
            gain_j = charge_by(s, a, c, care[RM, q], care[BJ, q], care[FJ, q])
            u = propagate(care[V, q], care[X, q], care[Y, q], a, gain_i, gain_j)
            i, j = care[X, q] * b, care[Y, q] * c
            first = (i + j - u) * care[RM, q]
            inverse = 1.0 / first
            bend = -fused(i, care[RI, q], fused(j, care[RJ, q], first)) * care[RM, q] * inverse
            newton = (u - care[TOP, q]) * inverse
            step = newton / fused(-0.5 * newton, bend, 1.0)
            # a lane that has converged stays, so that its result does not depend on its neighbours
            going = not care[SIZE, q] <= CONVERGED
            rest = abs(step) * (abs(bend) + max(care[RI, q], care[RJ, q]))
            care[FOUND, q] = s - step if going else s
            care[SIZE, q] = rest if going else care[SIZE, q]


@kernel
def fire_lanes(count: int, care: Floats) -> None:
    """Carry circuits to their crossings and reset them."""
    for q in range(count):
        s = care[FOUND, q]
        care[X, q] *= decay_by(s, care[TI, q], care[RI, q])
        care[Y, q] *= decay_by(s, care[TJ, q], care[RJ, q])
        care[LEFT, q] -= s
        care[V, q] = care[BACK, q]


@kernel
def repair_lanes(count: int, care: Floats) -> None:
    """Solve again, one by one, what the iteration in lanes did not."""
    for q in range(count):
        # the comparisons are also false for NaN
        if not (care[SIZE, q] <= CONVERGED and 0.0 <= care[FOUND, q] <= care[WIDE, q]):
            s = first_crossing(care[V, q], care[X, q], care[Y, q], care[TOP, q], care[TM, q], care[TI, q],
                               care[TJ, q], care[WIDE, q])
            # v grazes the threshold at the end of the bracket
            care[FOUND, q] = s if s >= 0.0 else care[WIDE, q]


@kernel
def settle_lanes(
    count: int, lane: Integers, first: int, size: int, now: Floats, span: Floats, cells: Floats,
    state: Floats, after: Floats, serial: Integers, table: Floats, key: np.uint64, spread: float,
    care: Floats, found_times: Floats, found_lanes: Integers, found: int,
) -> tuple[int, int]:
    """Carry flagged circuits over an interval with all their spikes.

    Parameters
    ----------
    count : int
        How many are flagged.
    lane : ndarray of int64, shape (n,)
        The flagged ones: lane k is neuron ``k % size`` of sample ``first + k // size``; overwritten.
    first, size : int
    now : ndarray of float64, shape (samples,)
        Start of the interval of each sample in ms.
    span : ndarray of float64, shape (n,)
        Its length for each lane.
    cells : ndarray of float64, shape (PARAMETERS, n)
    state : ndarray of float64, shape (STATES, n)
        At the start; thresholds are changed in place.
    after : ndarray of float64, shape (STATES, n)
        Result: state at the end.
    serial : ndarray of int64, shape (n,)
        Spikes of each circuit so far; changed in place.
    table, key, spread
        Noise of thresholds: quantiles, key, and standard deviation relative to threshold - rest.
    care : ndarray of float64, shape (ROWS, n + WIDTH)
        Overwritten.
    found_times, found_lanes : ndarray, shape (capacity,)
        Results, from ``found`` on, not sorted.
    found : int
        Spikes found so far.

    Returns
    -------
    found : int
        Spikes found so far; -1 where the capacity did not suffice.
    clipped : int
        Circuits that a rail stopped.
    """
    clipped = 0
    load_lanes(count, lane, cells, state, span, care)
    while count > 0:
        waiting = 0
        for q in range(count):
            waiting += 1 if care[HELD, q] > 0.0 else 0
        padded = pad_lanes(count, KEPT, care)
        if waiting > 0:
            hold_lanes(padded, care)
        end_lanes(padded, care)
        count, stopped = pick_lanes(count, lane, cells, care, after)
        clipped += stopped
        if found + count > len(found_times):
            return -1, 0
        padded = pad_lanes(count, BEFORE, care)
        solve_lanes(padded, care)
        repair_lanes(count, care)
        fire_lanes(padded, care)
        for q in range(count):
            k = lane[q]
            s = k // size
            found_times[found] = now[s] + (span[k] - care[LEFT, q])
            found_lanes[found] = k
            found += 1
            serial[k] += 1
            care[HELD, q] = cells[TAU_REF, k]
            if spread > 0.0:
                x = noise(table, key, first + s, k - s * size, 2 * serial[k] + THRESHOLD)
                care[TOP, q] = cells[GAP, k] * (1.0 + spread * x)
                state[BAR, k] = care[TOP, q]
    return found, clipped
