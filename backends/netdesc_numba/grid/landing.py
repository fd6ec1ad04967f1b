"""What a packet does to its targets within a tick, and which of them may spike."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.tick import Tick, current_after, current_left, factors_until, reaches, voltage_after
from netdesc.events import Floats, Integers
from netdesc_numba.grid.forward import add_charges
from netdesc_numba.grid.wiring import Synapses

LIFT, RISE, FALL = 0, 1, 2


@kernel
def land(
    source: int,
    fraction: float,
    n: int,
    ring: NDArray[Any],
    bounds: NDArray[Any],
    synapses: Synapses,
    tau_m: Floats,
    tau_s: Floats,
    uniform: bool,
    timestep: float,
) -> None:
    """Add what a packet does by the end of its tick of arrival.

    Parameters
    ----------
    source : int
        Index in the program.
    fraction : float
        Part of the tick at which it was sent, and arrives.
    n : int
        Tick of emission.
    ring : ndarray, shape (depth, receptors, n)
        Currents at the end of the tick of arrival.
    bounds : ndarray, shape (depth, 3, n)
        Voltages at the end of that tick, and the sums of positive and of negative weights.
    synapses : Synapses
    tau_m, tau_s, uniform
        From ``Neurons``.
    timestep : float
        In ms.
    """
    first, delay, bases, receptor, run, start, target, weight, _ = synapses
    kind = weight.dtype.type
    zero = kind(0)
    for g in range(first[source], first[source + 1]):
        place = np.uint64((n + delay[g]) % len(ring))
        r = receptor[g]
        a = start[g]
        if run[g] == 1 and uniform:
            base = bases[g]
            _, fade, lift = factors_until(fraction, timestep, tau_m[0], tau_s[0, r])
            b = kind(fade)
            k = kind(lift)
            for x in range(start[g + 1] - a):
                w = weight[a + x]
                ring[place, r, base + x] += w * b
                bounds[place, LIFT, base + x] += w * k
                bounds[place, RISE, base + x] += w if w > zero else zero
                bounds[place, FALL, base + x] += w if w < zero else zero
        else:
            for q in range(a, start[g + 1]):
                j = target[q]
                _, fade, lift = factors_until(fraction, timestep, tau_m[j], tau_s[j, r])
                w = weight[q]
                ring[place, r, j] += w * kind(fade)
                bounds[place, LIFT, j] += w * kind(lift)
                bounds[place, RISE, j] += w if w > zero else zero
                bounds[place, FALL, j] += w if w < zero else zero


@kernel
def flag_spikes(
    u: NDArray[Any],
    i: NDArray[Any],
    charge: NDArray[Any],
    bounds: NDArray[Any],
    ends: NDArray[Any],
    flag: NDArray[Any],
    tick: Tick,
    gap: NDArray[Any],
) -> float:
    """Compute the voltages at the end of a tick, had there been no spike, and flag neurons that may spike.

    A neuron is not flagged only where v can't have passed the threshold and come back: it does not reach it
    at all, or the current stays above what would let it fall.

    Parameters
    ----------
    u, charge, gap : ndarray, shape (n,)
        Voltages at the start, room, distance from rest to threshold.
    i : ndarray, shape (receptors, n)
        Currents at the start.
    bounds : ndarray, shape (3, n)
        See ``land``; the currents at the start are added to the sums.
    ends, flag : ndarray, shape (n,)
        Results: voltages at the end, and 1 or 0.
    tick : Tick

    Returns
    -------
    float
        Number of flags.
    """
    one = gap.dtype.type(1)
    zero = gap.dtype.type(0)
    hits = zero
    add_charges(i, tick.rise, charge)
    for j in range(len(u)):
        ends[j] = voltage_after(u[j], charge[j] + bounds[LIFT, j], tick.leak[j])
    for r in range(len(i)):
        for j in range(len(u)):
            now = i[r, j]
            left = current_left(now, tick.fade[r, j])
            bounds[RISE, j] += now if now > zero else zero
            bounds[FALL, j] += now if now < zero else left
    for j in range(len(u)):
        most = bounds[RISE, j]
        left = tick.leak[j] * u[j]
        bound = (u[j] if u[j] > left else left) + most * (one - tick.leak[j])
        returns = (most > gap[j]) & (bounds[FALL, j] < gap[j]) & (bound >= gap[j])
        flag[j] = one if reaches(ends[j], gap[j]) | returns else zero
    for j in range(len(u)):
        hits += flag[j]
    return hits  # type: ignore[no-any-return]


@kernel
def order_in_tick(
    first: int, last: int, neurons: Integers, fractions: Floats, currents: Floats, release: Floats
) -> None:
    """Sort spikes ``first`` to ``last - 1`` of one tick in place by time; equal ones keep their order."""
    if last - first > 64:
        order = first + np.argsort(fractions[first:last], kind="mergesort")
        neurons[first:last] = neurons[order]
        currents[first:last] = currents[order]
        release[first:last] = release[order]
        fractions[first:last] = fractions[order]
        return
    for k in range(first + 1, last):
        neuron, fraction, current, end = neurons[k], fractions[k], currents[k], release[k]
        p = k
        while p > first and fractions[p - 1] > fraction:
            neurons[p], fractions[p] = neurons[p - 1], fractions[p - 1]
            currents[p], release[p] = currents[p - 1], release[p - 1]
            p -= 1
        neurons[p], fractions[p], currents[p], release[p] = neuron, fraction, current, end


@kernel
def step_off_grid(
    u: NDArray[Any],
    ends: NDArray[Any],
    i: NDArray[Any],
    ring: NDArray[Any],
    bounds: NDArray[Any],
    tick: Tick,
) -> None:
    """Carry all neurons to the end of a tick without spikes, and clear what arrived; see ``land``."""
    for j in range(len(u)):
        u[j] = ends[j]
    for r in range(len(i)):
        for j in range(len(u)):
            i[r, j] = current_after(i[r, j], ring[r, j], tick.fade[r, j])
            ring[r, j] = 0
    for r in range(len(bounds)):
        for j in range(len(u)):
            bounds[r, j] = 0
