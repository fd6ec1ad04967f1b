"""Voltages, currents and adjoints at given times, computed from the spikes of a run."""

from __future__ import annotations

import numpy as np

from netdesc.adjoint.arrivals import gather
from netdesc.adjoint.neuron import jump, retreat
from netdesc.adjoint.neurons import own_spikes
from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import decay, slope_before
from netdesc.dynamics.two_currents import flow_two
from netdesc.events import Floats, Integers


@kernel
def sample_state(
    batch: int,
    times: Floats,
    slots: Integers,
    offsets: Integers,
    fan_start: Integers,
    fan_target: Integers,
    fan_receptor: Integers,
    fan_weight: Floats,
    fan_delay: Floats,
    tau_m: Floats,
    tau_s: Floats,
    tau_ref: Floats,
    reset: Floats,
    drop: Floats,
    start: Floats,
    current: Floats,
    spike_times: Floats,
    spike_neurons: Integers,
    spike_offsets: Integers,
    chosen: Integers,
    moments: Floats,
    horizon: float,
    voltage: Floats,
    total: Floats,
) -> None:
    """Evaluate voltage and total current of chosen neurons of a stage.

    A sample at the time of an arrival includes it; one at the time of a spike shows the reset.

    Parameters
    ----------
    batch : int
    times, slots, offsets : ndarray
        All spikes that reach the stage, its own included, by slot.
    fan_start, fan_target, fan_receptor, fan_weight, fan_delay : ndarray
        Synapses sorted by slot.
    tau_m, tau_s, tau_ref, reset, drop, start, current : ndarray of float64
        Per neuron; ``tau_s`` and ``current`` of shape (n, 2). ``drop`` is what a spike subtracts from v,
        NaN where it sets the reset instead.
    spike_times, spike_neurons, spike_offsets : ndarray
        The stage's own spikes.
    chosen : ndarray of int64, shape (c,)
    moments : ndarray of float64, shape (m,)
        Ascending, in ms.
    horizon : float
        Just after the last moment, in ms.
    voltage, total : ndarray of float64, shape (batch, c, m)
        Results: voltage above rest and total current.
    """
    n = len(tau_m)
    for b in range(batch):
        begin, when, synapse, _, _ = gather(
            offsets[b], offsets[b + 1], times, slots, fan_start, fan_target, fan_delay, n, horizon
        )
        own_start, own = own_spikes(spike_offsets[b], spike_offsets[b + 1], spike_neurons, n)
        for c in range(len(chosen)):
            cell = chosen[c]
            u, i, j, t, free = start[cell], current[cell, 0], current[cell, 1], 0.0, 0.0
            e, p = begin[cell], own_start[cell]
            for m in range(len(moments)):
                while True:
                    arrives = when[e] if e < begin[cell + 1] else np.inf
                    fires = spike_times[own[p]] if p < own_start[cell + 1] else np.inf
                    target = min(moments[m], min(arrives, fires))
                    held = min(max(free - t, 0.0), target - t)
                    i *= decay(held, tau_s[cell, 0])
                    j *= decay(held, tau_s[cell, 1])
                    if target - t - held > 0.0:
                        u, i, j = flow_two(
                            u, i, j, target - t - held, tau_m[cell], tau_s[cell, 0], tau_s[cell, 1]
                        )
                    t = target
                    if fires <= target and fires <= arrives:
                        u = reset[cell] if np.isnan(drop[cell]) else u - drop[cell]
                        free = t + tau_ref[cell]
                        p += 1
                    elif arrives <= target:
                        if fan_receptor[synapse[e]] == 0:
                            i += fan_weight[synapse[e]]
                        else:
                            j += fan_weight[synapse[e]]
                        e += 1
                    else:
                        break
                voltage[b, c, m] = u
                total[b, c, m] = i + j


@kernel
def sample_adjoint(
    batch: int,
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
    total: Floats,
    chosen: Integers,
    moments: Floats,
    lam_v: Floats,
    lam_i: Floats,
) -> None:
    """Evaluate the adjoints of chosen neurons of a stage.

    Parameters
    ----------
    batch : int
    tau_m, tau_s, tau_ref, gap, reset, floor : ndarray of float64
        Per neuron; ``tau_s`` of shape (n, 2).
    duration : float
        In ms.
    spike_times, spike_neurons, currents, release, spike_offsets : ndarray
        The stage's own spikes.
    total : ndarray of float64
        Total dL/dt of each spike, as the adjoint sweep leaves it.
    chosen : ndarray of int64, shape (c,)
    moments : ndarray of float64, shape (m,)
        Ascending, in ms.
    lam_v, lam_i : ndarray of float64, shape (batch, c, m)
        Results; ``lam_i`` of the first receptor.
    """
    n = len(tau_m)
    state = np.empty((5, n))
    for b in range(batch):
        own_start, own = own_spikes(spike_offsets[b], spike_offsets[b + 1], spike_neurons, n)
        for c in range(len(chosen)):
            cell = chosen[c]
            state[0:3, cell] = 0.0
            state[3, cell] = duration
            state[4, cell] = np.nan
            p = own_start[cell + 1] - 1
            for m in range(len(moments) - 1, -1, -1):
                while p >= own_start[cell] and spike_times[own[p]] > moments[m]:
                    k = own[p]
                    retreat(
                        cell,
                        spike_times[k],
                        k,
                        state,
                        tau_m,
                        tau_s,
                        tau_ref,
                        reset,
                        spike_times,
                        release,
                        duration,
                    )
                    jump(cell, spike_times[k], total[k], slope_before(currents[k], gap[cell]), floor, state)
                    p -= 1
                latest = own[p] if p >= own_start[cell] else -1
                retreat(
                    cell,
                    min(moments[m], duration),
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
                lam_v[b, c, m] = state[0, cell]
                lam_i[b, c, m] = state[1, cell]
