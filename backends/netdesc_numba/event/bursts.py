"""All spikes of a layer's neurons between two arrivals, in order of time."""

from __future__ import annotations

from typing import NamedTuple

from netdesc.adjoint.cells import Constants
from netdesc.dynamics.jit import inlined, shared
from netdesc.dynamics.lif import may_spike
from netdesc.dynamics.views import unowned
from netdesc.events import Floats, Integers
from netdesc_numba.event.lanes import Intervals, Lanes, bracket_lanes, fire_lanes, solve_lanes

# Doubles in a vector register.
WIDTH = 8
# Numbers that are kept of each lane while its spikes are searched for.
ROWS = 9


class Block(NamedTuple):
    """Neurons of several samples that are simulated side by side.

    Parameters
    ----------
    sample : ndarray of int64, shape (lanes,)
        Sample of every lane, counted from the first of the block.
    chosen : ndarray of int64, shape (lanes,)
        The lanes that may spike; overwritten.
    work : ndarray of float64, shape (ROWS, lanes + WIDTH)
        Overwritten.
    """

    sample: Integers
    chosen: Integers
    work: Floats


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
def pad(count: int, work: Floats) -> int:
    """Repeat the first lane up to a whole number of vector registers, and return that number of lanes.

    What a vectorized loop leaves over runs as slow as a plain one.
    """
    padded = (count + WIDTH - 1) // WIDTH * WIDTH
    for q in range(count, padded):
        for k in range(7):
            work[k, q] = work[k, 0]
    return padded


@inlined
def keep_crossing(count: int, block: Block, gap: float) -> int:
    """Move the lanes that cross the threshold to the front, and return their number."""
    lane, work = block.chosen, block.work
    u, width, end = work[0], work[4], work[5]
    kept = 0
    for q in range(count):
        # stored always and kept by counting: a branch here would be mispredicted every third time
        crosses = (width[q] >= 0.0) & ((end[q] >= gap) | (u[q] >= gap))
        lane[kept] = lane[q]
        for k in range(7):
            work[k, kept] = work[k, q]
        kept += 1 if crosses else 0
    return kept


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
        States at the end; overwritten where a lane spikes.
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
    lane, sample, work = block.chosen, block.sample, block.work
    u, i, at, span = work[0], work[1], work[2], work[3]
    width, end, current, crossing = work[4], work[5], work[6], work[7]
    for q in range(count):
        u[q] = now.u[lane[q]]
        i[q] = now.i[lane[q]]
        at[q] = 0.0
        span[q] = intervals.span[sample[lane[q]]]
    while count > 0:
        bracket_lanes(pad(count, work), u, i, span, width, end, current, constants)
        count = keep_crossing(count, block, gap)
        if used + count > len(found.times):
            return -1
        padded = pad(count, work)
        solve_lanes(padded, work, crossing, constants)
        fire_lanes(padded, i, at, crossing, span, end, width, constants)
        kept = 0
        for q in range(count):
            cell = lane[q]
            found.times[used] = intervals.begin[sample[cell]] + at[q]
            found.lanes[used] = cell
            found.currents[used] = i[q]
            used += 1
            after.u[cell] = end[q]
            after.i[cell] = width[q]
            # with the bound of an interval of any length, which costs no exponential
            again = may_spike(reset, i[q], end[q], width[q], 0.0, intervals.highest, gap)
            lane[kept] = cell
            u[kept] = reset
            i[kept] = i[q]
            at[kept] = at[q]
            span[kept] = span[q]
            kept += 1 if again > 0.0 else 0
        count = kept
    return used
