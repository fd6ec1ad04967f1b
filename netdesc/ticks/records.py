"""What the kernels of a tick work on: neurons, synapses and spikes of a slice, as arrays.

A slice is a set of neurons that one program computes: a whole stage on the numba grid, what fits onto a
processing element on SpiNNaker2. Order of every sum of arrivals: tick of emission, then row (which ascends
with the source), then projection.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Indices, Integers

SEGMENT = np.dtype(
    [
        (name, np.int32)
        for name in ("delay", "run", "receptor", "base", "start", "size", "gradient", "target_start")
    ]
)
"""Synapses of one source, delay and projection onto one slice, by ascending target.

Delay in ticks; 1 where the targets follow each other; synaptic current; first target; first synapse within
the slice; number of synapses; first gradient within the slice, -1 where the weights are not trained; where
the targets are listed otherwise.
"""

PUBLISHED, EXACT, OFF_GRID = range(3)
"""Schemes, in the order of ``netdesc.dynamics.tick.SCHEMES``."""

NO_ROOM, NO_WORKSPACE, BURST = -1, -2, -3
"""In place of a number of spikes: the store, the workspace or ``MOST`` is too small for them."""

MOST = 1024
"""Spikes of a neuron in a tick in ``off_grid``."""


class Cells(NamedTuple):
    """Constants of leaky integrate-and-fire neurons; see ``dynamics.tick.Tick``.

    Parameters
    ----------
    gap, reset, floor : ndarray, shape (n,)
        Threshold and reset in the membrane's frame; smallest slope to divide by. In the precision of the
        state, as the following five.
    leak : ndarray, shape (n,)
    gain, fade, adjoint_gain : ndarray, shape (receptors, n)
    tau : ndarray, shape (receptors, n)
        Synaptic time constants in ms.
    hold : ndarray of int64, shape (n,)
        Refractory period in ticks.
    subtract : ndarray of int64, shape (n,) or (0,)
        1 where a spike subtracts the distance from reset to threshold; empty where none does.
    tau_m, tau_s : ndarray of float64, shape (n,), (receptors, n)
        Time constants in ms.
    uniform, alike, holding : bool
        Whether all neurons have the same time constants; the same thresholds, too; whether some neuron is
        refractory.
    """

    gap: NDArray[Any]
    reset: NDArray[Any]
    floor: NDArray[Any]
    leak: NDArray[Any]
    gain: NDArray[Any]
    fade: NDArray[Any]
    adjoint_gain: NDArray[Any]
    tau: NDArray[Any]
    hold: Integers
    subtract: Integers
    tau_m: Floats
    tau_s: Floats
    uniform: bool
    alike: bool
    holding: bool


class Neurons(NamedTuple):
    """State of the neurons of a slice.

    Parameters
    ----------
    state : ndarray, shape (1 + receptors, n)
        Voltage above rest, and currents.
    free, waiting : ndarray of int64, shape (n,)
        Tick of the release; spike that holds the membrane, -1 for none.
    gained, flag : ndarray, shape (n,)
        Room, in the precision of the state.
    """

    state: NDArray[Any]
    free: Integers
    waiting: Integers
    gained: NDArray[Any]
    flag: NDArray[Any]


class Spikes(NamedTuple):
    """Spikes of a slice, in order of time.

    Parameters
    ----------
    tick, neuron, previous : ndarray of int64, shape (room,)
        ``previous`` is the spike of the same neuron before it, -1 for none; used backward.
    fraction, current, release, slope, force : ndarray, shape (room,)
        Part of the tick that had passed; total current at the spike and at the end of the refractory period
        (NaN where that is not reached); what the adjoint divides by; dL/dt in 1/ms, used backward.
    """

    tick: Integers
    neuron: Integers
    previous: Integers
    fraction: NDArray[Any]
    current: NDArray[Any]
    release: NDArray[Any]
    slope: NDArray[Any]
    force: NDArray[Any]


class Arrivals(NamedTuple):
    """Spikes that a slice has received, by tick of emission, then row.

    Parameters
    ----------
    row : ndarray of int64, shape (room,)
        Row of synapses.
    fraction, gradient : ndarray, shape (room,)
        Part of the tick; dL/d(arrival) through the slice in 1/ms, used backward.
    first : ndarray of int64, shape (ticks + 1,)
        Those of tick n are ``first[n]`` to ``first[n + 1] - 1``.
    """

    row: Integers
    fraction: NDArray[Any]
    gradient: NDArray[Any]
    first: Integers


class Synapses(NamedTuple):
    """Synapses onto a slice.

    Parameters
    ----------
    first : ndarray of int64, shape (rows + 1,)
        Segments of each row.
    lags : ndarray of uint16, shape (rows,)
        Bit k is set where a segment of the row has a delay of k ticks, modulo 16.
    segments : ndarray of SEGMENT
    target : ndarray of integers
        Targets of segments that are no runs.
    weight, gradient : ndarray
        In the voltage of the cell, and dL/d of it of one sample.
    delay_gradient : ndarray, shape as ``gradient``, or (0,)
        dL/d(delay) in 1/ms; empty where it is not asked for.
    delays : ndarray of int64
        The delays that occur, descending.
    """

    first: Integers
    lags: NDArray[Any]
    segments: NDArray[Any]
    target: Integers | Indices
    weight: NDArray[Any]
    gradient: NDArray[Any]
    delay_gradient: NDArray[Any]
    delays: Integers


class Buffers(NamedTuple):
    """What arrives in the ticks to come, by tick modulo the depth.

    Parameters
    ----------
    current : ndarray, shape (depth * receptors * n,)
        Currents, at the end of the tick of arrival.
    lift, rises, falls : ndarray, shape (depth * n,)
        In ``off_grid``: voltages at that time, and the sums of positive and of negative weights.
    depth : int
        More than the longest delay.
    """

    current: NDArray[Any]
    lift: NDArray[Any]
    rises: NDArray[Any]
    falls: NDArray[Any]
    depth: int


class Adjoints(NamedTuple):
    """Adjoints of the neurons of a slice.

    Parameters
    ----------
    values : ndarray, shape (1 + receptors, n)
        lam_v and lam_i.
    kept : ndarray, shape (n,)
        What of lam_v is kept through a refractory period.
    latest : ndarray of int64, shape (n,)
        Last spike of each neuron that is not undone yet, -1 for none.
    late : ndarray, shape (1 + receptors, n)
        Room.
    products : ndarray, shape (n,)
        Room.
    """

    values: NDArray[Any]
    kept: NDArray[Any]
    latest: Integers
    late: NDArray[Any]
    products: NDArray[Any]


class Slice(NamedTuple):
    """A slice."""

    cells: Cells
    neurons: Neurons
    spikes: Spikes
    arrivals: Arrivals
    synapses: Synapses
    buffers: Buffers


class Workspace(NamedTuple):
    """Room for neurons that are gone through from arrival to arrival, in ``off_grid``.

    Parameters
    ----------
    when, weight, gradient, weight_gradient : ndarray of float64, shape (arrivals,)
        Fraction, weight, dL/d(arrival) in 1/ms and dL/dw of the arrivals at one neuron.
    found : ndarray of int64, shape (arrivals, 4)
        Spike received, delay, synapse and gradient of each, -1 for no gradient.
    receptor : ndarray of int64, shape (arrivals,)
    at, current, force : ndarray of float64, shape (MOST,)
        Of the spikes of one neuron in a tick.
    special, latest, released, marked : ndarray of int64, shape (neurons,)
        Such neurons of a tick; last spike of each in it, -1 for none; spike that it is released from in it,
        -1 for none; 1 for these neurons.
    result : ndarray of float64, shape (neurons, 4)
    near : ndarray of int64, shape (segments, 4)
        Spike received, segment of synapses, first target and one past the last, for a whole tick.
    """

    when: Floats
    weight: Floats
    gradient: Floats
    weight_gradient: Floats
    found: Integers
    receptor: Integers
    at: Floats
    current: Floats
    force: Floats
    special: Integers
    latest: Integers
    released: Integers
    marked: Integers
    result: Floats
    near: Integers
