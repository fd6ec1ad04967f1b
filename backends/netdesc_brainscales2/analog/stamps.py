"""Spikes on their way off a circuit: jitter, order, the grid of time stamps and links of finite rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.order import find_order, rearrange
from netdesc.events import Floats, Integers
from netdesc_brainscales2.chip.noise import JITTER, Noise, draw

# A stamp this much of a step above a point of the grid is on it.
ON_GRID = 1e-9
# Spikes of a sample above which sorting by merging is faster than by insertion.
MANY = 2048


@kernel
def put_in_order(first: int, last: int, times: Floats, neurons: Integers) -> None:
    """Sort spikes ``first`` to ``last - 1`` in place by time, ties by neuron; fast where they nearly are."""
    if last - first > MANY:
        order = find_order(times[first:last])
        rearrange(times[first:last], order)
        rearrange(neurons[first:last], order)
    for k in range(first + 1, last):
        t, n = times[k], neurons[k]
        q = k
        while q > first and (times[q - 1] > t or (times[q - 1] == t and neurons[q - 1] > n)):
            times[q] = times[q - 1]
            neurons[q] = neurons[q - 1]
            q -= 1
        times[q] = t
        neurons[q] = n


@kernel
def add_jitter(times: Floats, neurons: Integers, offsets: Integers, noise: Noise) -> None:
    """Move the spikes of a batch by normal numbers and sort them again; none is moved before 0."""
    serial = np.zeros(len(noise.jitter), dtype=np.int64)
    for b in range(len(offsets) - 1):
        serial[:] = 0
        for k in range(offsets[b], offsets[b + 1]):
            n = neurons[k]
            serial[n] += 1
            times[k] = max(times[k] + noise.jitter[n] * draw(noise, b, n, 2 * serial[n] + JITTER), 0.0)
        put_in_order(offsets[b], offsets[b + 1], times, neurons)


@kernel
def stamp(times: Floats, neurons: Integers, offsets: Integers, step: float) -> None:
    """Round spike times up to the grid in place: an event gets the stamp of the clock edge after it.

    Parameters
    ----------
    times, neurons, offsets : ndarray
        A batch; changed in place, ties are sorted by neuron.
    step : float
        Of the grid in ms.
    """
    for k in range(len(times)):
        times[k] = math.ceil(times[k] / step - ON_GRID) * step
    for b in range(len(offsets) - 1):
        put_in_order(offsets[b], offsets[b + 1], times, neurons)


@kernel
def pass_link(
    times: Floats, neurons: Integers, bounds: Integers, interval: float, depth: int, keep: NDArray[np.bool_]
) -> int:
    """Find the events that a link loses: it transmits one per interval and holds some that wait.

    Parameters
    ----------
    times, neurons : ndarray
        Of all populations, one after the other, ascending in time within a sample; ties go by neuron, then
        by population.
    bounds : ndarray of int64, shape (populations, batch + 1)
        Where each sample of each population begins in these arrays.
    interval : float
        Between events on the link in ms.
    depth : int
        Events that may wait.
    keep : ndarray of bool
        Result: whether each event gets through.

    Returns
    -------
    int
        Events that are lost.
    """
    lost = 0
    place = np.empty(len(bounds), dtype=np.int64)
    for b in range(bounds.shape[1] - 1):
        free = 0.0
        left = 0
        for part in range(len(bounds)):
            place[part] = bounds[part, b]
            left += bounds[part, b + 1] - bounds[part, b]
        for _ in range(left):
            chosen = -1
            k = 0
            for part in range(len(bounds)):
                q = place[part]
                if q < bounds[part, b + 1] and (
                    chosen < 0 or times[q] < times[k] or (times[q] == times[k] and neurons[q] < neurons[k])
                ):
                    chosen, k = part, q
            place[chosen] += 1
            keep[k] = free - times[k] <= interval * (depth + ON_GRID)
            if keep[k]:
                free = max(free, times[k]) + interval
            else:
                lost += 1
    return lost
