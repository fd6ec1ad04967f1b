"""One neuron between arrivals, refractory periods included."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netdesc.adjoint.neuron import store
from netdesc.dynamics.jit import inlined, shared
from netdesc.dynamics.order import find_order, rearrange
from netdesc.dynamics.protocol import (
    NEVER,
    arrive,
    begin,
    crossing,
    flow,
    held,
    keep_release,
    keep_spike,
    load,
    release,
    spike,
)
from netdesc.events import Floats, Integers


class Neurons(NamedTuple):
    """Where the neurons of a stage are.

    Parameters
    ----------
    state : ndarray of float64, shape (n, width)
    clock : ndarray of float64, shape (n,)
        Time of that state in ms.
    free : ndarray of float64, shape (n,)
        End of the refractory period in ms.
    waiting : ndarray of int64, shape (n,)
        Spike whose refractory period is not yet over, -1 for none.
    version : ndarray of int64, shape (n,)
        How often a forecast of its next spike has been renewed, in a queue.
    quiet : ndarray of float64, shape (n,)
        A time in ms before which it does not spike, in windows.
    soonest : ndarray of float64, shape (groups,)
        At most the smallest of these times in each group of neurons.
    """

    state: Floats
    clock: Floats
    free: Floats
    waiting: Integers
    version: Integers
    quiet: Floats
    soonest: Floats


class Spikes(NamedTuple):
    """Spikes that a kernel finds, sample after sample, sorted by time.

    Parameters
    ----------
    times : ndarray of float64, shape (capacity,)
    neurons : ndarray of int64, shape (capacity,)
    kept : ndarray of float64, shape (residuals, capacity)
        What the adjoint needs of each.
    counts : ndarray of int64, shape (batch,)
        Spikes of each sample.
    """

    times: Floats
    neurons: Integers
    kept: Floats
    counts: Integers


@shared
def order_in_time(first: int, last: int, spikes: Spikes) -> None:
    """Sort spikes ``first`` to ``last - 1`` in place by time; those at one time keep their order."""
    order = find_order(spikes.times[first:last])
    rearrange(spikes.times[first:last], order)
    rearrange(spikes.neurons[first:last], order)
    for row in range(len(spikes.kept)):
        rearrange(spikes.kept[row, first:last], order)


@inlined
def make_neurons(n: int, cells: Any, shift: int = 0) -> Neurons:
    """Return arrays for n neurons, in groups of two to the power ``shift``."""
    width = len(begin(cells, 0))
    waiting, version = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    return Neurons(
        np.empty((n, width)),
        np.empty(n),
        np.empty(n),
        waiting,
        version,
        np.empty(n),
        np.empty(((n - 1) >> shift) + 1),
    )


@inlined
def start(cell: int, neurons: Neurons, cells: Any) -> None:
    """Set a neuron to its state at 0."""
    store(neurons.state, cell, begin(cells, cell))
    neurons.clock[cell] = 0.0
    neurons.free[cell] = 0.0
    neurons.waiting[cell] = -1
    neurons.version[cell] = 0


@inlined
def advance(cell: int, target: float, neurons: Neurons, kept: Floats, cells: Any) -> None:
    """Carry the state of a neuron to a time before which it does not spike.

    Parameters
    ----------
    cell : int
    target : float
        In ms.
    neurons : Neurons
        Changed in place.
    kept : ndarray of float64, shape (residuals, capacity)
        Receives what is kept of the end of a refractory period that lies before the target.
    cells : named tuple
    """
    x = load(neurons.state, cell, cells)
    if neurons.waiting[cell] >= 0:
        end = min(neurons.free[cell], target)
        span = end - neurons.clock[cell]
        if span > 0.0:
            x = held(x, cells, cell, span)
            neurons.clock[cell] = end
        if neurons.free[cell] <= target:
            x = release(x, cells, cell)
            keep_release(x, kept, neurons.waiting[cell], cells, cell)
            neurons.waiting[cell] = -1
    span = target - neurons.clock[cell]
    if span > 0.0 and neurons.waiting[cell] < 0:
        x = flow(x, cells, cell, span)
    store(neurons.state, cell, x)
    neurons.clock[cell] = target


@inlined
def receive(cell: int, receptor: int, weight: float, neurons: Neurons, cells: Any) -> None:
    """Let a spike arrive at a neuron."""
    x = load(neurons.state, cell, cells)
    store(neurons.state, cell, arrive(x, cells, cell, receptor, weight))


@inlined
def predict(cell: int, neurons: Neurons, cells: Any, limit: float) -> float:
    """Return the time of the next spike of a neuron up to a limit, if nothing arrives.

    Parameters
    ----------
    cell : int
    neurons : Neurons
    cells : named tuple
    limit : float
        In ms.

    Returns
    -------
    float
        In ms; ``NEVER`` where there is none.
    """
    begins = neurons.clock[cell]
    x = load(neurons.state, cell, cells)
    if neurons.waiting[cell] >= 0:
        begins = neurons.free[cell]
        if begins >= limit:
            return NEVER
        x = release(held(x, cells, cell, begins - neurons.clock[cell]), cells, cell)
    s = crossing(x, cells, cell, limit - begins)
    return begins + s if s >= 0.0 else NEVER


@inlined
def fire(
    cell: int, k: int, moment: float, until: float, neurons: Neurons, spikes: Spikes, cells: Any
) -> None:
    """Record spike k of a neuron, whose state has been carried to that moment, and reset it.

    Parameters
    ----------
    cell, k : int
    moment : float
        In ms.
    until : float
        End of the refractory period, in ms.
    neurons : Neurons
        Changed in place.
    spikes : Spikes
        Receives the spike; what is kept of the end of its refractory period is NaN until then.
    cells : named tuple
    """
    spikes.times[k] = moment
    spikes.neurons[k] = cell
    for row in range(len(spikes.kept)):
        spikes.kept[row, k] = np.nan
    x = load(neurons.state, cell, cells)
    keep_spike(x, spikes.kept, k, cells, cell)
    x = spike(x, cells, cell)
    neurons.free[cell] = until
    if until > moment:
        neurons.waiting[cell] = k
    else:
        x = release(x, cells, cell)
        keep_release(x, spikes.kept, k, cells, cell)
        neurons.waiting[cell] = -1
    store(neurons.state, cell, x)
