"""Forward sweep of a uniform layer: all its neurons see one stream of arrivals."""

from __future__ import annotations

import math

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.physics.jit import kernel
from netdesc.physics.lif import charge, decay
from netdesc_numba.lanes import bracket_lanes, fire_lanes, measure_spans, solve_lanes, step_block, step_lanes

# Neurons times samples that are carried side by side: enough to fill vector registers, few enough for L1.
LANES = 384
# Doubles in a vector register.
WIDTH = 8
# Spikes up to which counting those before each is faster than sorting.
FEW = 128


@kernel
def sort_spikes(first: int, last: int, times: Floats, neurons: Integers, currents: Floats) -> None:
    """Sort spikes ``first`` to ``last - 1``, sorted by time already, in place with ties by neuron."""
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
def order_spikes(
    first: int, last: int, times: Floats, lanes: Integers, currents: Floats, spare: Floats, places: Integers
) -> None:
    """Sort spikes ``first`` to ``last - 1`` in place by time.

    Parameters
    ----------
    first, last : int
        Range of spikes.
    times, lanes, currents : ndarray
        Spikes.
    spare : ndarray of float64, shape (2, capacity)
    places : ndarray of int64, shape (2, capacity)
        Overwritten.
    """
    m = last - first
    if m > FEW:
        order = np.argsort(times[first:last], kind="mergesort")
        times[first:last] = times[first:last][order]
        lanes[first:last] = lanes[first:last][order]
        currents[first:last] = currents[first:last][order]
        return
    early, charges = spare[0], spare[1]
    owners, rank = places[0], places[1]
    for k in range(m):
        early[k] = times[first + k]
        charges[k] = currents[first + k]
        owners[k] = lanes[first + k]
    for k in range(m):
        t = early[k]
        before = 0
        for j in range(k):
            before += 1 if early[j] <= t else 0
        for j in range(k + 1, m):
            before += 1 if early[j] < t else 0
        rank[k] = before
    for k in range(m):
        times[first + rank[k]] = early[k]
        currents[first + rank[k]] = charges[k]
        lanes[first + rank[k]] = owners[k]


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
    count: int, lane: Integers, sample: Integers, t: Floats, length: Floats, highest: float,
    u: Floats, i: Floats, u_end: Floats, i_end: Floats, work: Floats,
    constants: tuple[float, float, float, float], times: Floats, lanes: Integers, currents: Floats, used: int,
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
            l = lane[q]
            times[used] = t[sample[l]] + at[q]
            lanes[used] = l
            currents[used] = lane_i[q]
            used += 1
            u_end[l] = end[q]
            i_end[l] = width[q]
            bound = floor + lane_i[q] * highest
            again = (end[q] >= gap) | ((width[q] < gap) & (bound >= gap))
            lane[kept] = l
            lane_u[kept] = reset
            lane_i[kept] = lane_i[q]
            at[kept] = at[q]
            span[kept] = span[q]
            kept += 1 if again else 0
        count = kept
    return used


