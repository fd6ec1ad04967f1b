"""What arrives at one neuron in one tick."""

from __future__ import annotations

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.physics.jit import rounding_kernel
from netdesc_numba.ticks_wiring import Neurons, Packets, Synapses


@rounding_kernel
def find_synapse(synapses: Synapses, g: int, l: int) -> int:
    """Return the synapse of a segment onto neuron l, -1 if there is none."""
    low = synapses.start[g]
    high = synapses.start[g + 1]
    if synapses.run[g] == 1:
        q = low + l - synapses.base[g]
        return q if low <= q < high else -1
    while low < high:
        middle = (low + high) // 2
        if synapses.target[middle] < l:
            low = middle + 1
        else:
            high = middle
    return low if low < synapses.start[g + 1] and synapses.target[low] == l else -1


@rounding_kernel
def collect_arrivals(
    l: int, m: int, packets: Packets, outer: Integers, own_neurons: Integers, own_fractions: Floats,
    inner: Integers, synapses: Synapses, neurons: Neurons, when: Floats, found: Integers,
) -> tuple[int, Floats, Integers]:
    """Collect what arrives at a neuron in a tick, in order of time, then emission, then source.

    Parameters
    ----------
    l, m : int
        Neuron and tick.
    packets, outer
        Packets from outside the stage, and where those of each tick stand.
    own_neurons, own_fractions, inner : ndarray
        The same for spikes of the stage.
    synapses, neurons
    when : ndarray of float64
        Room for fractions.
    found : ndarray of int64, shape (size, 4)
        Room for synapse, packet (``-1 - number`` for a spike of the stage), source and delay.

    Returns
    -------
    count : int
    when, found : ndarray
        Larger arrays where there was no room.
    """
    count = 0
    for delay in synapses.delays:
        if delay > m:
            continue
        a = outer[m - delay]
        outside = outer[m - delay + 1] - a
        k = inner[m - delay]
        inside = inner[m - delay + 1] - k if neurons.recurrent else 0
        for x in range(outside + inside):
            code = a + x if x < outside else -1 - (k + x - outside)
            source = packets.sources[code] if code >= 0 else neurons.member[own_neurons[-1 - code]]
            fraction = packets.fractions[code] if code >= 0 else own_fractions[-1 - code]
            for g in range(synapses.first[source], synapses.first[source + 1]):
                if synapses.delay[g] != delay:
                    continue
                q = find_synapse(synapses, g, l)
                if q < 0:
                    continue
                if count == len(when):
                    when = np.concatenate((when, np.empty_like(when)))
                    found = np.concatenate((found, np.empty_like(found)))
                p = count
                # delays descend, so that emissions ascend
                while p > 0 and (when[p - 1] > fraction or (
                        when[p - 1] == fraction and found[p - 1, 3] == delay and found[p - 1, 2] > source)):
                    when[p] = when[p - 1]
                    found[p] = found[p - 1]
                    p -= 1
                when[p] = fraction
                found[p, 0] = q
                found[p, 1] = code
                found[p, 2] = source
                found[p, 3] = delay
                count += 1
    return count, when, found
