"""Forward run on a time grid, scheme ``exact_exponential``."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import charge, decay
from netdesc.dynamics.two_currents import propagate
from netdesc.events import Floats, Integers


@kernel
def run_grid(
    first: int,
    last: int,
    ticks: Integers,
    slots: Integers,
    offsets: Integers,
    base: int,
    fan_start: Integers,
    fan_target: Integers,
    fan_receptor: Integers,
    fan_weight: Floats,
    fan_ticks: Integers,
    tau_m: Floats,
    tau_s: Floats,
    hold: Integers,
    gap: Floats,
    reset: Floats,
    subtract: Integers,
    start: Floats,
    current: Floats,
    steps: int,
    out_ticks: Integers,
    out_neurons: Integers,
    out_currents: Floats,
    out_release: Floats,
    counts: Integers,
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of a stage step by step.

    Times are counted in steps. In each the state is carried on by its closed form, the threshold is
    tested, and what arrives at that tick is added to the currents.

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
    for cell in range(n):
        leak[cell] = decay(1.0, tau_m[cell])
        for r in range(2):
            fade[r, cell] = decay(1.0, tau_s[cell, r])
            gain[r, cell] = charge(1.0, leak[cell], fade[r, cell], tau_m[cell], tau_s[cell, r])
    u = np.empty(n)
    i = np.empty((2, n))
    free = np.empty(n, dtype=np.int64)
    waiting = np.empty(n, dtype=np.int64)
    used = 0
    for b in range(first, last):
        done = used
        ring[:] = 0.0
        for cell in range(n):
            u[cell] = start[cell]
            i[0, cell] = current[cell, 0]
            i[1, cell] = current[cell, 1]
            free[cell] = 0
            waiting[cell] = -1
        e = offsets[b]
        for tick in range(steps + 1):
            hits = 0.0
            if tick > 0:
                for cell in range(n):
                    moved = propagate(
                        u[cell], i[0, cell], i[1, cell], leak[cell], gain[0, cell], gain[1, cell]
                    )
                    u[cell] = moved if tick > free[cell] else u[cell]
                    i[0, cell] *= fade[0, cell]
                    i[1, cell] *= fade[1, cell]
            for cell in range(n):
                hits += 1.0 if (u[cell] >= gap[cell] or waiting[cell] >= 0) else 0.0
            if hits > 0.0:
                for cell in range(n):
                    if waiting[cell] >= 0 and tick >= free[cell]:
                        out_release[waiting[cell]] = i[0, cell] + i[1, cell]
                        waiting[cell] = -1
                    if u[cell] >= gap[cell] and tick >= free[cell]:
                        if used == capacity:
                            return b, done
                        out_ticks[used] = tick
                        out_neurons[used] = cell
                        out_currents[used] = i[0, cell] + i[1, cell]
                        out_release[used] = out_currents[used]
                        u[cell] = u[cell] - (gap[cell] - reset[cell]) if subtract[cell] == 1 else reset[cell]
                        if hold[cell] > 0:
                            free[cell] = tick + hold[cell]
                            waiting[cell] = used
                            out_release[used] = np.nan
                        for q in range(fan_start[base + cell], fan_start[base + cell + 1]):
                            ring[(tick + fan_ticks[q]) % depth, fan_receptor[q], fan_target[q]] += fan_weight[
                                q
                            ]
                        used += 1
            while e < offsets[b + 1] and ticks[e] == tick:
                for q in range(fan_start[slots[e]], fan_start[slots[e] + 1]):
                    ring[(tick + fan_ticks[q]) % depth, fan_receptor[q], fan_target[q]] += fan_weight[q]
                e += 1
            place = tick % depth
            for r in range(2):
                for cell in range(n):
                    i[r, cell] += ring[place, r, cell]
                    ring[place, r, cell] = 0.0
        counts[b] = used - done
    return last, used
