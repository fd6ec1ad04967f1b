"""Spikes on their way to a stage, kept by the window of time in which each arrives next.

Windows are as long as the shortest delay within the stage, so that nothing that is sent within one arrives in
it: the calendar queue of Brown 1988 (Calendar queues, Communications of the ACM 31), in the windows of
conservative parallel simulation (Morrison et al. 2005, Advancing the boundaries of high-connectivity network
simulation). A spike is in one place, however many synapses it still has before it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.synapses import BEGIN, DELAY_AT, DELAY_STEP, END, PART, Synapses, delay_at, number_at
from netdesc.dynamics.jit import inlined, int64, shared
from netdesc.dynamics.order import find_order
from netdesc.dynamics.views import fill, unowned
from netdesc.events import Floats, Integers

SHORTER = 1e-6
"""Part by which a window is shorter than the delay, far above what rounding does to times."""

FEWEST = 2.0**16
"""Windows that a calendar has at most; those later than these share their places."""

ROOM = 256
"""For deliveries, at first."""

CROWDED = 64
"""Arrivals in one place of a distribution above which they are sorted by merging."""


class Calendar(NamedTuple):
    """Spikes by the window in which each arrives next.

    Parameters
    ----------
    head : ndarray of int64, shape (places,)
        First spike of each place, -1 for none; the number of places is a power of 2.
    following : ndarray of int64, shape (spikes,)
        The next one in the same place, -1 for none.
    place, run, end : ndarray of int64, shape (spikes,)
        Place of the synapse at which each arrives next, its run, and one step past its last run.
    emitted : ndarray of float64, shape (spikes,)
        In ms.
    waiting : ndarray of int64, shape (1,)
        Number of spikes in all places.
    rate : float
        Windows per ms.
    duration : float
        In ms; what would arrive then or later does not.
    step : int
        1 where windows follow each other in time, -1 where they go back.
    """

    head: Integers
    following: Integers
    place: Integers
    run: Integers
    end: Integers
    emitted: Floats
    waiting: Integers
    rate: float
    duration: float
    step: int


class Deliveries(NamedTuple):
    """What arrives within a window: of one spike at a time, by synapses with the same delay.

    Parameters
    ----------
    when : ndarray of float64, shape (room,)
        In ms.
    spike : ndarray of int64, shape (room,)
    begin, end : ndarray of int64, shape (room,)
        First place of the synapses and one past the last.
    part : ndarray of int64, shape (room,)
        Their projection.
    order : ndarray of int64, shape (room,)
        Positions in order of time.
    bucket, start : ndarray of int64, shape (room,) and (room + 1,)
        Overwritten.
    """

    when: Floats
    spike: Integers
    begin: Integers
    end: Integers
    part: Integers
    order: Integers
    bucket: Integers
    start: Integers


@inlined
def make_calendar(spikes: int, lag: float, longest: float, duration: float, step: int) -> Calendar:
    """Return an empty calendar.

    Parameters
    ----------
    spikes : int
        Room for them.
    lag, longest : float
        Shortest delay within the stage and longest delay into it, in ms; infinite where there is none.
    duration : float
        In ms.
    step : int
        See ``Calendar``.
    """
    rate = 1.0 / (min(lag, duration) * (1.0 - SHORTER))
    windows = min(min(longest, duration) * rate + 3.0, FEWEST)
    places = int64(1)
    while places < windows:
        places *= 2
    head = np.empty(places, dtype=np.int64)
    following = np.empty(spikes, dtype=np.int64)
    place, run = np.empty(spikes, dtype=np.int64), np.empty(spikes, dtype=np.int64)
    end = np.empty(spikes, dtype=np.int64)
    waiting = np.zeros(1, dtype=np.int64)
    return Calendar(head, following, place, run, end, np.empty(spikes), waiting, rate, duration, step)


@inlined
def clear(calendar: Calendar) -> None:
    """Remove all spikes."""
    fill(calendar.head, -1)
    calendar.waiting[0] = 0


@inlined
def make_deliveries(room: int) -> Deliveries:
    """Return room for what arrives within a window."""
    spike, part = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    begin, end = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    order, bucket = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    start = np.empty(room + 1, dtype=np.int64)
    return Deliveries(np.empty(room), spike, begin, end, part, order, bucket, start)


@inlined
def window_of(t: float, calendar: Calendar) -> int:
    """Return the window that a time lies in."""
    return int(t * calendar.rate)


@inlined
def window_end(window: int, calendar: Calendar) -> float:
    """Return a time that no arrival in a later window precedes, in ms; not after the end of the run."""
    # rounding moves a boundary by less than this
    return min((window + 1) / calendar.rate * (1.0 - 1e-15), calendar.duration)


@inlined
def put(spike: int, window: int, calendar: Calendar) -> None:
    """Put a spike into the place of a window."""
    place = window & (len(calendar.head) - 1)
    calendar.following[spike] = calendar.head[place]
    calendar.head[place] = spike
    calendar.waiting[0] += 1


@inlined
def send(spike: int, emitted: float, begin: int, end: int, fan: Synapses, calendar: Calendar) -> None:
    """Send a spike on its way, if it arrives at one of its synapses before the end.

    Parameters
    ----------
    spike : int
        Its number in the calendar.
    emitted : float
        In ms.
    begin, end : int
        Its first run, and one past its last.
    fan : Synapses
    calendar : Calendar
    """
    if begin < end:
        q = int64(fan.runs[begin, BEGIN])
        arrival = emitted + delay_at(q, fan.runs[begin, PART], fan)
        if arrival < calendar.duration:
            calendar.place[spike] = q
            calendar.run[spike] = begin
            calendar.end[spike] = end
            calendar.emitted[spike] = emitted
            put(spike, window_of(arrival, calendar), calendar)


@inlined
def last_before(emitted: float, g: int, fan: Synapses, duration: float) -> int:
    """Return the last place of a run at which a spike arrives before the end, -1 for none."""
    begin, q, part = fan.runs[g, BEGIN], int64(fan.runs[g, END] - 1), fan.runs[g, PART]
    while q >= begin and emitted + delay_at(q, part, fan) >= duration:
        q = begin - 1 if fan.parts[part, DELAY_STEP] == 0 else q - 1
    return q if q >= begin else int64(-1)


@inlined
def send_back(spike: int, emitted: float, begin: int, end: int, fan: Synapses, calendar: Calendar) -> None:
    """Send a spike back from its last arrival before the end; parameters are those of ``send``."""
    g, q = end, int64(-1)
    while q < 0 and g > begin:
        g -= 1
        q = last_before(emitted, g, fan, calendar.duration)
    if q >= 0:
        calendar.place[spike] = q
        calendar.run[spike] = g
        calendar.end[spike] = begin - 1
        calendar.emitted[spike] = emitted
        put(spike, window_of(emitted + delay_at(q, fan.runs[g, PART], fan), calendar), calendar)


@inlined
def list_one(
    spike: int, window: int, count: int, fan: Synapses, calendar: Calendar, found: Deliveries
) -> tuple[int, bool]:
    """List the arrivals of one spike within a window; return their number by now, and whether all fit."""
    emitted, step = calendar.emitted[spike], calendar.step
    q, g, end = calendar.place[spike], calendar.run[spike], calendar.end[spike]
    while g != end:
        part = int64(fan.runs[g, PART])
        at, one = fan.parts[part, DELAY_AT], fan.parts[part, DELAY_STEP] == 0
        last = int64(fan.runs[g, END] - 1 if step > 0 else fan.runs[g, BEGIN])
        delay = delay_at(q, part, fan)
        more = True
        while more:
            arrival = emitted + delay
            if arrival >= calendar.duration:
                return count, True
            later = window_of(arrival, calendar)
            if later != window or count == len(found.when):
                calendar.place[spike] = q
                calendar.run[spike] = g
                put(spike, later, calendar)
                return count, later != window
            begin, following, more = q, delay, False
            if one:
                q = last
            while q != last and not more:
                q += step
                following = fan.delay[at + number_at(q, fan)]
                more = following != delay
            edge = q - step if more else q
            found.when[count] = arrival
            found.spike[count] = spike
            found.begin[count] = min(begin, edge)
            found.end[count] = max(begin, edge) + 1
            found.part[count] = part
            count += 1
            delay = following
        g += step
        if g != end:
            q = int64(fan.runs[g, BEGIN] if step > 0 else fan.runs[g, END] - 1)
    return count, True


@shared
def list_deliveries(
    window: int, count: int, fan: Synapses, calendar: Calendar, found: Deliveries
) -> tuple[int, bool]:
    """List what arrives within a window, and send every spike on to the window of its next arrival.

    Parameters
    ----------
    window : int
        Those before it, in the order of the calendar, are done.
    count : int
        Number of deliveries that are listed already.
    fan : Synapses
    calendar : Calendar
    found : Deliveries
        Receives them.

    Returns
    -------
    tuple of (int, bool)
        Their number, and whether there was room for all; if not, the others stay where they are.
    """
    fan, calendar, found = unowned(fan), unowned(calendar), unowned(found)
    place = window & (len(calendar.head) - 1)
    spike = calendar.head[place]
    calendar.head[place] = -1
    fits = True
    while spike >= 0:
        following = calendar.following[spike]
        calendar.waiting[0] -= 1
        count, fitted = list_one(spike, window, count, fan, calendar, found)
        fits = fits and fitted
        spike = following
    return count, fits


@inlined
def enlarge(count: int, found: Deliveries) -> Deliveries:
    """Return twice the room, with the deliveries so far."""
    larger = make_deliveries(2 * len(found.when))
    for k in range(count):
        larger.when[k] = found.when[k]
        larger.spike[k] = found.spike[k]
        larger.begin[k] = found.begin[k]
        larger.end[k] = found.end[k]
        larger.part[k] = found.part[k]
    return larger


@inlined
def distribute(count: int, window: int, rate: float, found: Deliveries) -> int:
    """Order deliveries roughly, by as many equal parts of the window; return the most in one part."""
    bucket, start = found.bucket, found.start
    for k in range(count + 1):
        start[k] = 0
    most = int64(0)
    for k in range(count):
        bucket[k] = max(0, min(count - 1, int((found.when[k] * rate - window) * count)))
        start[bucket[k] + 1] += 1
        most = max(most, start[bucket[k] + 1])
    for k in range(count):
        start[k + 1] += start[k]
    for k in range(count):
        found.order[start[bucket[k]]] = k
        start[bucket[k]] += 1
    return most


@shared
def order_deliveries(count: int, window: int, rate: float, found: Deliveries) -> None:
    """Order the deliveries of a window by time."""
    found = unowned(found)
    when, order = found.when, found.order
    if distribute(count, window, rate, found) > CROWDED:
        sorted_again = find_order(when[:count])
        for k in range(count):
            order[k] = sorted_again[k]
        return
    for k in range(1, count):
        item = order[k]
        m = k
        while m > 0 and when[order[m - 1]] > when[item]:
            order[m] = order[m - 1]
            m -= 1
        order[m] = item


@inlined
def collect_deliveries(
    window: int, fan: Synapses, calendar: Calendar, found: Deliveries
) -> tuple[int, Deliveries]:
    """Return the number of deliveries of a window, and these in order of time; see ``list_deliveries``."""
    if calendar.head[window & (len(calendar.head) - 1)] < 0:
        return int64(0), found
    count, fits = list_deliveries(window, int64(0), fan, calendar, found)
    while not fits:
        found = enlarge(count, found)
        count, fits = list_deliveries(window, count, fan, calendar, found)
    if count > 0:
        order_deliveries(count, window, calendar.rate, found)
    return count, found
