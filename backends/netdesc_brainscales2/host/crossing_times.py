"""When the model crosses its threshold, within the step of the clock before each measured spike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import charge, crossing, decay, flow
from netdesc.dynamics.two_currents import flow_two
from netdesc.events import Floats, Integers
from netdesc_brainscales2.analog.crossing import first_crossing

# Rows of the parameters of cells.
TAU_M, TAU_I, TAU_J, TAU_REF, GAP, RESET, START, START_I, START_J = range(9)
# Rows of the state: voltage above rest and both currents at a time, and the end of a refractory period.
U, EXC, INH, SINCE, FREE = range(5)


@kernel
def advance(cell: int, moment: float, two: bool, cells: Floats, state: Floats) -> None:
    """Carry a cell to a moment; it does not spike on the way, and keeps its reset while it is refractory."""
    tau_m, tau_i, tau_j = cells[TAU_M, cell], cells[TAU_I, cell], cells[TAU_J, cell]
    if state[SINCE, cell] < state[FREE, cell]:
        held = min(moment, state[FREE, cell]) - state[SINCE, cell]
        if held > 0.0:
            state[EXC, cell] *= decay(held, tau_i)
            state[INH, cell] *= decay(held, tau_j)
            state[SINCE, cell] += held
    span = moment - state[SINCE, cell]
    if span <= 0.0:
        return
    if two:
        u, i, j = flow_two(state[U, cell], state[EXC, cell], state[INH, cell], span, tau_m, tau_i, tau_j)
        state[INH, cell] = j
    else:
        u, i = flow(state[U, cell], state[EXC, cell], span, tau_m, tau_i)
    state[U, cell] = u
    state[EXC, cell] = i
    state[SINCE, cell] = moment


@kernel
def cross(cell: int, span: float, two: bool, cells: Floats, state: Floats) -> float:
    """Return when in [0, span] from now a cell first reaches its threshold, below 0 for never."""
    if two:
        return float(
            first_crossing(
                state[U, cell],
                state[EXC, cell],
                state[INH, cell],
                cells[GAP, cell],
                cells[TAU_M, cell],
                cells[TAU_I, cell],
                cells[TAU_J, cell],
                span,
            )
        )
    return float(
        crossing(
            state[U, cell], state[EXC, cell], cells[GAP, cell], cells[TAU_M, cell], cells[TAU_I, cell], span
        )
    )


@kernel
def resolve(
    cell: int,
    until: float,
    step: float,
    two: bool,
    cells: Floats,
    state: Floats,
    head: Integers,
    following: Integers,
    own: int,
    stamps: Floats,
    times: Floats,
    found: NDArray[np.bool_],
) -> None:
    """Settle the spikes of a cell whose steps of the clock begin before a moment.

    Parameters
    ----------
    cell : int
    until : float
        Of what arrives next, in ms.
    step : float
        Of the clock, in ms.
    two : bool
        Whether cells have two currents.
    cells, state : ndarray of float64, shapes (9, n) and (5, n)
    head : ndarray of int64, shape (n,)
        Next spike of each cell, counted from ``own``; -1 for none.
    following : ndarray of int64, shape (spikes,)
        The spike of the same cell that follows.
    own : int
        First spike of the sample.
    stamps : ndarray of float64
        Measured.
    times, found : ndarray
        Results.
    """
    while head[cell] >= 0:
        k = own + head[cell]
        stamp = stamps[k]
        if stamp - step >= until:
            return
        stop = min(until, stamp)
        begin = max(max(state[SINCE, cell], stamp - step), state[FREE, cell])
        s = -1.0
        if begin < stop:
            advance(cell, begin, two, cells, state)
            # above already: the model spiked earlier
            if state[U, cell] < cells[GAP, cell]:
                s = cross(cell, stop - begin, two, cells, state)
        if s < 0.0 and stop < stamp:
            return
        moment = stamp if s < 0.0 else begin + s
        advance(cell, moment, two, cells, state)
        times[k] = moment
        found[k] = s >= 0.0
        state[U, cell] = cells[RESET, cell]
        state[FREE, cell] = moment + cells[TAU_REF, cell]
        head[cell] = following[k - own]


@kernel
def receive(
    cell: int, receptor: int, weight: float, moment: float, two: bool, cells: Floats, state: Floats
) -> None:
    """Add a weight to a current; currents superpose, so it may have arrived a little before the state."""
    advance(cell, moment, two, cells, state)
    row, tau = EXC, cells[TAU_I, cell]
    if two and receptor > 0:
        row, tau = INH, cells[TAU_J, cell]
    late = state[SINCE, cell] - moment
    if late > 0.0:
        b = decay(late, tau)
        if state[SINCE, cell] > state[FREE, cell]:
            a = decay(late, cells[TAU_M, cell])
            state[U, cell] += weight * charge(late, a, b, cells[TAU_M, cell], tau)
        weight *= b
    state[row, cell] += weight


@kernel
def refine_samples(
    first: int,
    last: int,
    times: Floats,
    slots: Integers,
    offsets: Integers,
    mine: Integers,
    fan_start: Integers,
    fan_target: Integers,
    fan_receptor: Integers,
    fan_weight: Floats,
    cells: Floats,
    step: float,
    two: bool,
    stamps: Floats,
    neurons: Integers,
    spans: Integers,
    refined: Floats,
    found: NDArray[np.bool_],
) -> None:
    """Refine the spikes of a stage in samples ``first`` to ``last - 1``.

    Parameters
    ----------
    first, last : int
        Range of samples.
    times, slots, offsets : ndarray
        Arrivals by slot, ascending within a sample.
    mine : ndarray of int64, shape (len(times),)
        Which of the stage's own spikes an arrival is, -1 for others. It then arrives when that is refined.
    fan_start, fan_target, fan_receptor, fan_weight : ndarray
        Synapses sorted by slot.
    cells : ndarray of float64, shape (9, n)
        Their parameters.
    step : float
        Of the clock, in ms.
    two : bool
        Whether cells have two currents with time constants of their own.
    stamps, neurons, spans : ndarray
        Measured spikes, ascending within a sample, and the offsets of the samples. An arrival at the time of
        a stamp comes after that spike.
    refined : ndarray of float64, shape (len(stamps),)
        Results: when the model crosses its threshold in ``[stamp - step, stamp]``; the stamp where it does
        not.
    found : ndarray of bool, shape (len(stamps),)
        Results: whether it does.
    """
    n = cells.shape[1]
    state = np.empty((5, n))
    head = np.empty(n, dtype=np.int64)
    room = 0
    for b in range(first, last):
        room = max(room, spans[b + 1] - spans[b])
    following = np.empty(room, dtype=np.int64)
    for b in range(first, last):
        own = spans[b]
        for cell in range(n):
            state[U, cell] = cells[START, cell]
            state[EXC, cell] = cells[START_I, cell] if two else cells[START_I, cell] + cells[START_J, cell]
            state[INH, cell] = cells[START_J, cell] if two else 0.0
            state[SINCE, cell] = 0.0
            state[FREE, cell] = 0.0
            head[cell] = -1
        for k in range(spans[b + 1] - 1, own - 1, -1):
            following[k - own] = head[neurons[k]]
            head[neurons[k]] = k - own
        for e in range(offsets[b], offsets[b + 1]):
            moment = times[e]
            if mine[e] >= 0:
                resolve(
                    neurons[mine[e]],
                    stamps[mine[e]],
                    step,
                    two,
                    cells,
                    state,
                    head,
                    following,
                    own,
                    stamps,
                    refined,
                    found,
                )
                moment = refined[mine[e]]
            for x in range(fan_start[slots[e]], fan_start[slots[e] + 1]):
                cell = fan_target[x]
                resolve(cell, moment, step, two, cells, state, head, following, own, stamps, refined, found)
                receive(cell, fan_receptor[x], fan_weight[x], moment, two, cells, state)
        for cell in range(n):
            resolve(cell, np.inf, step, two, cells, state, head, following, own, stamps, refined, found)
