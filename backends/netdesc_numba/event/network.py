"""Forward run of a stage with cycles: an event queue."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers
from netdesc_numba.event.advance import advance, fire, predict
from netdesc_numba.event.heap import drop, push


@kernel
def run_network(
    first: int,
    last: int,
    times: Floats,
    slots: Integers,
    offsets: Integers,
    base: int,
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
    """Simulate samples ``first`` to ``last - 1`` of a stage with cycles.

    Parameters are those of ``sweep_neurons``, and ``base``: the slot of the stage's first neuron. A spike
    holds one place in the queue, for the synapse at which it arrives next; a neuron's predicted spike
    is renewed whenever something arrives, and what it replaces is passed over by its count.

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
    version = np.empty(n, dtype=np.int64)
    when = np.empty(64)
    keys = np.empty((64, 2), dtype=np.int64)
    due = np.empty(n + 64)
    owner = np.empty((n + 64, 2), dtype=np.int64)
    used = 0
    for b in range(first, last):
        done = used
        arrivals = 0
        spikes = 0
        for e in range(offsets[b], offsets[b + 1]):
            q = fan_start[slots[e]]
            if q < fan_start[slots[e] + 1] and times[e] + fan_delay[q] < duration:
                when, keys = push(arrivals, when, keys, times[e] + fan_delay[q], q, e)
                arrivals += 1
        for cell in range(n):
            state[0, cell] = start[cell]
            state[1, cell] = current[cell, 0]
            state[2, cell] = current[cell, 1]
            state[3, cell] = 0.0
            state[4, cell] = 0.0
            waiting[cell] = -1
            version[cell] = 0
            moment = 0.0
            if start[cell] < gap[cell]:
                moment = predict(cell, state, waiting, tau_m, tau_s, gap, reset, duration)
            if moment >= 0.0:
                due, owner = push(spikes, due, owner, moment, cell, 0)
                spikes += 1
        while arrivals > 0 or spikes > 0:
            if spikes > 0 and owner[0, 1] != version[owner[0, 0]]:
                drop(spikes, due, owner)
                spikes -= 1
                continue
            if spikes > 0 and (arrivals == 0 or due[0] <= when[0]):
                if used == capacity:
                    return b, done
                moment = due[0]
                cell = owner[0, 0]
                drop(spikes, due, owner)
                spikes -= 1
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
                q = fan_start[base + cell]
                if q < fan_start[base + cell + 1] and moment + fan_delay[q] < duration:
                    when, keys = push(arrivals, when, keys, moment + fan_delay[q], q, -1 - used)
                    arrivals += 1
                used += 1
            else:
                q = keys[0, 0]
                e = keys[0, 1]
                cell = fan_target[q]
                target = when[0]
                drop(arrivals, when, keys)
                arrivals -= 1
                if e >= 0:
                    emitted = times[e]
                    end = fan_start[slots[e] + 1]
                else:
                    emitted = out_times[-1 - e]
                    end = fan_start[base + out_neurons[-1 - e] + 1]
                if q + 1 < end and emitted + fan_delay[q + 1] < duration:
                    when, keys = push(arrivals, when, keys, emitted + fan_delay[q + 1], q + 1, e)
                    arrivals += 1
                advance(cell, target, state, waiting, out_release, tau_m, tau_s, reset)
                state[1 + fan_receptor[q], cell] += fan_weight[q]
            version[cell] += 1
            moment = predict(cell, state, waiting, tau_m, tau_s, gap, reset, duration)
            if moment >= 0.0:
                due, owner = push(spikes, due, owner, moment, cell, version[cell])
                spikes += 1
        for cell in range(n):
            advance(cell, duration, state, waiting, out_release, tau_m, tau_s, reset)
        counts[b] = used - done
    return last, used
