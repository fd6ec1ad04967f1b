"""Forward sweep of a uniform layer: all its neurons see one stream of arrivals."""

from __future__ import annotations

import math

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import charge, decay
from netdesc.events import Floats, Integers
from netdesc_numba.event.bursts import WIDTH, sort_spikes, spike_lanes
from netdesc_numba.event.lanes import measure_spans, step_block, step_lanes

# Neurons times samples that are carried side by side: enough to fill vector registers, few enough for L1.
LANES = 384


@kernel
def sweep_block(
    first: int,
    count: int,
    times: Floats,
    rows: Integers,
    offsets: Integers,
    weights: Floats,
    sample: Integers,
    state: Floats,
    lane: Integers,
    work: Floats,
    constants: tuple[float, float, float, float],
    duration: float,
    found_times: Floats,
    found_lanes: Integers,
    found_currents: Floats,
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
    used = 0
    for cell in range(len(u)):
        if u[cell] >= gap:
            if used == len(found_times):
                return -1
            found_times[used] = 0.0
            found_lanes[used] = cell
            found_currents[used] = i[cell]
            used += 1
            u[cell] = reset
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
            for cell in range(len(u)):
                lane[flagged] = cell
                flagged += 1 if flag[cell] > 0.0 else 0
            if flagged > 0:
                used = spike_lanes(
                    flagged,
                    lane,
                    sample,
                    t,
                    span,
                    highest,
                    u,
                    i,
                    u_end,
                    i_end,
                    work,
                    constants,
                    found_times,
                    found_lanes,
                    found_currents,
                    used,
                )
                if used < 0:
                    return -1
            u, u_end = u_end, u
            i, i_end = i_end, i
        for s in range(count):
            e = offsets[first + s] + x
            t[s] = following[s]
            if e < offsets[first + s + 1] and times[e] < duration:
                row = rows[e]
                base = s * n
                for cell in range(n):
                    i[base + cell] += weights[row, cell]
    return used


@kernel
def sweep_layer(
    first: int,
    last: int,
    times: Floats,
    rows: Integers,
    offsets: Integers,
    weights: Floats,
    start: Floats,
    current: Floats,
    constants: tuple[float, float, float, float],
    duration: float,
    out_times: Floats,
    out_neurons: Integers,
    out_currents: Floats,
    counts: Integers,
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
        state = memory[: 5 * count * n].reshape(5, count * n)
        for s in range(count):
            for cell in range(n):
                state[0, s * n + cell] = start[cell]
                state[1, s * n + cell] = current[cell]
        room = capacity - used
        k = sweep_block(
            b,
            count,
            times,
            rows,
            offsets,
            weights,
            sample[: count * n],
            state,
            lane,
            work,
            constants,
            duration,
            found_times[:room],
            found_lanes,
            found_currents,
        )
        if k < 0:
            return b, used
        counts[b : b + count] = 0
        for q in range(k):
            counts[b + sample[found_lanes[q]]] += 1
        total = used
        for s in range(count):
            place[s] = total
            total += counts[b + s]
        for q in range(k):
            s = sample[found_lanes[q]]
            out_times[place[s]] = found_times[q]
            out_neurons[place[s]] = found_lanes[q] - s * n
            out_currents[place[s]] = found_currents[q]
            place[s] += 1
        for s in range(count):
            sort_spikes(place[s] - counts[b + s], place[s], out_times, out_neurons, out_currents)
        used = total
    return last, used
