"""Adjoint run of the scheme ``off_grid``.

dL/dt of a packet is the sum over its targets in ascending order, segment by segment; targets that spike or
are released in the tick of arrival come after all others. The gradient of a weight is a sum from the last
tick to the first, within a sample.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.subtick import FREE, cross_tick_back
from netdesc.dynamics.tick import Tick
from netdesc.events import Floats, Integers
from netdesc_numba.grid.arrivals import collect_arrivals
from netdesc_numba.grid.backward import chain_spikes, step_back
from netdesc_numba.grid.meeting import count_arrivals_at_most, find_specials, meet_within
from netdesc_numba.grid.packets import find_ticks
from netdesc_numba.grid.wiring import Neurons, Packets, Synapses


@kernel
def run_off_grid_back(
    first: int,
    last: int,
    packets: Packets,
    synapses: Synapses,
    neurons: Neurons,
    tick: Tick,
    steps: int,
    timestep: float,
    own_ticks: Integers,
    own_neurons: Integers,
    own_fractions: Floats,
    own_offsets: Integers,
    currents: NDArray[Any],
    release: NDArray[Any],
    force: NDArray[Any],
    arrival: NDArray[Any],
    total: Floats,
) -> int:
    """Carry adjoints of samples ``first`` to ``last - 1`` back through a stage.

    Parameters
    ----------
    first, last, packets, synapses, neurons, tick, steps, force, arrival, total
        As in ``run_ticks_back``.
    timestep : float
        In ms.
    own_ticks, own_neurons, own_fractions, own_offsets, currents, release : ndarray
        Spikes of the stage, from ``run_off_grid``.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    n = len(neurons.gap)
    lam_v = np.empty_like(neurons.gap)
    lam_i = np.empty_like(neurons.current)
    quiet_v = np.empty_like(neurons.gap)
    quiet_i = np.empty_like(neurons.current)
    carry = np.empty_like(neurons.gap)
    pulls = np.empty_like(neurons.gap)
    marked = np.zeros_like(neurons.gap)
    gradient = np.empty_like(synapses.weight)
    latest = np.empty(n, dtype=np.int64)
    special = np.empty(n, dtype=np.int64)
    spikes = np.empty(n, dtype=np.int64)
    released = np.empty(n, dtype=np.int64)
    states = np.empty((n, 4))
    previous = np.empty(len(own_neurons), dtype=np.int64)
    outer = np.empty(steps + 2, dtype=np.int64)
    inner = np.empty(steps + 2, dtype=np.int64)
    returning = inner if neurons.recurrent else np.zeros_like(inner)
    own_sources = neurons.member[own_neurons]
    at = np.empty((3, 1024))
    two = len(neurons.current) > 1
    grazing = 0
    for b in range(first, last):
        find_ticks(packets.offsets[b], packets.offsets[b + 1], packets.ticks, outer)
        find_ticks(own_offsets[b], own_offsets[b + 1], own_ticks, inner)
        room = count_arrivals_at_most(steps, outer, returning, synapses)
        when = np.empty(room)
        found = np.empty((room, 5), dtype=np.int64)
        numbers = np.empty((3, room))
        receptor = np.empty(room, dtype=np.int64)
        chain_spikes(own_offsets[b], own_offsets[b + 1], own_neurons, latest, previous)
        lam_v[:] = 0
        lam_i[:] = 0
        carry[:] = 0
        gradient[:] = 0
        for m in range(steps - 1, -1, -1):
            specials = find_specials(
                m,
                inner[m],
                inner[m + 1],
                own_ticks,
                own_neurons,
                latest,
                previous,
                neurons,
                special,
                spikes,
                released,
                marked,
            )
            quiet_v[:] = lam_v
            quiet_i[:] = lam_i
            for p in range(specials):
                quiet_v[special[p]] = 0
                quiet_i[:, special[p]] = 0
                marked[special[p]] = 0
            for delay in synapses.delays:
                if delay > m:
                    continue
                a, c = outer[m - delay], outer[m - delay + 1]
                if c > a:
                    meet_within(
                        a,
                        c,
                        packets.sources,
                        packets.fractions,
                        delay,
                        synapses,
                        neurons.tau_m,
                        neurons.tau_s,
                        neurons.uniform,
                        timestep,
                        quiet_v,
                        quiet_i,
                        gradient,
                        pulls,
                        arrival,
                    )
                a, c = returning[m - delay], returning[m - delay + 1]
                if c > a:
                    meet_within(
                        a,
                        c,
                        own_sources,
                        own_fractions,
                        delay,
                        synapses,
                        neurons.tau_m,
                        neurons.tau_s,
                        neurons.uniform,
                        timestep,
                        quiet_v,
                        quiet_i,
                        gradient,
                        pulls,
                        force,
                    )
            for p in range(specials):
                j = special[p]
                count = collect_arrivals(
                    j,
                    m,
                    packets.sources,
                    packets.fractions,
                    outer,
                    own_neurons,
                    own_fractions,
                    returning,
                    neurons.member,
                    synapses,
                    when,
                    found,
                )
                for x in range(count):
                    numbers[0, x] = synapses.weight[found[x, 0]]
                    receptor[x] = found[x, 4]
                hits = 0
                k = spikes[p]
                while k > latest[j]:
                    hits += 1
                    k = previous[k]
                k = spikes[p]
                for x in range(hits - 1, -1, -1):
                    at[0, x] = own_fractions[k]
                    at[1, x] = currents[k]
                    at[2, x] = force[k]
                    k = previous[k]
                cell = (
                    neurons.tau_m[j],
                    neurons.tau_s[j, 0],
                    neurons.tau_s[j, 1],
                    float(neurons.gap[j]),
                    float(neurons.reset[j]),
                )
                states[p, 0] = lam_v[j]
                states[p, 1] = lam_i[0, j]
                states[p, 2] = lam_i[1, j] if two else 0.0
                states[p, 3] = carry[j]
                k = released[p]
                grazing += cross_tick_back(
                    own_fractions[k] if k >= 0 else FREE,
                    float(release[k]) if k >= 0 else 0.0,
                    count,
                    when,
                    numbers[0],
                    receptor,
                    hits,
                    at[0],
                    at[1],
                    timestep,
                    cell,
                    neurons.hold[j] > 0,
                    float(neurons.floor[j]),
                    at[2],
                    states[p],
                    numbers[1],
                    numbers[2],
                )
                carry[j] = states[p, 3]
                for x in range(count):
                    gradient[found[x, 0]] += lam_v.dtype.type(numbers[2, x])
                    if found[x, 1] >= 0:
                        arrival[found[x, 1]] += lam_v.dtype.type(numbers[1, x])
                    else:
                        force[-1 - found[x, 1]] += lam_v.dtype.type(numbers[1, x])
                k = spikes[p]
                for x in range(hits - 1, -1, -1):
                    force[k] = at[2, x]
                    k = previous[k]
            step_back(lam_v, lam_i, tick)
            for p in range(specials):
                j = special[p]
                lam_v[j] = states[p, 0]
                lam_i[0, j] = states[p, 1]
                if two:
                    lam_i[1, j] = states[p, 2]
        for q in range(len(gradient)):
            total[q] += gradient[q]
    return grazing
