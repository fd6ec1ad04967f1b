"""Adjoint sweep of a stage with cycles: all its events in reverse order of time."""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.adjoint.arrivals import Arrivals, Incoming, Synapses, gather
from netdesc.adjoint.derivatives import Derivatives, PartialSums, select_part
from netdesc.adjoint.neuron import Backward, OwnEvents, Rules, cross_spike, start_backward
from netdesc.adjoint.neurons import cross_arrival, make_room, own_spikes
from netdesc.adjoint.replay import replay
from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.dynamics.protocol import needs_states
from netdesc.dynamics.views import unowned
from netdesc.events import Integers


@inlined
def join(b: int, incoming: Incoming, own: OwnEvents, base: int) -> Incoming:
    """Return all spikes that reach a stage in one sample, those from outside first, then its own.

    Parameters
    ----------
    b : int
        The sample.
    incoming : Incoming
    own : OwnEvents
    base : int
        Slot of the stage's first neuron.
    """
    a, c = incoming.offsets[b], incoming.offsets[b + 1]
    own_a, own_c = own.offsets[b], own.offsets[b + 1]
    times = np.concatenate((incoming.times[a:c], own.times[own_a:own_c]))
    slots = np.concatenate((incoming.slots[a:c], own.neurons[own_a:own_c] + base))
    return Incoming(times, slots, np.array([0, len(times)]))


@inlined
def chain(first: int, last: int, neurons: Integers, latest: Integers) -> Integers:
    """Return the spike of the same neuron before each of spikes ``first`` to ``last - 1``, -1 for none.

    ``latest`` receives the last spike of every neuron.
    """
    previous = np.empty(last - first, dtype=np.int64)
    latest[:] = -1
    for k in range(first, last):
        previous[k - first] = latest[neurons[k]]
        latest[neurons[k]] = k
    return previous


@shared
def sweep_sample(
    arrivals: Arrivals, spans: tuple[int, int, int], fan: Synapses, own: OwnEvents, way: Backward, cells: Any,
    gains: Derivatives, floor: float,
) -> int:  # fmt: skip
    """Compute the adjoints of one sample, event after event, from the end to the start.

    Parameters
    ----------
    arrivals, fan, own, way, cells
        As in ``replay``.
    spans : tuple of int
        First spike from outside and the end of these, and the end of the stage's own; arrivals count those
        from outside, then its own.
    gains : Derivatives
    floor : float
        Smallest slope, relative to the distance from reset to threshold.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    arrivals, fan, own, way = unowned(arrivals), unowned(fan), unowned(own), unowned(way)
    cells, gains = unowned(cells), unowned(gains)
    n = len(cells.tau_ref)
    entered, begin, end = spans[0], way.first, spans[2]
    outside = spans[1] - entered
    if needs_states(cells):
        start, mine = own_spikes(begin, end, own.neurons, n)
        for cell in range(n):
            replay(cell, arrivals, mine[start[cell] : start[cell + 1]], fan, own, way, cells)
    for cell in range(n):
        start_backward(cell, way)
    latest = np.empty(n, dtype=np.int64)
    previous = chain(begin, end, own.neurons, latest)
    order = np.argsort(arrivals.when, kind="mergesort")
    grazing = 0
    p = end - 1
    x = len(order) - 1
    while x >= 0 or p >= begin:
        if x >= 0 and (p < begin or arrivals.when[order[x]] >= own.times[p]):
            e = order[x]
            cell = fan.target[arrivals.synapse[e]]
            force = cross_arrival(e, latest[cell], arrivals, fan, own, way, cells, gains)
            if arrivals.spike[e] < outside:
                gains.arrival[entered + arrivals.spike[e]] += force
            else:
                own.force[begin + arrivals.spike[e] - outside] += force
            x -= 1
        else:
            cell = own.neurons[p]
            grazing += cross_spike(cell, p, own, way, cells, floor)
            latest[cell] = previous[p - begin]
            p -= 1
    return grazing


@kernel
def sweep_network_back(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Any, own: OwnEvents,
    sums: PartialSums, rules: Rules,
) -> int:  # fmt: skip
    """Compute the adjoints of samples ``first`` to ``last - 1`` of a stage with cycles.

    Parameters are those of ``sweep_neurons_back``. At one time arrivals are undone before spikes, so that
    a spike is undone only when all that it caused has been counted.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    n = len(cells.tau_ref)
    grazing = 0
    for b in range(first, last):
        begin, end = own.offsets[b], own.offsets[b + 1]
        arrivals = gather(0, join(b, incoming, own, rules.base), fan, n, rules.duration)
        gains = select_part(b, sums)
        way = make_room(n, len(arrivals.when), end - begin, begin, rules.duration, cells)
        spans = (incoming.offsets[b], incoming.offsets[b + 1], end)
        grazing += sweep_sample(arrivals, spans, fan, own, way, cells, gains, rules.floor)
    return grazing
