"""When the model crosses its threshold, within the step of the clock before each measured spike."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.neuron import store
from netdesc.adjoint.synapses import BEGIN, END, PART, RECEPTOR, Synapses, number_at, target_of, weight_of
from netdesc.dynamics.jit import inlined, int64, kernel, shared
from netdesc.dynamics.protocol import (
    NEVER,
    State,
    above,
    arrive,
    begin,
    crossing,
    flow,
    held,
    load,
    refractory,
    spike,
)
from netdesc.dynamics.views import unowned
from netdesc.events import Floats, Integers
from netdesc_brainscales2.analog.circuit import arrive_late


class Stamped(NamedTuple):
    """Measured spikes of a stage, and when the model has them.

    Parameters
    ----------
    stamps : ndarray of float64, shape (k,)
        In ms, ascending within a sample. An arrival at the time of a stamp comes after that spike.
    neurons : ndarray of int64, shape (k,)
    offsets : ndarray of int64, shape (batch + 1,)
    step : float
        Of the clock, in ms.
    times : ndarray of float64, shape (k,)
        Results: when the model crosses its threshold in ``[stamp - step, stamp]``; the stamp where it does
        not.
    found : ndarray of bool, shape (k,)
        Results: whether it does.
    """

    stamps: Floats
    neurons: Integers
    offsets: Integers
    step: float
    times: Floats
    found: NDArray[np.bool_]


class Progress(NamedTuple):
    """How far the neurons of a stage have come in a sample.

    Parameters
    ----------
    state : ndarray of float64, shape (n, width)
    clock, free : ndarray of float64, shape (n,)
        Time of that state, and end of the refractory period, in ms.
    head : ndarray of int64, shape (n,)
        Next spike of each neuron, -1 for none.
    following : ndarray of int64, shape (k,)
        The spike of the same neuron that follows each spike, -1 for none.
    """

    state: Floats
    clock: Floats
    free: Floats
    head: Integers
    following: Integers


@inlined
def start(sample: int, spikes: Stamped, progress: Progress, cells: Any) -> None:
    """Set all neurons to the start of a sample."""
    for cell in range(len(progress.head)):
        store(progress.state, cell, begin(cells, cell))
        progress.clock[cell] = 0.0
        progress.free[cell] = 0.0
        progress.head[cell] = -1
    for k in range(spikes.offsets[sample + 1] - 1, spikes.offsets[sample] - 1, -1):
        progress.following[k] = progress.head[spikes.neurons[k]]
        progress.head[spikes.neurons[k]] = k


@inlined
def advance(cell: int, moment: float, progress: Progress, cells: Any) -> State:
    """Return the state of a neuron at a moment before which it does not spike."""
    x = load(progress.state, cell, cells)
    if progress.clock[cell] < progress.free[cell]:
        span = min(moment, progress.free[cell]) - progress.clock[cell]
        if span > 0.0:
            x = held(x, cells, cell, span)
            progress.clock[cell] += span
    span = moment - progress.clock[cell]
    if span > 0.0:
        x = flow(x, cells, cell, span)
        progress.clock[cell] = moment
    store(progress.state, cell, x)
    return x


@inlined
def is_pending(cell: int, until: float, spikes: Stamped, progress: Progress) -> bool:
    """Return whether the step of the clock of a neuron's next spike begins before a time in ms."""
    k = progress.head[cell]
    return bool(k >= 0 and spikes.stamps[k] - spikes.step < until)


@shared
def resolve(cell: int, until: float, spikes: Stamped, progress: Progress, cells: Any) -> None:
    """Find the spikes of a neuron whose steps of the clock begin before the next arrival, in ms."""
    spikes, progress, cells = unowned(spikes), unowned(progress), unowned(cells)
    while is_pending(cell, until, spikes, progress):
        k = progress.head[cell]
        stamp = spikes.stamps[k]
        end = min(until, stamp)
        moment = max(max(progress.clock[cell], stamp - spikes.step), progress.free[cell])
        s = NEVER
        if moment < end:
            x = advance(cell, moment, progress, cells)
            # above already: the model spiked earlier
            if not above(x, cells, cell):
                s = crossing(x, cells, cell, end - moment)
        if s < 0.0 and end < stamp:
            return
        moment = stamp if s < 0.0 else moment + s
        x = advance(cell, moment, progress, cells)
        store(progress.state, cell, spike(x, cells, cell))
        spikes.times[k] = moment
        spikes.found[k] = s >= 0.0
        progress.free[cell] = moment + refractory(cells, cell)
        progress.head[cell] = progress.following[k]


@inlined
def receive(cell: int, receptor: int, weight: float, moment: float, progress: Progress, cells: Any) -> None:
    """Let a spike arrive, perhaps a little before the time of the state."""
    x = advance(cell, moment, progress, cells)
    late = progress.clock[cell] - moment
    if late > 0.0:
        within = progress.clock[cell] <= progress.free[cell]
        x = arrive_late(x, cells, cell, receptor, weight, late, within)
    else:
        x = arrive(x, cells, cell, receptor, weight)
    store(progress.state, cell, x)


@shared
def refine_sample(
    b: int,
    incoming: Incoming,
    inner: Integers,
    fan: Synapses,
    spikes: Stamped,
    progress: Progress,
    cells: Any,
) -> None:
    """Find the times of the spikes of one sample; see ``refine_samples``."""
    incoming, fan, spikes = unowned(incoming), unowned(fan), unowned(spikes)
    progress, cells = unowned(progress), unowned(cells)
    start(b, spikes, progress, cells)
    for e in range(incoming.offsets[b], incoming.offsets[b + 1]):
        moment, slot, k = incoming.times[e], incoming.slots[e], inner[e]
        if k >= 0:
            if is_pending(spikes.neurons[k], spikes.stamps[k], spikes, progress):
                resolve(spikes.neurons[k], spikes.stamps[k], spikes, progress, cells)
            moment = spikes.times[k]
        for g in range(fan.first[slot], fan.first[slot + 1]):
            part = int64(fan.runs[g, PART])
            receptor = fan.parts[part, RECEPTOR]
            for x in range(fan.runs[g, BEGIN], fan.runs[g, END]):
                number = number_at(x, fan)
                cell = target_of(number, fan)
                # a call with records takes longer than this question
                if is_pending(cell, moment, spikes, progress):
                    resolve(cell, moment, spikes, progress, cells)
                receive(cell, receptor, weight_of(number, part, fan), moment, progress, cells)
    for cell in range(len(progress.head)):
        if progress.head[cell] >= 0:
            resolve(cell, np.inf, spikes, progress, cells)


@kernel
def refine_samples(
    first: int, last: int, incoming: Incoming, inner: Integers, fan: Synapses, spikes: Stamped, cells: Any
) -> None:
    """Find when the model has the spikes of a stage in samples ``first`` to ``last - 1``.

    Parameters
    ----------
    first, last : int
        Range of samples.
    incoming : Incoming
    inner : ndarray of int64, shape (arrivals,)
        Which of the stage's spikes each of these is, -1 for others. It then arrives when that is found.
    fan : Synapses
        Their delays are part of the incoming times.
    spikes : Stamped
    cells : named tuple
        Parameters of the neurons.
    """
    n = len(cells.tau_ref)
    width = len(begin(cells, 0))
    progress = Progress(
        np.empty((n, width)),
        np.empty(n),
        np.empty(n),
        np.empty(n, dtype=np.int64),
        np.empty(len(spikes.stamps), dtype=np.int64),
    )
    for b in range(first, last):
        refine_sample(b, incoming, inner, fan, spikes, progress, cells)
