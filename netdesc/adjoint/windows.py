"""Adjoint sweep of a stage with cycles, backward through windows into which it sends nothing.

Arrivals are found from the spikes, window by window, so that the memory is that of the spikes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.calendar import (
    ROOM,
    Calendar,
    Deliveries,
    clear,
    collect_deliveries,
    make_calendar,
    make_deliveries,
    send_back,
    window_of,
)
from netdesc.adjoint.derivatives import Derivatives, PartialSums, select_part
from netdesc.adjoint.neuron import Backward, OwnEvents, Rules, cross_spike, start_backward
from netdesc.adjoint.neurons import chain, cross_arrival, make_room
from netdesc.adjoint.synapses import Synapses, label, number_at, target_of
from netdesc.dynamics.jit import inlined, int64, kernel, shared
from netdesc.dynamics.protocol import load
from netdesc.dynamics.views import unowned
from netdesc.events import Integers


class Undone(NamedTuple):
    """How far back the spikes of a sample have come.

    Parameters
    ----------
    latest : ndarray of int64, shape (n,)
        The latest spike of each neuron that is not yet undone, -1 for none.
    previous : ndarray of int64, shape (spikes,)
        The spike of the same neuron before each of the sample.
    begin, end : int
        The first of the stage's spikes in the sample, and one past the last.
    entered : int
        The first spike from outside.
    """

    latest: Integers
    previous: Integers
    begin: int
    end: int
    entered: int


@inlined
def undo_spike(p: int, own: OwnEvents, way: Backward, cells: Any, undone: Undone, floor: float) -> int:
    """Cross spike p backward; return 1 where its slope was raised to the floor."""
    cell = own.neurons[p]
    raised = cross_spike(cell, p, own, way, cells, floor)
    undone.latest[cell] = undone.previous[p - undone.begin]
    return 1 if raised else 0


@shared
def undo_deliveries(
    count: int, p: int, found: Deliveries, fan: Synapses, own: OwnEvents, way: Backward, cells: Any,
    rest: tuple[Derivatives, Undone, float],
) -> tuple[int, int]:  # fmt: skip
    """Cross the deliveries of a window backward, and the stage's spikes that follow any of them.

    Parameters
    ----------
    count : int
        Number of deliveries.
    p : int
        The latest spike that is not yet undone.
    found : Deliveries
        In order of time.
    fan, own, way, cells
        As in ``cross_arrival``.
    rest : tuple of (Derivatives, Undone, float)
        The last is the floor of slopes.

    Returns
    -------
    tuple of (int, int)
        The latest spike that is not yet undone, and the number of slopes that were raised to the floor.
    """
    found, fan, own, way = unowned(found), unowned(fan), unowned(own), unowned(way)
    cells = unowned(cells)
    gains, undone, floor = unowned(rest)
    grazing = int64(0)
    spikes = undone.end - undone.begin
    for place in range(count - 1, -1, -1):
        k = found.order[place]
        t = found.when[k]
        # at one time arrivals are undone before spikes
        while p >= undone.begin and own.times[p] > t:
            grazing += undo_spike(p, own, way, cells, undone, floor)
            p -= 1
        force = 0.0
        for q in range(found.begin[k], found.end[k]):
            number = number_at(q, fan)
            latest = undone.latest[target_of(number, fan)]
            x = load(way.path, 0, cells)
            arrival = (label(number, found.part[k]), t)
            force += cross_arrival(arrival, x, latest, fan, own, way, cells, gains)
        spike = found.spike[k]
        if spike < spikes:
            own.force[undone.begin + spike] += force
        else:
            gains.arrival[undone.entered + spike - spikes] += force
    return p, grazing


@shared
def undo_spikes(
    p: int, window: int, own: OwnEvents, way: Backward, cells: Any, calendar: Calendar, undone: Undone,
    floor: float,
) -> tuple[int, int]:  # fmt: skip
    """Cross the spikes that are left in a window backward; see ``undo_deliveries``."""
    own, way, cells, calendar = unowned(own), unowned(way), unowned(cells), unowned(calendar)
    undone = unowned(undone)
    grazing = int64(0)
    while p >= undone.begin and window_of(own.times[p], calendar) >= window:
        grazing += undo_spike(p, own, way, cells, undone, floor)
        p -= 1
    return p, grazing


@inlined
def send_all(
    window: int, e: int, s: int, incoming: Incoming, fan: Synapses, own: OwnEvents, calendar: Calendar,
    rest: tuple[Undone, int, float],
) -> tuple[int, int]:  # fmt: skip
    """Send spikes back that arrive in a window or before it, and not later.

    Parameters
    ----------
    window : int
    e, s : int
        The latest spike from outside, and of the stage, that has not been sent.
    incoming, fan, own, calendar
        As in ``sweep_windows_back``.
    rest : tuple of (Undone, int, float)
        The slot of the stage's first neuron, and the longest delay in ms.

    Returns
    -------
    tuple of (int, int)
        ``e`` and ``s`` as they are now.
    """
    undone, base, longest = rest
    spikes = undone.end - undone.begin
    while s >= undone.begin and window_of(own.times[s] + longest, calendar) >= window:
        slot = base + own.neurons[s]
        send_back(s - undone.begin, own.times[s], fan.first[slot], fan.first[slot + 1], fan, calendar)
        s -= 1
    while e >= undone.entered and window_of(incoming.times[e] + longest, calendar) >= window:
        slot = incoming.slots[e]
        number = spikes + e - undone.entered
        send_back(number, incoming.times[e], fan.first[slot], fan.first[slot + 1], fan, calendar)
        e -= 1
    return e, s


@inlined
def window_before(window: int, latest: float, calendar: Calendar) -> int:
    """Return the next window back in which anything may happen, -1 for none.

    ``latest`` is the last time at which anything outside the calendar does, negative for none.
    """
    if calendar.waiting[0] > 0:
        return window - 1
    return min(window - 1, window_of(latest, calendar)) if latest >= 0.0 else int64(-1)


@inlined
def sweep_sample_by_windows(
    incoming: Incoming, fan: Synapses, own: OwnEvents, way: Backward, cells: Any, calendar: Calendar,
    found: Deliveries, rest: tuple[Derivatives, Undone, Rules, int],
) -> tuple[int, Deliveries]:  # fmt: skip
    """Compute the adjoints of one sample; return the number of grazing spikes."""
    gains, undone, rules, e = rest
    clear(calendar)
    for cell in range(len(undone.latest)):
        start_backward(cell, way)
    s = p = undone.end - 1
    window = window_of(rules.duration, calendar)
    grazing = int64(0)
    while window >= 0:
        given = (undone, rules.base, rules.longest)
        e, s = send_all(window, e, s, incoming, fan, own, calendar, given)
        count, found = collect_deliveries(window, fan, calendar, found)
        if count > 0:
            results = (gains, undone, rules.floor)
            p, raised = undo_deliveries(count, p, found, fan, own, way, cells, results)
            grazing += raised
        if p >= undone.begin and window_of(own.times[p], calendar) >= window:
            p, raised = undo_spikes(p, window, own, way, cells, calendar, undone, rules.floor)
            grazing += raised
        latest = own.times[p] if p >= undone.begin else -1.0
        if s >= undone.begin:
            latest = max(latest, own.times[s] + rules.longest)
        if e >= undone.entered:
            latest = max(latest, incoming.times[e] + rules.longest)
        window = window_before(window, latest, calendar)
    return grazing, found


@inlined
def most_spikes(first: int, last: int, incoming: Incoming, own: OwnEvents) -> int:
    """Return the largest number of spikes of one sample, from outside and of the stage."""
    most = int64(0)
    for b in range(first, last):
        entering = incoming.offsets[b + 1] - incoming.offsets[b]
        most = max(most, entering + own.offsets[b + 1] - own.offsets[b])
    return most


@kernel
def sweep_windows_back(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Any, sums: PartialSums,
    own: OwnEvents, rules: Rules,
) -> int:  # fmt: skip
    """Compute the adjoints of samples ``first`` to ``last - 1`` of a stage with cycles.

    Parameters are those of ``sweep_neurons_back``. At one time arrivals are undone before spikes, so that
    a spike is undone only when all that it caused has been counted.
    """
    incoming, fan, cells, own = unowned(incoming), unowned(fan), unowned(cells), unowned(own)
    n = len(cells.tau_ref)
    room = most_spikes(first, last, incoming, own)
    calendar = make_calendar(room, rules.lag, rules.longest, rules.duration, int64(-1))
    found = make_deliveries(int64(ROOM))
    latest = np.empty(n, dtype=np.int64)
    grazing = int64(0)
    for b in range(first, last):
        begin, end = own.offsets[b], own.offsets[b + 1]
        previous = chain(begin, end, own.neurons, latest)
        way = make_room(n, 0, 0, begin, rules.duration, cells)
        undone = Undone(latest, previous, begin, end, incoming.offsets[b])
        rest = (select_part(b, sums), undone, rules, incoming.offsets[b + 1] - 1)
        raised, found = sweep_sample_by_windows(incoming, fan, own, way, cells, calendar, found, rest)
        grazing += raised
    return grazing
