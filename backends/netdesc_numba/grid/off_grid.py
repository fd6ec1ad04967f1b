"""Forward run of the scheme ``off_grid``: spikes and arrivals at fractions of a tick."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.subtick import FREE, cross_tick
from netdesc.dynamics.tick import Tick
from netdesc.events import Floats, Integers
from netdesc_numba.grid.arrivals import collect_arrivals
from netdesc_numba.grid.landing import flag_spikes, land, order_in_tick, step_off_grid
from netdesc_numba.grid.packets import find_ticks, gather_sources
from netdesc_numba.grid.wiring import Neurons, Packets, Synapses


@kernel
def run_off_grid(
    first: int,
    last: int,
    packets: Packets,
    synapses: Synapses,
    neurons: Neurons,
    tick: Tick,
    steps: int,
    timestep: float,
    room: int,
    out_ticks: Integers,
    out_neurons: Integers,
    out_fractions: Floats,
    out_currents: Floats,
    out_release: Floats,
    counts: Integers,
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of a stage.

    Between ticks all neurons move at once: the state, and each packet on its own, are carried to the end of
    the tick. Only where that or a bound tells that v may pass the threshold, or where the membrane is
    released, the tick of a neuron is gone through from arrival to arrival.

    Parameters
    ----------
    first, last, packets, synapses, neurons, tick, steps
        As in ``run_ticks``.
    timestep : float
        In ms.
    room : int
        Arrivals at a neuron in a tick that there is room for, at least 2.
    out_ticks, out_neurons, out_fractions, out_currents, out_release : ndarray, shape (capacity,)
        Results: spikes in order of time, ties by neuron, with the total current at each and at the end of the
        refractory period (NaN where that is not reached).
    counts : ndarray of int64, shape (batch,)
        Results: spikes per sample.

    Returns
    -------
    sample : int
        The first sample that is not done: ``last``, or the one for which the capacity did not suffice.
    used : int
        Spikes of the samples that are done; -1 if a neuron has more spikes in a tick than can be told, the
        arrivals with a minus sign where there is no room for them.
    """
    n = len(neurons.gap)
    kind = neurons.gap.dtype.type
    depth = 2
    for g in range(len(synapses.delay)):
        depth = max(depth, synapses.delay[g] + 1)
    ring = np.zeros((depth, len(neurons.current), n), dtype=neurons.gap.dtype)
    bounds = np.zeros((depth, 3, n), dtype=neurons.gap.dtype)
    u = np.empty_like(neurons.gap)
    i = np.empty_like(neurons.current)
    charge = np.empty_like(neurons.gap)
    ends = np.empty_like(neurons.gap)
    flag = np.empty_like(neurons.gap)
    free = np.empty(n, dtype=np.int64)
    waiting = np.empty(n, dtype=np.int64)
    special = np.empty(n, dtype=np.int64)
    result = np.empty((n, 4))
    when = np.empty(room)
    found = np.empty((room, 5), dtype=np.int64)
    weight = np.empty(room)
    receptor = np.empty(room, dtype=np.int64)
    at_spike = np.empty(1024)
    current = np.empty(1024)
    sources = np.empty(64, dtype=np.int64)
    codes = np.empty(64, dtype=np.int64)
    outer = np.empty(steps + 2, dtype=np.int64)
    inner = np.empty(steps + 2, dtype=np.int64)
    two = len(neurons.current) > 1
    used = 0
    for b in range(first, last):
        done = used
        find_ticks(packets.offsets[b], packets.offsets[b + 1], packets.ticks, outer)
        ring[:] = 0
        bounds[:] = 0
        u[:] = neurons.start
        i[:] = neurons.current
        waiting[:] = -1
        free[:] = 0
        inner[0] = used
        for m in range(steps):
            place = m % depth
            fresh = used
            specials = 0
            hits = flag_spikes(u, i, charge, bounds[place], ends, flag, tick, neurons.gap)
            if neurons.holding:
                for j in range(n):
                    if waiting[j] >= 0:
                        ends[j] = u[j]
                        flag[j] = 1 if free[j] == m else 0
                        hits += flag[j]
            if hits > 0:
                for j in range(n):
                    if flag[j] == 0:
                        continue
                    count = collect_arrivals(
                        j,
                        m,
                        packets.sources,
                        packets.fractions,
                        outer,
                        out_neurons,
                        out_fractions,
                        inner,
                        neurons.member,
                        synapses,
                        when,
                        found,
                    )
                    if count > len(when):
                        return b, -count
                    for p in range(count):
                        weight[p] = synapses.weight[found[p, 0]]
                        receptor[p] = found[p, 4]
                    release = out_fractions[waiting[j]] if waiting[j] >= 0 else FREE
                    cell = (
                        neurons.tau_m[j],
                        neurons.tau_s[j, 0],
                        neurons.tau_s[j, 1],
                        float(neurons.gap[j]),
                        float(neurons.reset[j]),
                    )
                    found_spikes = cross_tick(
                        float(u[j]),
                        float(i[0, j]),
                        float(i[1, j]) if two else 0.0,
                        release,
                        count,
                        when,
                        weight,
                        receptor,
                        timestep,
                        cell,
                        neurons.hold[j] > 0,
                        at_spike,
                        current,
                        result[specials],
                    )
                    if found_spikes < 0:
                        return b, -1
                    if found_spikes == 0 and waiting[j] < 0:
                        continue
                    if waiting[j] >= 0:
                        out_release[waiting[j]] = kind(result[specials, 3])
                        waiting[j] = -1
                    special[specials] = j
                    specials += 1
                    for k in range(found_spikes):
                        if used == len(out_ticks):
                            return b, done
                        out_ticks[used] = m
                        out_neurons[used] = j
                        out_fractions[used] = at_spike[k]
                        out_currents[used] = kind(current[k])
                        out_release[used] = np.nan if neurons.hold[j] > 0 else kind(current[k])
                        used += 1
            step_off_grid(u, ends, i, ring[place], bounds[place], tick)
            for k in range(specials):
                j = special[k]
                u[j] = result[k, 0]
                i[0, j] = result[k, 1]
                if two:
                    i[1, j] = result[k, 2]
            order_in_tick(fresh, used, out_neurons, out_fractions, out_currents, out_release)
            if neurons.holding:
                for k in range(fresh, used):
                    j = out_neurons[k]
                    if neurons.hold[j] > 0:
                        waiting[j] = k
                        free[j] = m + neurons.hold[j]
            own = used if neurons.recurrent else fresh
            inner[m + 1] = used if neurons.recurrent else done
            count, sources, codes = gather_sources(
                outer[m], outer[m + 1], packets, fresh, own, out_neurons, neurons.member, sources, codes
            )
            for k in range(count):
                fraction = packets.fractions[codes[k]] if codes[k] >= 0 else out_fractions[-1 - codes[k]]
                land(
                    sources[k],
                    fraction,
                    m,
                    ring,
                    bounds,
                    synapses,
                    neurons.tau_m,
                    neurons.tau_s,
                    neurons.uniform,
                    timestep,
                )
        counts[b] = used - done
    return last, used
