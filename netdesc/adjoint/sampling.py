"""Voltages, currents and adjoints at given times, computed from the spikes of a run."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netdesc.adjoint.arrivals import Incoming, gather
from netdesc.adjoint.neuron import OwnEvents, crossing_of, flow_back, start_backward, store
from netdesc.adjoint.neurons import make_room, own_spikes
from netdesc.adjoint.synapses import Synapses, receptor_by, weight_by
from netdesc.dynamics.jit import kernel
from netdesc.dynamics.protocol import (
    arrive,
    begin,
    current,
    flow,
    held,
    load,
    refractory,
    release,
    spike,
    spike_adjoint,
    subtract,
    voltage,
)
from netdesc.events import Floats, Integers


class Samples(NamedTuple):
    """Where samples are taken, and where they go.

    Parameters
    ----------
    chosen : ndarray of int64, shape (c,)
        Neurons of the stage.
    moments : ndarray of float64, shape (m,)
        Ascending, in ms.
    first, second : ndarray of float64, shape (batch, c, m)
        Results: voltage and total current, or lam_v and lam_i of the first receptor.
    """

    chosen: Integers
    moments: Floats
    first: Floats
    second: Floats


@kernel
def sample_state(
    batch: int, incoming: Incoming, fan: Synapses, cells: Any, own: OwnEvents, drop: Floats, horizon: float,
    samples: Samples,
) -> None:  # fmt: skip
    """Evaluate voltage and total current of chosen neurons of a stage.

    A sample at the time of an arrival includes it; one at the time of a spike shows the reset.

    Parameters
    ----------
    batch : int
    incoming : Incoming
        All spikes that reach the stage, its own included.
    fan : Synapses
    cells : named tuple
    own : OwnEvents
    drop : ndarray of float64, shape (n,)
        What a spike subtracts from v, NaN where it sets the reset instead.
    horizon : float
        Just after the last moment, in ms.
    samples : Samples
    """
    n = len(cells.tau_ref)
    for b in range(batch):
        arrivals = gather(b, incoming, fan, n, horizon)
        own_start, mine = own_spikes(own.offsets[b], own.offsets[b + 1], own.neurons, n)
        for c in range(len(samples.chosen)):
            cell = samples.chosen[c]
            x, t, free = begin(cells, cell), 0.0, 0.0
            e, p = arrivals.start[cell], own_start[cell]
            for m in range(len(samples.moments)):
                while True:
                    arrives = arrivals.when[e] if e < arrivals.start[cell + 1] else np.inf
                    fires = crossing_of(mine[p], own) if p < own_start[cell + 1] else np.inf
                    target = min(samples.moments[m], min(arrives, fires))
                    span = min(max(free - t, 0.0), target - t)
                    x = held(x, cells, cell, span)
                    if target - t - span > 0.0:
                        if free > t:
                            x = release(x, cells, cell) if np.isnan(drop[cell]) else x
                        x = flow(x, cells, cell, target - t - span)
                    t = target
                    if fires <= target and fires <= arrives:
                        if np.isnan(drop[cell]):
                            x = spike(x, cells, cell)
                        else:
                            x = subtract(x, cells, cell, drop[cell])
                        free = own.times[mine[p]] + refractory(cells, cell)
                        p += 1
                    elif arrives <= target:
                        q = arrivals.synapse[e]
                        x = arrive(x, cells, cell, receptor_by(q, fan), weight_by(q, fan))
                        e += 1
                    else:
                        break
                samples.first[b, c, m] = voltage(x, cells, cell)
                samples.second[b, c, m] = current(x, cells, cell)


@kernel
def sample_adjoint(
    batch: int, cells: Any, own: OwnEvents, floor: float, duration: float, samples: Samples
) -> None:
    """Evaluate the adjoints of chosen neurons of a stage whose adjoint needs no states.

    Parameters
    ----------
    batch : int
    cells : named tuple
    own : OwnEvents
        Its ``force`` holds totals, as the adjoint sweep leaves them.
    floor : float
        Relative to the distance from reset to threshold.
    duration : float
        In ms.
    samples : Samples
    """
    n = len(cells.tau_ref)
    for b in range(batch):
        own_start, mine = own_spikes(own.offsets[b], own.offsets[b + 1], own.neurons, n)
        way = make_room(n, 0, 0, own.offsets[b], duration, cells)
        for c in range(len(samples.chosen)):
            cell = samples.chosen[c]
            nothing = begin(cells, cell)
            start_backward(cell, way)
            p = own_start[cell + 1] - 1
            for m in range(len(samples.moments) - 1, -1, -1):
                while p >= own_start[cell] and own.times[mine[p]] > samples.moments[m]:
                    k = mine[p]
                    flow_back(cell, own.times[k], k, nothing, own, way, cells)
                    lam = load(way.lam, cell, cells)
                    before, _, _ = spike_adjoint(lam, own.kept, k, cells, cell, own.force[k], floor)
                    store(way.lam, cell, before)
                    way.later[cell] = np.nan
                    p -= 1
                latest = mine[p] if p >= own_start[cell] else -1
                flow_back(cell, min(samples.moments[m], duration), latest, nothing, own, way, cells)
                samples.first[b, c, m] = way.lam[cell, 0]
                samples.second[b, c, m] = way.lam[cell, 1]
