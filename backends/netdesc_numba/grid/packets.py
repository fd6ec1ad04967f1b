"""Packets: spikes that enter a stage, and those that return into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrivals import Afferents, merge, part_of
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.tick import split_times
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program
from netdesc.ticks.records import Arrivals, Spikes
from netdesc_numba.grid.job import Job
from netdesc_numba.grid.wiring import Grid


class Packets(NamedTuple):
    """Spikes that enter a stage, by tick, then source, within a sample.

    Parameters
    ----------
    tick, row : ndarray of int64, shape (k,)
        Tick of emission, and row of synapses: the index of the source in the program.
    fraction : ndarray, shape (k,)
        Part of the tick that had passed; in the precision of the state.
    offsets : ndarray of int64, shape (batch + 1,)
    """

    tick: Integers
    row: Integers
    fraction: NDArray[Any]
    offsets: Integers


class Received(NamedTuple):
    """Spikes that enter or return into a stage, for its adjoint, by tick, then source, within a sample.

    Parameters
    ----------
    tick, row, fraction, offsets
        As in ``Packets``.
    gradient : ndarray, shape (k,)
        dL/d(arrival) through the stage is added.
    place : ndarray of int64, shape (own spikes,) or (0,)
        Where the spikes of the stage are among these; empty where they do not return.
    """

    tick: Integers
    row: Integers
    fraction: NDArray[Any]
    offsets: Integers
    gradient: NDArray[Any]
    place: Integers


RUN = 32
"""Packets that are sorted by insertion; more are merged."""


@dataclass(frozen=True, slots=True)
class Entering:
    """Spikes that enter a stage.

    Parameters
    ----------
    packets : Packets
    order : ndarray of int64, shape (k,), or None
        Number of each packet in ``afferents``; None where it is the same.
    afferents : Afferents
    """

    packets: Packets
    order: Integers | None
    afferents: Afferents


def collect_packets(
    program: Program, inputs: tuple[int, ...], spikes: Mapping[int, Events], grid: Grid, batch: int
) -> Entering:
    """Collect the spikes that enter a stage.

    Parameters
    ----------
    program : Program
    inputs : tuple of int
        Populations that project into it.
    spikes : mapping of int to Events
        By population index, at times in the resolution of packets.
    grid : Grid
    batch : int
        Number of samples.
    """
    afferents = merge([part_of(p, spikes[p], program.populations[p].start) for p in inputs], batch)
    ticks, fractions = split_times(afferents.times, grid.timestep)
    rows, offsets, order = afferents.slots.copy(), afferents.offsets.copy(), None
    if fractions.any():
        # within a tick, afferents are in order of time
        samples = np.repeat(np.arange(batch), np.diff(offsets))
        order = np.lexsort((rows, ticks, samples))
        ticks, rows, fractions = ticks[order], rows[order], fractions[order]
    return Entering(Packets(ticks, rows, fractions.astype(grid.dtype), offsets), order, afferents)


def store_of(packets: Packets, span: tuple[int, int], job: Job, spikes: int) -> Arrivals:
    """Return a store of what a stage receives: the packets, or room for them and ``spikes`` that return."""
    index = np.empty(job.steps + 2, dtype=np.int64)
    if not job.recurrent:
        return Arrivals(packets.row, packets.fraction, packets.fraction, index)
    most = int(np.diff(packets.offsets[span[0] : span[1] + 1]).max(initial=0))
    fraction = np.empty(most + spikes, dtype=packets.fraction.dtype)
    return Arrivals(np.empty(most + spikes, dtype=np.int64), fraction, fraction, index)


def receive(packets: Packets) -> Received:
    """Return packets of a stage whose spikes do not return, without derivatives yet."""
    return Received(
        packets.tick,
        packets.row,
        packets.fraction,
        packets.offsets,
        np.zeros_like(packets.fraction),
        np.empty(0, dtype=np.int64),
    )


def receive_own(packets: Packets, own: Spikes, member: Integers, offsets: Integers) -> Received:
    """Return packets of a stage together with its own spikes, whose derivatives begin with their forces.

    Parameters
    ----------
    packets : Packets
    own : Spikes
    member : ndarray of int64
        Index of the neurons in the program.
    offsets : ndarray of int64, shape (batch + 1,)
        Of the spikes.

    Returns
    -------
    Received
        ``gradient[place]`` is what ``own.force`` was.
    """
    tick = np.concatenate((packets.tick, own.tick))
    row = np.concatenate((packets.row, member[own.neuron]))
    batch = len(offsets) - 1
    sample = np.concatenate([np.repeat(np.arange(batch), np.diff(o)) for o in (packets.offsets, offsets)])
    order = np.lexsort((row, tick, sample))
    gradient = np.concatenate((np.zeros_like(packets.fraction), own.force))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return Received(
        tick[order],
        row[order],
        np.concatenate((packets.fraction, own.fraction))[order],
        packets.offsets + offsets,
        gradient[order],
        place[len(packets.tick) :],
    )


def gradients_of(entering: Entering, received: Received) -> dict[int, Floats]:
    """Return dL/dt of the spikes that entered a stage, by the population that they came from."""
    mine = np.ones(len(received.tick), dtype=np.bool_)
    mine[received.place] = False
    gradient = received.gradient[mine].astype(np.float64)
    if entering.order is not None:
        sorted_gradient, gradient = gradient, np.empty(len(gradient))
        gradient[entering.order] = sorted_gradient
    return {p: gradient if at is None else gradient[at] for p, at in entering.afferents.parts}


@inlined
def find_ticks(begin: int, end: int, ticks: Integers, places: Integers) -> None:
    """Find the packets of each tick.

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


