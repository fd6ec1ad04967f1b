"""Arrays on loan inside a kernel, without the count of references that their use costs otherwise.

The programs of a tick are short, and there are many of them; counting references took most of their time.

An array on loan does not keep its memory alive. So only arguments of a kernel are lent, at the top of
``run_round`` and ``run_round_back``: their caller holds the records, and with them the arrays, until the
kernel returns, and the kernel neither returns nor keeps what was lent to it. What a kernel makes for itself,
such as the desk, is not lent.
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.core.cgutils import get_null_value
from numba.np.arrayobj import make_array

from netdesc.dynamics.jit import inlined, instruction
from netdesc_spinnaker2.board.memory import Board
from netdesc_spinnaker2.board.packets import Boxes, Ports
from netdesc_spinnaker2.programs.loss import Verdicts


def _lend(array: Any) -> Any:
    return array


@instruction(_lend)
def lend(context: Any, array: types.Array) -> Any:
    """Return an array over the same memory that does not count its references."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        made = make_array(signature.return_type)(context, builder, arguments[0])
        made.meminfo = get_null_value(made.meminfo.type)
        made.parent = get_null_value(made.parent.type)
        return made._getvalue()

    return array(array), generate


@inlined
def lend_board(board: Board) -> Board:
    """Return a board on loan."""
    return Board(
        lend(board.sheet),
        lend(board.progress),
        lend(board.known),
        lend(board.numbers),
        lend(board.taus),
        lend(board.hold),
        lend(board.first),
        lend(board.fan),
        lend(board.lags),
        lend(board.segments),
        lend(board.target),
        lend(board.distinct),
        lend(board.state),
        lend(board.marks),
        lend(board.rings),
        lend(board.places),
        lend(board.own),
        lend(board.received),
        lend(board.weight),
        lend(board.gradient),
        lend(board.packets),
        lend(board.events),
        lend(board.busiest),
        lend(board.work),
    )


@inlined
def lend_ports(ports: Ports) -> Ports:
    """Return ports on loan."""
    return Ports(
        lend(ports.key), lend(ports.journey), lend(ports.first), lend(ports.target), lend(ports.lost)
    )


@inlined
def lend_boxes(boxes: Boxes) -> Boxes:
    """Return boxes on loan."""
    return Boxes(lend(boxes.start), lend(boxes.count), lend(boxes.packet), lend(boxes.depth))


@inlined
def lend_verdicts(verdicts: Verdicts) -> Verdicts:
    """Return the memory of the loss programs on loan."""
    return Verdicts(
        lend(verdicts.tick),
        lend(verdicts.fraction),
        lend(verdicts.slope),
        lend(verdicts.value),
        lend(verdicts.label),
    )
