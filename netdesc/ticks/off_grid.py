"""A tick of the scheme ``off_grid``, forward: spikes and arrivals at fractions of it.

All neurons move at once to the end of the tick. Only where the state there or a bound shows that v may pass
the threshold, or where the membrane is released, a neuron goes through the tick from arrival to arrival.
"""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import counting, inlined
from netdesc.dynamics.tick import current_after, current_left, may_return, reaches, voltage_after
from netdesc.dynamics.views import fill, row, stretch
from netdesc.ticks.arrivals import cell_of, collect_arrivals, list_segments
from netdesc.ticks.crossing import FREE, cross_tick
from netdesc.ticks.forward import arriving, gain_voltage
from netdesc.ticks.records import (
    BURST,
    NO_ROOM,
    NO_WORKSPACE,
    Buffers,
    Cells,
    Neurons,
    Slice,
    Spikes,
    Workspace,
)


@inlined
def flag_spikes(m: int, cells: Cells, neurons: Neurons, buffers: Buffers) -> float:
    """Compute the voltages at the end of a tick, had there been no spike, and flag neurons that may spike.

    A neuron is not flagged only where v can't have passed the threshold and come back: it does not reach it
    at all, or the current stays above what would let it fall.

    Parameters
    ----------
    m : int
        The tick.
    cells : Cells
    neurons : Neurons
        Results: voltages at the end in ``gained``, and 1 or 0 in ``flag``.
    buffers : Buffers
        The sums of weights get the currents at the start, too.

    Returns
    -------
    float
        Number of flags.
    """
    gap, leak, flag, ends = cells.gap, cells.leak, neurons.flag, neurons.gained
    n, u = len(gap), row(neurons.state, 0)
    at = (m % buffers.depth) * n
    lift, rises, falls = (
        stretch(buffers.lift, at, n),
        stretch(buffers.rises, at, n),
        stretch(buffers.falls, at, n),
    )
    one, zero = gap.dtype.type(1), gap.dtype.type(0)
    for r in range(len(cells.gain)):
        gain_voltage(r, row(neurons.state, 1 + r), row(cells.gain, r), ends)
    for j in range(n):
        ends[j] = voltage_after(u[j], ends[j] + lift[j], leak[j])
    for r in range(len(cells.gain)):
        i, fade = row(neurons.state, 1 + r), row(cells.fade, r)
        for j in range(n):
            now = i[j]
            left = current_left(now, fade[j])
            rises[j] += now if now > zero else zero
            falls[j] += now if now < zero else left
    for j in range(n):
        returns = may_return(u[j], rises[j], falls[j], leak[j], one - leak[j], gap[j])
        flag[j] = one if reaches(ends[j], gap[j]) | returns else zero
    return count_flags(neurons)


@counting
def count_flags(neurons: Neurons) -> float:
    """Return the number of flags."""
    hits = neurons.flag.dtype.type(0)
    for j in range(len(neurons.flag)):
        hits += neurons.flag[j]
    return hits  # type: ignore[no-any-return]


@inlined
def hold_neurons(m: int, neurons: Neurons) -> float:
    """Keep the voltages of neurons that are held, flag those that are released; return how many that is."""
    hits = 0.0
    for j in range(len(neurons.free)):
        if neurons.waiting[j] >= 0:
            neurons.gained[j] = row(neurons.state, 0)[j]
            neurons.flag[j] = 1 if neurons.free[j] == m else 0
            hits += neurons.flag[j]
    return hits


