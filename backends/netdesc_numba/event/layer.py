"""Forward sweep of a uniform layer: all its neurons see one sequence of arrivals."""

from __future__ import annotations

import numpy as np

from netdesc.adjoint.arrivals import Incoming, find_longest
from netdesc.adjoint.cells import UniformLayer
from netdesc.dynamics.jit import inlined, int64, kernel, shared
from netdesc.dynamics.views import row, stretch, stretch_rows, unowned
from netdesc.events import Floats, Integers
from netdesc_numba.event.advance import Spikes
from netdesc_numba.event.bursts import Block, Found, make_block, spike_lanes
from netdesc_numba.event.lanes import (
    Intervals,
    Lanes,
    choose_lanes,
    make_intervals,
    measure_spans,
    step_columns,
    step_lanes,
)
from netdesc_numba.event.ordering import BUCKETS, sort_block

# Neurons times samples that are simulated side by side: enough to fill vector registers, few enough for L1.
LANES = 384
# Neurons below which one neuron comes after the other, each in all samples of a block.
NARROW = 16


@inlined
def start_lanes(state: Floats, cells: Integers, layer: UniformLayer) -> None:
    """Set all lanes to the states of their neurons at 0."""
    for lane in range(state.shape[1]):
        state[0, lane] = layer.start[cells[lane]]
        state[1, lane] = layer.current[cells[lane]]


@inlined
def number_lanes(count: int, n: int, sample: Integers, cell: Integers) -> None:
    """Lay out samples side by side: sample after sample, or neuron after neuron where these are few."""
    for lane in range(count * n):
        if n < NARROW:
            sample[lane], cell[lane] = lane % count, lane // count
        else:
            sample[lane], cell[lane] = lane // n, lane % n


@inlined
def spike_at_start(now: Lanes, gap: float, reset: float, found: Found) -> int:
    """Let the lanes that start above the threshold spike at 0; return their number, -1 without room."""
    used = int64(0)
    for cell in range(len(now.u)):
        if now.u[cell] >= gap:
            if used == len(found.times):
                return int64(-1)
            found.times[used] = 0.0
            found.lanes[used] = cell
            found.currents[used] = now.i[cell]
            used += 1
            now.u[cell] = reset
    return used


@inlined
def end_intervals(first: int, x: int, incoming: Incoming, intervals: Intervals, duration: float) -> bool:
    """Set the end of each sample's interval to its arrival x, or to the end; return whether any has a length.

    Parameters
    ----------
    first, x : int
        First sample, and number of the arrival within each sample.
    incoming : Incoming
    intervals : Intervals
        ``end`` and ``span`` are overwritten.
    duration : float
        In ms.
    """
    any_length = False
    for s in range(len(intervals.span)):
        e = incoming.offsets[first + s] + x
        more = e < incoming.offsets[first + s + 1]
        intervals.end[s] = min(incoming.times[e], duration) if more else duration
        intervals.span[s] = intervals.end[s] - intervals.begin[s]
        any_length = any_length or intervals.span[s] > 0.0
    return any_length


@inlined
def receive_arrivals(
    first: int, x: int, incoming: Incoming, layer: UniformLayer, intervals: Intervals, i: Floats,
    duration: float,
) -> None:  # fmt: skip
    """Begin the next intervals with arrival x of each sample, where it has one before the end.

    Parameters
    ----------
    first, x, incoming, duration
        As in ``end_intervals``.
    layer : UniformLayer
    intervals : Intervals
        ``begin`` is overwritten.
    i : ndarray of float64, shape (lanes,)
        The currents; changed in place.
    """
    n, count = len(layer.start), len(intervals.span)
    for s in range(count):
        e = incoming.offsets[first + s] + x
        intervals.begin[s] = intervals.end[s]
        if e < incoming.offsets[first + s + 1] and incoming.times[e] < duration:
            weights = row(layer.weights, incoming.slots[e])
            if n < NARROW:
                for cell in range(n):
                    i[cell * count + s] += weights[cell]
            else:
                mine = stretch(i, s * n, n)
                for cell in range(n):
                    mine[cell] += weights[cell]


@shared
def sweep_block(
    first: int, count: int, incoming: Incoming, layer: UniformLayer, block: Block, state: Floats,
    found: Found, duration: float,
) -> int:  # fmt: skip
    """Simulate ``count`` samples side by side, the next arrival of each in turn.

    Parameters
    ----------
    first, count : int
        Range of samples.
    incoming : Incoming
    layer : UniformLayer
    block : Block
    state : ndarray of float64, shape (5, lanes)
        Overwritten.
    found : Found
        Results.
    duration : float
        In ms.

    Returns
    -------
    int
        Number of spikes; -1 where the capacity did not suffice.
    """
    incoming, layer, block = unowned(incoming), unowned(layer), unowned(block)
    state, found = unowned(state), unowned(found)
    constants, n = layer.constants, len(layer.start)
    now, after, flag = Lanes(row(state, 0), row(state, 1)), Lanes(row(state, 2), row(state, 3)), row(state, 4)
    intervals = make_intervals(count, constants)
    start_lanes(state, block.cell, layer)
    used = spike_at_start(now, constants.gap, constants.reset, found)
    if used < 0:
        return used
    for x in range(find_longest(first, first + count, incoming.offsets) + 1):
        if end_intervals(first, x, incoming, intervals, duration):
            measure_spans(intervals, constants)
            if n < NARROW:
                step_columns(n, now, after, flag, intervals.factors, constants.gap)
            else:
                step_lanes(n, now, after, flag, intervals.factors, constants.gap)
            flagged = choose_lanes(flag, block.chosen)
            if flagged > 0:
                used = spike_lanes(flagged, used, block, intervals, now, after, constants, found)
                if used < 0:
                    return used
            now, after = after, now
        receive_arrivals(first, x, incoming, layer, intervals, now.i, duration)
    return used


@shared
def sweep_blocks(
    first: int, last: int, incoming: Incoming, layer: UniformLayer, duration: float, spikes: Spikes
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of a layer, a block after the other; see ``sweep_layer``."""
    incoming, layer, spikes = unowned(incoming), unowned(layer), unowned(spikes)
    n = layer.weights.shape[1]
    width = max(1, LANES // n)
    capacity = len(spikes.times)
    times, lanes, currents = np.empty(capacity), np.empty(capacity, dtype=np.int64), np.empty(capacity)
    block = make_block(np.empty(width * n, dtype=np.int64), np.empty(width * n, dtype=np.int64))
    memory = np.empty(5 * width * n)
    places = np.empty(max(BUCKETS, width), dtype=np.int64)
    used, laid_out = int64(0), int64(0)
    for b in range(first, last, width):
        count = min(width, last - b)
        if count != laid_out:
            number_lanes(count, n, block.sample, block.cell)
            laid_out = count
        # contiguous rows, also for the last block, which may be smaller
        state = stretch_rows(memory, 0, 5, count * n)
        found = Found(times[: capacity - used], lanes, currents)
        size = sweep_block(b, count, incoming, layer, block, state, found, duration)
        if size < 0:
            return b, used
        used = sort_block(b, size, used, count, block, found, duration, (places, spikes))
    return last, used


@kernel
def sweep_layer(
    first: int, last: int, incoming: Incoming, layer: UniformLayer, duration: float, spikes: Spikes
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of a layer; parameters and results as in ``sweep_neurons``.

    Arrivals are by row of the weights; the current is kept of each spike.
    """
    return sweep_blocks(first, last, incoming, layer, duration, spikes)
