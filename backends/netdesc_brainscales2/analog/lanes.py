"""Circuits side by side: lane k is neuron ``k % size`` of sample ``k // size`` of those that run together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.neuron import store
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.protocol import State, begin, find_code, load, refractory, spike
from netdesc.events import Floats, Integers
from netdesc_brainscales2.analog.circuit import shift_threshold, step
from netdesc_brainscales2.chip.noise import THRESHOLD, Noise, draw

CLIPPED, SATURATED, LATE = range(3)
END, SAMPLE, ARRIVAL = range(3)
"""What comes next in a sample."""


class Experiment(NamedTuple):
    """A stage with its input.

    Parameters
    ----------
    cells : named tuple
        Parameters of the circuits; for a layer, of every lane.
    incoming : Incoming
        Spikes from outside by row of the weights.
    weights : ndarray of float64, shape (rows, size)
        Voltages, signed.
    base : int
        Row of the spikes of the first circuit itself.
    grid : ndarray of float64, shape (m,)
        When voltages are sampled, in ms.
    duration : float
        In ms.
    noise : Noise
    """

    cells: Any
    incoming: Incoming
    weights: Floats
    base: int
    grid: Floats
    duration: float
    noise: Noise


class Results(NamedTuple):
    """What a kernel finds.

    Parameters
    ----------
    times, neurons : ndarray, shape (capacity,)
        Spikes, sample after sample, ascending in time, ties by neuron; in ms.
    voltages : ndarray of float64, shape (batch, size, m)
        Above rest, at the times of the grid.
    counts : ndarray of int64, shape (batch,)
        Spikes per sample.
    tallies : ndarray of int64, shape (3,)
        Added to: rails met, arrivals saturated, arrivals after the end.
    """

    times: Floats
    neurons: Integers
    voltages: Floats
    counts: Integers
    tallies: Integers


class Spikes(NamedTuple):
    """Spikes of lanes, in the order in which they are found.

    Parameters
    ----------
    times : ndarray of float64, shape (capacity,)
        In ms.
    lanes : ndarray of int64, shape (capacity,)
    """

    times: Floats
    lanes: Integers


class Lanes(NamedTuple):
    """State of the lanes.

    Parameters
    ----------
    state, after : ndarray of float64, shape (n, width)
        At the start and at the end of an interval; columns are contiguous.
    wait : ndarray of float64, shape (n,)
        What is left of a refractory period in ms.
    span : ndarray of float64, shape (n,)
        Length of the interval in ms.
    flag : ndarray of float64, shape (n,)
        1.0 for a circuit that may spike, is refractory, or leaves the rails in the interval.
    serial : ndarray of int64, shape (n,)
        Spikes of each circuit so far.
    """

    state: Floats
    after: Floats
    wait: Floats
    span: Floats
    flag: Floats
    serial: Integers


def make_lanes(n: int, cells: Any) -> Lanes:
    """Make room for n lanes."""
    width = find_code(type(cells)).width
    state, after = (np.empty((width, n)).T for _ in range(2))
    return Lanes(state, after, np.empty(n), np.empty(n), np.empty(n), np.empty(n, dtype=np.int64))


@inlined
def swap(lanes: Lanes) -> Lanes:
    """Return the lanes at the end of their interval."""
    return Lanes(lanes.after, lanes.state, lanes.wait, lanes.span, lanes.flag, lanes.serial)


@inlined
def disturb(x: State, cell: int, neuron: int, sample: int, serial: int, noise: Noise, cells: Any) -> State:
    """Return the state with the threshold that a circuit has after so many spikes."""
    if noise.threshold > 0.0:
        number = draw(noise, sample, neuron, 2 * serial + THRESHOLD)
        return shift_threshold(x, cells, cell, noise.threshold * number)
    return x


@inlined
def start_lanes(first: int, count: int, lanes: Lanes, experiment: Experiment) -> None:
    """Set lanes to the start of ``count`` samples from ``first`` on."""
    cells, size = experiment.cells, experiment.weights.shape[1]
    for s in range(count):
        for n in range(size):
            k = s * size + n
            lanes.wait[k] = 0.0
            lanes.serial[k] = 0
            x = disturb(begin(cells, k), k, n, first + s, 0, experiment.noise, cells)
            store(lanes.state, k, x)


@inlined
def restart(x: State, cell: int, sample: int, lanes: Lanes, experiment: Experiment) -> State:
    """Return the state of a circuit just after a spike, and count that; its lane is its number."""
    cells = experiment.cells
    lanes.serial[cell] += 1
    lanes.wait[cell] = refractory(cells, cell)
    x = spike(x, cells, cell)
    return disturb(x, cell, cell, sample, lanes.serial[cell], experiment.noise, cells)


@inlined
def step_lanes(count: int, lanes: Lanes, cells: Any) -> int:
    """Step the first lanes over their intervals as if none of them spiked, and flag those that may.

    Returns
    -------
    int
        How many are flagged.
    """
    for k in range(count):
        x, doubtful = step(load(lanes.state, k, cells), cells, k, lanes.span[k])
        store(lanes.after, k, x)
        lanes.flag[k] = 1.0 if (doubtful > 0.0) | (lanes.wait[k] > 0.0) else 0.0
    flagged = 0
    for k in range(count):
        flagged += 1 if lanes.flag[k] > 0.0 else 0
    return flagged


@inlined
def next_event(e: int, end: int, p: int, experiment: Experiment) -> tuple[float, int]:
    """Return the time of what comes next in a sample, and what it is.

    Parameters
    ----------
    e, end : int
        Next arrival, and one past the last of the sample.
    p : int
        Next time of the grid.
    experiment : Experiment
    """
    times, grid, duration = experiment.incoming.times, experiment.grid, experiment.duration
    arrives = times[e] if e < end else np.inf
    moment = grid[p] if p < len(grid) else np.inf
    if moment <= arrives:
        return (moment, SAMPLE) if moment <= duration else (duration, END)
    return (arrives, ARRIVAL) if arrives < duration else (duration, END)
