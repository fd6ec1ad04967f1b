"""Forward sweep of a stage without a cycle: neuron after neuron, each with its own arrivals."""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.adjoint.arrivals import Incoming, Synapses, gather
from netdesc.dynamics.jit import int64, kernel
from netdesc.dynamics.protocol import above, load
from netdesc_numba.event.advance import Spikes, advance, fire, make_neurons, predict, receive, start


@kernel
def order_in_time(first: int, last: int, spikes: Spikes) -> None:
    """Sort spikes ``first`` to ``last - 1`` in place by time, ties by neuron.

    They must come neuron after neuron in ascending order, each in order of time.
    """
    order = np.argsort(spikes.times[first:last], kind="mergesort")
    spikes.times[first:last] = spikes.times[first:last][order]
    spikes.neurons[first:last] = spikes.neurons[first:last][order]
    for row in range(len(spikes.kept)):
        spikes.kept[row, first:last] = spikes.kept[row, first:last][order]


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
    capacity = len(spikes.times)
    neurons = make_neurons(n, cells)
    used = int64(0)
    for b in range(first, last):
        done = used
        arrivals = gather(b, incoming, fan, n, duration)
        for cell in range(n):
            start(cell, neurons, cells)
            if above(load(neurons.state, cell, cells), cells, cell):
                if used == capacity:
                    return b, done
                fire(cell, used, 0.0, neurons, spikes, cells)
                used += 1
            for e in range(arrivals.start[cell], arrivals.start[cell + 1] + 1):
                more = e < arrivals.start[cell + 1]
                target = arrivals.when[e] if more else duration
                while True:
                    moment = predict(cell, neurons, cells, target)
                    if moment < 0.0:
                        break
                    if used == capacity:
                        return b, done
                    advance(cell, moment, neurons, spikes.kept, cells)
                    fire(cell, used, moment, neurons, spikes, cells)
                    used += 1
                advance(cell, target, neurons, spikes.kept, cells)
                if more:
                    q = arrivals.synapse[e]
                    receive(cell, fan.receptor[q], fan.weight[q], neurons, cells)
        order_in_time(done, used, spikes)
        spikes.counts[b] = used - done
    return last, used
