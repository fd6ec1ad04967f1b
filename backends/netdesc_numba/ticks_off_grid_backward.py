"""Adjoint run of the scheme ``off_grid``.

dL/dt of a packet is the sum over its targets in ascending order, segment by segment; targets that spike or
are released in the tick of arrival come after all others. The gradient of a weight is a sum from the last tick
to the first, within a sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Integers
from netdesc.physics.jit import kernel
from netdesc.physics.lif import adjoint_charge, arrival_force, weight_force
from netdesc.physics.subtick import FREE, cross_tick_back
from netdesc.physics.tick import Tick, adjoint_current_before, adjoint_voltage_before, factors_until
from netdesc_numba.ticks_arrivals import collect_arrivals
from netdesc_numba.ticks_backward import chain_spikes, step_back
from netdesc_numba.ticks_packets import find_ticks
from netdesc_numba.ticks_wiring import Neurons, Packets, Synapses


@kernel
def meet_within(
    begin: int,
    end: int,
    sources: Integers,
    fractions: Floats,
    delay: int,
    synapses: Synapses,
    tau_m: Floats,
    tau_s: Floats,
    uniform: bool,
    timestep: float,
    lam_v: NDArray[Any],
    lam_i: NDArray[Any],
    gradient: NDArray[Any],
    pulls: NDArray[Any],
    pulled: NDArray[Any],
) -> None:
    """Let packets that arrive in a tick meet the adjoints of their targets, carried back to the arrival.

    Parameters
    ----------
    begin, end : int
        The packets.
    sources, fractions : ndarray
        Index in the program of each, and part of the tick at which it arrives.
    delay : int
        Only synapses of that delay, in ticks.
    synapses : Synapses
    tau_m, tau_s, uniform
        From ``Neurons``.
    timestep : float
        In ms.
    lam_v, lam_i : ndarray, shape (n,), (receptors, n)
        Adjoints at the end of the tick.
    gradient : ndarray, shape (synapses,)
        dL/dw is added.
    pulls : ndarray, shape (n,)
        Room.
    pulled : ndarray
        dL/d(arrival) is added, per packet.
    """
    first, delays, bases, receptor, run, start, target, weight, _ = synapses
    kind = weight.dtype.type
    for e in range(begin, end):
        for s in range(first[sources[e]], first[sources[e] + 1]):
            if delays[s] != delay:
                continue
            total = pulled[e]
            r = receptor[s]
            at = start[s]
            if run[s] == 1 and uniform:
                base = bases[s]
                tau = kind(tau_s[0, r])
                leak, fade, k = factors_until(fractions[e], timestep, tau_m[0], tau_s[0, r])
                a = kind(leak)
                b = kind(fade)
                g = kind(adjoint_charge(k, tau_m[0], tau_s[0, r]))
                size = start[s + 1] - at
                for x in range(size):
                    lam = adjoint_current_before(lam_i[r, base + x], lam_v[base + x], b, g)
                    pulls[x] = arrival_force(weight[at + x], adjoint_voltage_before(lam_v[base + x], a), lam)
                    gradient[at + x] += weight_force(lam, tau)
                for x in range(size):
                    total += pulls[x]
            else:
                for q in range(at, start[s + 1]):
                    j = target[q]
                    leak, fade, k = factors_until(fractions[e], timestep, tau_m[j], tau_s[j, r])
                    g = kind(adjoint_charge(k, tau_m[j], tau_s[j, r]))
                    lam = adjoint_current_before(lam_i[r, j], lam_v[j], kind(fade), g)
                    total += arrival_force(weight[q], adjoint_voltage_before(lam_v[j], kind(leak)), lam)
                    gradient[q] += weight_force(lam, kind(tau_s[j, r]))
            pulled[e] = total


@kernel
def find_specials(
    m: int,
    begin: int,
    end: int,
    own_ticks: Integers,
    own_neurons: Integers,
    latest: Integers,
    previous: Integers,
    neurons: Neurons,
    special: Integers,
    spikes: Integers,
    released: Integers,
    marked: NDArray[Any],
) -> int:
    """List the neurons that spike or are released in a tick, and take its spikes off their chains.

    Parameters
    ----------
    m : int
        The tick.
    begin, end : int
        Its spikes.
    own_ticks, own_neurons : ndarray of int64
        All spikes.
    latest, previous : ndarray of int64
        Chains of spikes per neuron; ``latest`` is moved to the last spike before this tick.
    neurons : Neurons
    special, spikes, released : ndarray of int64
        Results: neurons; last spike of each in this tick, -1 for none; spike that it is released from in
        this tick, -1 for none.
    marked : ndarray, shape (n,)
        Result: 1 for these neurons. Zeros before.

    Returns
    -------
    int
        How many.
    """
    count = 0
    for k in range(begin, end):
        j = own_neurons[k]
        if marked[j] == 0:
            marked[j] = 1
            special[count] = j
            spikes[count] = latest[j]
            released[count] = -1
            count += 1
    for p in range(count):
        k = spikes[p]
        while k >= 0 and own_ticks[k] == m:
            k = previous[k]
        latest[special[p]] = k
    if neurons.holding:
        for p in range(count):
            j = special[p]
            k = latest[j]
            if k >= 0 and neurons.hold[j] > 0 and own_ticks[k] + neurons.hold[j] == m:
                released[p] = k
        for j in range(len(marked)):
            k = latest[j]
            if marked[j] == 0 and k >= 0 and neurons.hold[j] > 0 and own_ticks[k] + neurons.hold[j] == m:
                marked[j] = 1
                special[count] = j
                spikes[count] = -1
                released[count] = k
                count += 1
    return count


@kernel
def run_off_grid_back(
    first: int,
    last: int,
    packets: Packets,
    synapses: Synapses,
    neurons: Neurons,
    tick: Tick,
    steps: int,
    timestep: float,
    own_ticks: Integers,
    own_neurons: Integers,
    own_fractions: Floats,
    own_offsets: Integers,
    currents: NDArray[Any],
    release: NDArray[Any],
    force: NDArray[Any],
    arrival: NDArray[Any],
    total: Floats,
) -> int:
    """Carry adjoints of samples ``first`` to ``last - 1`` back through a stage.

    Parameters
    ----------
    first, last, packets, synapses, neurons, tick, steps, force, arrival, total
        As in ``run_ticks_back``.
    timestep : float
        In ms.
    own_ticks, own_neurons, own_fractions, own_offsets, currents, release : ndarray
        Spikes of the stage, from ``run_off_grid``.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    n = len(neurons.gap)
    lam_v = np.empty_like(neurons.gap)
    lam_i = np.empty_like(neurons.current)
    quiet_v = np.empty_like(neurons.gap)
    quiet_i = np.empty_like(neurons.current)
    carry = np.empty_like(neurons.gap)
    pulls = np.empty_like(neurons.gap)
    marked = np.zeros_like(neurons.gap)
    gradient = np.empty_like(synapses.weight)
    latest = np.empty(n, dtype=np.int64)
    special = np.empty(n, dtype=np.int64)
    spikes = np.empty(n, dtype=np.int64)
    released = np.empty(n, dtype=np.int64)
    states = np.empty((n, 4))
    previous = np.empty(len(own_neurons), dtype=np.int64)
    outer = np.empty(steps + 2, dtype=np.int64)
    inner = np.empty(steps + 2, dtype=np.int64)
    returning = inner if neurons.recurrent else np.zeros_like(inner)
    own_sources = neurons.member[own_neurons]
    when = np.empty(16)
    found = np.empty((16, 5), dtype=np.int64)
    numbers = np.empty((3, 16))
    receptor = np.empty(16, dtype=np.int64)
    at = np.empty((3, 1024))
    two = len(neurons.current) > 1
    grazing = 0
    for b in range(first, last):
        find_ticks(packets.offsets[b], packets.offsets[b + 1], packets.ticks, outer)
        find_ticks(own_offsets[b], own_offsets[b + 1], own_ticks, inner)
        chain_spikes(own_offsets[b], own_offsets[b + 1], own_neurons, latest, previous)
        lam_v[:] = 0
        lam_i[:] = 0
        carry[:] = 0
        gradient[:] = 0
        for m in range(steps - 1, -1, -1):
            specials = find_specials(
                m,
                inner[m],
                inner[m + 1],
                own_ticks,
                own_neurons,
                latest,
                previous,
                neurons,
                special,
                spikes,
                released,
                marked,
            )
            quiet_v[:] = lam_v
            quiet_i[:] = lam_i
            for p in range(specials):
                quiet_v[special[p]] = 0
                quiet_i[:, special[p]] = 0
                marked[special[p]] = 0
            for delay in synapses.delays:
                if delay > m:
                    continue
                a, c = outer[m - delay], outer[m - delay + 1]
                if c > a:
                    meet_within(
                        a,
                        c,
                        packets.sources,
                        packets.fractions,
                        delay,
                        synapses,
                        neurons.tau_m,
                        neurons.tau_s,
                        neurons.uniform,
                        timestep,
                        quiet_v,
                        quiet_i,
                        gradient,
                        pulls,
                        arrival,
                    )
                a, c = returning[m - delay], returning[m - delay + 1]
                if c > a:
                    meet_within(
                        a,
                        c,
                        own_sources,
                        own_fractions,
                        delay,
                        synapses,
                        neurons.tau_m,
                        neurons.tau_s,
                        neurons.uniform,
                        timestep,
                        quiet_v,
                        quiet_i,
                        gradient,
                        pulls,
                        force,
                    )
            for p in range(specials):
                j = special[p]
                count = collect_arrivals(
                    j,
                    m,
                    packets.sources,
                    packets.fractions,
                    outer,
                    own_neurons,
                    own_fractions,
                    returning,
                    neurons.member,
                    synapses,
                    when,
                    found,
                )
                if count > len(when):
                    when, numbers = np.empty(2 * count), np.empty((3, 2 * count))
                    receptor = np.empty(2 * count, dtype=np.int64)
                    found = np.empty((2 * count, 5), dtype=np.int64)
                    count = collect_arrivals(
                        j,
                        m,
                        packets.sources,
                        packets.fractions,
                        outer,
                        own_neurons,
                        own_fractions,
                        returning,
                        neurons.member,
                        synapses,
                        when,
                        found,
                    )
                for x in range(count):
                    numbers[0, x] = synapses.weight[found[x, 0]]
                    receptor[x] = found[x, 4]
                hits = 0
                k = spikes[p]
                while k > latest[j]:
                    hits += 1
                    k = previous[k]
                k = spikes[p]
                for x in range(hits - 1, -1, -1):
                    at[0, x] = own_fractions[k]
                    at[1, x] = currents[k]
                    at[2, x] = force[k]
                    k = previous[k]
                cell = (
                    neurons.tau_m[j],
                    neurons.tau_s[j, 0],
                    neurons.tau_s[j, 1],
                    float(neurons.gap[j]),
                    float(neurons.reset[j]),
                )
                states[p, 0] = lam_v[j]
                states[p, 1] = lam_i[0, j]
                states[p, 2] = lam_i[1, j] if two else 0.0
                states[p, 3] = carry[j]
                k = released[p]
                grazing += cross_tick_back(
                    own_fractions[k] if k >= 0 else FREE,
                    float(release[k]) if k >= 0 else 0.0,
                    count,
                    when,
                    numbers[0],
                    receptor,
                    hits,
                    at[0],
                    at[1],
                    timestep,
                    cell,
                    neurons.hold[j] > 0,
                    float(neurons.floor[j]),
                    at[2],
                    states[p],
                    numbers[1],
                    numbers[2],
                )
                carry[j] = states[p, 3]
                for x in range(count):
                    gradient[found[x, 0]] += lam_v.dtype.type(numbers[2, x])
                    if found[x, 1] >= 0:
                        arrival[found[x, 1]] += lam_v.dtype.type(numbers[1, x])
                    else:
                        force[-1 - found[x, 1]] += lam_v.dtype.type(numbers[1, x])
                k = spikes[p]
                for x in range(hits - 1, -1, -1):
                    force[k] = at[2, x]
                    k = previous[k]
            step_back(lam_v, lam_i, tick)
            for p in range(specials):
                j = special[p]
                lam_v[j] = states[p, 0]
                lam_i[0, j] = states[p, 1]
                if two:
                    lam_i[1, j] = states[p, 2]
        for q in range(len(gradient)):
            total[q] += gradient[q]
    return grazing
