"""Adjoint sweeps of a stage.

Without a cycle neuron after neuron, each with its own arrivals; with one all events in reverse order of time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.adjoint.arrivals import Arrivals, Incoming, gather
from netdesc.adjoint.derivatives import Derivatives, PartialSums, add_gains, select_part
from netdesc.adjoint.neuron import Backward, OwnEvents, Rules, cross_spike, flow_back, start_backward, store
from netdesc.adjoint.replay import replay
from netdesc.adjoint.synapses import Synapses, number_of, receptor_by, target_of, weight_by
from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.dynamics.order import find_order
from netdesc.dynamics.protocol import State, arrive, arrive_adjoint, begin, load, needs_states, slope
from netdesc.dynamics.views import unowned
from netdesc.events import Floats, Integers


@shared
def own_spikes(first: int, last: int, neurons: Integers, size: int) -> tuple[Integers, Integers]:
    """Sort spikes ``first`` to ``last - 1`` by neuron, keeping their order in time.

    Returns
    -------
    start : ndarray of int64, shape (size + 1,)
    index : ndarray of int64, shape (last - first,)
    """
    start = np.zeros(size + 1, dtype=np.int64)
    for k in range(first, last):
        start[neurons[k] + 1] += 1
    for cell in range(size):
        start[cell + 1] += start[cell]
    place = start[:-1].copy()
    index = np.empty(last - first, dtype=np.int64)
    for k in range(first, last):
        index[place[neurons[k]]] = k
        place[neurons[k]] += 1
    return start, index


@kernel
def measure_slopes(kept: Floats, neurons: Integers, cells: Any, floor: float, slopes: Floats) -> None:
    """Evaluate the slope at every spike, not below the floor; see ``protocol.slope``."""
    for k in range(len(neurons)):
        slopes[k] = slope(kept, k, cells, neurons[k], floor)


@shared
def make_room(size: int, arrivals: int, spikes: int, first: int, duration: float, cells: Any) -> Backward:
    """Return arrays for the adjoints of a sample, and for its states where they are needed.

    ``size``, ``arrivals`` and ``spikes`` are numbers; ``first`` is the first spike of the sample.
    """
    width = len(begin(cells, 0))
    rows = max(1, arrivals) if needs_states(cells) else 1
    places = max(1, spikes) if needs_states(cells) else 1
    path, released = np.zeros((rows, width)), np.zeros((places, width))
    lam, clock, later = np.empty((size, width)), np.empty(size), np.empty(size)
    return Backward(lam, clock, later, path, released, first, duration)


@inlined
def cross_arrival(
    arrival: tuple[int, float], x: State, latest: int, fan: Synapses, own: OwnEvents, way: Backward,
    cells: Any, gains: Derivatives,
) -> float:  # fmt: skip
    """Compute the adjoint of the target of an arrival just before it, and return dL/d(its time).

    Parameters
    ----------
    arrival : tuple of (int, float)
        Label of the synapse, and time in ms.
    x : tuple of float
        State of the target before it; used only where the adjoint needs states.
    latest : int
        The latest spike of the target that is not yet undone, -1 for none.
    fan, own, way, cells
        As in ``replay``.
    gains : Derivatives
        Those by weight and delay are added.
    """
    labelled, when = arrival
    number = number_of(labelled)
    cell = target_of(number, fan)
    receptor, weight = receptor_by(labelled, fan), weight_by(labelled, fan)
    after = arrive(x, cells, cell, receptor, weight)
    flow_back(cell, when, latest, after, own, way, cells)
    within = not np.isnan(way.later[cell])
    lam, force, by_weight = arrive_adjoint(
        load(way.lam, cell, cells), x, cells, cell, receptor, weight, within
    )
    store(way.lam, cell, lam)
    add_gains(number, by_weight, force, gains)
    return force


@inlined
def cross_listed(
    e: int, latest: int, arrivals: Arrivals, fan: Synapses, own: OwnEvents, way: Backward, cells: Any,
    gains: Derivatives,
) -> float:  # fmt: skip
    """Cross arrival e of a list backward; see ``cross_arrival``."""
    x = load(way.path, e if needs_states(cells) else 0, cells)
    arrival = (arrivals.synapse[e], arrivals.when[e])
    return cross_arrival(arrival, x, latest, fan, own, way, cells, gains)


@shared
def sweep_sample(
    arrivals: Arrivals, mine: tuple[Integers, Integers], fan: Synapses, own: OwnEvents, way: Backward,
    cells: Any, gains: Derivatives, floor: float,
) -> int:  # fmt: skip
    """Compute the adjoints of one sample, neuron after neuron, from the end to the start.

    Parameters
    ----------
    arrivals, fan, own, way, cells
        As in ``replay``.
    mine : tuple of ndarray
        From ``own_spikes``.
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
    start, spikes = unowned(mine)
    grazing = 0
    for cell in range(len(start) - 1):
        if needs_states(cells):
            replay(cell, arrivals, spikes[start[cell] : start[cell + 1]], fan, own, way, cells)
        start_backward(cell, way)
        p = start[cell + 1] - 1
        e = arrivals.start[cell + 1] - 1
        while e >= arrivals.start[cell] or p >= start[cell]:
            if e >= arrivals.start[cell] and (p < start[cell] or arrivals.when[e] >= own.times[spikes[p]]):
                latest = spikes[p] if p >= start[cell] else -1
                force = cross_listed(e, latest, arrivals, fan, own, way, cells, gains)
                gains.arrival[arrivals.spike[e]] += force
                e -= 1
            else:
                grazing += cross_spike(cell, spikes[p], own, way, cells, floor)
                p -= 1
    return grazing


