"""Steps of a layer's sweep over many neurons at once, in loops that the compiler vectorizes."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import (
    CONVERGED,
    charge,
    crossing,
    decay,
    flow,
    guess,
    halley,
    may_spike,
    rising_until,
    voltage_after,
)
from netdesc.events import Floats, Integers

ROUNDS = 6


@kernel
def measure_spans(
    count: int,
    span: Floats,
    factors: Floats,
    peak: float,
    highest: float,
    constants: tuple[float, float, float, float],
) -> None:
    """Compute what an interval does to any neuron, for several intervals.

    Parameters
    ----------
    count : int
        Number of intervals.
    span : ndarray of float64, shape (count,)
        Lengths in ms.
    factors : ndarray of float64, shape (4, count)
        Results: decays of v and i, charge, and largest charge within the interval.
    peak, highest : float
        Length in ms of the interval with the largest charge, and that charge.
    constants : tuple of float
        tau_m, tau_s, gap, reset.
    """
    tau_m, tau_s, _, _ = constants
    for s in range(count):
        a = decay(span[s], tau_m)
        d = decay(span[s], tau_s)
        k = charge(span[s], a, d, tau_m, tau_s)
        factors[0, s] = a
        factors[1, s] = d
        factors[2, s] = k
        factors[3, s] = k if span[s] < peak else highest


@kernel
def step_lanes(
    u: Floats,
    i: Floats,
    u_end: Floats,
    i_end: Floats,
    flag: Floats,
    factors: Floats,
    gap: float,
) -> None:
    """Carry the neurons of one sample over an interval, and flag those that may spike in it.

    Parameters
    ----------
    u, i : ndarray of float64, shape (n,)
        State at the start.
    u_end, i_end : ndarray of float64, shape (n,)
        Results: state at the end of the interval, had there been no spike.
    flag : ndarray of float64, shape (n,)
        Result: 1 where a spike cannot be excluded.
    factors : ndarray of float64, shape (4, 1)
        From ``measure_spans``.
    gap : float
    """
    a, d, k, most = factors[0, 0], factors[1, 0], factors[2, 0], factors[3, 0]
    for cell in range(len(u)):
        u_end[cell] = voltage_after(u[cell], i[cell], a, k)
        i_end[cell] = i[cell] * d
        flag[cell] = may_spike(u[cell], i[cell], u_end[cell], i_end[cell], a, most, gap)


@kernel
def step_block(
    sample: Integers,
    u: Floats,
    i: Floats,
    u_end: Floats,
    i_end: Floats,
    flag: Floats,
    factors: Floats,
    gap: float,
) -> None:
    """Carry the neurons of several samples over an interval of each, and flag those that may spike.

    Parameters
    ----------
    sample : ndarray of int64, shape (n,)
        Sample of each lane.
    u, i, u_end, i_end, flag, gap
        As in ``step_lanes``.
    factors : ndarray of float64, shape (4, samples)
        From ``measure_spans``.
    """
    for cell in range(len(u)):
        s = sample[cell]
        a = factors[0, s]
        u_end[cell] = voltage_after(u[cell], i[cell], a, factors[2, s])
        i_end[cell] = i[cell] * factors[1, s]
        flag[cell] = may_spike(u[cell], i[cell], u_end[cell], i_end[cell], a, factors[3, s], gap)


@kernel
def bracket_lanes(
    count: int,
    u: Floats,
    i: Floats,
    span: Floats,
    width: Floats,
    end: Floats,
    constants: tuple[float, float, float, float],
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
    constants : tuple of float
        tau_m, tau_s, gap, reset.
    """
    tau_m, tau_s, gap, _ = constants
    for q in range(count):
        width[q] = rising_until(i[q], gap, tau_s, span[q])
    for q in range(count):
        v, _ = flow(u[q], i[q], width[q], tau_m, tau_s)
        end[q] = v


@kernel
def solve_lanes(
    count: int,
    u: Floats,
    i: Floats,
    end: Floats,
    width: Floats,
    found: Floats,
    size: Floats,
    constants: tuple[float, float, float, float],
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
    constants : tuple of float
        tau_m, tau_s, gap, reset.
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


@kernel
def fire_lanes(
    count: int,
    i: Floats,
    at: Floats,
    found: Floats,
    span: Floats,
    u_after: Floats,
    i_after: Floats,
    constants: tuple[float, float, float, float],
) -> None:
    """Carry several neurons to their crossings, reset them, and carry them to the end of the interval.

    Parameters
    ----------
    count : int
        Number of neurons; the arrays may be longer.
    i : ndarray of float64
        In: current where each neuron stands. Out: at its spike.
    at : ndarray of float64
        In: where each neuron stands, from the start of the interval, in ms. Out: its spike.
    found : ndarray of float64
        Crossing, from where the neuron stands, in ms.
    span : ndarray of float64
        Length in ms of what is left of the interval. In: before the spike. Out: after it.
    u_after, i_after : ndarray of float64
        Results: state at the end of the interval, had there been no other spike.
    constants : tuple of float
        tau_m, tau_s, gap, reset.
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
