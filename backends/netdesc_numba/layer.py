"""Forward sweep of a uniform layer: all its neurons see one stream of arrivals."""

from __future__ import annotations

import math

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.physics.jit import kernel
from netdesc.physics.lif import (
    CONVERGED,
    charge,
    crossing,
    decay,
    flow,
    guess,
    halley,
    rising_until,
)


@kernel
def solve_crossings(
    count: int, u: Floats, i: Floats, end: Floats, width: Floats, found: Floats, rest: Floats,
    gap: float, tau_m: float, tau_s: float,
) -> None:
    """Find the crossing of each of several neurons, each of which is known to have one.

    Parameters
    ----------
    count : int
        Number of neurons; the arrays may be longer.
    u, i : ndarray of float64
        State at 0.
    end : ndarray of float64
        Voltage at ``width``, not below the gap.
    width : ndarray of float64
        In ms.
    found, rest : ndarray of float64
        Results: crossing in ms, and scratch.
    gap, tau_m, tau_s : float
        Of all neurons.
    """
    for q in range(count):
        found[q] = guess(u[q] - gap, (i[q] - u[q]) / tau_m, end[q] - gap, width[q])
    for _ in range(2):
        for q in range(count):
            step, _miss, size = halley(u[q], i[q], gap, found[q], tau_m, tau_s)
            found[q] -= step
            rest[q] = size
    for q in range(count):
        # the comparison is also false for NaN
        if not (rest[q] <= CONVERGED and 0.0 <= found[q] <= width[q]):
            found[q] = max(crossing(u[q], i[q], gap, tau_m, tau_s, width[q]), 0.0)


@kernel
def sort_spikes(first: int, last: int, times: Floats, neurons: Integers, currents: Floats) -> None:
    """Sort spikes ``first`` to ``last - 1`` in place by time, ties by neuron."""
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
        The first sample that is not done: ``last``, or the one for which the capacity did not suffice.
    used : int
        Spikes of the samples that are done.
    """
    tau_m, tau_s, gap, reset = constants
    n = weights.shape[1]
    capacity = len(out_times)
    u = np.empty(n)
    i = np.empty(n)
    u_end = np.empty(n)
    i_end = np.empty(n)
    flag = np.empty(n)
    lane = np.empty(n, dtype=np.int64)
    lane_u = np.empty(n)
    lane_i = np.empty(n)
    lane_at = np.empty(n)
    lane_end = np.empty(n)
    width = np.empty(n)
    found = np.empty(n)
    rest = np.empty(n)
    peak = tau_s if tau_m == tau_s else math.log(tau_m / tau_s) * tau_m * tau_s / (tau_m - tau_s)
    highest = charge(peak, decay(peak, tau_m), decay(peak, tau_s), tau_m, tau_s)
    used = 0
    for b in range(first, last):
        done = used
        for l in range(n):
            u[l] = start[l]
            i[l] = current[l]
            if u[l] >= gap:
                if used == capacity:
                    return b, done
                out_times[used] = 0.0
                out_neurons[used] = l
                out_currents[used] = i[l]
                used += 1
                u[l] = reset
        t = 0.0
        e = offsets[b]
        stop = offsets[b + 1]
        while True:
            following = duration
            if e < stop and times[e] < duration:
                following = times[e]
            span = following - t
            if span > 0.0:
                a = decay(span, tau_m)
                d = decay(span, tau_s)
                k = charge(span, a, d, tau_m, tau_s)
                most = k if span < peak else highest
                count = 0.0
                for l in range(n):
                    v = u[l] * a + i[l] * k
                    w = i[l] * d
                    bound = max(u[l], u[l] * a) + max(i[l], 0.0) * most
                    hit = 1.0 if (v >= gap or (i[l] > gap and w < gap and bound >= gap)) else 0.0
                    u_end[l] = v
                    i_end[l] = w
                    flag[l] = hit
                    count += hit
                if count > 0.0:
                    m = 0
                    for l in range(n):
                        if flag[l] > 0.0:
                            lane[m] = l
                            lane_u[m] = u[l]
                            lane_i[m] = i[l]
                            lane_at[m] = 0.0
                            lane_end[m] = u_end[l]
                            m += 1
                    begin = used
                    while m > 0:
                        # keep the lanes that do cross, with a bracket for each
                        kept = 0
                        for q in range(m):
                            left = span - lane_at[q]
                            at_end = lane_end[q]
                            if at_end < gap:
                                left = rising_until(lane_i[q], gap, tau_s, left)
                                at_end, _ = flow(lane_u[q], lane_i[q], left, tau_m, tau_s)
                            if at_end >= gap or (lane_u[q] >= gap and lane_i[q] > gap):
                                lane[kept] = lane[q]
                                lane_u[kept] = lane_u[q]
                                lane_i[kept] = lane_i[q]
                                lane_at[kept] = lane_at[q]
                                lane_end[kept] = at_end
                                width[kept] = left
                                kept += 1
                        m = kept
                        solve_crossings(m, lane_u, lane_i, lane_end, width, found, rest, gap, tau_m, tau_s)
                        if used + m > capacity:
                            return b, done
                        for q in range(m):
                            at = lane_at[q] + found[q]
                            lane_i[q] = lane_i[q] * decay(found[q], tau_s)
                            lane_at[q] = at
                            lane_u[q] = reset
                            out_times[used + q] = t + at
                            out_neurons[used + q] = lane[q]
                            out_currents[used + q] = lane_i[q]
                            left = span - at
                            v, w = flow(reset, lane_i[q], left, tau_m, tau_s)
                            lane_end[q] = v
                            width[q] = w
                        used += m
                        kept = 0
                        for q in range(m):
                            l = lane[q]
                            u_end[l] = lane_end[q]
                            i_end[l] = width[q]
                            bound = max(reset, 0.0) + lane_i[q] * highest
                            if lane_end[q] >= gap or (width[q] < gap and bound >= gap):
                                lane[kept] = l
                                lane_u[kept] = reset
                                lane_i[kept] = lane_i[q]
                                lane_at[kept] = lane_at[q]
                                lane_end[kept] = lane_end[q]
                                kept += 1
                        m = kept
                    sort_spikes(begin, used, out_times, out_neurons, out_currents)
                u, u_end = u_end, u
                i, i_end = i_end, i
            if e >= stop or times[e] >= duration:
                break
            row = rows[e]
            for l in range(n):
                i[l] += weights[row, l]
            t = following
            e += 1
        counts[b] = used - done
    return last, used
