"""What goes into the processing elements before a sample, and is read out of them after it."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.views import stretch_rows
from netdesc.events import Integers
from netdesc.ticks.forward import NEVER
from netdesc_spinnaker2.board.memory import (
    CURRENT,
    FREE_AT,
    INPUT,
    LAYER,
    LOSS_PROGRAM,
    START,
    STATES,
    WAITING,
    Board,
)
from netdesc_spinnaker2.board.views import Memory, sent_spikes
from netdesc_spinnaker2.programs.layer import FULL_STORE
from netdesc_spinnaker2.programs.loss import SILENT

FULL_OUT = 7
"""The host may have too little room for the spikes of the next round."""


class Stimulus(NamedTuple):
    """Spikes of the inputs, in order of time within a sample and slice.

    Parameters
    ----------
    first : ndarray of int64, shape (samples * slices of a copy + 1,)
    tick, neuron : ndarray of int64
        Neuron within the slice.
    fraction : ndarray of float32
    label : ndarray of int64, shape (samples,)
    """

    first: Integers
    tick: Integers
    neuron: Integers
    fraction: NDArray[Any]
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
def load_sample(s: int, sample: int, memory: Memory, stimulus: Stimulus) -> int:
    """Put a slice into the state at the start of a sample.

    Returns
    -------
    int
        0, or that the spikes of an input do not fit.
    """
    board, losses = memory.board, memory.losses
    entry = board.slices[s]
    sent = sent_spikes(s, board)
    memory.boxes.count[0, s] = 0
    memory.boxes.count[1, s] = 0
    role, n, a = entry.role, entry.size, entry.state
    board.progress[s].sent, board.progress[s].received, board.progress[s].cursor = 0, 0, 0
    if role == INPUT:
        place = sample * memory.rules.each + entry.number
        begin, count = stimulus.first[place], stimulus.first[place + 1] - stimulus.first[place]
        if count > len(sent.tick):
            return FULL_STORE
        for k in range(count):
            sent.tick[k], sent.neuron[k] = stimulus.tick[begin + k], stimulus.neuron[begin + k]
            sent.fraction[k] = stimulus.fraction[begin + k]
        board.progress[s].sent = count
    elif role == LOSS_PROGRAM:
        losses.tick[a : a + n] = SILENT
        losses.label[s] = stimulus.label[sample]
    elif role == LAYER:
        c = entry.cell
        start = stretch_rows(board.state, STATES * a, STATES, n)
        start[0] = board.numbers[START, c : c + n]
        start[1] = board.numbers[CURRENT, c : c + n]
        board.marks[FREE_AT, a : a + n] = NEVER
        board.marks[WAITING, a : a + n] = -1
        for r in range(len(board.rings)):
            board.rings[r, entry.ring : entry.ring + entry.depth * n] = 0
    return 0


@inlined
def record(m: int, s: int, sample: int, board: Board, out: Out) -> None:
    """Sample the states of a slice at the end of a tick."""
    every = out.every[s]
    if every == 0 or m % every != 0 or m // every >= out.states.shape[2]:
        return
    n, at = board.slices[s].size, out.begin[s]
    state = stretch_rows(board.state, STATES * board.slices[s].state, STATES, n)
    for k in range(n):
        out.states[sample, at + k, m // every, 0] = state[0, k]
        out.states[sample, at + k, m // every, 1] = state[1, k]


@inlined
def read_out(s: int, sample: int, board: Board, out: Out) -> None:
    """Copy the spikes of a slice to the host, which has room for a full store."""
    sent, used, count = sent_spikes(s, board), out.used[0], board.progress[s].sent
    for k in range(count):
        out.sample[used + k], out.slice[used + k] = sample, s
        out.tick[used + k], out.neuron[used + k] = sent.tick[k], sent.neuron[k]
        out.fraction[used + k], out.current[used + k] = sent.fraction[k], sent.current[k]
        out.release[used + k], out.slope[used + k] = sent.release[k], sent.slope[k]
    out.used[0] = used + count


@kernel
def read_forces(
    begin: int, end: int, samples: Integers, each: int, first: Integers, board: Board, forces: NDArray[Any]
) -> None:
    """Copy dL/dt of the spikes that were sent to the host.

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
    for s in range(begin, end):
        entry = board.slices[s]
        sample = samples[entry.copy]
        if sample < 0 or (entry.role != LAYER and entry.role != INPUT):
            continue
        place = sample * each + entry.number
        at, count = first[place], first[place + 1] - first[place]
        for k in range(count):
            forces[at + k] = board.sent.force[entry.sent + k]


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
    for s in range(begin, end):
        entry = board.slices[s]
        if samples[entry.copy] >= 0 and (entry.role == LAYER or entry.role == INPUT):
            for e in range(entry.sent, entry.sent + board.progress[s].sent):
                counts[first[s] + board.sent.neuron[e]] += 1
