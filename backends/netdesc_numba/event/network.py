"""Forward run of a stage with cycles: an event queue."""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.synapses import (
    BEGIN,
    END,
    PART,
    RECEPTOR,
    Synapses,
    delay_at,
    number_at,
    target_of,
    weight_of,
)
from netdesc.dynamics.jit import inlined, int64, kernel, shared
from netdesc.dynamics.protocol import above, horizon, load, refractory
from netdesc.dynamics.views import unowned
from netdesc.events import Floats, Integers
from netdesc_numba.event.advance import (
    Neurons,
    Spikes,
    advance,
    fire,
    make_neurons,
    predict,
    receive,
    start,
)
from netdesc_numba.event.heap import Queue, drop, push

ROOM = 64

STOP = 32
"""Bits of the number of a synapse within its run."""


@inlined
def make_queue(room: int) -> Queue:
    """Return a queue without events."""
    # a literal 0 would be a type of its own, and everything compiled for both
    return int64(0), np.empty(room), np.empty((room, 2), dtype=np.int64)


@inlined
def remove(queue: Queue) -> Queue:
    """Return the queue without its earliest event."""
    size, when, keys = queue
    drop(size, when, keys)
    return size - 1, when, keys


@inlined
def next_stop(stop: int, fan: Synapses) -> int:
    """Return where a spike arrives after a stop; see ``add_arrival``."""
    g = stop >> STOP
    if fan.runs[g, BEGIN] + (stop & ((1 << STOP) - 1)) + 1 < fan.runs[g, END]:
        return stop + 1
    return (g + 1) << STOP


@inlined
def place_of(stop: int, fan: Synapses) -> int:
    """Return the place of the synapse at a stop."""
    return int64(fan.runs[stop >> STOP, BEGIN]) + (stop & ((1 << STOP) - 1))


@inlined
def read_stop(stop: int, fan: Synapses) -> tuple[int, int, float]:
    """Return target, receptor and weight of the synapse at a stop."""
    number, part = number_at(place_of(stop, fan), fan), fan.runs[stop >> STOP, PART]
    return target_of(number, fan), fan.parts[part, RECEPTOR], weight_of(number, part, fan)


@inlined
def add_arrival(
    queue: Queue, emitted: float, stop: int, end: int, spike: int, fan: Synapses, duration: float
) -> Queue:
    """Return the queue with the arrival of a spike at its next stop, if it has one before the end.

    A spike is one event, for the synapse at which it arrives next. A stop is a run, times 2 to the power
    ``STOP``, and the number of the synapse within it; ``end`` is one past the spike's last run. ``spike`` is
    its index among those from outside, or -1 - k for spike k of the stage.
    """
    g = stop >> STOP
    if g < end:
        arrival = emitted + delay_at(place_of(stop, fan), fan.runs[g, PART], fan)
        if arrival < duration:
            return push(queue, arrival, stop, spike)
    return queue


@inlined
def forecast(cell: int, queue: Queue, neurons: Neurons, cells: Any, duration: float) -> Queue:
    """Return the queue with the next spike of a neuron, or with the end of what can be foreseen of it.

    The second key is the neuron's version for a spike and -1 - version for the latter.
    """
    version = neurons.version[cell]
    ahead = max(neurons.clock[cell], neurons.free[cell]) + horizon(cells)
    moment = predict(cell, neurons, cells, min(duration, ahead))
    if moment >= 0.0:
        return push(queue, moment, cell, version)
    if ahead < duration:
        return push(queue, ahead, cell, -1 - version)
    return queue


@inlined
def is_stale(queue: Queue, version: Integers) -> bool:
    """Tell whether something has arrived at the neuron since its earliest forecast was made."""
    size, _, owner = queue
    if size == 0:
        return False
    made = owner[0, 1]
    return bool((made if made >= 0 else -1 - made) != version[owner[0, 0]])


@inlined
def add_entering(b: int, incoming: Incoming, fan: Synapses, duration: float) -> Queue:
    """Return the first arrivals of a sample's spikes from outside."""
    arrivals = make_queue(ROOM)
    for e in range(incoming.offsets[b], incoming.offsets[b + 1]):
        slot = incoming.slots[e]
        begin, end = fan.first[slot] << STOP, fan.first[slot + 1]
        arrivals = add_arrival(arrivals, incoming.times[e], begin, end, e, fan, duration)
    return arrivals


