"""States between events, computed once more from the spikes of a run, for adjoints that need them."""

from __future__ import annotations

from typing import Any

from netdesc.adjoint.arrivals import Arrivals
from netdesc.adjoint.neuron import Backward, OwnEvents, crossing_of, store
from netdesc.adjoint.synapses import Synapses, receptor_by, weight_by
from netdesc.dynamics.jit import shared
from netdesc.dynamics.protocol import arrive, begin, flow, held, recall, refractory, release, spike
from netdesc.events import Integers


@shared
def replay(
    cell: int, arrivals: Arrivals, mine: Integers, fan: Synapses, own: OwnEvents, way: Backward, cells: Any
) -> None:
    """Run a neuron through a sample along its spikes as they were, and note its states.

    Parameters
    ----------
    cell : int
    arrivals : Arrivals
    mine : ndarray of int64
        The neuron's spikes, in order.
    fan : Synapses
    own : OwnEvents
    way : Backward
        Receives the states: ``path`` and ``released``.
    cells : named tuple
    """
    x = begin(cells, cell)
    t = 0.0
    latest = -1
    p = 0
    for e in range(arrivals.start[cell], arrivals.start[cell + 1] + 1):
        last = e == arrivals.start[cell + 1]
        # at one time arrivals come after spikes
        while p < len(mine) and (last or own.times[mine[p]] <= arrivals.when[e]):
            k = mine[p]
            if latest >= 0:
                free = own.times[latest] + refractory(cells, cell)
                x = release(held(x, cells, cell, free - t), cells, cell)
                store(way.released, latest - way.first, x)
            latest = k
            x = spike(recall(own.kept, k, cells, cell), cells, cell)
            t = crossing_of(k, own)
            p += 1
        if last:
            break
        target = arrivals.when[e]
        if latest >= 0:
            free = own.times[latest] + refractory(cells, cell)
            if free > target:
                x = held(x, cells, cell, target - t)
                t = target
            else:
                x = release(held(x, cells, cell, free - t), cells, cell)
                store(way.released, latest - way.first, x)
                t = free
                latest = -1
        if target > t:
            x = flow(x, cells, cell, target - t)
            t = target
        store(way.path, e, x)
        q = arrivals.synapse[e]
        x = arrive(x, cells, cell, receptor_by(q, fan), weight_by(q, fan))
    if latest >= 0:
        free = own.times[latest] + refractory(cells, cell)
        store(way.released, latest - way.first, release(held(x, cells, cell, free - t), cells, cell))
