"""Forward sweep of a uniform layer that projects onto itself, in windows into which it sends nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.cells import Loop, UniformLayer
from netdesc.dynamics.jit import inlined, int64, kernel, shared
from netdesc.dynamics.views import row, unowned
from netdesc.events import Floats, Integers
from netdesc_numba.event.advance import Spikes
from netdesc_numba.event.bursts import Block, Found, make_block, spike_lanes
from netdesc_numba.event.lanes import (
    Intervals,
    Lanes,
    choose_lanes,
    make_intervals,
    measure_spans,
    step_lanes,
)
from netdesc_numba.event.layer import spike_at_start, start_lanes
from netdesc_numba.event.ordering import sort_spikes


class Work(NamedTuple):
    """Arrays that a sweep overwrites for every sample.

    Parameters
    ----------
    block : Block
        Of one sample.
    intervals : Intervals
        Of one sample.
    state : ndarray of float64, shape (5, n)
    cursors : ndarray of int64, shape (projections,)
        Next spike of the layer that arrives in each of its projections onto itself.
    """

    block: Block
    intervals: Intervals
    state: Floats
    cursors: Integers


@inlined
def next_own(used: int, spikes: Spikes, loop: Loop, cursors: Integers) -> tuple[float, int]:
    """Return when the next spike of the layer arrives, infinity where none does, and by which projection.

    Parameters
    ----------
    used : int
        Number of spikes so far.
    spikes : Spikes
    loop : Loop
    cursors : ndarray of int64, shape (projections,)
        Next spike of the layer in each.
    """
    when, which = np.inf, int64(0)
    for k in range(len(cursors)):
        if cursors[k] < used:
            arrival = spikes.times[cursors[k]] + loop.delay[k]
            if arrival < when:
                when, which = arrival, int64(k)
    return when, which


@inlined
def cross_interval(
    begin: float, end: float, used: int, now: Lanes, after: Lanes, layer: UniformLayer, found: Found,
    work: Work,
) -> int:  # fmt: skip
    """Simulate all neurons over an interval without arrivals; return the spikes by now, -1 without room."""
    block, intervals, flag = work.block, work.intervals, row(work.state, 4)
    intervals.begin[0] = begin
    intervals.span[0] = end - begin
    measure_spans(intervals, layer.constants)
    step_lanes(len(now.u), now, after, flag, intervals.factors, layer.constants.gap)
    flagged = choose_lanes(flag, block.chosen)
    if flagged == 0:
        return used
    return spike_lanes(flagged, used, block, intervals, now, after, layer.constants, found)


@inlined
def receive_row(number: int, weights: Floats, i: Floats) -> None:
    """Add a row of weights to the currents."""
    for cell in range(len(i)):
        i[cell] += weights[number, cell]


@shared
def sweep_sample(
    b: int, used: int, incoming: Incoming, layer: UniformLayer, loop: Loop, duration: float, spikes: Spikes,
    work: Work,
) -> int:  # fmt: skip
    """Simulate one sample; see ``sweep_recurrent_layer``.

    Parameters
    ----------
    b, used : int
        The sample, and the number of spikes before it.
    incoming, layer, loop, duration, spikes
        As in ``sweep_recurrent_layer``.
    work : Work

    Returns
    -------
    int
        Number of spikes by now; -1 where the capacity did not suffice.
    """
    incoming, layer, loop, spikes = unowned(incoming), unowned(layer), unowned(loop), unowned(spikes)
    work = unowned(work)
    state, cursors = work.state, work.cursors
    now, after = Lanes(row(state, 0), row(state, 1)), Lanes(row(state, 2), row(state, 3))
    found = Found(spikes.times, spikes.neurons, spikes.kept[0])
    start_lanes(state, work.block.cell, layer)
    for k in range(len(cursors)):
        cursors[k] = used
    rest = Found(spikes.times[used:], spikes.neurons[used:], spikes.kept[0, used:])
    count = spike_at_start(now, layer.constants.gap, layer.constants.reset, rest)
    if count < 0:
        return count
    used += count
    e, end = incoming.offsets[b], incoming.offsets[b + 1]
    t = 0.0
    while t < duration:
        own, which = next_own(used, spikes, loop, cursors)
        own = max(own, t)
        outside = incoming.times[e] if e < end else np.inf
        arrival = min(outside, own)
        target = min(arrival, duration)
        if target > t:
            before = used
            used = cross_interval(t, target, before, now, after, layer, found, work)
            if used > before:
                soonest = np.min(spikes.times[before:used]) + loop.shortest
                if soonest < target:
                    # nothing that is sent within an interval arrives within it
                    target = soonest
                    used = cross_interval(t, target, before, now, after, layer, found, work)
            if used < 0:
                return used
            sort_spikes(before, used, used - before, spikes)
            now, after = after, now
        t = target
        if t < duration and t == arrival:
            if outside <= own:
                receive_row(incoming.slots[e], layer.weights, now.i)
                e += 1
            else:
                receive_row(loop.row[which] + spikes.neurons[cursors[which]], layer.weights, now.i)
                cursors[which] += 1
    return used


@kernel
def sweep_recurrent_layer(
    first: int, last: int, incoming: Incoming, layer: UniformLayer, loop: Loop, duration: float,
    spikes: Spikes,
) -> tuple[int, int]:  # fmt: skip
    """Simulate samples ``first`` to ``last - 1``; parameters and results as in ``sweep_layer``.

    Between two arrivals the layer is simulated as one without recurrence. Where one of its spikes arrives
    before the next arrival that is known, the interval ends there instead, and is simulated once more.
    """
    n = layer.weights.shape[1]
    block = make_block(np.zeros(n, dtype=np.int64), np.arange(n))
    intervals = make_intervals(1, layer.constants)
    work = Work(block, intervals, np.empty((5, n)), np.empty(len(loop.row), dtype=np.int64))
    used = int64(0)
    for b in range(first, last):
        size = sweep_sample(b, used, incoming, layer, loop, duration, spikes, work)
        if size < 0:
            return b, used
        spikes.counts[b] = size - used
        used = size
    return last, used
