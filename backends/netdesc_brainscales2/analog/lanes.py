"""Steps of a burst over many circuits at once, in loops that the compiler vectorizes."""

from __future__ import annotations

from netdesc.dynamics.elementary import fused, logarithm
from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import CONVERGED, guess
from netdesc.dynamics.two_currents import propagate
from netdesc.events import Floats, Integers
from netdesc_brainscales2.analog.crossing import first_crossing
from netdesc_brainscales2.analog.step import (
    BAR,
    BEND_I,
    BEND_J,
    EXC,
    FAR_I,
    FAR_J,
    INH,
    RATE_I,
    RATE_J,
    RATE_M,
    RESET,
    TAU_I,
    TAU_J,
    TAU_M,
    WAIT,
    U,
    charge_by,
    decay_by,
)

# Doubles in a vector register.
WIDTH = 8
ROUNDS = 7
FALLS = 60
# Relative error of the end of a bracket: v turns there, so its own error is the square of that.
PRECISE = 1e-9
# Rows of what a burst works on: state, parameters, state at the end of the interval, bracket and crossing.
V, X, Y, HELD, TOP, LEFT = range(6)
TM, TI, TJ, RM, RI, RJ, BI, FI, BJ, FJ, BACK = range(6, 17)
V_END, X_END, Y_END, WIDE, HIGH_END, FOUND, SIZE, BEFORE, BEYOND = range(17, 26)
ROWS = 26
KEPT = 17


@kernel
def load_lanes(count: int, lane: Integers, cells: Floats, state: Floats, span: Floats, care: Floats) -> None:
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
def repair_lanes(count: int, care: Floats) -> None:
    """Solve again, one by one, what the iteration in lanes did not."""
    for q in range(count):
        # the comparisons are also false for NaN
        if not (care[SIZE, q] <= CONVERGED and 0.0 <= care[FOUND, q] <= care[WIDE, q]):
            s = first_crossing(
                care[V, q],
                care[X, q],
                care[Y, q],
                care[TOP, q],
                care[TM, q],
                care[TI, q],
                care[TJ, q],
                care[WIDE, q],
            )
            # v grazes the threshold at the end of the bracket
            care[FOUND, q] = s if s >= 0.0 else care[WIDE, q]


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
def move_lane(source: int, target: int, lane: Integers, care: Floats) -> None:
    """Copy one lane to a place before it."""
    if target < source:
        lane[target] = lane[source]
        for row in range(BEFORE):
            care[row, target] = care[row, source]
