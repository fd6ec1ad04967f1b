"""Forward run of the schemes ``paper`` and ``exact_exponential``, tick by tick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.tick import (
    Tick,
    charge_of,
    current_after,
    current_left,
    passes,
    reaches,
    subtract,
    voltage_after,
)
from netdesc.events import Floats, Integers
from netdesc_numba.grid.packets import deliver, gather_sources
from netdesc_numba.grid.wiring import Neurons, Packets, Synapses


@kernel
def add_charges(i: NDArray[Any], rise: NDArray[Any], charge: NDArray[Any]) -> None:
    """Fill in what the currents add to the voltages in a tick, in the order of the receptors."""
    for j in range(len(charge)):
        charge[j] = charge_of(i[0, j], rise[0, j])
    for r in range(1, len(i)):
        for j in range(len(charge)):
            charge[j] += charge_of(i[r, j], rise[r, j])


@kernel
def step_paper(
    u: NDArray[Any],
    i: NDArray[Any],
    charge: NDArray[Any],
    arrivals: NDArray[Any],
    tick: Tick,
    gap: NDArray[Any],
) -> float:
    """Carry all neurons over a tick of the paper's scheme.

    Parameters
    ----------
    u, charge : ndarray, shape (n,)
        Voltage, and room for as many numbers.
    i, arrivals : ndarray, shape (receptors, n)
        Currents, and what arrives in this tick, which is cleared.
    tick : Tick
    gap : ndarray, shape (n,)

    Returns
    -------
    float
        Number of neurons above the threshold.
    """
    one = gap.dtype.type(1)
    hits = gap.dtype.type(0)
    for r in range(len(i)):
        for j in range(len(u)):
            i[r, j] = current_after(i[r, j], arrivals[r, j], tick.fade[r, j])
            arrivals[r, j] = 0
    add_charges(i, tick.rise, charge)
    for j in range(len(u)):
        u[j] = voltage_after(u[j], charge[j], tick.leak[j])
        hits += one if passes(u[j], gap[j]) else one - one
    return hits  # type: ignore[no-any-return]


@kernel
def step_exact(
    u: NDArray[Any],
    i: NDArray[Any],
    charge: NDArray[Any],
    tick: Tick,
    gap: NDArray[Any],
    held: NDArray[Any],
    holding: bool,
) -> float:
    """Carry all neurons over a tick in closed form, arrivals not included.

    Parameters
    ----------
    u, i, charge, tick, gap
        As in ``step_paper``.
    held : ndarray, shape (n,)
        1 where the membrane is held through this tick, 0 otherwise.
    holding : bool
        Whether there may be such neurons.

    Returns
    -------
    float
        Number of neurons at or above the threshold.
    """
    one = gap.dtype.type(1)
    hits = gap.dtype.type(0)
    add_charges(i, tick.rise, charge)
    if holding:
        for j in range(len(u)):
            moved = voltage_after(u[j], charge[j], tick.leak[j])
            u[j] = u[j] if held[j] > one - one else moved
    else:
        for j in range(len(u)):
            u[j] = voltage_after(u[j], charge[j], tick.leak[j])
    for r in range(len(i)):
        for j in range(len(u)):
            i[r, j] = current_left(i[r, j], tick.fade[r, j])
    for j in range(len(u)):
        hits += one if reaches(u[j], gap[j]) else one - one
    return hits  # type: ignore[no-any-return]


@kernel
def total_current(i: NDArray[Any], j: int) -> float:
    """Return the sum of the currents of neuron j, in the order of the receptors."""
    total = i[0, j]
    for r in range(1, len(i)):
        total += i[r, j]
    return total  # type: ignore[no-any-return]


@kernel
def run_ticks(
    first: int,
    last: int,
    packets: Packets,
    synapses: Synapses,
    neurons: Neurons,
    tick: Tick,
    steps: int,
    paper: bool,
    out_ticks: Integers,
    out_neurons: Integers,
    out_currents: Floats,
    out_release: Floats,
    out_slopes: Floats,
    counts: Integers,
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of a stage.

    Parameters
    ----------
    first, last : int
    packets : Packets
    synapses : Synapses
    neurons : Neurons
    tick : Tick
    steps : int
        Number of ticks.
    paper : bool
        The paper's scheme, ``exact_exponential`` otherwise.
    out_ticks, out_neurons, out_currents, out_release, out_slopes : ndarray, shape (capacity,)
        Results: spikes by tick and neuron, with the total current at each and at the end of the refractory
        period (NaN where that is not reached), and what the adjoint divides by.
    counts : ndarray of int64, shape (batch,)
        Results: spikes per sample.

    Returns
    -------
    sample : int
        The first sample that is not done: ``last``, or the one for which the capacity did not suffice.
    used : int
        Spikes of the samples that are done.
    """
    n = len(neurons.gap)
    gap = neurons.gap
    depth = 2
    for g in range(len(synapses.delay)):
        depth = max(depth, synapses.delay[g] + 1)
    ring = np.zeros((depth, len(neurons.current), n), dtype=gap.dtype)
    u = np.empty_like(gap)
    i = np.empty_like(neurons.current)
    charge = np.empty_like(gap)
    held = np.empty_like(gap)
    free = np.empty(n, dtype=np.int64)
    waiting = np.empty(n, dtype=np.int64)
    sources = np.empty(64, dtype=np.int64)
    codes = np.empty(64, dtype=np.int64)
    used = 0
    for b in range(first, last):
        done = used
        ring[:] = 0
        u[:] = neurons.start
        i[:] = neurons.current
        held[:] = 0
        free[:] = 0
        waiting[:] = -1
        e = packets.offsets[b]
        for m in range(steps + 1):
            fresh = used
            if m > 0:
                if paper:
                    hits = step_paper(u, i, charge, ring[m % depth], tick, gap)
                else:
                    hits = step_exact(u, i, charge, tick, gap, held, neurons.holding)
                if neurons.holding:
                    for j in range(n):
                        if waiting[j] >= 0 and m >= free[j]:
                            out_release[waiting[j]] = total_current(i, j)
                            waiting[j] = -1
                            held[j] = 0
                if hits > 0:
                    for j in range(n):
                        fires = passes(u[j], gap[j]) if paper else reaches(u[j], gap[j])
                        if fires and waiting[j] < 0:
                            if used == len(out_ticks):
                                return b, done
                            total = total_current(i, j)
                            out_ticks[used] = m
                            out_neurons[used] = j
                            out_currents[used] = total
                            out_release[used] = total
                            out_slopes[used] = total - u[j] if paper else total - gap[j]
                            u[j] = (
                                subtract(u[j], gap[j], neurons.reset[j])
                                if neurons.subtract[j] == 1
                                else neurons.reset[j]
                            )
                            if neurons.hold[j] > 0:
                                free[j] = m + neurons.hold[j]
                                held[j] = 1
                                waiting[j] = used
                                out_release[used] = np.nan
                            used += 1
                if not paper:
                    for r in range(len(i)):
                        add_row_and_clear(i[r], ring[m % depth, r])
            a = e
            while e < packets.offsets[b + 1] and packets.ticks[e] == m:
                e += 1
            if neurons.recurrent and used > fresh:
                count, sources, codes = gather_sources(
                    a, e, packets, fresh, used, out_neurons, neurons.member, sources, codes
                )
                deliver(0, count, sources, m, ring, synapses)
            elif e > a:
                deliver(a, e, packets.sources, m, ring, synapses)
        counts[b] = used - done
    return last, used


@kernel
def add_row_and_clear(to: NDArray[Any], row: NDArray[Any]) -> None:
    """Add what arrived to the currents and clear it."""
    for j in range(len(to)):
        to[j] += row[j]
        row[j] = 0
