"""Steps of a layer's sweep over many neurons at once, in loops that the compiler vectorizes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.cells import Constants
from netdesc.dynamics.crossing_steps import ACCURATE, interpolate, refine
from netdesc.dynamics.elementary import logarithm
from netdesc.dynamics.jit import counting, inlined, kernel, shared
from netdesc.dynamics.lif import crossing, decay, flow, interval_factors, largest_gain, may_spike, state_after
from netdesc.dynamics.views import row, stretch, unowned
from netdesc.events import Floats, Integers

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


@inlined
def select_lanes(first: int, count: int, lanes: Lanes) -> Lanes:
    """Return some of the lanes, so that loops over them begin at 0: others are not vectorized."""
    return Lanes(stretch(lanes.u, first, count), stretch(lanes.i, first, count))


@kernel
def step_lanes(n: int, now: Lanes, after: Lanes, flag: Floats, factors: Floats, gap: float) -> None:
    """Compute the states of neurons after an interval of each sample, and flag those that may spike in it.

    Parameters
    ----------
    n : int
        Neurons; one sample comes after the other.
    now : Lanes
    after : Lanes
        Results: states at the end of the interval, had there been no spike.
    flag : ndarray of float64, shape (lanes,)
        Result: 1 where a spike cannot be excluded.
    factors : ndarray of float64, shape (4, samples)
        See ``Intervals``.
    gap : float
    """
    now, after, flag = unowned(now), unowned(after), unowned(flag)
    for s in range(factors.shape[1]):
        a, d, k, most = factors[0, s], factors[1, s], factors[2, s], factors[3, s]
        u, i = select_lanes(s * n, n, now)
        u_end, i_end = select_lanes(s * n, n, after)
        flags = stretch(flag, s * n, n)
        for cell in range(n):
            u_end[cell], i_end[cell] = state_after(u[cell], i[cell], a, d, k)
            flags[cell] = may_spike(u[cell], i[cell], u_end[cell], i_end[cell], a, most, gap)


@kernel
def step_columns(n: int, now: Lanes, after: Lanes, flag: Floats, factors: Floats, gap: float) -> None:
    """Do what ``step_lanes`` does where one neuron comes after the other, each in all samples."""
    now, after, flag, factors = unowned(now), unowned(after), unowned(flag), unowned(factors)
    samples = factors.shape[1]
    decays, fades, gains, most = row(factors, 0), row(factors, 1), row(factors, 2), row(factors, 3)
    for cell in range(n):
        u, i = select_lanes(cell * samples, samples, now)
        u_end, i_end = select_lanes(cell * samples, samples, after)
        flags = stretch(flag, cell * samples, samples)
        for s in range(samples):
            u_end[s], i_end[s] = state_after(u[s], i[s], decays[s], fades[s], gains[s])
        for s in range(samples):
            flags[s] = may_spike(u[s], i[s], u_end[s], i_end[s], decays[s], most[s], gap)


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
def find_peaks(count: int, work: Floats, constants: Constants) -> None:
    """Compute the states of several neurons where their currents fall through the gap.

    Parameters
    ----------
    count : int
        Number of neurons; the arrays may be longer.
    work : ndarray of float64, shape (PEAK_ROWS, lanes)
        States at 0 in rows 0 and 1, the current above the gap, which is positive. Results: time in ms until
        the current is at the gap in row 2, and voltage there in row 3.
    constants : Constants
    """
    tau_m, tau_s, gap, _ = constants
    u, i, width, u_end = row(work, 0), row(work, 1), row(work, 2), row(work, 3)
    for q in range(count):
        width[q] = tau_s * logarithm(i[q] / gap)
    for q in range(count):
        v, _ = flow(u[q], i[q], width[q], tau_m, tau_s)
        u_end[q] = v


@shared
def solve_lanes(count: int, work: Floats, constants: Constants) -> None:
    """Move each of several neurons, each of which is known to cross the threshold, to its crossing.

    Parameters
    ----------
    count : int
        Number of neurons; the arrays may be longer.
    work : ndarray of float64, shape (ROWS, lanes)
        Present states in rows 0 and 1, time from the start of the interval and what is left of it in rows 2
        and 3, and from now to the end of the bracket in row 4, all in ms; state at that end, u not below the
        gap, in rows 5 and 6. Results: current, time and rest of the interval at the crossing in rows 1 to 3,
        and by how much the reset lowers the voltage at the interval's end in row 7. Row 8 is overwritten.
    constants : Constants
    """
    tau_m, tau_s, gap, reset = constants
    u, i, at, span, width = row(work, 0), row(work, 1), row(work, 2), row(work, 3), row(work, 4)
    u_end, i_end, found, size = row(work, 5), row(work, 6), row(work, 7), row(work, 8)
    for q in range(count):
        found[q] = interpolate(u[q], i[q], u_end[q], i_end[q], gap, width[q], tau_m, tau_s)
    for q in range(count):
        when, left, rest = refine(u[q], i[q], gap, found[q], tau_m, tau_s)
        found[q], i_end[q], size[q] = when, left, rest
    for q in range(count):
        # the comparisons are also false for NaN
        if not (size[q] <= ACCURATE and 0.0 <= found[q] <= width[q]):
            found[q] = max(crossing(u[q], i[q], gap, tau_m, tau_s, width[q]), 0.0)
            i_end[q] = i[q] * decay(found[q], tau_s)
    for q in range(count):
        i[q] = i_end[q]
        at[q] += found[q]
        span[q] -= found[q]
        found[q] = (gap - reset) * decay(span[q], tau_m)
