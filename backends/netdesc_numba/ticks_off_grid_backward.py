"""Adjoint run of the scheme ``off_grid``.

dL/dt of a packet is the sum over its targets in ascending order, segment by segment; targets that spike or are
released in the tick of arrival come after all others. The gradient of a weight is a sum from the last tick to
the first, within a sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Integers
from netdesc.physics.jit import rounding_kernel
from netdesc.physics.lif import adjoint_charge, arrival_force, weight_force
from netdesc.physics.subtick import FREE, cross_tick_back
from netdesc.physics.tick import Tick, adjoint_current_before, adjoint_voltage_before, factors_until
from netdesc_numba.ticks_arrivals import collect_arrivals
from netdesc_numba.ticks_backward import chain_spikes, step_back
from netdesc_numba.ticks_packets import find_ticks
from netdesc_numba.ticks_wiring import Neurons, Packets, Synapses


@rounding_kernel
def pull_landing(
    weight: NDArray[Any], lam_v: NDArray[Any], lam_i: NDArray[Any], tau_s: NDArray[Any], a: float, b: float,
    g: float, gradient: NDArray[Any], pulls: NDArray[Any], pulled: float,
) -> float:
    """Carry one packet over neighbouring targets back to its arrival.

    Parameters
    ----------
    weight, lam_v, lam_i, tau_s : ndarray, shape (k,)
        Adjoints at the end of the tick.
    a, b, g : float
        Decays of both over the rest of the tick, and what lam_i gains per unit of lam_v.
    gradient : ndarray, shape (k,)
        dL/dw is added.
    pulls : ndarray, shape (k,) or more
        Room.
    pulled : float
        dL/d(arrival) so far.

    Returns
    -------
    float
        With that of these targets.
    """
    for k in range(len(weight)):
        lam = adjoint_current_before(lam_i[k], lam_v[k], b, g)
        pulls[k] = arrival_force(weight[k], adjoint_voltage_before(lam_v[k], a), lam)
        gradient[k] += weight_force(lam, tau_s[k])
    for k in range(len(weight)):
        pulled += pulls[k]
    return pulled


@rounding_kernel
def pull_packet(
    source: int, fraction: float, delay: int, synapses: Synapses, neurons: Neurons, timestep: float,
    lam_v: NDArray[Any], lam_i: NDArray[Any], tau_s: NDArray[Any], gradient: NDArray[Any],
    pulls: NDArray[Any], pulled: float,
) -> float:
    """Carry a packet over all synapses of one delay; see ``pull_landing``."""
    kind = lam_v.dtype.type
    for s in range(synapses.first[source], synapses.first[source + 1]):
        if synapses.delay[s] != delay:
            continue
        begin = synapses.start[s]
        end = synapses.start[s + 1]
        r = synapses.receptor[s]
        if synapses.run[s] == 1 and neurons.uniform:
            base = synapses.base[s]
            stop = base + end - begin
            tau_m, tau = neurons.tau_m[base], neurons.tau_s[base, r]
            a, b, k = factors_until(fraction, timestep, tau_m, tau)
            pulled = pull_landing(
                synapses.weight[begin:end], lam_v[base:stop], lam_i[r, base:stop], tau_s[r, base:stop], kind(a),
                kind(b), kind(adjoint_charge(k, tau_m, tau)), gradient[begin:end], pulls, pulled)
        else:
            for q in range(begin, end):
                l = synapses.target[q]
                tau_m, tau = neurons.tau_m[l], neurons.tau_s[l, r]
                a, b, k = factors_until(fraction, timestep, tau_m, tau)
                pulled = pull_landing(
                    synapses.weight[q:q + 1], lam_v[l:l + 1], lam_i[r, l:l + 1], tau_s[r, l:l + 1], kind(a),
                    kind(b), kind(adjoint_charge(k, tau_m, tau)), gradient[q:q + 1], pulls, pulled)
    return pulled


@rounding_kernel
def find_specials(
    m: int, begin: int, end: int, own_ticks: Integers, own_neurons: Integers, latest: Integers,
    previous: Integers, neurons: Neurons, special: Integers, spikes: Integers, released: Integers,
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
        l = own_neurons[k]
        if marked[l] == 0:
            marked[l] = 1
            special[count] = l
            spikes[count] = latest[l]
            released[count] = -1
            count += 1
    for p in range(count):
        k = spikes[p]
        while k >= 0 and own_ticks[k] == m:
            k = previous[k]
        latest[special[p]] = k
    if neurons.holding:
        for p in range(count):
            l = special[p]
            k = latest[l]
            if k >= 0 and neurons.hold[l] > 0 and own_ticks[k] + neurons.hold[l] == m:
                released[p] = k
        for l in range(len(marked)):
            k = latest[l]
            if marked[l] == 0 and k >= 0 and neurons.hold[l] > 0 and own_ticks[k] + neurons.hold[l] == m:
                marked[l] = 1
                special[count] = l
                spikes[count] = -1
                released[count] = k
                count += 1
    return count


@rounding_kernel
def run_off_grid_back(
    first: int, last: int, packets: Packets, synapses: Synapses, neurons: Neurons, tick: Tick,
    tau_s: NDArray[Any], steps: int, timestep: float,
    own_ticks: Integers, own_neurons: Integers, own_fractions: Floats, own_offsets: Integers,
    currents: NDArray[Any], release: NDArray[Any], force: NDArray[Any], arrival: NDArray[Any], total: Floats,
) -> int:
    """Carry adjoints of samples ``first`` to ``last - 1`` back through a stage.

    Parameters
    ----------
    first, last, packets, synapses, neurons, tick, tau_s, steps, force, arrival, total
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
    when = np.empty(16)
    found = np.empty((16, 4), dtype=np.int64)
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
                m, inner[m], inner[m + 1], own_ticks, own_neurons, latest, previous, neurons, special, spikes,
                released, marked)
            quiet_v[:] = lam_v
            quiet_i[:] = lam_i
            for p in range(specials):
                quiet_v[special[p]] = 0
                quiet_i[:, special[p]] = 0
                marked[special[p]] = 0
            for delay in synapses.delays:
                if delay > m:
                    continue
                for e in range(outer[m - delay], outer[m - delay + 1]):
                    arrival[e] = pull_packet(
                        packets.sources[e], packets.fractions[e], delay, synapses, neurons, timestep, quiet_v,
                        quiet_i, tau_s, gradient, pulls, arrival[e])
                if neurons.recurrent:
                    for e in range(inner[m - delay], inner[m - delay + 1]):
                        force[e] = pull_packet(
                            neurons.member[own_neurons[e]], own_fractions[e], delay, synapses, neurons, timestep,
                            quiet_v, quiet_i, tau_s, gradient, pulls, force[e])
            for p in range(specials):
                l = special[p]
                count, when, found = collect_arrivals(
                    l, m, packets, outer, own_neurons, own_fractions, inner, synapses, neurons, when, found)
                if count > len(receptor):
                    numbers = np.empty((3, len(when)))
                    receptor = np.empty(len(when), dtype=np.int64)
                for x in range(count):
                    numbers[0, x] = synapses.weight[found[x, 0]]
                    g = np.searchsorted(synapses.start, found[x, 0], side="right") - 1
                    receptor[x] = synapses.receptor[g]
                hits = 0
                k = spikes[p]
                while k > latest[l]:
                    hits += 1
                    k = previous[k]
                k = spikes[p]
                for x in range(hits - 1, -1, -1):
                    at[0, x] = own_fractions[k]
                    at[1, x] = currents[k]
                    at[2, x] = force[k]
                    k = previous[k]
                cell = (neurons.tau_m[l], neurons.tau_s[l, 0], neurons.tau_s[l, 1], float(neurons.gap[l]),
                        float(neurons.reset[l]))
                states[p, 0] = lam_v[l]
                states[p, 1] = lam_i[0, l]
                states[p, 2] = lam_i[1, l] if two else 0.0
                states[p, 3] = carry[l]
                k = released[p]
                grazing += cross_tick_back(
                    own_fractions[k] if k >= 0 else FREE, float(release[k]) if k >= 0 else 0.0, count, when,
                    numbers[0], receptor, hits, at[0], at[1], timestep, cell, neurons.hold[l] > 0,
                    float(neurons.floor[l]), at[2], states[p], numbers[1], numbers[2])
                carry[l] = states[p, 3]
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
                l = special[p]
                lam_v[l] = states[p, 0]
                lam_i[0, l] = states[p, 1]
                if two:
                    lam_i[1, l] = states[p, 2]
        for q in range(len(gradient)):
            total[q] += gradient[q]
    return grazing
