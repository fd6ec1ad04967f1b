"""All spikes of flagged circuits within an interval, many circuits at once."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.elementary import fused
from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers
from netdesc_brainscales2.analog.crossing import first_crossing
from netdesc_brainscales2.analog.lanes import (
    BEFORE,
    FOUND,
    HELD,
    HIGH_END,
    KEPT,
    LEFT,
    SIZE,
    TI,
    TJ,
    TM,
    TOP,
    V_END,
    WIDE,
    X_END,
    Y_END,
    V,
    X,
    Y,
    end_lanes,
    fall_lanes,
    fire_lanes,
    hold_lanes,
    load_lanes,
    move_lane,
    pad_lanes,
    repair_lanes,
    solve_lanes,
)
from netdesc_brainscales2.analog.step import (
    BAR,
    EXC,
    GAP,
    HIGH,
    HIGHEST,
    INH,
    LOW,
    TAU_REF,
    TOUCH,
    WAIT,
    U,
)
from netdesc_brainscales2.chip.noise import THRESHOLD, Keys, noise

# What is known of the rest of an interval: no spike, a crossing in a bracket, perhaps one, one that is found.
NONE, CERTAIN, PERHAPS, FIXED = range(4)


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
    if not (left > 0.0 and i > bar and fused(-TOUCH, abs(bar), bar) <= max(fused(i, highest, above), above)):
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
    return fix_lane(q, care)


@kernel
def fix_lane(q: int, care: Floats) -> int:
    """Leave a circuit to the general solution, and tell whether it spikes in what is left of the interval."""
    s = first_crossing(
        care[V, q], care[X, q], care[Y, q], care[TOP, q], care[TM, q], care[TI, q], care[TJ, q], care[LEFT, q]
    )
    care[FOUND, q] = s
    care[HIGH_END, q] = care[TOP, q]
    care[SIZE, q] = 0.0
    return FIXED if s >= 0.0 else NONE


@kernel
def pick_lanes(count: int, lane: Integers, cells: Floats, care: Floats, after: Floats) -> tuple[int, int]:
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
            spikes = care[HIGH_END, q] >= care[TOP, q]
            if care[SIZE, q] > 0.0 and abs(care[HIGH_END, q] - care[TOP, q]) <= TOUCH * care[TOP, q]:
                spikes = fix_lane(q, care) == FIXED
            if spikes:
                move_lane(q, kept, lane, care)
                kept += 1
            else:
                clipped += finish_lane(q, lane[q], cells, care, after)
    return kept, clipped


@kernel
def settle_lanes(
    count: int,
    lane: Integers,
    first: int,
    size: int,
    now: Floats,
    span: Floats,
    cells: Floats,
    state: Floats,
    after: Floats,
    serial: Integers,
    table: Floats,
    keys: Keys,
    spread: float,
    care: Floats,
    found_times: Floats,
    found_lanes: Integers,
    found: int,
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
    table, keys, spread
        Noise of thresholds: quantiles, key of each sample, and standard deviation relative to
        threshold - rest.
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
                x = noise(table, keys[first + s], k - s * size, 2 * serial[k] + THRESHOLD)
                care[TOP, q] = cells[GAP, k] * (1.0 + spread * x)
                state[BAR, k] = care[TOP, q]
    return found, clipped
