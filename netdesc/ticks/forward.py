"""A tick of the schemes ``published`` and ``exact_exponential``, forward."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import counting, inlined, spliced
from netdesc.dynamics.tick import (
    current_after,
    current_left,
    gained_from,
    passes,
    reaches,
    subtract,
    voltage_after,
)
from netdesc.dynamics.views import copy_rows, fill, row, stretch
from netdesc.ticks.delivery import clear_buffers
from netdesc.ticks.records import NO_ROOM, PUBLISHED, Buffers, Cells, Neurons, Slice, Spikes


@inlined
def start_slice(item: Slice, start: NDArray[Any]) -> None:
    """Put a slice into the state ``start`` at the beginning of a sample."""
    copy_rows(item.neurons.state, start)
    fill(item.neurons.free, 0)
    fill(item.neurons.waiting, -1)
    clear_buffers(item.buffers)


@inlined
def arriving(m: int, r: int, cells: Cells, buffers: Buffers) -> NDArray[Any]:
    """Return what arrives at receptor r in tick m."""
    n = len(cells.gap)
    at = ((m % buffers.depth) * len(cells.gain) + r) * n
    return stretch(buffers.current, at, n)  # type: ignore[no-any-return]


@inlined
def gain_voltage(r: int, i: NDArray[Any], gain: NDArray[Any], gained: NDArray[Any]) -> None:
    """Add what current r gives to the voltages in a tick to what the currents before it give."""
    if r == 0:
        for j in range(len(i)):
            gained[j] = gained_from(i[j], gain[j])
    else:
        for j in range(len(i)):
            gained[j] += gained_from(i[j], gain[j])


@counting
def count_passes(u: NDArray[Any], gap: NDArray[Any]) -> float:
    """Return how many neurons spike in the scheme ``published``."""
    one, hits = gap.dtype.type(1), gap.dtype.type(0)
    for j in range(len(u)):
        hits += one if passes(u[j], gap[j]) else one - one
    return hits  # type: ignore[no-any-return]


@counting
def count_reaches(u: NDArray[Any], gap: NDArray[Any]) -> float:
    """Return how many neurons spike in the other schemes."""
    one, hits = gap.dtype.type(1), gap.dtype.type(0)
    for j in range(len(u)):
        hits += one if reaches(u[j], gap[j]) else one - one
    return hits  # type: ignore[no-any-return]


@inlined
def step_published(m: int, cells: Cells, neurons: Neurons, buffers: Buffers) -> float:
    """Advance all neurons over a tick of the scheme ``published``, arrivals included.

    Parameters
    ----------
    m : int
        The tick.
    cells, neurons, buffers

    Returns
    -------
    float
        Number of neurons above the threshold.
    """
    u, gained = row(neurons.state, 0), neurons.gained
    for r in range(len(cells.gain)):
        i, arrived, fade = row(neurons.state, 1 + r), arriving(m, r, cells, buffers), row(cells.fade, r)
        for j in range(len(i)):
            i[j] = current_after(i[j], arrived[j], fade[j])
            arrived[j] = 0
        gain_voltage(r, i, row(cells.gain, r), gained)
    for j in range(len(u)):
        u[j] = voltage_after(u[j], gained[j], cells.leak[j])
    return count_passes(u, cells.gap)


@inlined
def step_exact(cells: Cells, neurons: Neurons) -> float:
    """Advance all neurons over a tick in closed form, arrivals not included.

    Returns
    -------
    float
        Number of neurons at or above the threshold.
    """
    u, gained = row(neurons.state, 0), neurons.gained
    for r in range(len(cells.gain)):
        i, fade = row(neurons.state, 1 + r), row(cells.fade, r)
        gain_voltage(r, i, row(cells.gain, r), gained)
        for j in range(len(i)):
            i[j] = current_left(i[j], fade[j])
    if cells.holding:
        for j in range(len(u)):
            moved = voltage_after(u[j], gained[j], cells.leak[j])
            u[j] = u[j] if neurons.waiting[j] >= 0 else moved
    else:
        for j in range(len(u)):
            u[j] = voltage_after(u[j], gained[j], cells.leak[j])
    return count_reaches(u, cells.gap)


@inlined
def add_arrivals(m: int, cells: Cells, neurons: Neurons, buffers: Buffers) -> None:
    """Add what arrives in a tick to the currents, and clear it."""
    for r in range(len(cells.gain)):
        i, arrived = row(neurons.state, 1 + r), arriving(m, r, cells, buffers)
        for j in range(len(i)):
            i[j] += arrived[j]
            arrived[j] = 0


@inlined
def total_current(state: NDArray[Any], j: int) -> float:
    """Return the sum of the currents of neuron j, in the order of the receptors."""
    total = state[1, j]
    for r in range(2, len(state)):
        total += state[r, j]
    return total  # type: ignore[no-any-return]


@inlined
def release(m: int, neurons: Neurons, spikes: Spikes) -> None:
    """Release the neurons whose refractory period ends with a tick."""
    for j in range(len(neurons.free)):
        if neurons.waiting[j] >= 0 and m >= neurons.free[j]:
            spikes.release[neurons.waiting[j]] = total_current(neurons.state, j)
            neurons.waiting[j] = -1


@inlined
def fire(m: int, used: int, scheme: int, cells: Cells, neurons: Neurons, spikes: Spikes) -> int:
    """Store the spikes of a tick, by neuron, and reset.

    Parameters
    ----------
    m, used : int
        The tick, and spikes before it.
    scheme : int
    cells, neurons, spikes

    Returns
    -------
    int
        Spikes after it, or ``NO_ROOM``.
    """
    u = row(neurons.state, 0)
    for j in range(len(u)):
        fires = passes(u[j], cells.gap[j]) if scheme == PUBLISHED else reaches(u[j], cells.gap[j])
        if not fires or neurons.waiting[j] >= 0:
            continue
        if used == len(spikes.tick):
            return NO_ROOM
        total = total_current(neurons.state, j)
        spikes.tick[used], spikes.neuron[used] = m, j
        spikes.fraction[used], spikes.current[used], spikes.release[used] = 0, total, total
        spikes.slope[used] = total - u[j] if scheme == PUBLISHED else total - cells.gap[j]
        subtracts = len(cells.subtract) > 0 and cells.subtract[j] == 1
        u[j] = subtract(u[j], cells.gap[j], cells.reset[j]) if subtracts else cells.reset[j]
        if cells.hold[j] > 0:
            neurons.free[j] = m + cells.hold[j]
            neurons.waiting[j] = used
            spikes.release[used] = np.nan
        used += 1
    return used


@spliced
def step_on_grid(m: int, used: int, scheme: int, item: Slice) -> int:
    """Run the neurons of a slice for a tick and store their spikes; as ``fire``.

    What arrives in the tick is in the buffers already.
    """
    cells, neurons, spikes = item.cells, item.neurons, item.spikes
    if scheme == PUBLISHED:
        hits = step_published(m, cells, neurons, item.buffers)
    else:
        hits = step_exact(cells, neurons)
    if cells.holding:
        release(m, neurons, spikes)
    if hits > 0:
        used = fire(m, used, scheme, cells, neurons, spikes)
    if scheme != PUBLISHED:
        add_arrivals(m, cells, neurons, item.buffers)
    return used
