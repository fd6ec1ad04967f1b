"""Arrivals of spikes, sorted per target."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers


@kernel
def gather(
    begin: int,
    end: int,
    times: Floats,
    slots: Integers,
    fan_start: Integers,
    fan_target: Integers,
    fan_delay: Floats,
    size: int,
    duration: float,
) -> tuple[Integers, Floats, Integers, Integers, int]:
    """Sort the arrivals of spikes ``begin`` to ``end - 1`` by target, then by time.

    Parameters
    ----------
    begin, end : int
        Range of spikes, of one sample.
    times : ndarray of float64
        Spike times in ms.
    slots : ndarray of int64
        Slot of each spike.
    fan_start, fan_target, fan_delay : ndarray
        Synapses sorted by slot.
    size : int
        Number of targets.
    duration : float
        In ms; arrivals at or after it are left out.

    Returns
    -------
    start : ndarray of int64, shape (size + 1,)
        Arrivals of each target.
    when : ndarray of float64, shape (arrivals,)
        In ms.
    synapse, spike : ndarray of int64, shape (arrivals,)
        Position among the sorted synapses, and index of the spike.
    in_flight : int
        Arrivals that were left out.
    """
    start = np.zeros(size + 1, dtype=np.int64)
    in_flight = 0
    for e in range(begin, end):
        for q in range(fan_start[slots[e]], fan_start[slots[e] + 1]):
            if times[e] + fan_delay[q] < duration:
                start[fan_target[q] + 1] += 1
            else:
                in_flight += 1
    for cell in range(size):
        start[cell + 1] += start[cell]
    total = start[size]
    place = start[:-1].copy()
    when = np.empty(total)
    synapse = np.empty(total, dtype=np.int64)
    spike = np.empty(total, dtype=np.int64)
    for e in range(begin, end):
        for q in range(fan_start[slots[e]], fan_start[slots[e] + 1]):
            t = times[e] + fan_delay[q]
            if t < duration:
                k = place[fan_target[q]]
                when[k] = t
                synapse[k] = q
                spike[k] = e
                place[fan_target[q]] = k + 1
    for cell in range(size):
        a = start[cell]
        b = start[cell + 1]
        ordered = True
        for k in range(a + 1, b):
            ordered = ordered and when[k - 1] <= when[k]
        if not ordered:
            order = np.argsort(when[a:b], kind="mergesort")
            when[a:b] = when[a:b][order]
            synapse[a:b] = synapse[a:b][order]
            spike[a:b] = spike[a:b][order]
    return start, when, synapse, spike, in_flight
