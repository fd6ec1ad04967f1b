"""Readings of membranes without spikes: kernels in continuous time and on a grid."""

from __future__ import annotations

import numpy as np

from netdesc.adjoint.arrivals import gather
from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import charge, decay, flow, voltage_after
from netdesc.dynamics.readout import mean_of_current, mean_of_voltage, peak_time, peak_within
from netdesc.dynamics.two_currents import flow_two, propagate
from netdesc.events import Floats, Integers


@kernel
def read_layer(
    first: int, last: int, times: Floats, rows: Integers, offsets: Integers, weights: Floats,
    tau_m: float, tau_s: float, start: Floats, current: Floats, duration: float, rates: Floats,
    peak: Floats, when: Floats, means: Floats,
) -> None:  # fmt: skip
    """Read samples ``first`` to ``last - 1`` of a uniform read-out, whose neurons see the same arrivals.

    Parameters
    ----------
    first, last : int
        Range of samples.
    times, rows, offsets : ndarray
        Stream of arrivals.
    weights : ndarray of float64, shape (rows, n)
    tau_m, tau_s : float
        In ms.
    start, current : ndarray of float64, shape (n,)
        Voltage above rest and current at the start.
    duration : float
        In ms.
    rates : ndarray of float64, shape (means,)
        Of the weights of means, in 1/ms.
    peak, when : ndarray of float64, shape (batch, n)
        Results: largest voltage above rest, and when it was first reached.
    means : ndarray of float64, shape (means, batch, n)
        Results: means of the voltage above rest.
    """
    n = weights.shape[1]
    u = np.empty(n)
    i = np.empty(n)
    u_end = np.empty(n)
    flag = np.empty(n)
    for b in range(first, last):
        u[:] = start
        i[:] = current
        peak[b] = start
        when[b] = 0.0
        for q in range(len(rates)):
            by_v = mean_of_voltage(duration, 1.0 / duration, rates[q], tau_m)
            by_i = mean_of_current(duration, 1.0 / duration, rates[q], tau_m, tau_s)
            for cell in range(n):
                means[q, b, cell] = start[cell] * by_v + current[cell] * by_i
        t = 0.0
        for e in range(offsets[b], offsets[b + 1] + 1):
            target = min(times[e], duration) if e < offsets[b + 1] else duration
            s = target - t
            if s > 0.0:
                a = decay(s, tau_m)
                fade = decay(s, tau_s)
                k = charge(s, a, fade, tau_m, tau_s)
                hits = 0.0
                for cell in range(n):
                    end = voltage_after(u[cell], i[cell], a, k)
                    u_end[cell] = end
                    top = u[cell] if u[cell] > i[cell] else i[cell]
                    turns = (i[cell] > u[cell]) & (i[cell] * fade < end) & (i[cell] > 0.0)
                    flag[cell] = 1.0 if (turns & (top > peak[b, cell])) else 0.0
                    hits += flag[cell]
                if hits > 0.0:
                    for cell in range(n):
                        if flag[cell] > 0.0:
                            turn = peak_time(u[cell], i[cell], tau_m, tau_s)
                            top, _ = flow(u[cell], i[cell], min(turn, s), tau_m, tau_s)
                            if turn < s and top > peak[b, cell]:
                                peak[b, cell] = top
                                when[b, cell] = t + turn
                for cell in range(n):
                    higher = u_end[cell] > peak[b, cell]
                    peak[b, cell] = u_end[cell] if higher else peak[b, cell]
                    when[b, cell] = target if higher else when[b, cell]
                    u[cell] = u_end[cell]
                    i[cell] *= fade
                t = target
            if e == offsets[b + 1] or times[e] >= duration:
                continue
            row = rows[e]
            for cell in range(n):
                i[cell] += weights[row, cell]
            for q in range(len(rates)):
                early = np.exp(-rates[q] * t) / duration
                by_i = mean_of_current(duration - t, early, rates[q], tau_m, tau_s)
                for cell in range(n):
                    means[q, b, cell] += weights[row, cell] * by_i


