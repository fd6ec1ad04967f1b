"""The spikes that enter a stage, and their arrivals, sorted per target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from netdesc.adjoint.synapses import (
    BEGIN,
    END,
    PART,
    Synapses,
    delay_at,
    label,
    number_at,
    target_of,
)
from netdesc.dynamics.jit import inlined, int64, kernel, shared
from netdesc.dynamics.order import find_order, rearrange
from netdesc.events import Events, Floats, Integers, frozen


class Incoming(NamedTuple):
    """Spikes that enter a stage, as kernels take them.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In ms, ascending within a sample.
    slots : ndarray of int64, shape (k,)
    offsets : ndarray of int64, shape (batch + 1,)
    """

    times: Floats
    slots: Integers
    offsets: Integers


class Afferents(NamedTuple):
    """What enters a stage: for a layer arrivals by weight row, otherwise spikes by slot.

    Its arrays are read-only without exception: kernels are compiled for one kind of array.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In ms, ascending within a sample.
    slots : ndarray of int64, shape (k,)
    offsets : ndarray of int64, shape (batch + 1,)
    parts : tuple of (int, ndarray or None)
        For each source population in turn its index and the positions of its spikes among them,
        None where they are just its spikes.
    """

    times: Floats
    slots: Integers
    offsets: Integers
    parts: tuple[tuple[int, Integers | None], ...]

    @classmethod
    def of(
        cls,
        times: Floats,
        slots: Integers,
        offsets: Integers,
        parts: tuple[tuple[int, Integers | None], ...] = (),
    ) -> Afferents:
        """Return what enters a stage, from arrays of any kind; see the class."""
        fixed = frozen(times, np.float64), frozen(slots, np.int64), frozen(offsets, np.int64)
        return cls(*fixed, parts)

    @property
    def arrays(self) -> Incoming:
        """The spikes as kernels take them."""
        return Incoming(self.times, self.slots, self.offsets)


Part = tuple[int, Floats, Integers, Integers]
"""A population with the times, slots and offsets of its spikes."""


def part_of(population: int, events: Events, first: int, *, delay: float = 0.0) -> Part:
    """Return the spikes of a population as they enter a stage.

    Parameters
    ----------
    population : int
        Its index.
    events : Events
        Neurons are counted within the population.
    first : int
        Slot of its first neuron.
    delay : float
        From emission to arrival, in ms.
    """
    times = events.times + delay if delay else events.times
    return population, times, events.sources + first if first else events.sources, events.offsets


def merge(parts: Sequence[Part], batch: int) -> Afferents:
    """Merge the spikes of several populations into one sequence.

    Parameters
    ----------
    parts : list of (population, times, slots, offsets)
    batch : int
        Number of samples.
    """
    if len(parts) == 1:
        population, times, slots, offsets = parts[0]
        return Afferents.of(times, slots, offsets, ((population, None),))
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        return Afferents.of(np.empty(0), empty, np.zeros(batch + 1, dtype=np.int64))
    times = np.concatenate([part[1] for part in parts])
    slots = np.concatenate([part[2] for part in parts])
    bounds = np.cumsum([0] + [len(part[1]) for part in parts])
    begins = np.array([part[3] + start for part, start in zip(parts, bounds[:-1], strict=True)])
    order, place = np.empty((2, len(times)), dtype=np.int64)
    order_parts(times, slots, begins, order, place)
    positions = tuple(
        (part[0], place[a:b]) for part, a, b in zip(parts, bounds[:-1], bounds[1:], strict=True)
    )
    offsets = np.sum([part[3] for part in parts], axis=0)
    return Afferents.of(times[order], slots[order], offsets, positions)


@kernel
def order_parts(times: Floats, slots: Integers, begins: Integers, order: Integers, place: Integers) -> None:
    """Order the spikes of several parts by sample, then by time, then by slot.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In this order within a part already.
    slots : ndarray of int64, shape (k,)
    begins : ndarray of int64, shape (parts, batch + 1)
        First spike of each part in each sample, and one past its last.
    order, place : ndarray of int64, shape (k,)
        Results: which spike each one is, and where each one comes.
    """
    parts, batch = begins.shape[0], begins.shape[1] - 1
    cursors = np.empty(parts, dtype=np.int64)
    done = int64(0)
    for b in range(batch):
        count = int64(0)
        for p in range(parts):
            cursors[p] = begins[p, b]
            count += begins[p, b + 1] - begins[p, b]
        for _ in range(count):
            best = int64(-1)
            for p in range(parts):
                e = cursors[p]
                if e < begins[p, b + 1] and (
                    best < 0
                    or times[e] < times[cursors[best]]
                    or (times[e] == times[cursors[best]] and slots[e] < slots[cursors[best]])
                ):
                    best = p
            order[done] = cursors[best]
            place[cursors[best]] = done
            cursors[best] += 1
            done += 1


class Arrivals(NamedTuple):
    """Arrivals in one sample, by target, then by time.

    Parameters
    ----------
    start : ndarray of int64, shape (size + 1,)
        Arrivals of each target.
    when : ndarray of float64, shape (arrivals,)
        In ms.
    synapse, spike : ndarray of int64, shape (arrivals,)
        Label of the synapse, see ``netdesc.adjoint.synapses.label``, and index of the spike.
    """

    start: Integers
    when: Floats
    synapse: Integers
    spike: Integers


@inlined
def find_longest(first: int, last: int, offsets: Integers) -> int:
    """Return the largest number of events in one of samples ``first`` to ``last - 1``."""
    longest = int64(0)
    for b in range(first, last):
        longest = max(longest, offsets[b + 1] - offsets[b])
    return longest


@shared
def gather(b: int, incoming: Incoming, fan: Synapses, size: int, duration: float) -> Arrivals:
    """Sort the arrivals of one sample by target, then by time.

    Parameters
    ----------
    b : int
        The sample.
    incoming : Incoming
    fan : Synapses
    size : int
        Number of targets.
    duration : float
        In ms; arrivals at or after it are left out.
    """
    times, slots = incoming.times, incoming.slots
    start = np.zeros(size + 1, dtype=np.int64)
    for e in range(incoming.offsets[b], incoming.offsets[b + 1]):
        for g in range(fan.first[slots[e]], fan.first[slots[e] + 1]):
            part = int64(fan.runs[g, PART])
            for q in range(fan.runs[g, BEGIN], fan.runs[g, END]):
                if times[e] + delay_at(q, part, fan) < duration:
                    start[target_of(number_at(q, fan), fan) + 1] += 1
    for cell in range(size):
        start[cell + 1] += start[cell]
    total = start[size]
    place = start[:-1].copy()
    when = np.empty(total)
    synapse = np.empty(total, dtype=np.int64)
    spike = np.empty(total, dtype=np.int64)
    for e in range(incoming.offsets[b], incoming.offsets[b + 1]):
        for g in range(fan.first[slots[e]], fan.first[slots[e] + 1]):
            part = int64(fan.runs[g, PART])
            for q in range(fan.runs[g, BEGIN], fan.runs[g, END]):
                t = times[e] + delay_at(q, part, fan)
                if t < duration:
                    number = number_at(q, fan)
                    cell = target_of(number, fan)
                    k = place[cell]
                    when[k] = t
                    synapse[k] = label(number, part)
                    spike[k] = e
                    place[cell] = k + 1
    for cell in range(size):
        begin, end = start[cell], start[cell + 1]
        ordered = True
        for k in range(begin + 1, end):
            ordered = ordered and when[k - 1] <= when[k]
        if not ordered:
            order = find_order(when[begin:end])
            rearrange(when[begin:end], order)
            rearrange(synapse[begin:end], order)
            rearrange(spike[begin:end], order)
    return Arrivals(start, when, synapse, spike)
