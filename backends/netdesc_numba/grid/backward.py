"""Adjoint run of the schemes ``paper`` and ``exact_exponential``, tick by tick.

dL/dt of a packet is the sum over its targets in ascending order, segment by segment; the gradient of a weight
is a sum from the last tick to the first, within a sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import arrival_force, bounded_slope, slope_after, weight_force
from netdesc.dynamics.tick import (
    Tick,
    adjoint_current_before,
    adjoint_voltage_before,
    jump_before,
    paper_jump,
)
from netdesc.events import Floats, Integers
from netdesc_numba.grid.packets import find_ticks
from netdesc_numba.grid.wiring import Neurons, Packets, Synapses


@kernel
def meet(
    begin: int,
    end: int,
    sources: Integers,
    delay: int,
    synapses: Synapses,
    pull_v: NDArray[Any],
    pull_i: NDArray[Any],
    gain_i: NDArray[Any],
    tau_s: NDArray[Any],
    gradient: NDArray[Any],
    pulls: NDArray[Any],
    pulled: NDArray[Any],
) -> None:
    """Let packets that arrive in a tick meet the adjoints of their targets.

    Parameters
    ----------
    begin, end : int
        The packets.
    sources : ndarray of int64
        Index in the program of each.
    delay : int
        Only synapses of that delay, in ticks.
    synapses : Synapses
    pull_v, pull_i : ndarray, shape (n,), (receptors, n)
        Adjoints that tell dL/d(arrival).
    gain_i : ndarray, shape (receptors, n)
        Adjoint that tells dL/dw.
    tau_s : ndarray, shape (receptors, n)
    gradient : ndarray, shape (synapses,)
        dL/dw is added.
    pulls : ndarray, shape (n,)
        Room.
    pulled : ndarray
        dL/d(arrival) is added, per packet.
    """
    first, delays, bases, receptor, run, start, target, weight, _ = synapses
    for e in range(begin, end):
        for g in range(first[sources[e]], first[sources[e] + 1]):
            if delays[g] != delay:
                continue
            a = start[g]
            r = receptor[g]
            total = pulled[e]
            if run[g] == 1:
                base = bases[g]
                size = start[g + 1] - a
                for k in range(size):
                    pulls[k] = arrival_force(weight[a + k], pull_v[base + k], pull_i[r, base + k])
                for k in range(size):
                    gradient[a + k] += weight_force(gain_i[r, base + k], tau_s[r, base + k])
                for k in range(size):
                    total += pulls[k]
            else:
                for q in range(a, start[g + 1]):
                    j = target[q]
                    total += arrival_force(weight[q], pull_v[j], pull_i[r, j])
                    gradient[q] += weight_force(gain_i[r, j], tau_s[r, j])
            pulled[e] = total


@kernel
def step_back(lam_v: NDArray[Any], lam_i: NDArray[Any], tick: Tick) -> None:
    """Carry the adjoints of all neurons back over a tick, without spikes; lam_i with the later lam_v."""
    for r in range(len(lam_i)):
        for j in range(len(lam_v)):
            lam_i[r, j] = adjoint_current_before(lam_i[r, j], lam_v[j], tick.fade[r, j], tick.pull[r, j])
    for j in range(len(lam_v)):
        lam_v[j] = adjoint_voltage_before(lam_v[j], tick.leak[j])


@kernel
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


@kernel
def undo_exact(
    m: int,
    begin: int,
    end: int,
    neurons: Neurons,
    own_ticks: Integers,
    own_neurons: Integers,
    currents: NDArray[Any],
    release: NDArray[Any],
    slopes: NDArray[Any],
    force: NDArray[Any],
    lam_v: NDArray[Any],
    carry: NDArray[Any],
    latest: Integers,
    previous: Integers,
) -> int:
    """Undo the spikes of a tick, then the releases, in the scheme ``exact_exponential``.

    Parameters
    ----------
    m, begin, end : int
        The tick and its spikes.
    neurons : Neurons
    own_ticks, own_neurons, currents, release, slopes, force
        As in ``run_ticks_back``.
    lam_v, carry : ndarray, shape (n,)
        Adjoint of the membrane, and what is kept of it through a refractory period.
    latest, previous : ndarray of int64
        From ``chain_spikes``.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    grazing = 0
    for k in range(begin, end):
        j = own_neurons[k]
        slope = bounded_slope(slopes[k], neurons.floor[j])
        grazing += 1 if slope > slopes[k] else 0
        if neurons.hold[j] == 0:
            carry[j] = slope_after(currents[k], neurons.reset[j]) * lam_v[j]
        lam_v[j] = jump_before(carry[j], force[k], slope)
        force[k] += carry[j]
        carry[j] = 0
        latest[j] = previous[k]
    if neurons.holding:
        for j in range(len(lam_v)):
            k = latest[j]
            if k >= 0 and neurons.hold[j] > 0 and own_ticks[k] + neurons.hold[j] == m:
                carry[j] = slope_after(release[k], neurons.reset[j]) * lam_v[j]
                lam_v[j] = 0
    return grazing


