"""Forward sweep of a stage without a cycle: neuron after neuron, each with its own arrivals."""

from __future__ import annotations

from typing import Any

from netdesc.adjoint.arrivals import Arrivals, Incoming, gather
from netdesc.adjoint.synapses import Synapses, receptor_by, weight_by
from netdesc.dynamics.jit import int64, kernel, shared
from netdesc.dynamics.protocol import above, load, refractory
from netdesc.dynamics.views import unowned
from netdesc_numba.event.advance import (
    Neurons,
    Spikes,
    advance,
    fire,
    make_neurons,
    order_in_time,
    predict,
    receive,
    start,
)


@shared
def run_sample(
    used: int,
    arrivals: Arrivals,
    fan: Synapses,
    cells: Any,
    duration: float,
    neurons: Neurons,
    spikes: Spikes,
) -> int:
    """Simulate one sample, neuron after neuron.

    Parameters
    ----------
    used : int
        Spikes of the samples before it.
    arrivals : Arrivals
    fan, cells, duration, spikes
        As in ``sweep_neurons``; the spikes come neuron after neuron.
    neurons : Neurons
        Overwritten.

    Returns
    -------
    int
        Spikes used now; -1 where the capacity did not suffice.
    """
    arrivals, fan, cells = unowned(arrivals), unowned(fan), unowned(cells)
    neurons, spikes = unowned(neurons), unowned(spikes)
    capacity = len(spikes.times)
    for cell in range(len(neurons.clock)):
        start(cell, neurons, cells)
        if above(load(neurons.state, cell, cells), cells, cell):
            if used == capacity:
                return -1
            fire(cell, used, 0.0, 0.0 + refractory(cells, cell), neurons, spikes, cells)
            used += 1
        for e in range(arrivals.start[cell], arrivals.start[cell + 1] + 1):
            more = e < arrivals.start[cell + 1]
            target = arrivals.when[e] if more else duration
            fires = True
            while fires:
                moment = predict(cell, neurons, cells, target)
                fires = moment >= 0.0
                if fires and used == capacity:
                    return -1
                advance(cell, moment if fires else target, neurons, spikes.kept, cells)
                if fires:
                    fire(cell, used, moment, moment + refractory(cells, cell), neurons, spikes, cells)
                    used += 1
            if more:
                q = arrivals.synapse[e]
                receive(cell, receptor_by(q, fan), weight_by(q, fan), neurons, cells)
    return used


@kernel
def sweep_neurons(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Any, duration: float, spikes: Spikes
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of a stage.

    Parameters
    ----------
    first, last : int
        Range of samples.
    incoming : Incoming
        Spikes that enter the stage.
    fan : Synapses
    cells : named tuple
        Parameters of the neurons.
    duration : float
        In ms.
    spikes : Spikes
        Receives the results.

    Returns
    -------
    sample : int
        The first sample that is not done: ``last``, or the one for which the capacity did not suffice.
    used : int
        Spikes of the samples that are done.
    """
    n = len(cells.tau_ref)
    neurons = make_neurons(n, cells)
    done = int64(0)
    for b in range(first, last):
        arrivals = gather(b, incoming, fan, n, duration)
        used = run_sample(done, arrivals, fan, cells, duration, neurons, spikes)
        if used < 0:
            return b, done
        order_in_time(done, used, spikes)
        spikes.counts[b] = used - done
        done = used
    return last, done
