"""Delivery of packets into the rings of a stage, and their order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import kernel
from netdesc.events import Integers
from netdesc_numba.grid.wiring import Packets, Synapses


@kernel
def find_ticks(begin: int, end: int, ticks: Integers, places: Integers) -> None:
    """Tell where the packets of each tick stand.

    Parameters
    ----------
    begin, end : int
        Packets of a sample.
    ticks : ndarray of int64
        Ascending in that range.
    places : ndarray of int64, shape (ticks + 1,)
        Result: packets of tick n are ``places[n]`` to ``places[n + 1] - 1``.
    """
    e = begin
    for n in range(len(places)):
        while e < end and ticks[e] < n:
            e += 1
        places[n] = e


@kernel
def order_sources(count: int, sources: Integers, codes: Integers) -> None:
    """Sort packets of a tick by source in place; those of one source keep their order.

    Parameters
    ----------
    count : int
        Number of packets; the arrays may be longer.
    sources, codes : ndarray of int64
        Sources, and what else belongs to each packet.
    """
    if count > 64:
        order = np.argsort(sources[:count], kind="mergesort")
        sources[:count] = sources[:count][order]
        codes[:count] = codes[:count][order]
        return
    for k in range(1, count):
        source = sources[k]
        code = codes[k]
        m = k - 1
        while m >= 0 and sources[m] > source:
            sources[m + 1] = sources[m]
            codes[m + 1] = codes[m]
            m -= 1
        sources[m + 1] = source
        codes[m + 1] = code


@kernel
def deliver(begin: int, end: int, sources: Integers, n: int, ring: NDArray[Any], synapses: Synapses) -> None:
    """Add the weights of packets of one tick to the ring, in their order.

    Parameters
    ----------
    begin, end : int
        The packets.
    sources : ndarray of int64
        Index in the program of each.
    n : int
        Tick of emission.
    ring : ndarray, shape (depth, receptors, n)
        By tick of arrival modulo the depth.
    synapses : Synapses
    """
    first, delay, base, receptor, run, start, target, weight, _ = synapses
    for e in range(begin, end):
        for g in range(first[sources[e]], first[sources[e] + 1]):
            place = np.uint64((n + delay[g]) % len(ring))
            a = start[g]
            r = receptor[g]
            if run[g] == 1:
                to = base[g]
                for k in range(start[g + 1] - a):
                    ring[place, r, to + k] += weight[a + k]
            else:
                for q in range(a, start[g + 1]):
                    ring[place, r, target[q]] += weight[q]


@kernel
def gather_sources(
    begin: int,
    end: int,
    packets: Packets,
    own_begin: int,
    own_end: int,
    own: Integers,
    member: Integers,
    sources: Integers,
    codes: Integers,
) -> tuple[int, Integers, Integers]:
    """Collect the packets of a tick in order of their sources.

    Parameters
    ----------
    begin, end : int
        Packets from outside the stage.
    packets : Packets
    own_begin, own_end : int
        Spikes of the stage.
    own : ndarray of int64
        Neuron of each spike of the stage.
    member : ndarray of int64, shape (n,)
        Its index in the program.
    sources, codes : ndarray of int64
        Room for the result.

    Returns
    -------
    count : int
    sources, codes : ndarray of int64
        Source, and number of the packet; ``-1 - number`` for a spike of the stage. Larger arrays where
        there was no room.
    """
    count = end - begin + own_end - own_begin
    if count > len(sources):
        sources = np.empty(2 * count, dtype=np.int64)
        codes = np.empty(2 * count, dtype=np.int64)
    m = 0
    for e in range(begin, end):
        sources[m] = packets.sources[e]
        codes[m] = e
        m += 1
    for k in range(own_begin, own_end):
        sources[m] = member[own[k]]
        codes[m] = -1 - k
        m += 1
    order_sources(count, sources, codes)
    return count, sources, codes
