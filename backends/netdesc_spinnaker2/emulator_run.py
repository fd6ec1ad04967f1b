"""What goes into the processing elements before a sample, and is read out of them after it."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc.physics.jit import kernel
from netdesc_spinnaker2.emulator_memory import INPUT, LAYER, LOSS_PROGRAM, Board
from netdesc_spinnaker2.learning import SILENT, Verdicts
from netdesc_spinnaker2.packets import Boxes
from netdesc_spinnaker2.programs import FULL_STORE

FULL_OUT = 7
"""The host has too little room for the spikes that it reads out."""


class Stimulus(NamedTuple):
    """Spikes of the inputs, in order of time within a sample and slice.

    Parameters
    ----------
    first : ndarray of int64, shape (samples * inputs + 1,)
    tick, neuron : ndarray of int64
        Neuron within the slice.
    fraction : ndarray of float32
    number : ndarray of int64, shape (slices,)
        Number of a slice among the inputs of its copy.
    inputs : ndarray of int64, shape (1,)
        How many they are.
    label : ndarray of int64, shape (samples,)
    """

    first: Integers
    tick: Integers
    neuron: Integers
    fraction: NDArray[Any]
    number: Integers
    inputs: Integers
    label: Integers


class Out(NamedTuple):
    """What the host reads.

    Parameters
    ----------
    used : ndarray of int64, shape (1,)
        Spikes so far.
    sample, slice, tick, neuron : ndarray of int64, shape (room,)
        ``neuron`` within the slice.
    fraction, current, release, slope : ndarray of float32, shape (room,)
    every : ndarray of int64, shape (slices,)
        Ticks between samples of the states; 0 for none.
    begin : ndarray of int64, shape (slices,)
        Where the states of a slice stand.
    states : ndarray of float32, shape (batch, neurons, times, 2)
        Voltage and current; empty where nothing is sampled.
    """

    used: Integers
    sample: Integers
    slice: Integers
    tick: Integers
    neuron: Integers
    fraction: NDArray[Any]
    current: NDArray[Any]
    release: NDArray[Any]
    slope: NDArray[Any]
    every: Integers
    begin: Integers
    states: NDArray[Any]


@kernel
def load_sample(
    s: int, sample: int, board: Board, boxes: Boxes, stimulus: Stimulus, verdicts: Verdicts
) -> int:
    """Put a slice into the state at the start of a sample.

    Parameters
    ----------
    s, sample : int
    board, boxes, stimulus, verdicts

    Returns
    -------
    int
        0, or that the spikes of an input do not fit.
    """
    sheet, state, cells, own = board.sheet, board.state, board.cells, board.own
    boxes.count[0, s] = 0
    boxes.count[1, s] = 0
    role, n, a = sheet.role[s], sheet.size[s], sheet.state[s]
    state.own_count[s], state.received_count[s], state.cursor[s] = 0, 0, 0
    if role == INPUT:
        place = sample * stimulus.inputs[0] + stimulus.number[s]
        begin, count = stimulus.first[place], stimulus.first[place + 1] - stimulus.first[place]
        first = sheet.own[s]
        if count > sheet.own[s + 1] - first:
            return FULL_STORE
        for k in range(count):
            own.tick[first + k] = stimulus.tick[begin + k]
            own.neuron[first + k] = stimulus.neuron[begin + k]
            own.fraction[first + k] = stimulus.fraction[begin + k]
        chain(first, count, a, n, board)
        state.own_count[s] = count
    elif role == LOSS_PROGRAM:
        verdicts.tick[a:a + n] = SILENT
        verdicts.label[s] = stimulus.label[sample]
    elif role == LAYER:
        c = sheet.cell[s]
        state.u[a:a + n] = cells.start[c:c + n]
        state.i[a:a + n] = cells.current[c:c + n]
        state.free[a:a + n] = 0
        state.waiting[a:a + n] = -1
        state.latest[a:a + n] = -1
        begin, end = sheet.ring[s], sheet.ring[s] + sheet.depth[s] * n
        state.ring[begin:end] = 0
        if len(state.lift) > 0:
            state.lift[begin:end] = 0
            state.rise[begin:end] = 0
            state.fall[begin:end] = 0
    return 0


@kernel
def chain(first: int, count: int, a: int, n: int, board: Board) -> None:
    """Tell for every spike of an input the one of the same neuron before it, -1 for none."""
    latest, own = board.state.latest, board.own
    latest[a:a + n] = -1
    for k in range(count):
        own.previous[first + k] = latest[a + own.neuron[first + k]]
        latest[a + own.neuron[first + k]] = k


@kernel
def record(m: int, s: int, sample: int, board: Board, out: Out) -> None:
    """Sample the states of a slice at the end of a tick.

    Parameters
    ----------
    m, s, sample : int
    board : Board
    out : Out
    """
    every = out.every[s]
    if every == 0 or m % every != 0 or m // every >= out.states.shape[2]:
        return
    a, at = board.sheet.state[s], out.begin[s]
    for k in range(board.sheet.size[s]):
        out.states[sample, at + k, m // every, 0] = board.state.u[a + k]
        out.states[sample, at + k, m // every, 1] = board.state.i[a + k]


@kernel
def read_out(s: int, sample: int, board: Board, out: Out) -> int:
    """Copy the spikes of a slice to the host; 0, or that there is no room."""
    own, a = board.own, board.sheet.own[s]
    used, count = out.used[0], board.state.own_count[s]
    if used + count > len(out.tick):
        return FULL_OUT
    for k in range(count):
        out.sample[used + k], out.slice[used + k] = sample, s
        out.tick[used + k], out.neuron[used + k] = own.tick[a + k], own.neuron[a + k]
        out.fraction[used + k], out.current[used + k] = own.fraction[a + k], own.current[a + k]
        out.release[used + k], out.slope[used + k] = own.release[a + k], own.slope[a + k]
    out.used[0] = used + count
    return 0


@kernel
def read_forces(
    begin: int, end: int, samples: Integers, each: int, first: Integers, board: Board, forces: NDArray[Any]
) -> bool:
    """Copy dL/dt of own spikes to the host.

    Parameters
    ----------
    begin, end : int
        Slices.
    samples : ndarray of int64, shape (copies,)
    each : int
        Slices of a copy.
    first : ndarray of int64
        Where the spikes of each sample and slice stand.
    board : Board
    forces : ndarray of float32

    Returns
    -------
    bool
        False where a slice has not as many spikes as the host expects.
    """
    sheet, own = board.sheet, board.own
    for s in range(begin, end):
        sample = samples[sheet.copy[s]]
        if sample < 0 or (sheet.role[s] != LAYER and sheet.role[s] != INPUT):
            continue
        place = sample * each + sheet.number[s]
        at, count = first[place], first[place + 1] - first[place]
        if count != board.state.own_count[s]:
            return False
        for k in range(count):
            forces[at + k] = own.force[sheet.own[s] + k]
    return True


@kernel
def count_spikes(
    begin: int, end: int, samples: Integers, first: Integers, board: Board, counts: Integers
) -> None:
    """Add the spikes of a round, neuron by neuron.

    Parameters
    ----------
    begin, end, samples
        As in ``read_forces``.
    first : ndarray of int64, shape (slices,)
        Index of the first neuron of each slice in the program.
    board : Board
    counts : ndarray of int64
        By index in the program.
    """
    sheet, own = board.sheet, board.own
    for s in range(begin, end):
        if samples[sheet.copy[s]] >= 0 and (sheet.role[s] == LAYER or sheet.role[s] == INPUT):
            for e in range(sheet.own[s], sheet.own[s] + board.state.own_count[s]):
                counts[first[s] + own.neuron[e]] += 1
