"""Adjoint sweep of a stage with cycles: all its events in reverse order of time."""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.adjoint.arrivals import Incoming, Synapses, gather
from netdesc.adjoint.neuron import OwnEvents, Rules, cross_spike, start_backward
from netdesc.adjoint.neurons import Derivatives, make_room, meet, own_spikes
from netdesc.adjoint.replay import replay
from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.protocol import needs_states
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


@kernel
def sweep_network_back(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Any, own: OwnEvents,
    gains: Derivatives, rules: Rules,
) -> int:  # fmt: skip
    """Carry adjoints of samples ``first`` to ``last - 1`` back through a stage with cycles.

    Parameters are those of ``sweep_neurons_back``. At one time arrivals are undone before spikes, so that
    a spike is undone only when all that it caused has been counted.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    n = len(cells.tau_ref)
    latest = np.empty(n, dtype=np.int64)
    grazing = 0
    for b in range(first, last):
        a = incoming.offsets[b]
        outside = incoming.offsets[b + 1] - a
        own_a, own_c = own.offsets[b], own.offsets[b + 1]
        arrivals = gather(0, join(b, incoming, own, rules.base), fan, n, rules.duration)
        order = np.argsort(arrivals.when, kind="mergesort")
        way = make_room(n, len(order), own_c - own_a, own_a, rules.duration, cells)
        if needs_states(cells):
            own_start, mine = own_spikes(own_a, own_c, own.neurons, n)
            for cell in range(n):
                replay(cell, arrivals, mine[own_start[cell] : own_start[cell + 1]], fan, own, way, cells)
        for cell in range(n):
            start_backward(cell, way)
        previous = chain(own_a, own_c, own.neurons, latest)
        p = own_c - 1
        x = len(order) - 1
        while x >= 0 or p >= own_a:
            if x >= 0 and (p < own_a or arrivals.when[order[x]] >= own.times[p]):
                e = order[x]
                cell = fan.target[arrivals.synapse[e]]
                force = meet(e, latest[cell], arrivals, fan, own, way, cells, gains)
                if arrivals.spike[e] < outside:
                    gains.arrival[a + arrivals.spike[e]] += force
                else:
                    own.force[own_a + arrivals.spike[e] - outside] += force
                x -= 1
            else:
                cell = own.neurons[p]
                grazing += cross_spike(cell, p, own, way, cells, rules.floor)
                latest[cell] = previous[p - own_a]
                p -= 1
    return grazing
