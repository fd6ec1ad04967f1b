"""Adjoint sweep of a stage without a cycle: neuron after neuron, each with its own arrivals."""

from __future__ import annotations

import numpy as np

from netdesc.adjoint.arrivals import gather
from netdesc.adjoint.neuron import retreat, undo_spike
from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import arrival_force, weight_force
from netdesc.events import Floats, Integers


@kernel
def own_spikes(begin: int, end: int, neurons: Integers, size: int) -> tuple[Integers, Integers]:
    """Sort spikes ``begin`` to ``end - 1`` by neuron, keeping their order in time.

    Returns
    -------
    start : ndarray of int64, shape (size + 1,)
    index : ndarray of int64, shape (end - begin,)
    """
    start = np.zeros(size + 1, dtype=np.int64)
    for k in range(begin, end):
        start[neurons[k] + 1] += 1
    for cell in range(size):
        start[cell + 1] += start[cell]
    place = start[:-1].copy()
    index = np.empty(end - begin, dtype=np.int64)
    for k in range(begin, end):
        index[place[neurons[k]]] = k
        place[neurons[k]] += 1
    return start, index


@kernel
def sweep_neurons_back(
    first: int,
    last: int,
    times: Floats,
    slots: Integers,
    offsets: Integers,
    fan_start: Integers,
    fan_target: Integers,
    fan_synapse: Integers,
    fan_receptor: Integers,
    fan_weight: Floats,
    fan_delay: Floats,
    tau_m: Floats,
    tau_s: Floats,
    tau_ref: Floats,
    gap: Floats,
    reset: Floats,
    floor: Floats,
    duration: float,
    spike_times: Floats,
    spike_neurons: Integers,
    currents: Floats,
    release: Floats,
    spike_offsets: Integers,
    force: Floats,
    arrival: Floats,
    weight_gradient: Floats,
    delay_gradient: Floats,
) -> int:
    """Carry adjoints of samples ``first`` to ``last - 1`` back to the synapses of a stage.

    Parameters
    ----------
    first, last : int
        Range of samples.
    times, slots, offsets : ndarray
        Spikes that enter the stage.
    fan_start, fan_target, fan_synapse, fan_receptor, fan_weight, fan_delay : ndarray
        Synapses sorted by slot.
    tau_m, tau_s, tau_ref, gap, reset, floor : ndarray of float64
        Per neuron; ``tau_s`` of shape (n, 2).
    duration : float
        In ms.
    spike_times, spike_neurons, currents, release, spike_offsets : ndarray
        The stage's own spikes.
    force : ndarray of float64, shape (spikes,)
        In: dL/dt of each own spike, direct and through later stages. Out: the total.
    arrival : ndarray of float64, shape (k,)
        Result is added: dL/dt of each spike that enters.
    weight_gradient, delay_gradient : ndarray of float64, shape (synapses,)
        Results are added, by synapse number.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    n = len(tau_m)
    state = np.empty((5, n))
    grazing = 0
    for b in range(first, last):
        start, when, synapse, spike, _ = gather(
            offsets[b], offsets[b + 1], times, slots, fan_start, fan_target, fan_delay, n, duration
        )
        own_start, own = own_spikes(spike_offsets[b], spike_offsets[b + 1], spike_neurons, n)
        for cell in range(n):
            state[0, cell] = 0.0
            state[1, cell] = 0.0
            state[2, cell] = 0.0
            state[3, cell] = duration
            state[4, cell] = np.nan
            p = own_start[cell + 1] - 1
            e = start[cell + 1] - 1
            while e >= start[cell] or p >= own_start[cell]:
                if e >= start[cell] and (p < own_start[cell] or when[e] >= spike_times[own[p]]):
                    latest = own[p] if p >= own_start[cell] else -1
                    retreat(
                        cell,
                        when[e],
                        latest,
                        state,
                        tau_m,
                        tau_s,
                        tau_ref,
                        reset,
                        spike_times,
                        release,
                        duration,
                    )
                    q = synapse[e]
                    r = fan_receptor[q]
                    lam_i = state[1 + r, cell]
                    pull = arrival_force(fan_weight[q], state[0, cell], lam_i)
                    arrival[spike[e]] += pull
                    delay_gradient[fan_synapse[q]] += pull
                    weight_gradient[fan_synapse[q]] += weight_force(lam_i, tau_s[cell, r])
                    e -= 1
                else:
                    grazing += undo_spike(
                        cell,
                        own[p],
                        state,
                        tau_m,
                        tau_s,
                        tau_ref,
                        gap,
                        reset,
                        spike_times,
                        currents,
                        release,
                        force,
                        floor,
                        duration,
                    )
                    p -= 1
    return grazing
