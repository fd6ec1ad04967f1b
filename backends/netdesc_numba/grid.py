"""Forward run on a time grid, scheme ``exact_exponential``."""

from __future__ import annotations

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.physics.jit import kernel
from netdesc.physics.lif import charge, decay
from netdesc.physics.two_currents import propagate


@kernel
def run_grid(
    first: int, last: int, ticks: Integers, slots: Integers, offsets: Integers, base: int,
    fan_start: Integers, fan_target: Integers, fan_receptor: Integers, fan_weight: Floats, fan_ticks: Integers,
    tau_m: Floats, tau_s: Floats, hold: Integers, gap: Floats, reset: Floats, subtract: Integers,
    start: Floats, current: Floats, steps: int,
    out_ticks: Integers, out_neurons: Integers, out_currents: Floats, out_release: Floats, counts: Integers,
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of a stage step by step.

    Times are counted in steps. In each the state is carried on by its closed form, the threshold is tested, and what
    arrives at that tick is added to the currents.

    Parameters
    ----------
    first, last : int
        Range of samples.
    ticks, slots, offsets : ndarray
        Spikes that enter the stage: tick of emission, ascending within a sample, and slot.
    base : int
        Slot of the stage's first neuron.
    fan_start, fan_target, fan_receptor, fan_weight, fan_ticks : ndarray
        Synapses sorted by slot; delays in ticks, at least 1 within the stage.
    tau_m, tau_s, gap, reset, start, current : ndarray of float64
        Per neuron, time constants in steps; ``tau_s`` and ``current`` of shape (n, 2).
    hold : ndarray of int64, shape (n,)
        Refractory period in ticks.
    subtract : ndarray of int64, shape (n,)
        1 where a spike subtracts the distance from reset to threshold.
    steps : int
        Number of steps.
    out_ticks, out_neurons, out_currents, out_release : ndarray, shape (capacity,)
        Results: spikes in order of time.
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
    capacity = len(out_ticks)
    depth = 1
    for q in range(len(fan_ticks)):
        depth = max(depth, fan_ticks[q] + 1)
    ring = np.zeros((depth, 2, n))
    leak = np.empty(n)
    fade = np.empty((2, n))
    gain = np.empty((2, n))
    for l in range(n):
        leak[l] = decay(1.0, tau_m[l])
        for r in range(2):
            fade[r, l] = decay(1.0, tau_s[l, r])
            gain[r, l] = charge(1.0, leak[l], fade[r, l], tau_m[l], tau_s[l, r])
    u = np.empty(n)
    i = np.empty((2, n))
    free = np.empty(n, dtype=np.int64)
    waiting = np.empty(n, dtype=np.int64)
    used = 0
    for b in range(first, last):
        done = used
        ring[:] = 0.0
        for l in range(n):
            u[l] = start[l]
            i[0, l] = current[l, 0]
            i[1, l] = current[l, 1]
            free[l] = 0
            waiting[l] = -1
        e = offsets[b]
        for tick in range(steps + 1):
            hits = 0.0
            if tick > 0:
                for l in range(n):
                    moved = propagate(u[l], i[0, l], i[1, l], leak[l], gain[0, l], gain[1, l])
                    u[l] = moved if tick > free[l] else u[l]
                    i[0, l] *= fade[0, l]
                    i[1, l] *= fade[1, l]
            for l in range(n):
                hits += 1.0 if (u[l] >= gap[l] or waiting[l] >= 0) else 0.0
            if hits > 0.0:
                for l in range(n):
                    if waiting[l] >= 0 and tick >= free[l]:
                        out_release[waiting[l]] = i[0, l] + i[1, l]
                        waiting[l] = -1
                    if u[l] >= gap[l] and tick >= free[l]:
                        if used == capacity:
                            return b, done
                        out_ticks[used] = tick
                        out_neurons[used] = l
                        out_currents[used] = i[0, l] + i[1, l]
                        out_release[used] = out_currents[used]
                        u[l] = u[l] - (gap[l] - reset[l]) if subtract[l] == 1 else reset[l]
                        if hold[l] > 0:
                            free[l] = tick + hold[l]
                            waiting[l] = used
                            out_release[used] = np.nan
                        for q in range(fan_start[base + l], fan_start[base + l + 1]):
                            ring[(tick + fan_ticks[q]) % depth, fan_receptor[q], fan_target[q]] += fan_weight[q]
                        used += 1
            while e < offsets[b + 1] and ticks[e] == tick:
                for q in range(fan_start[slots[e]], fan_start[slots[e] + 1]):
                    ring[(tick + fan_ticks[q]) % depth, fan_receptor[q], fan_target[q]] += fan_weight[q]
                e += 1
            place = tick % depth
            for r in range(2):
                for l in range(n):
                    i[r, l] += ring[place, r, l]
                    ring[place, r, l] = 0.0
        counts[b] = used - done
    return last, used
