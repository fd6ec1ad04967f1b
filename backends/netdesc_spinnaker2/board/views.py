"""The memory of the board as the programs see it: a slice at a time, without reference counts.

The programs of a tick are short, and there are many of them; counting references took most of their time.
What views require is kept: the records, and with them the arrays, are arguments of ``run_samples`` and
``run_round_back``, whose callers hold them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.views import stretch, stretch_rows
from netdesc.ticks.records import Adjoints, Arrivals, Buffers, Cells, Neurons, Slice, Spikes, Synapses
from netdesc_spinnaker2.board.memory import (
    ADJOINT_GAIN,
    ADJOINTS,
    CAME_AT,
    FADE,
    FALLS,
    FLOOR,
    FREE_AT,
    GAIN,
    GAP,
    LATEST,
    LEAK,
    LIFT,
    RESET,
    RING,
    RISES,
    STATES,
    TAU,
    TAU_M,
    TAU_S,
    WAITING,
    Board,
    Rules,
)
from netdesc_spinnaker2.board.packets import Boxes, Ports
from netdesc_spinnaker2.programs.loss import LossState

SCRATCH = 5
"""Numbers of room that a program needs for every neuron."""


class Memory(NamedTuple):
    """The whole board: memory of the programs, rules of a run, routes, boxes, and memory of the losses."""

    board: Board
    rules: Rules
    ports: Ports
    boxes: Boxes
    losses: LossState


@inlined
def slice_of(s: int, board: Board, rules: Rules, scratch: NDArray[Any]) -> Slice:
    """Return a layer slice.

    Parameters
    ----------
    s : int
    board, rules
    scratch : ndarray of float32
        ``SCRATCH`` numbers for every neuron.
    """
    entry = board.slices[s]
    return Slice(
        cells_of(s, board, rules),
        neurons_of(s, board, scratch),
        sent_spikes(s, board),
        received_by(s, board),
        synapses_of(s, board),
        Buffers(
            stretch(board.rings[RING], entry.ring, entry.depth * entry.size),
            # there is one buffer alone in the other schemes
            stretch(board.rings[LIFT % len(board.rings)], entry.ring, entry.depth * entry.size),
            stretch(board.rings[RISES % len(board.rings)], entry.ring, entry.depth * entry.size),
            stretch(board.rings[FALLS % len(board.rings)], entry.ring, entry.depth * entry.size),
            entry.depth,
        ),
    )


@inlined
def cells_of(s: int, board: Board, rules: Rules) -> Cells:
    """Return the constants of the neurons of a slice."""
    entry = board.slices[s]
    numbers, n, c = board.numbers, entry.size, entry.cell
    return Cells(
        stretch(numbers[GAP], c, n),
        stretch(numbers[RESET], c, n),
        stretch(numbers[FLOOR], c, n),
        stretch(numbers[LEAK], c, n),
        stretch_rows(numbers[GAIN], c, 1, n),
        stretch_rows(numbers[FADE], c, 1, n),
        stretch_rows(numbers[ADJOINT_GAIN], c, 1, n),
        stretch_rows(numbers[TAU], c, 1, n),
        stretch(board.hold, c, n),
        # resets are to a value
        stretch(board.hold, c, 0),
        stretch(board.taus[TAU_M], c, n),
        stretch_rows(board.taus[TAU_S], c, 1, n),
        rules.uniform,
        # a slice is too small to gain by reading fewer constants
        n < 0,
        rules.holding,
    )


@inlined
def neurons_of(s: int, board: Board, scratch: NDArray[Any]) -> Neurons:
    """Return the state of the neurons of a slice."""
    n, a = board.slices[s].size, board.slices[s].state
    return Neurons(
        stretch_rows(board.state, STATES * a, STATES, n),
        stretch(board.marks[FREE_AT], a, n),
        stretch(board.marks[WAITING], a, n),
        stretch(scratch, 0, n),
        stretch(scratch, n, n),
    )


@inlined
def sent_spikes(s: int, board: Board) -> Spikes:
    """Return the store of the spikes of a slice."""
    sent, a = board.sent, board.slices[s].sent
    size = board.slices[s].sent_end - a
    return Spikes(
        stretch(sent.tick, a, size),
        stretch(sent.neuron, a, size),
        stretch(sent.previous, a, size),
        stretch(sent.fraction, a, size),
        stretch(sent.current, a, size),
        stretch(sent.release, a, size),
        stretch(sent.slope, a, size),
        stretch(sent.force, a, size),
    )


@inlined
def received_by(s: int, board: Board) -> Arrivals:
    """Return the store of the spikes that a slice has received."""
    received, a, place = board.received, board.slices[s].received, board.slices[s].place
    size, places = board.slices[s].received_end - a, board.places[CAME_AT]
    return Arrivals(
        stretch(received.row, a, size),
        stretch(received.fraction, a, size),
        stretch(received.gradient, a, size),
        stretch(places, place, len(places) - place),
    )


@inlined
def synapses_of(s: int, board: Board) -> Synapses:
    """Return the synapses of a slice."""
    entry = board.slices[s]
    return Synapses(
        stretch(board.first, entry.row, len(board.first) - entry.row),
        stretch(board.lags, entry.row, len(board.lags) - entry.row),
        board.segments,
        board.target,
        stretch(board.weight, entry.weight, entry.weight_end - entry.weight),
        stretch(board.gradient, entry.gradient, entry.gradient_end - entry.gradient),
        # delays are not trained
        stretch(board.gradient, entry.gradient, 0),
        stretch(board.distinct, entry.distinct, entry.delays),
    )


@inlined
def adjoints_of(s: int, board: Board, scratch: NDArray[Any]) -> Adjoints:
    """Return the adjoints of the neurons of a slice."""
    n, a = board.slices[s].size, board.slices[s].state
    return Adjoints(
        stretch_rows(board.adjoint, ADJOINTS * a, STATES, n),
        stretch(board.adjoint, ADJOINTS * a + STATES * n, n),
        stretch(board.marks[LATEST], a, n),
        stretch_rows(scratch, 2 * n, STATES, n),
        stretch(scratch, 4 * n, n),
    )
