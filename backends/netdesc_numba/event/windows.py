"""Forward run of a stage with cycles in windows into which it sends nothing.

Within a window, no longer than the shortest delay between the stage's neurons, these do not depend on each
other. Arrivals are delivered in order of time; a neuron is brought up to date where one arrives, or where it
can no longer be excluded that it has spiked.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netdesc.adjoint.arrivals import Incoming, find_longest
from netdesc.adjoint.calendar import (
    ROOM,
    Calendar,
    Deliveries,
    clear,
    collect_deliveries,
    make_calendar,
    make_deliveries,
    send,
    window_end,
    window_of,
)
from netdesc.adjoint.synapses import RECEPTOR, WEIGHT_AT, WEIGHT_STEP, Synapses, number_at, target_of
from netdesc.dynamics.jit import inlined, int64, kernel, shared
from netdesc.dynamics.protocol import above, crossing, load, quiet, refractory
from netdesc.dynamics.views import fill, unowned
from netdesc.events import Floats, Integers
from netdesc_numba.event.advance import (
    Neurons,
    Spikes,
    advance,
    fire,
    make_neurons,
    order_in_time,
    receive,
    start,
)

SHIFT = 6
"""Two to this power neurons share a time before which none of them spikes."""

FEW = 32
"""Spikes in a window above which they are sorted by merging."""


class Paths(NamedTuple):
    """Where the spikes of a stage go.

    Parameters
    ----------
    fan : Synapses
    calendar : Calendar
    base, first : int
        Slot of the stage's first neuron, and the first spike of the sample.
    """

    fan: Synapses
    calendar: Calendar
    base: int
    first: int


@inlined
def foresee(cell: int, neurons: Neurons, cells: Any, duration: float) -> None:
    """Keep a time before which a neuron does not spike, if nothing arrives."""
    if neurons.waiting[cell] >= 0:
        neurons.quiet[cell] = neurons.free[cell]
    else:
        t = neurons.clock[cell]
        neurons.quiet[cell] = t + quiet(load(neurons.state, cell, cells), cells, cell, duration - t)
    group = cell >> SHIFT
    neurons.soonest[group] = min(neurons.soonest[group], neurons.quiet[cell])


@inlined
def emit(
    cell: int, used: int, moment: float, neurons: Neurons, spikes: Spikes, cells: Any, paths: Paths
) -> None:
    """Record a spike and send it on its way."""
    fire(cell, used, moment, moment + refractory(cells, cell), neurons, spikes, cells)
    slot = paths.base + cell
    fan = paths.fan
    send(used - paths.first, moment, fan.first[slot], fan.first[slot + 1], fan, paths.calendar)


@shared
def catch_up(
    cell: int, target: float, used: int, neurons: Neurons, spikes: Spikes, cells: Any, paths: Paths
) -> int:
    """Find the spikes of a neuron up to a time at which it may have spiked.

    Returns
    -------
    int
        Number of spikes by now; -1 where the capacity did not suffice.
    """
    neurons, spikes, cells, paths = unowned(neurons), unowned(spikes), unowned(cells), unowned(paths)
    duration = paths.calendar.duration
    while neurons.quiet[cell] <= target:
        if neurons.waiting[cell] >= 0:
            advance(cell, neurons.free[cell], neurons, spikes.kept, cells)
            foresee(cell, neurons, cells, duration)
            continue
        s = crossing(load(neurons.state, cell, cells), cells, cell, target - neurons.clock[cell])
        if s < 0.0:
            break
        if used == len(spikes.times):
            return -1
        moment = neurons.clock[cell] + s
        advance(cell, moment, neurons, spikes.kept, cells)
        emit(cell, used, moment, neurons, spikes, cells, paths)
        used += 1
        foresee(cell, neurons, cells, duration)
    return used


@shared
def deliver(
    count: int, found: Deliveries, used: int, neurons: Neurons, spikes: Spikes, cells: Any, paths: Paths
) -> int:
    """Deliver the arrivals of a window in order of time.

    Parameters
    ----------
    count : int
        Number of deliveries.
    found : Deliveries
    used : int
        Number of spikes.
    neurons : Neurons
    spikes : Spikes
    cells : named tuple
    paths : Paths

    Returns
    -------
    int
        Number of spikes by now; -1 where the capacity did not suffice.
    """
    found, neurons, spikes = unowned(found), unowned(neurons), unowned(spikes)
    cells, paths = unowned(cells), unowned(paths)
    fan, duration = paths.fan, paths.calendar.duration
    for place in range(count):
        k = found.order[place]
        t, part = found.when[k], found.part[k]
        receptor, at, step = (
            fan.parts[part, RECEPTOR],
            fan.parts[part, WEIGHT_AT],
            fan.parts[part, WEIGHT_STEP],
        )
        for q in range(found.begin[k], found.end[k]):
            number = number_at(q, fan)
            cell = target_of(number, fan)
            if neurons.quiet[cell] <= t:
                used = catch_up(cell, t, used, neurons, spikes, cells, paths)
                if used < 0:
                    return used
            advance(cell, t, neurons, spikes.kept, cells)
            receive(cell, receptor, fan.weight[at + step * number], neurons, cells)
            foresee(cell, neurons, cells, duration)
    return used


@shared
def catch_up_all(
    target: float, used: int, neurons: Neurons, spikes: Spikes, cells: Any, paths: Paths
) -> tuple[int, float]:
    """Find the spikes of all neurons up to a time.

    Returns
    -------
    tuple of (int, float)
        Number of spikes by now, -1 where the capacity did not suffice; and a time in ms before which no
        neuron spikes, if nothing arrives.
    """
    neurons, spikes, cells, paths = unowned(neurons), unowned(spikes), unowned(cells), unowned(paths)
    soonest = np.inf
    for group in range(len(neurons.soonest)):
        if neurons.soonest[group] <= target:
            neurons.soonest[group] = np.inf
            for cell in range(group << SHIFT, min((group + 1) << SHIFT, len(neurons.quiet))):
                if neurons.quiet[cell] <= target:
                    used = catch_up(cell, target, used, neurons, spikes, cells, paths)
                    if used < 0:
                        return used, soonest
                    if neurons.quiet[cell] <= target:
                        advance(cell, target, neurons, spikes.kept, cells)
                        foresee(cell, neurons, cells, paths.calendar.duration)
                neurons.soonest[group] = min(neurons.soonest[group], neurons.quiet[cell])
        soonest = min(soonest, neurons.soonest[group])
    return used, soonest


@inlined
def swap(k: int, m: int, spikes: Spikes) -> None:
    """Exchange two spikes."""
    spikes.times[k], spikes.times[m] = spikes.times[m], spikes.times[k]
    spikes.neurons[k], spikes.neurons[m] = spikes.neurons[m], spikes.neurons[k]
    for row in range(len(spikes.kept)):
        spikes.kept[row, k], spikes.kept[row, m] = spikes.kept[row, m], spikes.kept[row, k]


@shared
def sort_window(first: int, last: int, spikes: Spikes, waiting: Integers) -> None:
    """Sort spikes ``first`` to ``last - 1`` by time, ties by neuron.

    Parameters
    ----------
    first, last : int
    spikes : Spikes
    waiting : ndarray of int64, shape (n,)
        See ``Neurons``; follows the spikes.
    """
    spikes, waiting = unowned(spikes), unowned(waiting)
    times, neurons = spikes.times, spikes.neurons
    if last - first > FEW:
        order_in_time(first, last, spikes)
    for k in range(first + 1, last):
        m = k
        while m > first and (
            times[m - 1] > times[m] or (times[m - 1] == times[m] and neurons[m - 1] > neurons[m])
        ):
            swap(m - 1, m, spikes)
            m -= 1
    for k in range(first, last):
        if waiting[neurons[k]] >= first:
            waiting[neurons[k]] = k


@shared
def start_all(used: int, neurons: Neurons, spikes: Spikes, cells: Any, paths: Paths) -> int:
    """Set all neurons to their states at 0; the result is that of ``deliver``."""
    neurons, spikes, cells, paths = unowned(neurons), unowned(spikes), unowned(cells), unowned(paths)
    fill(neurons.soonest, np.inf)
    for cell in range(len(neurons.clock)):
        start(cell, neurons, cells)
        if above(load(neurons.state, cell, cells), cells, cell):
            if used == len(spikes.times):
                return -1
            emit(cell, used, 0.0, neurons, spikes, cells, paths)
            used += 1
        foresee(cell, neurons, cells, paths.calendar.duration)
    return used


@inlined
def next_window(window: int, soonest: float, calendar: Calendar) -> int:
    """Return the next window in which anything may happen; ``soonest``: when it does outside the calendar."""
    if calendar.waiting[0] > 0:
        return window + 1
    return max(window + 1, window_of(min(soonest, calendar.duration), calendar))


@inlined
def run_sample(
    b: int, incoming: Incoming, neurons: Neurons, spikes: Spikes, cells: Any, paths: Paths, found: Deliveries
) -> tuple[int, Deliveries]:
    """Simulate one sample; return the number of spikes, -1 where the capacity did not suffice."""
    fan, calendar = paths.fan, paths.calendar
    clear(calendar)
    e, end = incoming.offsets[b], incoming.offsets[b + 1]
    outside = len(spikes.times) - e
    used = start_all(paths.first, neurons, spikes, cells, paths)
    window, last, before = int64(0), window_of(calendar.duration, calendar), paths.first
    soonest = 0.0
    while window <= last and used >= 0:
        while e < end and window_of(incoming.times[e], calendar) <= window:
            slot = incoming.slots[e]
            send(outside + e, incoming.times[e], fan.first[slot], fan.first[slot + 1], fan, calendar)
            e += 1
        count, found = collect_deliveries(window, fan, calendar, found)
        if count > 0:
            used = deliver(count, found, used, neurons, spikes, cells, paths)
        target = calendar.duration if window == last else window_end(window, calendar)
        if used >= 0 and (count > 0 or soonest <= target):
            used, soonest = catch_up_all(target, used, neurons, spikes, cells, paths)
        if used > before:
            sort_window(before, used, spikes, neurons.waiting)
            before = used
        window = next_window(window, min(soonest, incoming.times[e] if e < end else np.inf), calendar)
    return used, found


@shared
def finish(duration: float, neurons: Neurons, kept: Floats, cells: Any) -> None:
    """Carry all neurons to the end."""
    neurons, kept, cells = unowned(neurons), unowned(kept), unowned(cells)
    for cell in range(len(neurons.clock)):
        advance(cell, duration, neurons, kept, cells)


@kernel
def run_windows(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Any, reach: tuple[float, float, float],
    base: int, spikes: Spikes,
) -> tuple[int, int]:  # fmt: skip
    """Simulate samples ``first`` to ``last - 1`` of a stage with cycles.

    Parameters and results are those of ``sweep_neurons``, and ``reach``: the shortest delay within the stage,
    above 0, the longest delay into it, and the duration, in ms; ``base``: the slot of its first neuron.
    """
    lag, longest, duration = reach
    neurons = make_neurons(len(cells.tau_ref), cells, SHIFT)
    room = len(spikes.times) + find_longest(first, last, incoming.offsets)
    calendar = make_calendar(room, lag, longest, duration, int64(1))
    found = make_deliveries(int64(ROOM))
    done = int64(0)
    for b in range(first, last):
        paths = Paths(fan, calendar, base, done)
        used, found = run_sample(b, incoming, neurons, spikes, cells, paths, found)
        if used < 0:
            return b, done
        finish(duration, neurons, spikes.kept, cells)
        spikes.counts[b] = used - done
        done = used
    return last, done
