"""The adjoint of one neuron between its own spikes, refractory periods included."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.protocol import (
    State,
    flow_adjoint,
    forget,
    held_adjoint,
    load,
    needs_states,
    recall,
    refractory,
    release,
    release_adjoint,
    spike,
    spike_adjoint,
)
from netdesc.events import Floats, Integers

FREE = np.nan
"""Derivative by the end of a refractory period, outside of one."""


class OwnEvents(NamedTuple):
    """The spikes of a stage itself.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In ms, sorted within a sample.
    neurons : ndarray of int64, shape (k,)
        Within the stage.
    kept : ndarray of float64, shape (residuals, k)
        What the adjoint needs of each; see ``protocol.keep_spike``.
    offsets : ndarray of int64, shape (batch + 1,)
    force : ndarray of float64, shape (k,)
        In: dL/dt of each spike, direct and through later stages. Out: the total.
    lags : ndarray of float64, shape (k,) or (0,)
        How long before its time each spike has reset its neuron, in ms; empty where all are 0.
    """

    times: Floats
    neurons: Integers
    kept: Floats
    offsets: Integers
    force: Floats
    lags: Floats


class Rules(NamedTuple):
    """What holds for a whole sweep.

    Parameters
    ----------
    duration : float
        In ms.
    floor : float
        Smallest slope, relative to the distance from reset to threshold.
    base : int
        Slot of the stage's first neuron.
    lag, longest : float
        Shortest delay within the stage, and longest into it, in ms.
    """

    duration: float
    floor: float
    base: int
    lag: float
    longest: float


class Backward(NamedTuple):
    """Adjoints of the neurons of a stage on their way back.

    Parameters
    ----------
    lam : ndarray of float64, shape (n, width)
    clock : ndarray of float64, shape (n,)
        Up to where each has come, in ms.
    later : ndarray of float64, shape (n,)
        dL/d(end of the refractory period) while a neuron is within one, ``FREE`` outside.
    path : ndarray of float64, shape (arrivals or 1, width)
        State before each arrival of the sample, where states are needed.
    released : ndarray of float64, shape (spikes or 1, width)
        State at the end of the refractory period of each spike of the sample, where states are needed.
    first : int
        First spike of the sample.
    duration : float
        In ms.
    """

    lam: Floats
    clock: Floats
    later: Floats
    path: Floats
    released: Floats
    first: int
    duration: float


@inlined
def store(rows: Floats, row: int, x: State) -> None:
    """Write a state or an adjoint into an array of shape (rows, width)."""
    for k in range(len(x)):
        rows[row, k] = x[k]


@inlined
def crossing_of(k: int, own: OwnEvents) -> float:
    """Return when the neuron of spike k has reached its threshold and was reset, in ms."""
    return float(own.times[k] - own.lags[k]) if len(own.lags) > 0 else float(own.times[k])


@inlined
def start_backward(cell: int, way: Backward) -> None:
    """Set the adjoint of a neuron to that at the end."""
    for k in range(way.lam.shape[1]):
        way.lam[cell, k] = 0.0
    way.clock[cell] = way.duration
    way.later[cell] = FREE


@inlined
def drift(cell: int, target: float, x: State, way: Backward, cells: Any) -> None:
    """Carry the adjoint of a neuron back to a time, through an interval that starts at state x."""
    span = way.clock[cell] - target
    if span > 0.0:
        lam = load(way.lam, cell, cells)
        if np.isnan(way.later[cell]):
            store(way.lam, cell, flow_adjoint(lam, x, cells, cell, span))
        else:
            store(way.lam, cell, held_adjoint(lam, x, cells, cell, span))
    way.clock[cell] = target


@inlined
def cross_release(cell: int, k: int, own: OwnEvents, way: Backward, cells: Any) -> None:
    """Carry the adjoint of a neuron back over the end of the refractory period of its spike k."""
    lam, later = release_adjoint(load(way.lam, cell, cells), own.kept, k, cells, cell)
    store(way.lam, cell, lam)
    way.later[cell] = later


@inlined
def flow_back(
    cell: int, target: float, latest: int, x: State, own: OwnEvents, way: Backward, cells: Any
) -> None:
    """Carry the adjoint of a neuron back to a time after its latest spike that is not yet undone.

    The end of the refractory period of that spike is crossed on the way, if it lies behind.

    Parameters
    ----------
    cell : int
    target : float
        In ms; just after what happens at that time.
    latest : int
        Index of that spike, -1 for none.
    x : tuple of float
        State at the target; used only where the adjoint needs states.
    own : OwnEvents
    way : Backward
        Changed in place.
    cells : named tuple
    """
    if latest >= 0 and np.isnan(way.later[cell]):
        end = own.times[latest] + refractory(cells, cell)
        if end >= way.duration:
            way.later[cell] = 0.0
        elif end > target:
            row = latest - way.first if needs_states(cells) else 0
            drift(cell, end, load(way.released, row, cells), way, cells)
            cross_release(cell, latest, own, way, cells)
    drift(cell, target, x, way, cells)


@inlined
def cross_spike(cell: int, k: int, own: OwnEvents, way: Backward, cells: Any, floor: float) -> bool:
    """Carry the adjoint of a neuron back to just before its spike k, whose dL/dt becomes the total.

    Returns
    -------
    bool
        Whether the slope was raised to the floor.
    """
    moment = crossing_of(k, own)
    x = spike(recall(own.kept, k, cells, cell), cells, cell)
    if refractory(cells, cell) == 0.0 and moment == own.times[k]:
        x = release(x, cells, cell)
    flow_back(cell, moment, k, x, own, way, cells)
    if np.isnan(way.later[cell]):
        cross_release(cell, k, own, way, cells)
    own.force[k] += way.later[cell]
    way.later[cell] = FREE
    lam = load(way.lam, cell, cells)
    if moment == 0.0:
        # a neuron that starts above the threshold spikes at 0 whatever its parameters
        store(way.lam, cell, forget(lam, cells, cell))
        return False
    before, total, raised = spike_adjoint(lam, own.kept, k, cells, cell, own.force[k], floor)
    own.force[k] = total
    store(way.lam, cell, before)
    return raised
