"""Adjoint sweep of a stage without a cycle: neuron after neuron, each with its own arrivals."""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.adjoint.arrivals import Arrivals, Incoming, Synapses, gather
from netdesc.adjoint.derivatives import Derivatives, PartialSums, select_part
from netdesc.adjoint.neuron import Backward, OwnEvents, Rules, carry_back, cross_spike, start_backward, store
from netdesc.adjoint.replay import replay
from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.dynamics.protocol import arrive, arrive_adjoint, begin, load, needs_states, slope
from netdesc.dynamics.views import unowned
from netdesc.events import Floats, Integers


@kernel
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

    Parameters
    ----------
    size, arrivals, spikes : int
        Numbers of neurons, arrivals and spikes.
    first : int
        First spike of the sample.
    duration : float
        In ms.
    cells : named tuple

    Returns
    -------
    Backward
    """
    width = len(begin(cells, 0))
    rows = max(1, arrivals) if needs_states(cells) else 1
    places = max(1, spikes) if needs_states(cells) else 1
    path, released = np.zeros((rows, width)), np.zeros((places, width))
    lam, clock, later = np.empty((size, width)), np.empty(size), np.empty(size)
    return Backward(lam, clock, later, path, released, first, duration)


@inlined
def cross_arrival(
    e: int, latest: int, arrivals: Arrivals, fan: Synapses, own: OwnEvents, way: Backward, cells: Any,
    gains: Derivatives,
) -> float:  # fmt: skip
    """Compute the adjoint of the target of arrival e just before it, and return dL/d(its time).

    Parameters
    ----------
    e, latest : int
        Arrival, and the latest spike of its target that is not yet undone, -1 for none.
    arrivals, fan, own, way, cells
        As in ``replay``.
    gains : Derivatives
        Those by weight and delay are added.
    """
    q = arrivals.synapse[e]
    cell = fan.target[q]
    x = load(way.path, e if needs_states(cells) else 0, cells)
    after = arrive(x, cells, cell, fan.receptor[q], fan.weight[q])
    carry_back(cell, arrivals.when[e], latest, after, own, way, cells)
    within = not np.isnan(way.later[cell])
    lam, force, by_weight = arrive_adjoint(
        load(way.lam, cell, cells), x, cells, cell, fan.receptor[q], fan.weight[q], within
    )
    store(way.lam, cell, lam)
    gains.delay[fan.synapse[q]] += force
    gains.weight[fan.synapse[q]] += by_weight
    return force


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
                force = cross_arrival(e, latest, arrivals, fan, own, way, cells, gains)
                gains.arrival[arrivals.spike[e]] += force
                e -= 1
            else:
                grazing += cross_spike(cell, spikes[p], own, way, cells, floor)
                p -= 1
    return grazing


@kernel
def sweep_neurons_back(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Any, own: OwnEvents,
    sums: PartialSums, rules: Rules,
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
    own : OwnEvents
        The stage's spikes; their dL/dt become totals.
    sums : PartialSums
        Results are added.
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