@kernel
def read_neurons(
    first: int, last: int, times: Floats, slots: Integers, offsets: Integers,
    fan_start: Integers, fan_target: Integers, fan_receptor: Integers, fan_weight: Floats, fan_delay: Floats,
    tau_m: Floats, tau_s: Floats, start: Floats, current: Floats, duration: float, rates: Floats,
    peak: Floats, when: Floats, means: Floats,
) -> None:  # fmt: skip
    """Read samples ``first`` to ``last - 1`` of any read-out, neuron after neuron.

    Parameters
    ----------
    times, slots, offsets : ndarray
        Spikes that enter the stage, by slot.
    fan_start, fan_target, fan_receptor, fan_weight, fan_delay : ndarray
        Synapses sorted by slot.
    tau_m, start : ndarray of float64, shape (n,)
    tau_s, current : ndarray of float64, shape (n, 2)
    first, last, duration, rates, peak, when, means
        As in ``read_layer``.
    """
    n = len(tau_m)
    for b in range(first, last):
        begin, arrives, synapse, _, _ = gather(
            offsets[b], offsets[b + 1], times, slots, fan_start, fan_target, fan_delay, n, duration
        )
        for cell in range(n):
            one = tau_m[cell]
            tau_i = tau_s[cell, 0]
            tau_j = tau_s[cell, 1]
            u = start[cell]
            i = current[cell, 0]
            j = current[cell, 1]
            best = u
            at = 0.0
            t = 0.0
            for q in range(len(rates)):
                early = 1.0 / duration
                by_i = mean_of_current(duration, early, rates[q], one, tau_i)
                by_j = mean_of_current(duration, early, rates[q], one, tau_j)
                means[q, b, cell] = u * mean_of_voltage(duration, early, rates[q], one) + i * by_i + j * by_j
            for e in range(begin[cell], begin[cell + 1] + 1):
                target = arrives[e] if e < begin[cell + 1] else duration
                s = target - t
                if s > 0.0:
                    if max(u, max(i, 0.0) + max(j, 0.0)) > best:
                        turn = peak_within(u, i, j, s, one, tau_i, tau_j)
                        if turn >= 0.0:
                            top, _, _ = flow_two(u, i, j, turn, one, tau_i, tau_j)
                            if top > best:
                                best = top
                                at = t + turn
                    u, i, j = flow_two(u, i, j, s, one, tau_i, tau_j)
                    if u > best:
                        best = u
                        at = target
                    t = target
                if e == begin[cell + 1]:
                    break
                w = fan_weight[synapse[e]]
                tau = tau_i
                if fan_receptor[synapse[e]] == 0:
                    i += w
                else:
                    j += w
                    tau = tau_j
                for q in range(len(rates)):
                    early = np.exp(-rates[q] * t) / duration
                    means[q, b, cell] += w * mean_of_current(duration - t, early, rates[q], one, tau)
            peak[b, cell] = best
            when[b, cell] = at


@kernel
def read_steps(
    first: int, last: int, times: Floats, slots: Integers, offsets: Integers,
    fan_start: Integers, fan_target: Integers, fan_receptor: Integers, fan_weight: Floats, fan_delay: Floats,
    tau_m: Floats, tau_s: Floats, start: Floats, current: Floats, steps: int, weights: Floats,
    peak: Floats, when: Floats, means: Floats,
) -> None:  # fmt: skip
    """Read samples ``first`` to ``last - 1`` of a read-out at whole steps; times are counted in steps.

    Parameters
    ----------
    steps : int
        Number of steps.
    weights : ndarray of float64, shape (means, steps + 1)
        Of each step in each mean.
    first, last, times, slots, offsets, fan_start, fan_target, fan_receptor, fan_weight, fan_delay
        As in ``read_neurons``.
    tau_m, tau_s, start, current, peak, when, means
        As in ``read_neurons``.
    """
    n = len(tau_m)
    for b in range(first, last):
        begin, arrives, synapse, _, _ = gather(
            offsets[b], offsets[b + 1], times, slots, fan_start, fan_target, fan_delay, n, float(steps)
        )
        for cell in range(n):
            leak = decay(1.0, tau_m[cell])
            fade_i = decay(1.0, tau_s[cell, 0])
            fade_j = decay(1.0, tau_s[cell, 1])
            gain_i = charge(1.0, leak, fade_i, tau_m[cell], tau_s[cell, 0])
            gain_j = charge(1.0, leak, fade_j, tau_m[cell], tau_s[cell, 1])
            u = start[cell]
            i = current[cell, 0]
            j = current[cell, 1]
            best = u
            at = 0
            for q in range(len(weights)):
                means[q, b, cell] = weights[q, 0] * u
            e = begin[cell]
            for m in range(steps + 1):
                if m > 0:
                    u = propagate(u, i, j, leak, gain_i, gain_j)
                    i *= fade_i
                    j *= fade_j
                    if u > best:
                        best = u
                        at = m
                    for q in range(len(weights)):
                        means[q, b, cell] += weights[q, m] * u
                while e < begin[cell + 1] and arrives[e] <= m:
                    if fan_receptor[synapse[e]] == 0:
                        i += fan_weight[synapse[e]]
                    else:
                        j += fan_weight[synapse[e]]
                    e += 1
            peak[b, cell] = best
            when[b, cell] = at
