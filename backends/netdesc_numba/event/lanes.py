"""Steps of a layer's sweep over many neurons at once, in loops that the compiler vectorizes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.cells import Constants
from netdesc.dynamics.crossing_steps import ACCURATE, householder, interpolate
from netdesc.dynamics.jit import counting, inlined, kernel, shared
from netdesc.dynamics.lif import (
    crossing,
    decay,
    flow,
    interval_factors,
    largest_gain,
    may_spike,
    rising_until,
    state_after,
)
from netdesc.dynamics.views import unowned
from netdesc.events import Floats, Integers

# Steps towards a crossing, for all neurons.
STEPS = 2
# Lanes that are looked through together for flags.
RUN = 64


class Lanes(NamedTuple):
    """States of neurons side by side; a lane is a neuron in a sample.

    Parameters
    ----------
    u, i : ndarray of float64, shape (lanes,)
    """

    u: Floats
    i: Floats


class Intervals(NamedTuple):
    """The interval between two arrivals that each of several samples is in.

    Parameters
    ----------
    begin, end, span : ndarray of float64, shape (samples,)
        In ms.
    factors : ndarray of float64, shape (4, samples)
        See ``interval_factors``, and the largest gain within the interval.
    peak, highest : float
        Length in ms of the interval with the largest gain, and that gain.
    """

    begin: Floats
    end: Floats
    span: Floats
    factors: Floats
    peak: float
    highest: float


@inlined
def make_intervals(count: int, constants: Constants) -> Intervals:
    """Return arrays for several samples, whose first intervals begin at 0."""
    peak, highest = largest_gain(constants.tau_m, constants.tau_s)
    return Intervals(np.zeros(count), np.empty(count), np.empty(count), np.empty((4, count)), peak, highest)


@kernel
def measure_spans(intervals: Intervals, constants: Constants) -> None:
    """Compute what the intervals do to any neuron: their ``factors`` from their ``span``."""
    intervals = unowned(intervals)
    span, factors, peak, highest = intervals.span, intervals.factors, intervals.peak, intervals.highest
    for s in range(len(span)):
        a, d, k = interval_factors(span[s], constants.tau_m, constants.tau_s)
        factors[0, s] = a
        factors[1, s] = d
        factors[2, s] = k
        factors[3, s] = k if span[s] < peak else highest


@kernel
def step_lanes(now: Lanes, after: Lanes, flag: Floats, factors: Floats, gap: float) -> None:
    """Compute the states of the neurons of one sample after an interval, and flag those that may spike in it.

    Parameters
    ----------
    now : Lanes
    after : Lanes
        Results: states at the end of the interval, had there been no spike.
    flag : ndarray of float64, shape (n,)
        Result: 1 where a spike cannot be excluded.
    factors : ndarray of float64, shape (4, 1)
        See ``Intervals``.
    gap : float
    """
    u, i = unowned(now)
    u_end, i_end = unowned(after)
    a, d, k, most = factors[0, 0], factors[1, 0], factors[2, 0], factors[3, 0]
    for cell in range(len(u)):
        u_end[cell], i_end[cell] = state_after(u[cell], i[cell], a, d, k)
        flag[cell] = may_spike(u[cell], i[cell], u_end[cell], i_end[cell], a, most, gap)


@kernel
def step_block(sample: Integers, now: Lanes, after: Lanes, flag: Floats, factors: Floats, gap: float) -> None:
    """Compute the states of several samples after an interval of each, and flag neurons that may spike.

    Parameters
    ----------
    sample : ndarray of int64, shape (lanes,)
        Sample of each lane.
    now, after, flag, gap
        As in ``step_lanes``.
    factors : ndarray of float64, shape (4, samples)
        See ``Intervals``.
    """
    u, i = unowned(now)
    u_end, i_end = unowned(after)
    for cell in range(len(u)):
        s = sample[cell]
        a, d, k, most = factors[0, s], factors[1, s], factors[2, s], factors[3, s]
        u_end[cell], i_end[cell] = state_after(u[cell], i[cell], a, d, k)
        flag[cell] = may_spike(u[cell], i[cell], u_end[cell], i_end[cell], a, most, gap)


@counting
def count_flags(flag: Floats, begin: int, end: int) -> float:
    """Return the number of flags in a range of lanes."""
    total = 0.0
    for cell in range(begin, end):
        total += flag[cell]
    return total


@inlined
def choose_lanes(flag: Floats, chosen: Integers) -> int:
    """Write down which lanes are flagged, and return their number; runs without a flag are skipped."""
    flagged = 0
    for begin in range(0, len(flag), RUN):
        end = min(begin + RUN, len(flag))
        if count_flags(flag, begin, end) > 0.0:
            for cell in range(begin, end):
                chosen[flagged] = cell
                flagged += 1 if flag[cell] > 0.0 else 0
    return flagged


@shared
def bracket_lanes(
    count: int,
    u: Floats,
    i: Floats,
    span: Floats,
    width: Floats,
    u_end: Floats,
    i_end: Floats,
    constants: Constants,
) -> None:
    """Find the interval in which each neuron can only pass the threshold upward, and its state at the end.

    Parameters
    ----------
    count : int
        Number of neurons; the arrays may be longer.
    u, i, span : ndarray of float64
        State, and length of the interval in ms.
    width : ndarray of float64
        Result: end of the bracket in ms, negative where there is none.
    u_end, i_end : ndarray of float64
        Results: state at that end.
    constants : Constants
    """
    tau_m, tau_s, gap, _ = constants
    for q in range(count):
        width[q] = rising_until(i[q], gap, tau_s, span[q])
    for q in range(count):
        v, w = flow(u[q], i[q], width[q], tau_m, tau_s)
        u_end[q] = v
        i_end[q] = w


@shared
def solve_lanes(
    count: int,
    work: Floats,
    found: Floats,
    constants: Constants,
) -> None:
    """Find the crossing of each of several neurons, each of which is known to have one.

    Parameters
    ----------
    count : int
        Number of neurons; the arrays may be longer.
    work : ndarray of float64, shape (9, lanes)
        State at 0 in rows 0 and 1; length of the bracket in ms in row 4; state at its end, u not below the
        gap, in rows 5 and 6; row 8 is overwritten.
    found : ndarray of float64
        Result: crossing in ms.
    constants : Constants
    """
    tau_m, tau_s, gap, _ = constants
    u, i, width, u_end, i_end, size = work[0], work[1], work[4], work[5], work[6], work[8]
    for q in range(count):
        found[q] = interpolate(u[q], i[q], u_end[q], i_end[q], gap, width[q], tau_m, tau_s)
    for _ in range(STEPS):
        for q in range(count):
            step, rest = householder(u[q], i[q], gap, found[q], tau_m, tau_s)
            found[q] -= step
            size[q] = rest
    for q in range(count):
        # the comparisons are also false for NaN
        if not (size[q] <= ACCURATE and 0.0 <= found[q] <= width[q]):
            found[q] = max(crossing(u[q], i[q], gap, tau_m, tau_s, width[q]), 0.0)


@shared
def fire_lanes(
    count: int,
    i: Floats,
    at: Floats,
    found: Floats,
    span: Floats,
    u_after: Floats,
    i_after: Floats,
    constants: Constants,
) -> None:
    """Move several neurons to their crossings, reset them, and compute their states at the interval's end.

    Parameters
    ----------
    count : int
        Number of neurons; the arrays may be longer.
    i : ndarray of float64
        In: present current. Out: at the spike.
    at : ndarray of float64
        In: present time of each neuron from the start of the interval in ms. Out: that of its spike.
    found : ndarray of float64
        Crossing, from the present time, in ms.
    span : ndarray of float64
        Length in ms of what is left of the interval. In: before the spike. Out: after it.
    u_after, i_after : ndarray of float64
        Results: state at the end of the interval, had there been no other spike.
    constants : Constants
    """
    tau_m, tau_s, _, reset = constants
    for q in range(count):
        i[q] *= decay(found[q], tau_s)
        at[q] += found[q]
        span[q] -= found[q]
    for q in range(count):
        v, w = flow(reset, i[q], span[q], tau_m, tau_s)
        u_after[q] = v
        i_after[q] = w
