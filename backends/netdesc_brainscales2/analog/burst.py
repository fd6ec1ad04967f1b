"""All spikes of flagged circuits within an interval, many circuits at once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netdesc.adjoint.neuron import store
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif import CONVERGED
from netdesc.dynamics.protocol import crossing, flow, held, load, refractory, spike
from netdesc.events import Floats, Integers
from netdesc_brainscales2.analog.circuit import ROWS, Circuits, clip
from netdesc_brainscales2.analog.lanes import Experiment, Lanes, Spikes, disturb
from netdesc_brainscales2.analog.roots import (
    NONE,
    POSSIBLE,
    bracket_crossings,
    confirm,
    judge,
    solve_crossings,
)

WIDTH = 8
"""Doubles in a vector register."""


class Flagged(NamedTuple):
    """Circuits that may spike in an interval; all but the lanes are rows of the table.

    Parameters
    ----------
    table : ndarray of float64, shape (rows, n + WIDTH)
    lane : ndarray of int64, shape (n,)
    cells : Circuits
        What ``circuit.ROWS`` counts; the rest is empty.
    state, end : ndarray of float64, shape (n + WIDTH, width)
        Present state, and that at the end of the interval without a spike.
    wait, left : ndarray of float64, shape (n + WIDTH,)
        What is left of a refractory period and of the interval in ms.
    width, high : ndarray of float64, shape (n + WIDTH,)
        Length of a bracket from the present state on in ms, and the voltage at its end.
    found, error : ndarray of float64, shape (n + WIDTH,)
        Time to the crossing in ms, and its relative error.
    before, beyond : ndarray of float64, shape (n + WIDTH,)
        Bracket of the end of a bracket in ms.
    """

    table: Floats
    lane: Integers
    cells: Circuits
    state: Floats
    end: Floats
    wait: Floats
    left: Floats
    width: Floats
    high: Floats
    found: Floats
    error: Floats
    before: Floats
    beyond: Floats


def make_flagged(n: int, width: int) -> Flagged:
    """Make room for n circuits."""
    table = np.empty((ROWS + 2 * width + 8, n + WIDTH))
    empty = np.empty(0)
    cells = Circuits._make([*table[:ROWS], table[:ROWS], empty, empty, empty, np.empty((0, 3))])
    state, end = table[ROWS : ROWS + width].T, table[ROWS + width + 2 : ROWS + 2 * width + 2].T
    wait, left = table[ROWS + width : ROWS + width + 2]
    return Flagged(
        table, np.empty(n, dtype=np.int64), cells, state, end, wait, left, *table[ROWS + 2 * width + 2 :]
    )


@inlined
def load_lanes(count: int, lanes: Lanes, flagged: Flagged, cells: Any) -> None:
    """Gather flagged circuits."""
    for q in range(count):
        k = flagged.lane[q]
        for row in range(ROWS):
            flagged.table[row, q] = cells.rows[row, k]
        store(flagged.state, q, load(lanes.state, k, cells))
        flagged.wait[q] = lanes.wait[k]
        flagged.left[q] = lanes.span[k]


@inlined
def pad_lanes(count: int, flagged: Flagged) -> int:
    """Repeat the first circuit up to whole vector registers, and return the number of circuits then.

    What a vectorized loop leaves over runs as slow as a plain one.
    """
    padded = (count + WIDTH - 1) // WIDTH * WIDTH
    for q in range(count, padded):
        for row in range(len(flagged.table) - 2):
            flagged.table[row, q] = flagged.table[row, 0]
    return padded


@inlined
def move_lane(source: int, target: int, flagged: Flagged) -> None:
    """Copy one circuit to a place before it."""
    if target < source:
        flagged.lane[target] = flagged.lane[source]
        for row in range(len(flagged.table) - 2):
            flagged.table[row, target] = flagged.table[row, source]


@inlined
def hold_lanes(count: int, flagged: Flagged) -> None:
    """Hold refractory circuits, and take the time from what is left of the interval."""
    cells = flagged.cells
    waiting = 0
    for q in range(count):
        waiting += 1 if flagged.wait[q] > 0.0 else 0
    if waiting == 0:
        return
    for q in range(count):
        wait = flagged.wait[q]
        span = min(wait, flagged.left[q])
        x = load(flagged.state, q, cells)
        store(flagged.state, q, held(x, cells, q, span) if wait > 0.0 else x)
        flagged.left[q] -= span
        flagged.wait[q] = wait - span


@inlined
def finish_lane(q: int, lanes: Lanes, flagged: Flagged) -> int:
    """Store the state of a circuit that does not spike again; return 1 where a rail stops it."""
    k, cells = flagged.lane[q], flagged.cells
    if flagged.left[q] <= 0.0:
        store(lanes.after, k, load(flagged.state, q, cells))
        lanes.wait[k] = flagged.wait[q]
        return 0
    x, clipped = clip(load(flagged.end, q, cells), cells, q)
    store(lanes.after, k, x)
    lanes.wait[k] = 0.0
    return clipped


@inlined
def pick_lanes(count: int, lanes: Lanes, flagged: Flagged) -> tuple[int, int]:
    """Keep the circuits that spike in what is left of the interval, and finish the others.

    Returns
    -------
    kept : int
        How many spike, each with its crossing bracketed or found.
    clipped : int
        Circuits that a rail stopped.
    """
    cells = flagged.cells
    kept, clipped, open_cases = 0, 0, 0
    for q in range(count):
        verdict = judge(q, flagged, cells)
        if verdict == NONE:
            clipped += finish_lane(q, lanes, flagged)
        else:
            move_lane(q, kept, flagged)
            kept += 1
            open_cases += 1 if verdict == POSSIBLE else 0
    if open_cases > 0:
        bracket_crossings(pad_lanes(kept, flagged), flagged, cells)
        count, kept = kept, 0
        for q in range(count):
            if confirm(q, flagged, cells):
                move_lane(q, kept, flagged)
                kept += 1
            else:
                clipped += finish_lane(q, lanes, flagged)
    return kept, clipped


@inlined
def repair_lanes(count: int, flagged: Flagged) -> None:
    """Solve again, one by one, what the iteration in lanes did not."""
    cells = flagged.cells
    for q in range(count):
        width = flagged.width[q]
        # the comparisons are also false for NaN
        if not (flagged.error[q] <= CONVERGED and 0.0 <= flagged.found[q] <= width):
            s = crossing(load(flagged.state, q, cells), cells, q, width)
            # v grazes the threshold at the end of the bracket
            flagged.found[q] = s if s >= 0.0 else width


@inlined
def settle_lanes(
    count: int,
    first: int,
    now: Floats,
    lanes: Lanes,
    flagged: Flagged,
    spikes: Spikes,
    found: int,
    experiment: Experiment,
) -> tuple[int, int]:
    """Advance flagged circuits over an interval with all their spikes.

    Parameters
    ----------
    count : int
        How many are flagged; ``flagged.lane`` lists them.
    first : int
        Sample of the first lanes.
    now : ndarray of float64, shape (samples,)
        Start of the interval of each sample in ms.
    lanes : Lanes
        Receives the state at the end.
    flagged : Flagged
        Overwritten.
    spikes : Spikes
        Receives spikes from ``found`` on.
    found : int
        Spikes found so far.
    experiment : Experiment

    Returns
    -------
    found : int
        Spikes found so far; -1 where the capacity did not suffice.
    clipped : int
        Circuits that a rail stopped.
    """
    cells, size = flagged.cells, experiment.weights.shape[1]
    clipped = 0
    load_lanes(count, lanes, flagged, experiment.cells)
    while count > 0:
        padded = pad_lanes(count, flagged)
        hold_lanes(padded, flagged)
        for q in range(padded):
            store(flagged.end, q, flow(load(flagged.state, q, cells), cells, q, flagged.left[q]))
        count, stopped = pick_lanes(count, lanes, flagged)
        clipped += stopped
        if found + count > len(spikes.times):
            return -1, 0
        padded = pad_lanes(count, flagged)
        solve_crossings(padded, flagged, cells)
        repair_lanes(count, flagged)
        for q in range(padded):
            s = flagged.found[q]
            store(flagged.state, q, spike(flow(load(flagged.state, q, cells), cells, q, s), cells, q))
            flagged.left[q] -= s
        for q in range(count):
            k = flagged.lane[q]
            sample = k // size
            spikes.times[found] = now[sample] + (lanes.span[k] - flagged.left[q])
            spikes.lanes[found] = k
            found += 1
            lanes.serial[k] += 1
            flagged.wait[q] = refractory(cells, q)
            x = load(flagged.state, q, cells)
            x = disturb(x, q, k - sample * size, first + sample, lanes.serial[k], experiment.noise, cells)
            store(flagged.state, q, x)
    return found, clipped