@inlined
def step_off_grid(m: int, used: int, timestep: float, item: Slice, workspace: Workspace) -> int:
    """Run the neurons of a slice through a tick and store their spikes, by time.

    Parameters
    ----------
    m, used : int
        The tick, and spikes before it.
    timestep : float
        In ms.
    item : Slice
        What arrives in the tick is in the buffers already.
    workspace : Workspace

    Returns
    -------
    int
        Spikes after it, or ``NO_ROOM``, ``NO_WORKSPACE`` or ``BURST``.
    """
    cells, neurons, spikes, buffers = item.cells, item.neurons, item.spikes, item.buffers
    hits = float(flag_spikes(m, cells, neurons, buffers))
    if cells.holding:
        hits += hold_neurons(m, neurons)
    fresh, specials = used, 0
    if hits > 0:
        listed = list_segments(m, item.arrivals, item.synapses, workspace)
        for j in range(len(neurons.flag)):
            if neurons.flag[j] == 0:
                continue
            count = cross_neuron(j, m, listed, timestep, item, workspace, workspace.result[specials])
            if count < 0:
                return count
            if count == 0 and neurons.waiting[j] < 0:
                continue
            if neurons.waiting[j] >= 0:
                spikes.release[neurons.waiting[j]] = workspace.result[specials, 3]
                neurons.waiting[j] = -1
            workspace.special[specials] = j
            specials += 1
            if used + count > len(spikes.tick):
                return NO_ROOM
            store_spikes(used, count, m, j, cells, spikes, workspace)
            used += count
    move_to_end(m, cells, neurons, buffers)
    for x in range(specials):
        for r in range(len(neurons.state)):
            neurons.state[r, workspace.special[x]] = workspace.result[x, r]
    order_spikes(fresh, used, spikes)
    if cells.holding:
        for k in range(fresh, used):
            j = spikes.neuron[k]
            if cells.hold[j] > 0:
                neurons.waiting[j] = k
                neurons.free[j] = m + cells.hold[j]
    return used


@inlined
def cross_neuron(
    j: int, m: int, listed: int, timestep: float, item: Slice, workspace: Workspace, result: np.ndarray
) -> int:
    """Go through the tick of a neuron; return its spikes, ``NO_WORKSPACE`` or ``BURST``."""
    cells, state, waiting = item.cells, item.neurons.state, item.neurons.waiting[j]
    count = collect_arrivals(j, m, listed, item.arrivals, item.synapses, workspace)
    if count > len(workspace.when):
        return NO_WORKSPACE
    spikes = cross_tick(
        (float(state[0, j]), float(state[1, j]), float(state[2, j]) if len(state) > 2 else 0.0),
        float(item.spikes.fraction[waiting]) if waiting >= 0 else FREE,
        count,
        timestep,
        cell_of(j, cells),
        cells.hold[j] > 0,
        workspace,
        result,
    )
    return BURST if spikes < 0 else spikes


@inlined
def store_spikes(
    used: int, count: int, m: int, j: int, cells: Cells, spikes: Spikes, workspace: Workspace
) -> None:
    """Store the spikes of a neuron in a tick."""
    for x in range(count):
        k = used + x
        spikes.tick[k], spikes.neuron[k] = m, j
        spikes.fraction[k], spikes.current[k] = workspace.at[x], workspace.current[x]
        spikes.release[k] = np.nan if cells.hold[j] > 0 else spikes.current[k]
        spikes.slope[k] = spikes.current[k] - cells.gap[j]


@inlined
def move_to_end(m: int, cells: Cells, neurons: Neurons, buffers: Buffers) -> None:
    """Advance all neurons to the end of a tick without spikes, and clear what arrived."""
    n, u = len(cells.gap), row(neurons.state, 0)
    at = (m % buffers.depth) * n
    for j in range(n):
        u[j] = neurons.gained[j]
    for r in range(len(cells.gain)):
        i, arrived, fade = row(neurons.state, 1 + r), arriving(m, r, 0, n, buffers, cells), row(cells.fade, r)
        for j in range(n):
            i[j] = current_after(i[j], arrived[j], fade[j])
            arrived[j] = 0
    fill(stretch(buffers.lift, at, n), 0)
    fill(stretch(buffers.rises, at, n), 0)
    fill(stretch(buffers.falls, at, n), 0)


@inlined
def order_spikes(first: int, last: int, spikes: Spikes) -> None:
    """Sort spikes ``first`` to ``last - 1`` of one tick in place by time; equal ones keep their order."""
    for k in range(first + 1, last):
        neuron, fraction, current = spikes.neuron[k], spikes.fraction[k], spikes.current[k]
        end, slope = spikes.release[k], spikes.slope[k]
        p = k
        while p > first and spikes.fraction[p - 1] > fraction:
            spikes.neuron[p], spikes.fraction[p] = spikes.neuron[p - 1], spikes.fraction[p - 1]
            spikes.current[p], spikes.release[p] = spikes.current[p - 1], spikes.release[p - 1]
            spikes.slope[p] = spikes.slope[p - 1]
            p -= 1
        spikes.neuron[p], spikes.fraction[p], spikes.current[p] = neuron, fraction, current
        spikes.release[p], spikes.slope[p] = end, slope
