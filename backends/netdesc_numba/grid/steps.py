"""Forward run of a stage of any cells, tick by tick."""

from __future__ import annotations

from typing import Any

from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.synapses import Synapses
from netdesc.dynamics.jit import int64, kernel, shared
from netdesc.dynamics.protocol import NEVER, above, crossing, load, refractory
from netdesc.dynamics.views import unowned
from netdesc_numba.event.advance import Neurons, Spikes, advance, fire, make_neurons, receive, start
from netdesc_numba.event.network import STOP, add_arrival, add_entering, next_stop, read_stop, remove


@shared
def step_neurons(m: int, used: int, neurons: Neurons, spikes: Spikes, cells: Any) -> int:
    """Carry all neurons to tick m; those that reach the threshold on the way spike at it.

    Such a neuron is reset when it reaches the threshold, and held until its refractory period after the tick.

    Parameters
    ----------
    m, used : int
        The tick, and spikes before it.
    neurons : Neurons
        Changed in place.
    spikes : Spikes
        Receives the spikes, by neuron.
    cells : named tuple

    Returns
    -------
    int
        Spikes after it; -1 where the capacity did not suffice.
    """
    neurons, spikes, cells = unowned(neurons), unowned(spikes), unowned(cells)
    for cell in range(len(neurons.clock)):
        x = load(neurons.state, cell, cells)
        s = NEVER
        if m == 0:
            s = 0.0 if above(x, cells, cell) else NEVER
        elif neurons.waiting[cell] < 0:
            s = crossing(x, cells, cell, 1.0)
        if s >= 0.0:
            if used == len(spikes.times):
                return -1
            moment = min(neurons.clock[cell] + s, float(m))
            advance(cell, moment, neurons, spikes.kept, cells)
            fire(cell, used, moment, m + refractory(cells, cell), neurons, spikes, cells)
            spikes.times[used] = m
            spikes.kept[len(spikes.kept) - 1, used] = moment
            used += 1
        advance(cell, float(m), neurons, spikes.kept, cells)
    return used


@kernel
def run_ticks(
    first: int, last: int, incoming: Incoming, fan: Synapses, cells: Any, span: tuple[int, int],
    spikes: Spikes,
) -> tuple[int, int]:  # fmt: skip
    """Simulate samples ``first`` to ``last - 1`` of a stage; every time is a whole number of ticks.

    At a tick neurons are released first, then they spike, and then they receive what arrives.

    Parameters and results are those of ``netdesc_numba.event.neurons.sweep_neurons``, other than ``span``:
    ticks of a run, and the slot of the stage's first neuron. The last row of ``spikes.kept`` is when the
    neuron reached its threshold.
    """
    steps, base = span
    neurons = make_neurons(len(cells.tau_ref), cells)
    done = int64(0)
    for b in range(first, last):
        used = done
        arrivals = add_entering(b, incoming, fan, float(steps))
        for cell in range(len(cells.tau_ref)):
            start(cell, neurons, cells)
        for m in range(steps + 1):
            fresh = used
            used = step_neurons(m, used, neurons, spikes, cells)
            if used < 0:
                return b, done
            for k in range(fresh, used):
                slot = base + spikes.neurons[k]
                q, end = fan.first[slot] << STOP, fan.first[slot + 1]
                arrivals = add_arrival(arrivals, float(m), q, end, -1 - k, fan, float(steps))
            while arrivals[0] > 0 and arrivals[1][0] <= m:
                q, e = arrivals[2][0, 0], arrivals[2][0, 1]
                arrivals = remove(arrivals)
                cell, receptor, weight = read_stop(q, fan)
                receive(cell, receptor, weight, neurons, cells)
                emitted = incoming.times[e] if e >= 0 else spikes.times[-1 - e]
                slot = incoming.slots[e] if e >= 0 else base + spikes.neurons[-1 - e]
                q, end = next_stop(q, fan), fan.first[slot + 1]
                arrivals = add_arrival(arrivals, emitted, q, end, e, fan, float(steps))
        spikes.counts[b] = used - done
        done = used
    return last, done
