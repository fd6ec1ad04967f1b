"""Forward run of the scheme ``off_grid``: spikes and arrivals at fractions of a tick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Integers
from netdesc.physics.jit import kernel
from netdesc.physics.subtick import FREE, cross_tick
from netdesc.physics.tick import Tick, current_after, current_left, factors_until, reaches, voltage_after
from netdesc_numba.ticks_arrivals import collect_arrivals
from netdesc_numba.ticks_forward import add_charges
from netdesc_numba.ticks_packets import find_ticks, gather_sources
from netdesc_numba.ticks_wiring import Neurons, Packets, Synapses

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


@kernel
def run_off_grid(
    first: int,
    last: int,
    packets: Packets,
    synapses: Synapses,
    neurons: Neurons,
    tick: Tick,
    steps: int,
    timestep: float,
    out_ticks: Integers,
    out_neurons: Integers,
    out_fractions: Floats,
    out_currents: Floats,
    out_release: Floats,
    counts: Integers,
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of a stage.

    Between ticks all neurons move at once: the state, and each packet on its own, are carried to the end of
    the tick. Only where that or a bound tells that v may pass the threshold, or where the membrane is
    released, the tick of a neuron is gone through from arrival to arrival.

    Parameters
    ----------
    first, last, packets, synapses, neurons, tick, steps
        As in ``run_ticks``.
    timestep : float
        In ms.
    out_ticks, out_neurons, out_fractions, out_currents, out_release : ndarray, shape (capacity,)
        Results: spikes in order of time, ties by neuron, with the total current at each and at the end of the
        refractory period (NaN where that is not reached).
    counts : ndarray of int64, shape (batch,)
        Results: spikes per sample.

    Returns
    -------
    sample : int
        The first sample that is not done: ``last``, or the one for which the capacity did not suffice.
    used : int
        Spikes of the samples that are done; -1 if a neuron has more spikes in a tick than can be told.
    """
    n = len(neurons.gap)
    kind = neurons.gap.dtype.type
    depth = 2
    for g in range(len(synapses.delay)):
        depth = max(depth, synapses.delay[g] + 1)
    ring = np.zeros((depth, len(neurons.current), n), dtype=neurons.gap.dtype)
    bounds = np.zeros((depth, 3, n), dtype=neurons.gap.dtype)
    u = np.empty_like(neurons.gap)
    i = np.empty_like(neurons.current)
    charge = np.empty_like(neurons.gap)
    ends = np.empty_like(neurons.gap)
    flag = np.empty_like(neurons.gap)
    free = np.empty(n, dtype=np.int64)
    waiting = np.empty(n, dtype=np.int64)
    special = np.empty(n, dtype=np.int64)
    result = np.empty((n, 4))
    when = np.empty(16)
    found = np.empty((16, 5), dtype=np.int64)
    weight = np.empty(16)
    receptor = np.empty(16, dtype=np.int64)
    at_spike = np.empty(1024)
    current = np.empty(1024)
    sources = np.empty(64, dtype=np.int64)
    codes = np.empty(64, dtype=np.int64)
    outer = np.empty(steps + 2, dtype=np.int64)
    inner = np.empty(steps + 2, dtype=np.int64)
    two = len(neurons.current) > 1
    used = 0
    for b in range(first, last):
        done = used
        find_ticks(packets.offsets[b], packets.offsets[b + 1], packets.ticks, outer)
        ring[:] = 0
        bounds[:] = 0
        u[:] = neurons.start
        i[:] = neurons.current
        waiting[:] = -1
        free[:] = 0
        inner[0] = used
        for m in range(steps):
            place = m % depth
            fresh = used
            specials = 0
            hits = flag_spikes(u, i, charge, bounds[place], ends, flag, tick, neurons.gap)
            if neurons.holding:
                for j in range(n):
                    if waiting[j] >= 0:
                        ends[j] = u[j]
                        flag[j] = 1 if free[j] == m else 0
                        hits += flag[j]
            if hits > 0:
                for j in range(n):
                    if flag[j] == 0:
                        continue
                    count = collect_arrivals(
                        j,
                        m,
                        packets.sources,
                        packets.fractions,
                        outer,
                        out_neurons,
                        out_fractions,
                        inner,
                        neurons.member,
                        synapses,
                        when,
                        found,
                    )
                    if count > len(when):
                        when, weight = np.empty(2 * count), np.empty(2 * count)
                        receptor = np.empty(2 * count, dtype=np.int64)
                        found = np.empty((2 * count, 5), dtype=np.int64)
                        count = collect_arrivals(
                            j,
                            m,
                            packets.sources,
                            packets.fractions,
                            outer,
                            out_neurons,
                            out_fractions,
                            inner,
                            neurons.member,
                            synapses,
                            when,
                            found,
                        )
                    for p in range(count):
                        weight[p] = synapses.weight[found[p, 0]]
                        receptor[p] = found[p, 4]
                    release = out_fractions[waiting[j]] if waiting[j] >= 0 else FREE
                    cell = (
                        neurons.tau_m[j],
                        neurons.tau_s[j, 0],
                        neurons.tau_s[j, 1],
                        float(neurons.gap[j]),
                        float(neurons.reset[j]),
                    )
                    found_spikes = cross_tick(
                        float(u[j]),
                        float(i[0, j]),
                        float(i[1, j]) if two else 0.0,
                        release,
                        count,
                        when,
                        weight,
                        receptor,
                        timestep,
                        cell,
                        neurons.hold[j] > 0,
                        at_spike,
                        current,
                        result[specials],
                    )
                    if found_spikes < 0:
                        return b, -1
                    if found_spikes == 0 and waiting[j] < 0:
                        continue
                    if waiting[j] >= 0:
                        out_release[waiting[j]] = kind(result[specials, 3])
                        waiting[j] = -1
                    special[specials] = j
                    specials += 1
                    for k in range(found_spikes):
                        if used == len(out_ticks):
                            return b, done
                        out_ticks[used] = m
                        out_neurons[used] = j
                        out_fractions[used] = at_spike[k]
                        out_currents[used] = kind(current[k])
                        out_release[used] = np.nan if neurons.hold[j] > 0 else kind(current[k])
                        used += 1
            step_off_grid(u, ends, i, ring[place], bounds[place], tick)
            for k in range(specials):
                j = special[k]
                u[j] = result[k, 0]
                i[0, j] = result[k, 1]
                if two:
                    i[1, j] = result[k, 2]
            order_in_tick(fresh, used, out_neurons, out_fractions, out_currents, out_release)
            if neurons.holding:
                for k in range(fresh, used):
                    j = out_neurons[k]
                    if neurons.hold[j] > 0:
                        waiting[j] = k
                        free[j] = m + neurons.hold[j]
            own = used if neurons.recurrent else fresh
            inner[m + 1] = used if neurons.recurrent else done
            count, sources, codes = gather_sources(
                outer[m], outer[m + 1], packets, fresh, own, out_neurons, neurons.member, sources, codes
            )
            for k in range(count):
                fraction = packets.fractions[codes[k]] if codes[k] >= 0 else out_fractions[-1 - codes[k]]
                land(
                    sources[k],
                    fraction,
                    m,
                    ring,
                    bounds,
                    synapses,
                    neurons.tau_m,
                    neurons.tau_s,
                    neurons.uniform,
                    timestep,
                )
        counts[b] = used - done
    return last, used