@kernel
def run_ticks_back(
    first: int,
    last: int,
    packets: Packets,
    synapses: Synapses,
    neurons: Neurons,
    tick: Tick,
    tau_s: NDArray[Any],
    steps: int,
    paper: bool,
    own_ticks: Integers,
    own_neurons: Integers,
    own_offsets: Integers,
    currents: NDArray[Any],
    release: NDArray[Any],
    slopes: NDArray[Any],
    force: NDArray[Any],
    arrival: NDArray[Any],
    total: Floats,
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
    lam_i = np.empty_like(neurons.current)
    # the paper reads dL/d(arrival) at one tick and dL/dw at the one before it
    late_v = np.empty_like(lam_v) if paper else lam_v
    late_i = np.empty_like(lam_i) if paper else lam_i
    carry = np.empty_like(neurons.gap)
    pulls = np.empty_like(neurons.gap)
    gradient = np.empty_like(synapses.weight)
    latest = np.empty(n, dtype=np.int64)
    previous = np.empty(len(own_neurons), dtype=np.int64)
    own_sources = neurons.member[own_neurons]
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
            if paper:
                late_v[:] = lam_v
                late_i[:] = lam_i
                step_back(lam_v, lam_i, tick)
                for k in range(inner[m], inner[m + 1]):
                    j = own_neurons[k]
                    slope = bounded_slope(slopes[k], neurons.floor[j])
                    grazing += 1 if slope > slopes[k] else 0
                    distance = neurons.gap[j] - neurons.reset[j]
                    lam_v[j] += paper_jump(late_v[j], force[k], slope, distance)
                    force[k] += distance * late_v[j]
            for delay in synapses.delays:
                if delay > m:
                    continue
                a, c = outer[m - delay], outer[m - delay + 1]
                if c > a:
                    meet(
                        a,
                        c,
                        packets.sources,
                        delay,
                        synapses,
                        late_v,
                        late_i,
                        lam_i,
                        tau_s,
                        gradient,
                        pulls,
                        arrival,
                    )
                a, c = inner[m - delay], inner[m - delay + 1]
                if neurons.recurrent and c > a:
                    meet(
                        a,
                        c,
                        own_sources,
                        delay,
                        synapses,
                        late_v,
                        late_i,
                        lam_i,
                        tau_s,
                        gradient,
                        pulls,
                        force,
                    )
            if not paper:
                grazing += undo_exact(
                    m,
                    inner[m],
                    inner[m + 1],
                    neurons,
                    own_ticks,
                    own_neurons,
                    currents,
                    release,
                    slopes,
                    force,
                    lam_v,
                    carry,
                    latest,
                    previous,
                )
                step_back(lam_v, lam_i, tick)
        for q in range(len(gradient)):
            total[q] += gradient[q]
    return grazing
