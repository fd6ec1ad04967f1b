"""What goes into the processing elements before a sample, and is read out of them after it."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel
from netdesc.events import Integers
from netdesc_spinnaker2.board.memory import (
    CURRENT,
    FALLS,
    FREE_AT,
    INPUT,
    LATEST,
    LAYER,
    LIFT,
    LOSS_PROGRAM,
    RING,
    RISES,
    START,
    WAITING,
    Board,
    I,
    U,
)
from netdesc_spinnaker2.board.packets import Boxes
from netdesc_spinnaker2.programs.layer import FULL_STORE
from netdesc_spinnaker2.programs.loss import SILENT, Verdicts

FULL_OUT = 7
"""The host may have too little room for the spikes of the next round."""


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


@inlined
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
    sheet = board.sheet[s]
    own = board.own
    boxes.count[0, s] = 0
    boxes.count[1, s] = 0
    role, n, a = sheet.role, sheet.size, sheet.state
    board.progress[s].own, board.progress[s].received, board.progress[s].cursor = 0, 0, 0
    if role == INPUT:
        place = sample * stimulus.inputs[0] + stimulus.number[s]
        begin, count = stimulus.first[place], stimulus.first[place + 1] - stimulus.first[place]
        first = sheet.own
        if count > sheet.own_end - first:
            return FULL_STORE
        for k in range(count):
            own[first + k].tick = stimulus.tick[begin + k]
            own[first + k].neuron = stimulus.neuron[begin + k]
            own[first + k].fraction = stimulus.fraction[begin + k]
        chain(first, count, a, n, board)
        board.progress[s].own = count
    elif role == LOSS_PROGRAM:
        verdicts.tick[a : a + n] = SILENT
        verdicts.label[s] = stimulus.label[sample]
    elif role == LAYER:
        c = sheet.cell
        board.state[U, a : a + n] = board.numbers[START, c : c + n]
        board.state[I, a : a + n] = board.numbers[CURRENT, c : c + n]
        board.marks[FREE_AT, a : a + n] = 0
        board.marks[WAITING, a : a + n] = -1
        board.marks[LATEST, a : a + n] = -1
        begin, end = sheet.ring, sheet.ring + sheet.depth * n
        board.rings[RING, begin:end] = 0
        if len(board.rings) > 1:
            board.rings[LIFT, begin:end] = 0
            board.rings[RISES, begin:end] = 0
            board.rings[FALLS, begin:end] = 0
    return 0


@inlined
def chain(first: int, count: int, a: int, n: int, board: Board) -> None:
    """Find for every spike in a store the one of the same neuron before it, -1 for none."""
    latest, own = board.marks[LATEST], board.own
    latest[a : a + n] = -1
    for k in range(count):
        own[first + k].previous = latest[a + own[first + k].neuron]
        latest[a + own[first + k].neuron] = k


@inlined
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
    a, at = board.sheet[s].state, out.begin[s]
    for k in range(board.sheet[s].size):
        out.states[sample, at + k, m // every, 0] = board.state[U, a + k]
        out.states[sample, at + k, m // every, 1] = board.state[I, a + k]


@inlined
def read_out(s: int, sample: int, board: Board, out: Out) -> None:
    """Copy the spikes of a slice to the host, which has room for a full store."""
    own, a = board.own, board.sheet[s].own
    used, count = out.used[0], board.progress[s].own
    for k in range(count):
        out.sample[used + k], out.slice[used + k] = sample, s
        out.tick[used + k], out.neuron[used + k] = own[a + k].tick, own[a + k].neuron
        out.fraction[used + k], out.current[used + k] = own[a + k].fraction, own[a + k].current
        out.release[used + k], out.slope[used + k] = own[a + k].release, own[a + k].slope
    out.used[0] = used + count


@kernel
def read_forces(
    begin: int, end: int, samples: Integers, each: int, first: Integers, board: Board, forces: NDArray[Any]
) -> None:
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
        Result.
    """
    own = board.own
    for s in range(begin, end):
        sheet = board.sheet[s]
        sample = samples[sheet.copy]
        if sample < 0 or (sheet.role != LAYER and sheet.role != INPUT):
            continue
        place = sample * each + sheet.number
        at, count = first[place], first[place + 1] - first[place]
        for k in range(count):
            forces[at + k] = own[sheet.own + k].force


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
    own = board.own
    for s in range(begin, end):
        sheet = board.sheet[s]
        if samples[sheet.copy] >= 0 and (sheet.role == LAYER or sheet.role == INPUT):
            for e in range(sheet.own, sheet.own + board.progress[s].own):
                counts[first[s] + own[e].neuron] += 1