@inlined
def append_packets(
    m: int, e: int, end: int, packets: Packets, filled: int, store: Arrivals
) -> tuple[int, int]:
    """Append the packets of a tick to a store.

    Parameters
    ----------
    m, e, end : int
        The tick, the next packet of the sample, and one past its last.
    packets : Packets
    filled : int
        Spikes in the store.
    store : Arrivals

    Returns
    -------
    e, filled : int
        After it.
    """
    while e < end and packets.tick[e] == m:
        store.row[filled] = packets.row[e]
        store.fraction[filled] = packets.fraction[e]
        filled += 1
        e += 1
    return e, filled


@inlined
def append_spikes(
    begin: int, end: int, spikes: Spikes, member: Integers, filled: int, store: Arrivals
) -> int:
    """Append spikes of the stage to a store; return how many it has then."""
    for k in range(begin, end):
        store.row[filled] = member[spikes.neuron[k]]
        store.fraction[filled] = spikes.fraction[k]
        filled += 1
    return filled


@inlined
def sort_rows(begin: int, end: int, store: Arrivals) -> None:
    """Sort a part of a store by source in place; spikes of one source keep their order."""
    for low in range(begin, end, RUN):
        insert_rows(low, min(low + RUN, end), store)
    if end - begin <= RUN:
        return
    row, fraction = np.empty(end - begin, dtype=np.int64), np.empty_like(store.fraction[begin:end])
    width = RUN
    while width < end - begin:
        for low in range(begin, end, 2 * width):
            middle, high = min(low + width, end), min(low + 2 * width, end)
            a, c = low, middle
            for p in range(low - begin, high - begin):
                left = a < middle and (c == high or store.row[a] <= store.row[c])
                k = a if left else c
                row[p], fraction[p] = store.row[k], store.fraction[k]
                a, c = (a + 1, c) if left else (a, c + 1)
        for p in range(end - begin):
            store.row[begin + p], store.fraction[begin + p] = row[p], fraction[p]
        width *= 2


@inlined
def insert_rows(begin: int, end: int, store: Arrivals) -> None:
    """Sort a short part of a store by insertion."""
    row, fraction = store.row, store.fraction
    for k in range(begin + 1, end):
        source, part = row[k], fraction[k]
        p = k
        while p > begin and row[p - 1] > source:
            row[p], fraction[p] = row[p - 1], fraction[p - 1]
            p -= 1
        row[p], fraction[p] = source, part
