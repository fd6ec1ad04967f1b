"""Readings of membranes without spikes: kernels in continuous time and on a grid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.arrivals import Incoming, Synapses, gather
from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.lif import charge, decay, flow, voltage_after
from netdesc.dynamics.membrane import Membrane
from netdesc.dynamics.protocol import arrive
from netdesc.dynamics.readout import mean_of_current, mean_of_voltage, peak_time, peak_within
from netdesc.dynamics.two_currents import flow_two
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


class Span(NamedTuple):
    """Over what a read-out is read.

    Parameters
    ----------
    duration : float
        In ms.
    rates : ndarray of float64, shape (means,)
        Of the weights of means in 1/ms.
    """

    duration: float
    rates: Floats


class Readings(NamedTuple):
    """Results: largest voltage above rest, when it was first reached, and means of the voltage above rest.

    Parameters
    ----------
    peak, when : ndarray of float64, shape (batch, n)
    means : ndarray of float64, shape (means, batch, n)
    """

    peak: Floats
    when: Floats
    means: Floats


@inlined
def start_means(b: int, cell: int, span: Span, cells: Membrane, out: Readings) -> None:
    """Set the means of a neuron to what its initial state gives."""
    tau_m, tau_i, tau_j = cells.tau_m[cell], cells.tau_s[cell, 0], cells.tau_s[cell, 1]
    u, i, j = cells.start[cell], cells.current[cell, 0], cells.current[cell, 1]
    for q in range(len(span.rates)):
        early = 1.0 / span.duration
        by_i = mean_of_current(span.duration, early, span.rates[q], tau_m, tau_i)
        by_j = mean_of_current(span.duration, early, span.rates[q], tau_m, tau_j)
        by_v = mean_of_voltage(span.duration, early, span.rates[q], tau_m)
        out.means[q, b, cell] = u * by_v + i * by_i + j * by_j


@inlined
def add_to_means(
    b: int, cell: int, t: float, receptor: int, weight: float, span: Span, cells: Membrane, out: Readings
) -> None:
    """Add what an arrival at time t gives to the means of a neuron."""
    for q in range(len(span.rates)):
        early = np.exp(-span.rates[q] * t) / span.duration
        by_i = mean_of_current(
            span.duration - t, early, span.rates[q], cells.tau_m[cell], cells.tau_s[cell, receptor]
        )
        out.means[q, b, cell] += weight * by_i


@kernel
def read_neurons(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Membrane, span: Span, out: Readings
) -> None:
    """Read samples ``first`` to ``last - 1`` of any read-out, neuron after neuron.

    Parameters
    ----------
    first, last : int
        Range of samples.
    incoming : Incoming
    fan : Synapses
    cells : Membrane
    span : Span
    out : Readings
    """
    n = len(cells.tau_m)
    for b in range(first, last):
        arrivals = gather(b, incoming, fan, n, span.duration)
        for cell in range(n):
            tau_m, tau_i, tau_j = cells.tau_m[cell], cells.tau_s[cell, 0], cells.tau_s[cell, 1]
            u, i, j = cells.start[cell], cells.current[cell, 0], cells.current[cell, 1]
            best, at, t = u, 0.0, 0.0
            start_means(b, cell, span, cells, out)
            for e in range(arrivals.start[cell], arrivals.start[cell + 1] + 1):
                more = e < arrivals.start[cell + 1]
                target = arrivals.when[e] if more else span.duration
                s = target - t
                if s > 0.0:
                    if max(u, max(i, 0.0) + max(j, 0.0)) > best:
                        turn = peak_within(u, i, j, s, tau_m, tau_i, tau_j)
                        if turn >= 0.0:
                            top, _, _ = flow_two(u, i, j, turn, tau_m, tau_i, tau_j)
                            if top > best:
                                best = top
                                at = t + turn
                    u, i, j = flow_two(u, i, j, s, tau_m, tau_i, tau_j)
                    if u > best:
                        best = u
                        at = target
                    t = target
                if more:
                    q = arrivals.synapse[e]
                    u, i, j = arrive((u, i, j), cells, cell, fan.receptor[q], fan.weight[q])
                    add_to_means(b, cell, t, fan.receptor[q], fan.weight[q], span, cells, out)
            out.peak[b, cell] = best
            out.when[b, cell] = at
