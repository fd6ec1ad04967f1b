"""A tick of the schemes ``published`` and ``exact_exponential``, forward."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import counting, inlined, int64
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

CHUNK = 128
"""Neurons whose state stays in the fastest memory while a tick is computed."""

NEVER = 2**62
"""Tick of the release of a neuron that is not refractory."""


@inlined
def start_slice(item: Slice, start: NDArray[Any]) -> None:
    """Put a slice into the state ``start`` at the beginning of a sample."""
    copy_rows(item.neurons.state, start)
    fill(item.neurons.free, NEVER)
    fill(item.neurons.waiting, -1)
    clear_buffers(item.buffers)


@inlined
def part_of(values: NDArray[Any], r: int, begin: int, size: int) -> NDArray[Any]:
    """Return ``size`` elements from ``begin`` on of row r."""
    return stretch(row(values, r), begin, size)  # type: ignore[no-any-return]


@inlined
def place_of(begin: int, cells: Cells) -> int:
    """Return where the constants of neurons from ``begin`` on are: those of alike neurons are read once."""
    return int64(0) if cells.alike else begin


@inlined
def arriving(m: int, r: int, begin: int, size: int, buffers: Buffers, cells: Cells) -> NDArray[Any]:
    """Return what arrives at receptor r of ``size`` neurons from ``begin`` on in tick m."""
    at = ((m % buffers.depth) * len(cells.gain) + r) * len(cells.gap) + begin
    return stretch(buffers.current, at, size)  # type: ignore[no-any-return]


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


@counting
def count_released(m: int, free: NDArray[Any]) -> float:
    """Return how many refractory periods end with a tick."""
    ended = 0.0
    for j in range(len(free)):
        ended += 1.0 if free[j] <= m else 0.0
    return ended


@inlined
def step_published(m: int, begin: int, size: int, cells: Cells, neurons: Neurons, buffers: Buffers) -> float:
    """Advance ``size`` neurons from ``begin`` on over a tick of the scheme ``published``, arrivals included.

    Returns
    -------
    float
        Number of neurons above the threshold.
    """
    u, gained = part_of(neurons.state, 0, begin, size), stretch(neurons.gained, 0, size)
    at = place_of(begin, cells)
    for r in range(len(cells.gain)):
        i, fade = part_of(neurons.state, 1 + r, begin, size), part_of(cells.fade, r, at, size)
        arrived = arriving(m, r, begin, size, buffers, cells)
        for j in range(size):
            i[j] = current_after(i[j], arrived[j], fade[j])
            arrived[j] = 0
        gain_voltage(r, i, part_of(cells.gain, r, at, size), gained)
    leak = stretch(cells.leak, at, size)
    for j in range(size):
        u[j] = voltage_after(u[j], gained[j], leak[j])
    return count_passes(u, stretch(cells.gap, at, size))


@inlined
def raise_voltages(begin: int, size: int, cells: Cells, neurons: Neurons) -> float:
    """Advance the voltages of ``size`` neurons from ``begin`` on over a tick in closed form.

    Returns
    -------
    float
        Number of neurons at or above the threshold.
    """
    u, gained = part_of(neurons.state, 0, begin, size), stretch(neurons.gained, 0, size)
    at = place_of(begin, cells)
    for r in range(len(cells.gain)):
        gain_voltage(r, part_of(neurons.state, 1 + r, begin, size), part_of(cells.gain, r, at, size), gained)
    leak = stretch(cells.leak, at, size)
    if cells.holding:
        free = stretch(neurons.free, begin, size)
        # in two loops: a choice whether to store is slower than a choice of what to store
        for j in range(size):
            moved = voltage_after(u[j], gained[j], leak[j])
            gained[j] = u[j] if free[j] < NEVER else moved
        for j in range(size):
            u[j] = gained[j]
    else:
        for j in range(size):
            u[j] = voltage_after(u[j], gained[j], leak[j])
    return count_reaches(u, stretch(cells.gap, at, size))


@inlined
def fade_currents(begin: int, size: int, cells: Cells, neurons: Neurons) -> None:
    """Advance the currents of ``size`` neurons from ``begin`` on over a tick, arrivals not included."""
    at = place_of(begin, cells)
    for r in range(len(cells.gain)):
        i, fade = part_of(neurons.state, 1 + r, begin, size), part_of(cells.fade, r, at, size)
        for j in range(size):
            i[j] = current_left(i[j], fade[j])


@inlined
def step_exact(begin: int, size: int, cells: Cells, neurons: Neurons) -> float:
    """Advance ``size`` neurons from ``begin`` on over a tick in closed form, arrivals not included.

    Returns
    -------
    float
        Number of neurons at or above the threshold.
    """
    hits = raise_voltages(begin, size, cells, neurons)
    fade_currents(begin, size, cells, neurons)
    return hits


@inlined
def pass_silently(m: int, begin: int, size: int, cells: Cells, neurons: Neurons, buffers: Buffers) -> None:
    """Advance the currents over a tick in which no spike and no release reads them, and add what arrives."""
    at = place_of(begin, cells)
    for r in range(len(cells.gain)):
        i, fade = part_of(neurons.state, 1 + r, begin, size), part_of(cells.fade, r, at, size)
        arrived = arriving(m, r, begin, size, buffers, cells)
        for j in range(size):
            i[j] = current_left(i[j], fade[j]) + arrived[j]
            arrived[j] = 0


@inlined
def add_arrivals(m: int, begin: int, size: int, cells: Cells, neurons: Neurons, buffers: Buffers) -> None:
    """Add what arrives in a tick to the currents of ``size`` neurons from ``begin`` on, and clear it."""
    for r in range(len(cells.gain)):
        i = part_of(neurons.state, 1 + r, begin, size)
        arrived = arriving(m, r, begin, size, buffers, cells)
        for j in range(size):
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
def release(m: int, begin: int, size: int, neurons: Neurons, spikes: Spikes) -> None:
    """Release the neurons among ``size`` from ``begin`` on whose refractory period ends with a tick."""
    for j in range(begin, begin + size):
        if neurons.free[j] <= m:
            spikes.release[neurons.waiting[j]] = total_current(neurons.state, j)
            neurons.waiting[j], neurons.free[j] = -1, NEVER


@inlined
def fire(
    m: int, used: int, span: tuple[int, int], scheme: int, cells: Cells, neurons: Neurons, spikes: Spikes
) -> int:
    """Store the spikes of a tick, by neuron, and reset.

    Parameters
    ----------
    m, used : int
        The tick, and spikes before it.
    span : tuple of int
        First neuron, and one past the last.
    scheme : int
    cells, neurons, spikes

    Returns
    -------
    int
        Spikes after it, or ``NO_ROOM``.
    """
    u = row(neurons.state, 0)
    for j in range(span[0], span[1]):
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


@inlined
def step_on_grid(m: int, used: int, scheme: int, item: Slice) -> int:
    """Run the neurons of a slice for a tick and store their spikes; as ``fire``.

    What arrives in the tick is in the buffers already.
    """
    cells, neurons, spikes = item.cells, item.neurons, item.spikes
    n = len(cells.gap)
    for begin in range(0, n, CHUNK):
        size = min(CHUNK, n - begin)
        if scheme == PUBLISHED:
            hits = step_published(m, begin, size, cells, neurons, item.buffers)
        else:
            hits = raise_voltages(begin, size, cells, neurons)
        ended = count_released(m, stretch(neurons.free, begin, size)) if cells.holding else 0.0
        if scheme != PUBLISHED and hits + ended == 0.0:
            pass_silently(m, begin, size, cells, neurons, item.buffers)
            continue
        if scheme != PUBLISHED:
            fade_currents(begin, size, cells, neurons)
        if ended > 0.0:
            release(m, begin, size, neurons, spikes)
        if hits > 0.0:
            used = fire(m, used, (begin, begin + size), scheme, cells, neurons, spikes)
            if used < 0:
                return used
        if scheme != PUBLISHED:
            add_arrivals(m, begin, size, cells, neurons, item.buffers)
    return used
