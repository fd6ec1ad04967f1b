"""Forward sweep of a stage without a cycle: neuron after neuron, each with its own arrivals."""

from __future__ import annotations

import numpy as np

from netdesc.adjoint.arrivals import gather
from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers
from netdesc_numba.event.advance import advance, fire, predict


@kernel
def order_in_time(
    first: int, last: int, times: Floats, neurons: Integers, currents: Floats, release: Floats
) -> None:
    """Sort spikes ``first`` to ``last - 1`` in place by time, ties by neuron.

    They must come neuron after neuron in ascending order, each in order of time.
    """
    order = np.argsort(times[first:last], kind="mergesort")
    times[first:last] = times[first:last][order]
    neurons[first:last] = neurons[first:last][order]
    currents[first:last] = currents[first:last][order]
    release[first:last] = release[first:last][order]


@kernel
def sweep_neurons(
    first: int,
    last: int,
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
    gap: Floats,
    reset: Floats,
    start: Floats,
    current: Floats,
    duration: float,
    out_times: Floats,
    out_neurons: Integers,
    out_currents: Floats,
    out_release: Floats,
    counts: Integers,
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of a stage.

    Parameters
    ----------
    first, last : int
        Range of samples.
    times, slots, offsets : ndarray
        Spikes that enter the stage, by slot.
    fan_start, fan_target, fan_receptor, fan_weight, fan_delay : ndarray
        Synapses sorted by slot.
    tau_m, tau_s, tau_ref, gap, reset, start, current : ndarray of float64
        Per neuron; ``tau_s`` and ``current`` of shape (n, 2).
    duration : float
        In ms.
    out_times, out_neurons, out_currents, out_release : ndarray, shape (capacity,)
        Results: spikes, sample after sample, sorted by time.
    counts : ndarray of int64, shape (batch,)
        Results: spikes per sample.

    Returns
    -------
    sample : int
        The first sample that is not done: ``last``, or the one for which the capacity did not suffice.
    used : int
        Spikes of the samples that are done.
    """
    n = len(tau_m)
    capacity = len(out_times)
    state = np.empty((5, n))
    waiting = np.empty(n, dtype=np.int64)
    used = 0
    for b in range(first, last):
        done = used
        begin, when, synapse, _, _ = gather(
            offsets[b], offsets[b + 1], times, slots, fan_start, fan_target, fan_delay, n, duration
        )
        for cell in range(n):
            state[0, cell] = start[cell]
            state[1, cell] = current[cell, 0]
            state[2, cell] = current[cell, 1]
            state[3, cell] = 0.0
            state[4, cell] = 0.0
            waiting[cell] = -1
            if start[cell] >= gap[cell]:
                if used == capacity:
                    return b, done
                fire(
                    cell,
                    used,
                    0.0,
                    state,
                    waiting,
                    tau_ref,
                    reset,
                    out_times,
                    out_neurons,
                    out_currents,
                    out_release,
                )
                used += 1
            for e in range(begin[cell], begin[cell + 1] + 1):
                target = when[e] if e < begin[cell + 1] else duration
                while True:
                    moment = predict(cell, state, waiting, tau_m, tau_s, gap, reset, target)
                    if moment < 0.0:
                        break
                    if used == capacity:
                        return b, done
                    advance(cell, moment, state, waiting, out_release, tau_m, tau_s, reset)
                    fire(
                        cell,
                        used,
                        moment,
                        state,
                        waiting,
                        tau_ref,
                        reset,
                        out_times,
                        out_neurons,
                        out_currents,
                        out_release,
                    )
                    used += 1
                advance(cell, target, state, waiting, out_release, tau_m, tau_s, reset)
                if e < begin[cell + 1]:
                    state[1 + fan_receptor[synapse[e]], cell] += fan_weight[synapse[e]]
        order_in_time(done, used, out_times, out_neurons, out_currents, out_release)
        counts[b] = used - done
    return last, used
