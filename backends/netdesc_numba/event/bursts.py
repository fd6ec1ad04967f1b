"""All spikes of a layer's neurons between two arrivals, in order of time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.cells import Constants
from netdesc.dynamics.jit import inlined, shared, unsigned
from netdesc.dynamics.lif import may_spike
from netdesc.dynamics.views import row, unowned
from netdesc.events import Floats, Integers
from netdesc_numba.event.lanes import Intervals, Lanes, find_peaks, solve_lanes

# Doubles in a vector register.
WIDTH = 8
# Numbers that are kept of each lane while its spikes, and while the peak of its voltage, are searched for.
ROWS, PEAK_ROWS = 9, 4


class Block(NamedTuple):
    """Neurons of several samples that are simulated side by side.

    Parameters
    ----------
    sample, cell : ndarray of int64, shape (lanes,)
        Sample of every lane, counted from the first of the block, and its neuron.
    chosen, kept, turning : ndarray of int64, shape (lanes,)
        The lanes that may spike, and which of these cross the threshold and have a current that falls
        through the gap; overwritten.
    present : ndarray of float64, shape (3, lanes)
        Of the chosen lanes, states and times from the start of the interval in ms; overwritten.
    work : ndarray of float64, shape (ROWS, lanes + WIDTH)
        See ``solve_lanes``; overwritten.
    turns : ndarray of float64, shape (PEAK_ROWS, lanes + WIDTH)
        See ``find_peaks``; overwritten.
    """

    sample: Integers
    cell: Integers
    chosen: Integers
    kept: Integers
    turning: Integers
    present: Floats
    work: Floats
    turns: Floats


@inlined
def make_block(sample: Integers, cell: Integers) -> Block:
    """Return a block of lanes, of which samples and neurons are given."""
    n = len(sample)
    chosen, kept, turning = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    work, turns = np.empty((ROWS, n + WIDTH)), np.empty((PEAK_ROWS, n + WIDTH))
    return Block(sample, cell, chosen, kept, turning, np.empty((3, n)), work, turns)


class Found(NamedTuple):
    """Spikes of a block, not sorted.

    Parameters
    ----------
    times : ndarray of float64, shape (capacity,)
    lanes : ndarray of int64, shape (capacity,)
    currents : ndarray of float64, shape (capacity,)
    """

    times: Floats
    lanes: Integers
    currents: Floats


@inlined
def pad(count: int, rows: int, work: Floats) -> int:
    """Repeat the first lane up to a whole number of vector registers, and return that number of lanes.

    What a vectorized loop leaves over runs as slow as a plain one.
    """
    padded = (count + WIDTH - 1) // WIDTH * WIDTH
    for q in range(count, padded):
        for k in range(rows):
            work[k, q] = work[k, 0]
    return padded


@shared
def sort_out(count: int, block: Block, after: Lanes, gap: float) -> tuple[int, int]:
    """Tell lanes that rise up to the end of the interval from those whose current falls through the gap.

    v can pass the gap upward only while the current is above it, and downward only while it is below.

    Parameters
    ----------
    count : int
        Number of chosen lanes.
    block : Block
        Its ``kept`` and ``turning`` are set.
    after : Lanes
        States at the end of the interval between arrivals, without another spike.
    gap : float

    Returns
    -------
    kept, turning : int
        Numbers of lanes that rise throughout and cross the gap, and of the others.
    """
    block, after = unowned(block), unowned(after)
    chosen, kept, turning = block.chosen, block.kept, block.turning
    u, i = row(block.present, 0), row(block.present, 1)
    rising, falling = 0, 0
    for q in range(count):
        # stored always and kept by counting: a branch here would be mispredicted every third time
        lane = unsigned(chosen[q])
        ends_above = after.i[lane] >= gap
        above = i[q] > gap
        crosses = (after.u[lane] >= gap) | (u[q] >= gap)
        kept[rising] = q
        rising += 1 if crosses & ((gap < 0.0) | (above & ends_above)) else 0
        turning[falling] = q
        falling += 1 if (gap > 0.0) & above & (not ends_above) else 0
    return rising, falling


@shared
def bracket_lanes(count: int, block: Block, after: Lanes, span: Floats, constants: Constants) -> int:
    """Find the chosen lanes that cross the threshold, and an interval in which each crosses it once, upward.

    Parameters
    ----------
    count : int
        Number of chosen lanes.
    block : Block
        Its ``kept`` and ``work`` are set; see ``solve_lanes``.
    after : Lanes
        States at the end of the interval between arrivals, without another spike.
    span : ndarray of float64, shape (samples,)
        Length of that interval in ms.
    constants : Constants

    Returns
    -------
    int
        Number of lanes that cross.
    """
    block, after, span = unowned(block), unowned(after), unowned(span)
    gap, chosen, kept, turning, turns = constants.gap, block.chosen, block.kept, block.turning, block.turns
    u, i, at = row(block.present, 0), row(block.present, 1), row(block.present, 2)
    rising, falling = sort_out(count, block, after, gap)
    for k in range(falling):
        turns[0, k] = u[unsigned(turning[k])]
        turns[1, k] = i[unsigned(turning[k])]
    find_peaks(pad(falling, 2, turns), turns, constants)
    total = rising
    for k in range(falling):
        kept[total] = turning[k]
        turning[total - rising] = k
        total += 1 if (turns[3, k] >= gap) | (turns[0, k] >= gap) else 0
    work = block.work
    for k in range(total):
        q = unsigned(kept[k])
        lane = unsigned(chosen[q])
        left = span[unsigned(block.sample[lane])] - at[q]
        work[0, k], work[1, k], work[2, k], work[3, k] = u[q], i[q], at[q], left
        work[4, k], work[5, k], work[6, k] = left, after.u[lane], after.i[lane]
    for k in range(rising, total):
        turn = unsigned(turning[k - rising])
        if turns[2, turn] < work[4, k]:
            work[4, k], work[5, k], work[6, k] = turns[2, turn], turns[3, turn], gap
    return total


@shared
def spike_lanes(
    count: int,
    used: int,
    block: Block,
    intervals: Intervals,
    now: Lanes,
    after: Lanes,
    constants: Constants,
    found: Found,
) -> int:
    """Find all spikes of the chosen lanes in an interval.

    Parameters
    ----------
    count, used : int
        Number of chosen lanes, and of spikes that were found before.
    block : Block
    intervals : Intervals
    now : Lanes
    after : Lanes
        States at the end; lowered where a lane spikes.
    constants : Constants
    found : Found
        Receives spikes.

    Returns
    -------
    int
        Number of spikes found by now; -1 where the capacity did not suffice.
    """
    block, intervals, now = unowned(block), unowned(intervals), unowned(now)
    after, found = unowned(after), unowned(found)
    gap, reset = constants.gap, constants.reset
    chosen, kept, sample, work = block.chosen, block.kept, block.sample, block.work
    u, i, at = row(block.present, 0), row(block.present, 1), row(block.present, 2)
    current, when, drop = row(work, 1), row(work, 2), row(work, 7)
    for q in range(count):
        u[q] = now.u[unsigned(chosen[q])]
        i[q] = now.i[unsigned(chosen[q])]
        at[q] = 0.0
    while count > 0:
        total = bracket_lanes(count, block, after, intervals.span, constants)
        if used + total > len(found.times):
            return -1
        solve_lanes(pad(total, 7, work), work, constants)
        for k in range(total):
            # a lane that is kept for another spike comes before those that are still to be looked at
            kept[k] = chosen[unsigned(kept[k])]
        count = 0
        for k in range(total):
            lane = unsigned(kept[k])
            found.times[used + k] = intervals.begin[unsigned(sample[lane])] + when[k]
            found.lanes[used + k] = kept[k]
            found.currents[used + k] = current[k]
            lowered = after.u[lane] - drop[k]
            after.u[lane] = lowered
            # with the bound of an interval of any length, which costs no exponential
            again = may_spike(reset, current[k], lowered, after.i[lane], 0.0, intervals.highest, gap)
            chosen[count] = kept[k]
            u[count], i[count], at[count] = reset, current[k], when[k]
            count += 1 if again > 0.0 else 0
        used += total
    return used