@shared
def fill(
    b: int, incoming: Incoming, fan: Synapses, neurons: Neurons, cells: Any, duration: float
) -> tuple[Queue, Queue]:
    """Set all neurons to their states at 0; return the first arrivals and forecasts of a sample."""
    arrivals = add_entering(b, incoming, fan, duration)
    n = len(neurons.clock)
    spikes = make_queue(n + ROOM)
    for cell in range(n):
        start(cell, neurons, cells)
        if above(load(neurons.state, cell, cells), cells, cell):
            spikes = push(spikes, 0.0, cell, neurons.version[cell])
        else:
            spikes = forecast(cell, spikes, neurons, cells, duration)
    return arrivals, spikes


@shared
def finish(duration: float, neurons: Neurons, kept: Floats, cells: Any) -> None:
    """Carry all neurons to the end."""
    for cell in range(len(neurons.clock)):
        advance(cell, duration, neurons, kept, cells)


@shared
def run_sample(
    b: int, used: int, incoming: Incoming, fan: Synapses, cells: Any, limits: tuple[float, int],
    neurons: Neurons, spikes: Spikes,
) -> int:  # fmt: skip
    """Simulate one sample.

    Parameters
    ----------
    b, used : int
        The sample, and spikes of those before it.
    incoming, fan, cells, spikes
        As in ``run_network``.
    limits : tuple of (float, int)
        Duration and base.
    neurons : Neurons
        Overwritten.

    Returns
    -------
    int
        Spikes used now; -1 where the capacity did not suffice.
    """
    incoming, fan, cells = unowned(incoming), unowned(fan), unowned(cells)
    neurons, spikes = unowned(neurons), unowned(spikes)
    duration, base = limits
    arrivals, forecasts = fill(b, incoming, fan, neurons, cells, duration)
    while arrivals[0] > 0 or forecasts[0] > 0:
        if is_stale(forecasts, neurons.version):
            forecasts = remove(forecasts)
            continue
        if forecasts[0] > 0 and (arrivals[0] == 0 or forecasts[1][0] <= arrivals[1][0]):
            moment, cell, q, e = forecasts[1][0], forecasts[2][0, 0], -1, 0
            receptor, weight = int64(0), 0.0
            fires = forecasts[2][0, 1] >= 0
            if fires and used == len(spikes.times):
                return -1
            forecasts = remove(forecasts)
        else:
            moment, q, e, fires = arrivals[1][0], arrivals[2][0, 0], arrivals[2][0, 1], False
            cell, receptor, weight = read_stop(q, fan)
            arrivals = remove(arrivals)
        advance(cell, moment, neurons, spikes.kept, cells)
        if fires:
            fire(cell, used, moment, moment + refractory(cells, cell), neurons, spikes, cells)
            emitted, q, e, end = moment, fan.first[base + cell] << STOP, -1 - used, fan.first[base + cell + 1]
            used += 1
        elif q >= 0:
            receive(cell, receptor, weight, neurons, cells)
            emitted = incoming.times[e] if e >= 0 else spikes.times[-1 - e]
            slot = incoming.slots[e] if e >= 0 else base + spikes.neurons[-1 - e]
            q, end = next_stop(q, fan), fan.first[slot + 1]
        if q >= 0:
            arrivals = add_arrival(arrivals, emitted, q, end, e, fan, duration)
        neurons.version[cell] += 1
        forecasts = forecast(cell, forecasts, neurons, cells, duration)
    finish(duration, neurons, spikes.kept, cells)
    return used


@kernel
def run_network(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Any, duration: float, base: int,
    spikes: Spikes,
) -> tuple[int, int]:  # fmt: skip
    """Simulate samples ``first`` to ``last - 1`` of a stage with cycles.

    Parameters and results are those of ``sweep_neurons``, and ``base``: the slot of the stage's first neuron.
    A neuron's forecast is renewed whenever something arrives; what it replaces is passed over by its version.
    """
    neurons = make_neurons(len(cells.tau_ref), cells)
    done = int64(0)
    for b in range(first, last):
        used = run_sample(b, done, incoming, fan, cells, (duration, base), neurons, spikes)
        if used < 0:
            return b, done
        spikes.counts[b] = used - done
        done = used
    return last, done
