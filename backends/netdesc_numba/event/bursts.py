"""All spikes of a layer's neurons between two arrivals, in order of time."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers
from netdesc_numba.event.lanes import bracket_lanes, fire_lanes, solve_lanes

# Doubles in a vector register.
WIDTH = 8
# Spikes of a sample above which sorting by merging is faster than by insertion.
MANY = 2048


@kernel
def sort_spikes(first: int, last: int, times: Floats, neurons: Integers, currents: Floats) -> None:
    """Sort spikes ``first`` to ``last - 1`` in place by time, ties by neuron; fast where nearly sorted."""
    if last - first > MANY:
        order = np.argsort(times[first:last], kind="mergesort")
        times[first:last] = times[first:last][order]
        neurons[first:last] = neurons[first:last][order]
        currents[first:last] = currents[first:last][order]
    for k in range(first + 1, last):
        t = times[k]
        n = neurons[k]
        c = currents[k]
        m = k
        while m > first and (times[m - 1] > t or (times[m - 1] == t and neurons[m - 1] > n)):
            times[m] = times[m - 1]
            neurons[m] = neurons[m - 1]
            currents[m] = currents[m - 1]
            m -= 1
        times[m] = t
        neurons[m] = n
        currents[m] = c


@kernel
def pad(count: int, work: Floats) -> int:
    """Repeat the first lane up to a whole number of vector registers, and return that number of lanes.

    What a vectorized loop leaves over runs as slow as a plain one.
    """
    padded = (count + WIDTH - 1) // WIDTH * WIDTH
    for q in range(count, padded):
        for k in range(6):
            work[k, q] = work[k, 0]
    return padded


@kernel
def spike_lanes(
    count: int,
    lane: Integers,
    sample: Integers,
    t: Floats,
    length: Floats,
    highest: float,
    u: Floats,
    i: Floats,
    u_end: Floats,
    i_end: Floats,
    work: Floats,
    constants: tuple[float, float, float, float],
    times: Floats,
    lanes: Integers,
    currents: Floats,
    used: int,
) -> int:
    """Find all spikes of flagged lanes in an interval.

    Parameters
    ----------
    count : int
        Number of flagged lanes.
    lane : ndarray of int64, shape (n,)
        The flagged lanes; overwritten.
    sample : ndarray of int64, shape (n,)
        Sample of every lane.
    t, length : ndarray of float64, shape (samples,)
        Start and length of each sample's interval in ms.
    highest : float
        Largest charge of any interval.
    u, i : ndarray of float64, shape (n,)
        State at the start.
    u_end, i_end : ndarray of float64, shape (n,)
        State at the end; overwritten where a lane spikes.
    work : ndarray of float64, shape (8, n + WIDTH)
        Overwritten.
    constants : tuple of float
        tau_m, tau_s, gap, reset.
    times, lanes, currents : ndarray, shape (capacity,)
        Results, from ``used`` on, not sorted.
    used : int

    Returns
    -------
    int
        Spikes used now; -1 where the capacity did not suffice.
    """
    _, _, gap, reset = constants
    floor = max(reset, 0.0)
    lane_u, lane_i, at, span = work[0], work[1], work[2], work[3]
    width, end, found, size = work[4], work[5], work[6], work[7]
    for q in range(count):
        lane_u[q] = u[lane[q]]
        lane_i[q] = i[lane[q]]
        at[q] = 0.0
        span[q] = length[sample[lane[q]]]
    while count > 0:
        padded = pad(count, work)
        bracket_lanes(padded, lane_u, lane_i, span, width, end, constants)
        kept = 0
        for q in range(count):
            # stored always and kept by counting: a branch here would be mispredicted every third time
            crosses = (width[q] >= 0.0) & ((end[q] >= gap) | (lane_u[q] >= gap))
            lane[kept] = lane[q]
            lane_u[kept] = lane_u[q]
            lane_i[kept] = lane_i[q]
            at[kept] = at[q]
            span[kept] = span[q]
            width[kept] = width[q]
            end[kept] = end[q]
            kept += 1 if crosses else 0
        count = kept
        if used + count > len(times):
            return -1
        padded = pad(count, work)
        solve_lanes(padded, lane_u, lane_i, end, width, found, size, constants)
        fire_lanes(padded, lane_i, at, found, span, end, width, constants)
        kept = 0
        for q in range(count):
            cell = lane[q]
            times[used] = t[sample[cell]] + at[q]
            lanes[used] = cell
            currents[used] = lane_i[q]
            used += 1
            u_end[cell] = end[q]
            i_end[cell] = width[q]
            bound = floor + lane_i[q] * highest
            again = (end[q] >= gap) | ((width[q] < gap) & (bound >= gap))
            lane[kept] = cell
            lane_u[kept] = reset
            lane_i[kept] = lane_i[q]
            at[kept] = at[q]
            span[kept] = span[q]
            kept += 1 if again else 0
        count = kept
    return used
