"""The memory of the board as the programs see it: a slice at a time, without reference counts.

The programs of a tick are short, and there are many of them; counting references took most of their time.
What views require is kept: the records, and with them the arrays, are arguments of ``run_samples`` and
``run_round_back``, whose callers hold them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, spliced
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
from netdesc_spinnaker2.programs.loss import Verdicts

SCRATCH = 5
"""Numbers of room that a program needs for every neuron."""


class Memory(NamedTuple):
    """The whole board: memory of the programs, rules of a run, routes, boxes, and memory of the losses."""

    board: Board
    rules: Rules
    ports: Ports
    boxes: Boxes
    verdicts: Verdicts


@spliced
def slice_of(s: int, board: Board, rules: Rules, scratch: NDArray[Any]) -> Slice:
    """Return a layer slice.

    Parameters
    ----------
    s : int
    board, rules
    scratch : ndarray of float32
        ``SCRATCH`` numbers for every neuron.
    """
    sheet = board.sheet[s]
    return Slice(
        cells_of(s, board, rules),
        neurons_of(s, board, scratch),
        own_spikes(s, board),
        received_by(s, board),
        synapses_of(s, board),
        Buffers(
            stretch(board.rings[RING], sheet.ring, sheet.depth * sheet.size),
            # there is one buffer alone in the other schemes
            stretch(board.rings[LIFT % len(board.rings)], sheet.ring, sheet.depth * sheet.size),
            stretch(board.rings[RISES % len(board.rings)], sheet.ring, sheet.depth * sheet.size),
            stretch(board.rings[FALLS % len(board.rings)], sheet.ring, sheet.depth * sheet.size),
            sheet.depth,
        ),
    )


@spliced
def cells_of(s: int, board: Board, rules: Rules) -> Cells:
    """Return the constants of the neurons of a slice."""
    sheet = board.sheet[s]
    numbers, n, c = board.numbers, sheet.size, sheet.cell
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
        rules.holding,
    )


@spliced
def neurons_of(s: int, board: Board, scratch: NDArray[Any]) -> Neurons:
    """Return the state of the neurons of a slice."""
    n, a = board.sheet[s].size, board.sheet[s].state
    return Neurons(
        stretch_rows(board.state, STATES * a, STATES, n),
        stretch(board.marks[FREE_AT], a, n),
        stretch(board.marks[WAITING], a, n),
        stretch(scratch, 0, n),
        stretch(scratch, n, n),
    )


@inlined
def own_spikes(s: int, board: Board) -> Spikes:
    """Return the store of the spikes of a slice."""
    own, a = board.own, board.sheet[s].own
    size = board.sheet[s].own_end - a
    return Spikes(
        stretch(own.tick, a, size),
        stretch(own.neuron, a, size),
        stretch(own.previous, a, size),
        stretch(own.fraction, a, size),
        stretch(own.current, a, size),
        stretch(own.release, a, size),
        stretch(own.slope, a, size),
        stretch(own.force, a, size),
    )


@inlined
def received_by(s: int, board: Board) -> Arrivals:
    """Return the store of the spikes that a slice has received."""
    received, a, place = board.received, board.sheet[s].received, board.sheet[s].place
    size, places = board.sheet[s].received_end - a, board.places[CAME_AT]
    return Arrivals(
        stretch(received.row, a, size),
        stretch(received.fraction, a, size),
        stretch(received.gradient, a, size),
        stretch(places, place, len(places) - place),
    )


@spliced
def synapses_of(s: int, board: Board) -> Synapses:
    """Return the synapses of a slice."""
    sheet = board.sheet[s]
    return Synapses(
        stretch(board.first, sheet.row, len(board.first) - sheet.row),
        stretch(board.lags, sheet.row, len(board.lags) - sheet.row),
        board.segments,
        board.target,
        stretch(board.weight, sheet.weight, sheet.weight_end - sheet.weight),
        stretch(board.gradient, sheet.gradient, sheet.gradient_end - sheet.gradient),
        # delays are not trained
        stretch(board.gradient, sheet.gradient, 0),
        stretch(board.distinct, sheet.distinct, sheet.delays),
    )


@spliced
def adjoints_of(s: int, board: Board, scratch: NDArray[Any]) -> Adjoints:
    """Return the adjoints of the neurons of a slice."""
    n, a = board.sheet[s].size, board.sheet[s].state
    return Adjoints(
        stretch_rows(board.adjoint, ADJOINTS * a, STATES, n),
        stretch(board.adjoint, ADJOINTS * a + STATES * n, n),
        stretch(board.marks[LATEST], a, n),
        stretch_rows(scratch, 2 * n, STATES, n),
        stretch(scratch, 4 * n, n),
    )
