"""Readings of membranes without spikes: kernels in continuous time and on a grid."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.arrivals import Incoming, find_longest, gather
from netdesc.adjoint.cells import Constants, UniformLayer
from netdesc.adjoint.synapses import Synapses, receptor_by, weight_by
from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.lif import flow, interval_factors, state_after
from netdesc.dynamics.membrane import Membrane
from netdesc.dynamics.protocol import arrive
from netdesc.dynamics.readout import (
    mean_of_current,
    mean_of_voltage,
    peak_time,
    peak_within,
    weigh_arrivals,
)
from netdesc.dynamics.two_currents import flow_two
from netdesc.dynamics.views import row, stretch, unowned
from netdesc.events import Floats
from netdesc_numba.event.lanes import Lanes


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
        Of shape (0, n) where they are not asked for.
    means : ndarray of float64, shape (means, batch, n)
    """

    peak: Floats
    when: Floats
    means: Floats


@inlined
def start_layer_means(b: int, layer: UniformLayer, span: Span, out: Readings) -> None:
    """Set the means of all neurons to what their initial states give."""
    tau_m, tau_s = layer.constants.tau_m, layer.constants.tau_s
    for q in range(len(span.rates)):
        by_v = mean_of_voltage(span.duration, 1.0 / span.duration, span.rates[q], tau_m)
        by_i = mean_of_current(span.duration, 1.0 / span.duration, span.rates[q], tau_m, tau_s)
        for cell in range(len(layer.start)):
            out.means[q, b, cell] = layer.start[cell] * by_v + layer.current[cell] * by_i


@inlined
def weigh_sample(b: int, incoming: Incoming, constants: Constants, span: Span, work: Floats) -> None:
    """Compute what one unit of current adds to each mean at every arrival of a sample.

    Parameters
    ----------
    b : int
        The sample.
    incoming : Incoming
    constants : Constants
    span : Span
    work : ndarray of float64, shape (means + 1, arrivals)
        Results; the last row is overwritten.
    """
    begin, count = incoming.offsets[b], incoming.offsets[b + 1] - incoming.offsets[b]
    times = stretch(incoming.times, begin, count)
    for q in range(len(span.rates)):
        weigh_arrivals(
            count, times, span.duration, span.rates[q], constants.tau_m, constants.tau_s,
            row(work, len(span.rates)), row(work, q),
        )  # fmt: skip


@inlined
def add_to_layer_means(b: int, e: int, number: int, weights: Floats, gains: Floats, out: Readings) -> None:
    """Add what arrival e of a sample, of a row of weights, gives to the means of all neurons."""
    for q in range(len(out.means)):
        by_i = gains[q, e]
        for cell in range(weights.shape[1]):
            out.means[q, b, cell] += weights[number, cell] * by_i


@kernel
def read_interval(
    b: int, t: float, end: float, lanes: Lanes, work: Floats, constants: Constants, out: Readings
) -> None:
    """Compute the states of a layer after an interval, and raise the maxima to those within it.

    Parameters
    ----------
    b : int
        The sample.
    t, end : float
        Start and end of the interval in ms.
    lanes : Lanes
        States; changed in place.
    work : ndarray of float64, shape (2, n)
        Overwritten.
    constants : Constants
    out : Readings
        ``peak`` and ``when`` are raised.
    """
    lanes, work, out = unowned(lanes), unowned(work), unowned(out)
    u, i, u_end, flag, peak, when = lanes.u, lanes.i, work[0], work[1], out.peak[b], out.when[b]
    tau_m, tau_s = constants.tau_m, constants.tau_s
    n = len(u)
    s = end - t
    a, fade, k = interval_factors(s, tau_m, tau_s)
    hits = 0.0
    for cell in range(n):
        after, left = state_after(u[cell], i[cell], a, fade, k)
        u_end[cell] = after
        top = u[cell] if u[cell] > i[cell] else i[cell]
        turns = (i[cell] > u[cell]) & (left < after) & (i[cell] > 0.0)
        flag[cell] = 1.0 if (turns & (top > peak[cell])) else 0.0
        hits += flag[cell]
    if hits > 0.0:
        for cell in range(n):
            if flag[cell] > 0.0:
                turn = peak_time(u[cell], i[cell], tau_m, tau_s)
                top, _ = flow(u[cell], i[cell], min(turn, s), tau_m, tau_s)
                if turn < s and top > peak[cell]:
                    peak[cell] = top
                    when[cell] = t + turn
    for cell in range(n):
        higher = u_end[cell] > peak[cell]
        peak[cell] = u_end[cell] if higher else peak[cell]
        when[cell] = end if higher else when[cell]
        u[cell] = u_end[cell]
        i[cell] *= fade


@inlined
def start_peaks(b: int, layer: UniformLayer, lanes: Lanes, out: Readings) -> None:
    """Set the states to those at 0, and the maxima to these."""
    for cell in range(len(layer.start)):
        lanes.u[cell] = layer.start[cell]
        lanes.i[cell] = layer.current[cell]
        out.peak[b, cell] = layer.start[cell]
        out.when[b, cell] = 0.0


@kernel
def read_layer(
    first: int, last: int, incoming: Incoming, layer: UniformLayer, span: Span, out: Readings
) -> None:
    """Read samples ``first`` to ``last - 1`` of a uniform read-out, whose neurons see the same arrivals.

    Parameters
    ----------
    first, last : int
        Range of samples.
    incoming : Incoming
        Arrivals, by row of the weights.
    layer : UniformLayer
    span : Span
    out : Readings
    """
    incoming, layer, span, out = unowned(incoming), unowned(layer), unowned(span), unowned(out)
    times, offsets = incoming.times, incoming.offsets
    n = layer.weights.shape[1]
    u, i, work = np.empty(n), np.empty(n), np.empty((2, n))
    lanes = Lanes(u, i)
    gains = np.empty((len(span.rates) + 1, find_longest(first, last, offsets)))
    peaks = len(out.peak) > 0
    for b in range(first, last):
        if peaks:
            start_peaks(b, layer, lanes, out)
        start_layer_means(b, layer, span, out)
        weigh_sample(b, incoming, layer.constants, span, gains)
        t = 0.0
        for e in range(offsets[b], offsets[b + 1] + 1):
            more = e < offsets[b + 1]
            target = min(times[e], span.duration) if more else span.duration
            if target > t:
                if peaks:
                    read_interval(b, t, target, lanes, work, layer.constants, out)
                t = target
            if more and times[e] < span.duration:
                number = incoming.slots[e]
                if peaks:
                    for cell in range(n):
                        i[cell] += layer.weights[number, cell]
                add_to_layer_means(b, e - offsets[b], number, layer.weights, gains, out)


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
    """Read samples ``first`` to ``last - 1`` of any read-out, neuron after neuron; as ``read_layer``."""
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
                    u, i, j = arrive((u, i, j), cells, cell, receptor_by(q, fan), weight_by(q, fan))
                    add_to_means(b, cell, t, receptor_by(q, fan), weight_by(q, fan), span, cells, out)
            out.peak[b, cell] = best
            out.when[b, cell] = at
