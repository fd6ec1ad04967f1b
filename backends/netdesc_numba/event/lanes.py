"""Steps of a layer's sweep over many neurons at once, in loops that the compiler vectorizes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.cells import Constants
from netdesc.dynamics.jit import counting, inlined, kernel, shared
from netdesc.dynamics.lif import (
    CONVERGED,
    crossing,
    decay,
    flow,
    guess,
    halley,
    interval_factors,
    largest_gain,
    may_spike,
    rising_until,
    state_after,
)
from netdesc.dynamics.views import unowned
from netdesc.events import Floats, Integers

ROUNDS = 6
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
    end: Floats,
    constants: Constants,
) -> None:
    """Find the interval in which each neuron can only pass the threshold upward, and v at its end.

    Parameters
    ----------
    count : int
        Number of neurons; the arrays may be longer.
    u, i, span : ndarray of float64
        State, and length of the interval in ms.
    width, end : ndarray of float64
        Results: end of the bracket in ms, negative where there is none, and v there.
    constants : Constants
    """
    tau_m, tau_s, gap, _ = constants
    for q in range(count):
        width[q] = rising_until(i[q], gap, tau_s, span[q])
    for q in range(count):
        v, _ = flow(u[q], i[q], width[q], tau_m, tau_s)
        end[q] = v


@shared
def solve_lanes(
    count: int,
    u: Floats,
    i: Floats,
    end: Floats,
    width: Floats,
    found: Floats,
    size: Floats,
    constants: Constants,
) -> None:
    """Find the crossing of each of several neurons, each of which is known to have one.

    Parameters
    ----------
    count : int
        Number of neurons; the arrays may be longer.
    u, i, end, width : ndarray of float64
        State at 0, and the bracket: v at its end, not below the gap, and its length in ms.
    found, size : ndarray of float64
        Results: crossing in ms; relative size of the last step.
    constants : Constants
    """
    tau_m, tau_s, gap, _ = constants
    for q in range(count):
        found[q] = guess(u[q] - gap, (i[q] - u[q]) / tau_m, end[q] - gap, width[q])
        size[q] = np.inf
    for repetition in range(ROUNDS):
        for q in range(count):
            step, _, rest = halley(u[q], i[q], gap, found[q], tau_m, tau_s)
            # a lane that has converged stays, so that its result does not depend on its neighbours
            going = not size[q] <= CONVERGED
            found[q] -= step if going else 0.0
            size[q] = rest if going else size[q]
        if repetition > 0:
            going_on = 0
            for q in range(count):
                going_on += 1 if size[q] > CONVERGED else 0
            if going_on == 0:
                break
    for q in range(count):
        # the comparisons are also false for NaN
        if not (size[q] <= CONVERGED and 0.0 <= found[q] <= width[q]):
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
