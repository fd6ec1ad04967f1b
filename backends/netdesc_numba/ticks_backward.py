"""Adjoint run of the schemes ``paper`` and ``exact_exponential``, tick by tick.

dL/dt of a packet is the sum over its targets in ascending order, segment by segment; the gradient of a weight
is a sum from the last tick to the first, within a sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Integers
from netdesc.physics.jit import rounding_kernel
from netdesc.physics.lif import arrival_force, bounded_slope, slope_after, weight_force
from netdesc.physics.tick import Tick, adjoint_current_before, adjoint_voltage_before, jump_before, paper_jump
from netdesc_numba.ticks_packets import find_ticks
from netdesc_numba.ticks_wiring import Neurons, Packets, Synapses


@rounding_kernel
def pull_row(
    weight: NDArray[Any], lam_v: NDArray[Any], lam_i: NDArray[Any], pulls: NDArray[Any], pulled: float,
) -> float:
    """Add dL/d(arrival) of one packet over a row of neighbouring targets to what it has.

    Parameters
    ----------
    weight, lam_v, lam_i : ndarray, shape (k,)
    pulls : ndarray, shape (k,) or more
        Room.
    pulled : float

    Returns
    -------
    float
    """
    for k in range(len(weight)):
        pulls[k] = arrival_force(weight[k], lam_v[k], lam_i[k])
    for k in range(len(weight)):
        pulled += pulls[k]
    return pulled


@rounding_kernel
def gain_row(gradient: NDArray[Any], lam_i: NDArray[Any], tau_s: NDArray[Any]) -> None:
    """Add dL/dw of one packet over a row of neighbouring targets; arrays of shape (k,)."""
    for k in range(len(gradient)):
        gradient[k] += weight_force(lam_i[k], tau_s[k])


@rounding_kernel
def pull(
    source: int, delay: int, synapses: Synapses, lam_v: NDArray[Any], lam_i: NDArray[Any],
    pulls: NDArray[Any], pulled: float,
) -> float:
    """Add dL/d(arrival) of a packet over all synapses of one delay to what it has; see ``pull_row``."""
    for g in range(synapses.first[source], synapses.first[source + 1]):
        if synapses.delay[g] != delay:
            continue
        a = synapses.start[g]
        c = synapses.start[g + 1]
        r = synapses.receptor[g]
        if synapses.run[g] == 1:
            base = synapses.base[g]
            pulled = pull_row(synapses.weight[a:c], lam_v[base:base + c - a], lam_i[r, base:base + c - a],
                              pulls, pulled)
        else:
            for q in range(a, c):
                l = synapses.target[q]
                pulled += arrival_force(synapses.weight[q], lam_v[l], lam_i[r, l])
    return pulled


@rounding_kernel
def gain(
    source: int, delay: int, synapses: Synapses, lam_i: NDArray[Any], tau_s: NDArray[Any],
    gradient: NDArray[Any],
) -> None:
    """Add dL/dw of a packet over all synapses of one delay; see ``gain_row``."""
    for g in range(synapses.first[source], synapses.first[source + 1]):
        if synapses.delay[g] != delay:
            continue
        a = synapses.start[g]
        c = synapses.start[g + 1]
        r = synapses.receptor[g]
        if synapses.run[g] == 1:
            base = synapses.base[g]
            gain_row(gradient[a:c], lam_i[r, base:base + c - a], tau_s[r, base:base + c - a])
        else:
            for q in range(a, c):
                gradient[q] += weight_force(lam_i[r, synapses.target[q]], tau_s[r, synapses.target[q]])


@rounding_kernel
def step_back(lam_v: NDArray[Any], lam_i: NDArray[Any], tick: Tick) -> None:
    """Carry the adjoints of all neurons back over a tick, without spikes; lam_i first, with the later lam_v."""
    for r in range(len(lam_i)):
        for l in range(len(lam_v)):
            lam_i[r, l] = adjoint_current_before(lam_i[r, l], lam_v[l], tick.fade[r, l], tick.pull[r, l])
    for l in range(len(lam_v)):
        lam_v[l] = adjoint_voltage_before(lam_v[l], tick.leak[l])


@rounding_kernel
def chain_spikes(begin: int, end: int, spikes: Integers, latest: Integers, previous: Integers) -> None:
    """Tell for every spike of a sample the one of the same neuron before it, -1 for none.

    Parameters
    ----------
    begin, end : int
        Spikes of the sample.
    spikes : ndarray of int64
        Neuron of each.
    latest : ndarray of int64, shape (n,)
        Result: last spike of each neuron.
    previous : ndarray of int64
        Result, aligned with ``spikes``.
    """
    latest[:] = -1
    for k in range(begin, end):
        previous[k] = latest[spikes[k]]
        latest[spikes[k]] = k


@rounding_kernel
def run_ticks_back(
    first: int, last: int, packets: Packets, synapses: Synapses, neurons: Neurons, tick: Tick,
    tau_s: NDArray[Any], steps: int, paper: bool,
    own_ticks: Integers, own_neurons: Integers, own_offsets: Integers, currents: NDArray[Any],
    release: NDArray[Any], slopes: NDArray[Any], force: NDArray[Any], arrival: NDArray[Any], total: Floats,
) -> int:
    """Carry adjoints of samples ``first`` to ``last - 1`` back through a stage.

    Parameters
    ----------
    first, last, packets, synapses, neurons, tick, steps, paper
        As in ``run_ticks``.
    tau_s : ndarray, shape (receptors, n)
        In ms, in the precision of the state.
    own_ticks, own_neurons, own_offsets, currents, release, slopes : ndarray
        Spikes of the stage, from ``run_ticks``; numbers in the precision of the state.
    force : ndarray, shape (own spikes,)
        In: dL/dt of every spike through what lies outside the stage, in 1/ms. Out: the total.
    arrival : ndarray, shape (packets,)
        dL/dt through this stage is added.
    total : ndarray of float64, shape (synapses,)
        Gradient of the weights, in the order of ``synapses``, is added sample after sample.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    n = len(neurons.gap)
    lam_v = np.empty_like(neurons.gap)
    before = np.empty_like(neurons.gap)
    lam_i = np.empty_like(neurons.current)
    carry = np.empty_like(neurons.gap)
    pulls = np.empty_like(neurons.gap)
    gradient = np.empty_like(synapses.weight)
    latest = np.empty(n, dtype=np.int64)
    previous = np.empty(len(own_neurons), dtype=np.int64)
    outer = np.empty(steps + 2, dtype=np.int64)
    inner = np.empty(steps + 2, dtype=np.int64)
    grazing = 0
    for b in range(first, last):
        find_ticks(packets.offsets[b], packets.offsets[b + 1], packets.ticks, outer)
        find_ticks(own_offsets[b], own_offsets[b + 1], own_ticks, inner)
        chain_spikes(own_offsets[b], own_offsets[b + 1], own_neurons, latest, previous)
        lam_v[:] = 0
        lam_i[:] = 0
        carry[:] = 0
        gradient[:] = 0
        for m in range(steps, 0, -1):
            for delay in synapses.delays:
                if delay > m:
                    continue
                for e in range(outer[m - delay], outer[m - delay + 1]):
                    source = packets.sources[e]
                    arrival[e] = pull(source, delay, synapses, lam_v, lam_i, pulls, arrival[e])
                    if not paper:
                        gain(source, delay, synapses, lam_i, tau_s, gradient)
                if neurons.recurrent:
                    for k in range(inner[m - delay], inner[m - delay + 1]):
                        source = neurons.member[own_neurons[k]]
                        force[k] = pull(source, delay, synapses, lam_v, lam_i, pulls, force[k])
                        if not paper:
                            gain(source, delay, synapses, lam_i, tau_s, gradient)
            if paper:
                before[:] = lam_v
                step_back(lam_v, lam_i, tick)
            for k in range(inner[m], inner[m + 1]):
                l = own_neurons[k]
                slope = bounded_slope(slopes[k], neurons.floor[l])
                grazing += 1 if slope > slopes[k] else 0
                if paper:
                    distance = neurons.gap[l] - neurons.reset[l]
                    lam_v[l] += paper_jump(before[l], force[k], slope, distance)
                    force[k] += distance * before[l]
                else:
                    if neurons.hold[l] == 0:
                        carry[l] = slope_after(currents[k], neurons.reset[l]) * lam_v[l]
                    lam_v[l] = jump_before(carry[l], force[k], slope)
                    force[k] += carry[l]
                    carry[l] = 0
                latest[l] = previous[k]
            if paper:
                for delay in synapses.delays:
                    if delay > m:
                        continue
                    for e in range(outer[m - delay], outer[m - delay + 1]):
                        gain(packets.sources[e], delay, synapses, lam_i, tau_s, gradient)
                    if neurons.recurrent:
                        for k in range(inner[m - delay], inner[m - delay + 1]):
                            gain(neurons.member[own_neurons[k]], delay, synapses, lam_i, tau_s, gradient)
            else:
                if neurons.holding:
                    for l in range(n):
                        k = latest[l]
                        if k >= 0 and neurons.hold[l] > 0 and own_ticks[k] + neurons.hold[l] == m:
                            carry[l] = slope_after(release[k], neurons.reset[l]) * lam_v[l]
                            lam_v[l] = 0
                step_back(lam_v, lam_i, tick)
        for q in range(len(gradient)):
            total[q] += gradient[q]
    return grazing
