"""What arrives at one neuron in one tick."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers
from netdesc_numba.grid.wiring import Synapses


@kernel
def collect_arrivals(
    j: int,
    m: int,
    sources: Integers,
    fractions: Floats,
    outer: Integers,
    own: Integers,
    own_fractions: Floats,
    inner: Integers,
    member: Integers,
    synapses: Synapses,
    when: Floats,
    found: Integers,
) -> int:
    """Collect what arrives at a neuron in a tick, in order of time, then emission, then source.

    Parameters
    ----------
    j, m : int
        Neuron and tick.
    sources, fractions, outer : ndarray
        Packets from outside the stage, and where those of each tick stand.
    own, own_fractions, inner : ndarray
        Neurons of the spikes of the stage, the same for these; nothing where they do not return.
    member : ndarray of int64, shape (n,)
        Index of the neurons in the program.
    synapses : Synapses
    when : ndarray of float64, shape (size,)
        Result: fractions.
    found : ndarray of int64, shape (size, 5)
        Result: synapse, packet (``-1 - number`` for a spike of the stage), source, delay and receptor.

    Returns
    -------
    int
        How many; if that is more than there is room for, the rest is missing.
    """
    first, delays, bases, receptor, run, start, target, _, distinct = synapses
    count = 0
    # delays descend, so that emissions ascend
    for delay in distinct:
        if delay > m:
            continue
        a = outer[m - delay]
        outside = outer[m - delay + 1] - a
        k = inner[m - delay]
        for x in range(outside + inner[m - delay + 1] - k):
            code = a + x if x < outside else -1 - (k + x - outside)
            source = sources[code] if code >= 0 else member[own[-1 - code]]
            fraction = fractions[code] if code >= 0 else own_fractions[-1 - code]
            for g in range(first[source], first[source + 1]):
                if delays[g] != delay:
                    continue
                low = int(start[g])
                high = int(start[g + 1])
                if run[g] == 1:
                    q = low + j - int(bases[g])
                    if q < low or q >= high:
                        continue
                else:
                    q = low + int(np.searchsorted(target[low:high], j))
                    if q == high or target[q] != j:
                        continue
                if count < len(when):
                    insert_arrival(count, fraction, q, code, source, delay, int(receptor[g]), when, found)
                count += 1
    return count


@kernel
def insert_arrival(
    count: int,
    fraction: float,
    synapse: int,
    code: int,
    source: int,
    delay: int,
    receptor: int,
    when: Floats,
    found: Integers,
) -> None:
    """Put an arrival to its place among those there are; see ``collect_arrivals``."""
    p = count
    while p > 0 and (
        when[p - 1] > fraction
        or (when[p - 1] == fraction and found[p - 1, 3] == delay and found[p - 1, 2] > source)
    ):
        when[p] = when[p - 1]
        for column in range(5):
            found[p, column] = found[p - 1, column]
        p -= 1
    when[p] = fraction
    found[p, 0] = synapse
    found[p, 1] = code
    found[p, 2] = source
    found[p, 3] = delay
    found[p, 4] = receptor