@kernel
def sweep_neurons_back(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Any, sums: PartialSums,
    own: OwnEvents, rules: Rules,
) -> int:  # fmt: skip
    """Compute the adjoints of samples ``first`` to ``last - 1`` of a stage, back to its synapses.

    Parameters
    ----------
    first, last : int
        Range of samples.
    incoming : Incoming
        Spikes that enter the stage.
    fan : Synapses
    cells : named tuple
        Parameters of the neurons.
    sums : PartialSums
        Results are added.
    own : OwnEvents
        The stage's spikes; their dL/dt become totals.
    rules : Rules

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    n = len(cells.tau_ref)
    grazing = 0
    for b in range(first, last):
        arrivals = gather(b, incoming, fan, n, rules.duration)
        base = own.offsets[b]
        mine = own_spikes(base, own.offsets[b + 1], own.neurons, n)
        gains = select_part(b, sums)
        way = make_room(n, len(arrivals.when), len(mine[1]), base, rules.duration, cells)
        grazing += sweep_sample(arrivals, mine, fan, own, way, cells, gains, rules.floor)
    return grazing


@inlined
def join(b: int, incoming: Incoming, own: OwnEvents, base: int) -> Incoming:
    """Return the spikes that reach a stage in sample b: those from outside, its own from slot ``base`` on."""
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
def sweep_sample_in_time(
    arrivals: Arrivals, spans: tuple[int, int, int], fan: Synapses, own: OwnEvents, way: Backward, cells: Any,
    gains: Derivatives, floor: float,
) -> int:  # fmt: skip
    """Compute the adjoints of one sample, event after event, from the end to the start.

    Parameters are those of ``sweep_sample``, and ``spans``: the first spike from outside, the end of these,
    and the end of the stage's own; arrivals count those from outside, then its own.
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
    order = find_order(arrivals.when)
    grazing = 0
    p = end - 1
    x = len(order) - 1
    while x >= 0 or p >= begin:
        if x >= 0 and (p < begin or arrivals.when[order[x]] >= own.times[p]):
            e = order[x]
            cell = target_of(number_of(arrivals.synapse[e]), fan)
            force = cross_listed(e, latest[cell], arrivals, fan, own, way, cells, gains)
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
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Any, sums: PartialSums,
    own: OwnEvents, rules: Rules,
) -> int:  # fmt: skip
    """Compute the adjoints of samples ``first`` to ``last - 1`` of a stage with cycles.

    Parameters are those of ``sweep_neurons_back``. At one time arrivals are undone before spikes, so that
    a spike is undone only when all that it caused has been counted.
    """
    n = len(cells.tau_ref)
    grazing = 0
    for b in range(first, last):
        begin, end = own.offsets[b], own.offsets[b + 1]
        arrivals = gather(0, join(b, incoming, own, rules.base), fan, n, rules.duration)
        gains = select_part(b, sums)
        way = make_room(n, len(arrivals.when), end - begin, begin, rules.duration, cells)
        spans = (incoming.offsets[b], incoming.offsets[b + 1], end)
        grazing += sweep_sample_in_time(arrivals, spans, fan, own, way, cells, gains, rules.floor)
    return grazing
