"""Adjoint sweep of a stage with cycles: all its events in reverse order of time."""

from __future__ import annotations

import numpy as np

from netdesc.adjoint.arrivals import gather
from netdesc.adjoint.neuron import retreat, undo_spike
from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import arrival_force, weight_force
from netdesc.events import Floats, Integers


@kernel
def sweep_network_back(
    first: int,
    last: int,
    times: Floats,
    slots: Integers,
    offsets: Integers,
    base: int,
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
    """Carry adjoints of samples ``first`` to ``last - 1`` back through a stage with cycles.

    Parameters are those of ``sweep_neurons_back``, and ``base``: the slot of the stage's first neuron.
    At one time arrivals are undone before spikes, so that a spike is undone only when all that it caused
    has been counted.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    n = len(tau_m)
    state = np.empty((5, n))
    latest = np.empty(n, dtype=np.int64)
    grazing = 0
    for b in range(first, last):
        a, c = offsets[b], offsets[b + 1]
        own_a, own_c = spike_offsets[b], spike_offsets[b + 1]
        outside = c - a
        all_times = np.concatenate((times[a:c], spike_times[own_a:own_c]))
        all_slots = np.concatenate((slots[a:c], spike_neurons[own_a:own_c] + base))
        _, when, synapse, spike, _ = gather(
            0, len(all_times), all_times, all_slots, fan_start, fan_target, fan_delay, n, duration
        )
        order = np.argsort(when, kind="mergesort")
        # previous[k]: the spike of the same neuron before spike k
        previous = np.empty(own_c - own_a, dtype=np.int64)
        for cell in range(n):
            state[0, cell] = 0.0
            state[1, cell] = 0.0
            state[2, cell] = 0.0
            state[3, cell] = duration
            state[4, cell] = np.nan
            latest[cell] = -1
        for k in range(own_a, own_c):
            previous[k - own_a] = latest[spike_neurons[k]]
            latest[spike_neurons[k]] = k
        p = own_c - 1
        x = len(order) - 1
        while x >= 0 or p >= own_a:
            if x >= 0 and (p < own_a or when[order[x]] >= spike_times[p]):
                e = order[x]
                q = synapse[e]
                cell = fan_target[q]
                r = fan_receptor[q]
                retreat(
                    cell,
                    when[e],
                    latest[cell],
                    state,
                    tau_m,
                    tau_s,
                    tau_ref,
                    reset,
                    spike_times,
                    release,
                    duration,
                )
                lam_i = state[1 + r, cell]
                pull = arrival_force(fan_weight[q], state[0, cell], lam_i)
                if spike[e] < outside:
                    arrival[a + spike[e]] += pull
                else:
                    force[own_a + spike[e] - outside] += pull
                delay_gradient[fan_synapse[q]] += pull
                weight_gradient[fan_synapse[q]] += weight_force(lam_i, tau_s[cell, r])
                x -= 1
            else:
                cell = spike_neurons[p]
                grazing += undo_spike(
                    cell,
                    p,
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
                latest[cell] = previous[p - own_a]
                p -= 1
    return grazing