@kernel
def sweep_block(
    first: int, count: int, times: Floats, rows: Integers, offsets: Integers, weights: Floats,
    sample: Integers, state: Floats, lane: Integers, work: Floats,
    constants: tuple[float, float, float, float], duration: float, found_times: Floats, found_lanes: Integers, found_currents: Floats,
) -> int:
    """Simulate ``count`` samples side by side, the next arrival of each in turn.

    Parameters
    ----------
    first, count : int
        Range of samples.
    times, rows, offsets, weights, constants, duration
        As in ``sweep_layer``.
    sample : ndarray of int64, shape (lanes,)
        Sample of every lane, from 0; a lane is a neuron in a sample.
    state : ndarray of float64, shape (5, lanes)
        Voltage and current at t = 0 in the first two rows; overwritten.
    lane : ndarray of int64, shape (lanes,)
    work : ndarray of float64, shape (8, lanes + WIDTH)
        Overwritten.
    found_times, found_lanes, found_currents : ndarray, shape (capacity,)
        Results: spikes, not sorted.

    Returns
    -------
    int
        Number of spikes; -1 where the capacity did not suffice.
    """
    tau_m, tau_s, gap, reset = constants
    n = weights.shape[1]
    u, i, u_end, i_end, flag = state[0], state[1], state[2], state[3], state[4]
    peak = tau_s if tau_m == tau_s else math.log(tau_m / tau_s) * tau_m * tau_s / (tau_m - tau_s)
    highest = charge(peak, decay(peak, tau_m), decay(peak, tau_s), tau_m, tau_s)
    t = np.zeros(count)
    following = np.empty(count)
    span = np.empty(count)
    factors = np.empty((4, count))
    spare = np.empty((2, FEW))
    places = np.empty((2, FEW), dtype=np.int64)
    used = 0
    for l in range(len(u)):
        if u[l] >= gap:
            if used == len(found_times):
                return -1
            found_times[used] = 0.0
            found_lanes[used] = l
            found_currents[used] = i[l]
            used += 1
            u[l] = reset
    steps = 0
    for s in range(count):
        steps = max(steps, offsets[first + s + 1] - offsets[first + s])
    for x in range(steps + 1):
        busy = False
        for s in range(count):
            e = offsets[first + s] + x
            following[s] = min(times[e], duration) if e < offsets[first + s + 1] else duration
            span[s] = following[s] - t[s]
            busy = busy or span[s] > 0.0
        if busy:
            measure_spans(count, span, factors, peak, highest, constants)
            if count == 1:
                step_lanes(u, i, u_end, i_end, flag, factors, gap)
            else:
                step_block(sample, u, i, u_end, i_end, flag, factors, gap)
            flagged = 0
            for l in range(len(u)):
                lane[flagged] = l
                flagged += 1 if flag[l] > 0.0 else 0
            if flagged > 0:
                begin = used
                used = spike_lanes(flagged, lane, sample, t, span, highest, u, i, u_end, i_end, work, constants,
                                   found_times, found_lanes, found_currents, used)
                if used < 0:
                    return -1
                order_spikes(begin, used, found_times, found_lanes, found_currents, spare, places)
            u, u_end = u_end, u
            i, i_end = i_end, i
        for s in range(count):
            e = offsets[first + s] + x
            t[s] = following[s]
            if e < offsets[first + s + 1] and times[e] < duration:
                row = rows[e]
                base = s * n
                for l in range(n):
                    i[base + l] += weights[row, l]
    return used


@kernel
def sweep_layer(
    first: int, last: int, times: Floats, rows: Integers, offsets: Integers, weights: Floats,
    start: Floats, current: Floats, constants: tuple[float, float, float, float], duration: float,
    out_times: Floats, out_neurons: Integers, out_currents: Floats, counts: Integers,
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of a layer.

    Parameters
    ----------
    first, last : int
        Range of samples.
    times : ndarray of float64, shape (k,)
        Arrivals in ms, ascending within a sample.
    rows : ndarray of int64, shape (k,)
        Row of ``weights`` that each arrival adds to the currents.
    offsets : ndarray of int64, shape (batch + 1,)
        Arrivals of each sample.
    weights : ndarray of float64, shape (rows, n)
    start, current : ndarray of float64, shape (n,)
        State at t = 0.
    constants : tuple of float
        tau_m, tau_s, gap, reset.
    duration : float
        In ms.
    out_times, out_neurons, out_currents : ndarray, shape (capacity,)
        Results: spikes, sample after sample, sorted by time.
    counts : ndarray of int64, shape (batch,)
        Results: spikes per sample.

    Returns
    -------
    sample : int
        The first sample that is not done: ``last``, or one for which the capacity did not suffice.
    used : int
        Spikes of the samples that are done.
    """
    n = weights.shape[1]
    block = max(1, LANES // n)
    capacity = len(out_times)
    found_times = np.empty(capacity)
    found_lanes = np.empty(capacity, dtype=np.int64)
    found_currents = np.empty(capacity)
    sample = np.repeat(np.arange(block), n)
    lane = np.empty(block * n, dtype=np.int64)
    memory = np.empty(5 * block * n)
    work = np.empty((8, block * n + WIDTH))
    place = np.empty(block, dtype=np.int64)
    used = 0
    for b in range(first, last, block):
        count = min(block, last - b)
        # contiguous rows, also for the last block, which may be smaller
        state = memory[:5 * count * n].reshape(5, count * n)
        for l in range(count * n):
            state[0, l] = start[l % n]
            state[1, l] = current[l % n]
        room = capacity - used
        k = sweep_block(b, count, times, rows, offsets, weights, sample[:count * n], state, lane, work,
                        constants, duration, found_times[:room], found_lanes, found_currents)
        if k < 0:
            return b, used
        counts[b:b + count] = 0
        for q in range(k):
            counts[b + found_lanes[q] // n] += 1
        total = used
        for s in range(count):
            place[s] = total
            total += counts[b + s]
        for q in range(k):
            s = found_lanes[q] // n
            out_times[place[s]] = found_times[q]
            out_neurons[place[s]] = found_lanes[q] - s * n
            out_currents[place[s]] = found_currents[q]
            place[s] += 1
        for s in range(count):
            sort_spikes(place[s] - counts[b + s], place[s], out_times, out_neurons, out_currents)
        used = total
    return last, used
