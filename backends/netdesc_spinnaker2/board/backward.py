"""The emulated board backward: all processing elements, tick after tick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel
from netdesc.events import Integers
from netdesc_spinnaker2.board.borrowed import lend_board, lend_boxes, lend_ports, lend_verdicts
from netdesc_spinnaker2.board.forward import OFF_GRID, account
from netdesc_spinnaker2.board.memory import (
    CARRY,
    INPUT,
    LAM_I,
    LAM_V,
    LATEST,
    LAYER,
    LOSS_PROGRAM,
    Board,
    Rules,
)
from netdesc_spinnaker2.board.packets import Boxes, Ports, discard
from netdesc_spinnaker2.programs.arrivals import Desk, make_desk
from netdesc_spinnaker2.programs.errors import send_errors, take_errors
from netdesc_spinnaker2.programs.grid_backward import lift, step_exact_back, step_paper_back
from netdesc_spinnaker2.programs.layer import (
    FULL_BOX,
    FULL_DESK,
)
from netdesc_spinnaker2.programs.loss import Told, Verdicts, send_told, send_verdict
from netdesc_spinnaker2.programs.off_grid_backward import step_off_grid_back


@kernel
def run_round_back(
    begin: int,
    end: int,
    samples: Integers,
    arrivals: int,
    held: Board,
    rules: Rules,
    held_ports: Ports,
    held_boxes: Boxes,
    held_verdicts: Verdicts,
    told: Told,
    listens: Integers,
    status: Integers,
) -> int:
    """Carry the adjoints of the sample on every copy back.

    Parameters
    ----------
    begin, end, samples, arrivals, held, rules, held_ports, held_boxes, held_verdicts, status
        As in ``run_round``, after it.
    told : Told
        From the host; without any entry the loss programs use their own.
    listens : ndarray of int64, shape (slices,)
        Number of a slice among those that the host tells, -1 for others.

    Returns
    -------
    int
        0, or why it stopped.
    """
    board, ports, boxes = lend_board(held), lend_ports(held_ports), lend_boxes(held_boxes)
    verdicts = lend_verdicts(held_verdicts)
    widest = 1
    for s in range(begin, end):
        widest = max(widest, board.sheet[s].size)
    desk = make_desk(widest, arrivals if rules.scheme == OFF_GRID else 1)
    room = np.empty((3, widest), dtype=np.float32)
    slot = np.empty(widest, dtype=np.int64)
    tellers = 0
    for s in range(len(listens)):
        tellers = max(tellers, listens[s] + 1)
    own_verdict = len(told.first) == 1
    for s in range(begin, end):
        sheet = board.sheet[s]
        if samples[sheet.copy] < 0:
            continue
        boxes.count[0, s] = 0
        boxes.count[1, s] = 0
        clear_adjoint(s, board)
        if listens[s] >= 0 and not own_verdict:
            place = samples[sheet.copy] * tellers + listens[s]
            board.progress[s].cursor = told.first[place + 1]
            if sheet.role != LOSS_PROGRAM:
                tell_layer(s, place, board, told)
    # the boxes of backward ticks are those of the same number: what leaves in tick m + 1 is taken in in
    # tick m
    top = rules.steps + (0 if rules.scheme == OFF_GRID else 1)
    for m in range(top, -1, -1):
        for s in range(begin, end):
            sheet = board.sheet[s]
            if samples[sheet.copy] < 0:
                continue
            role = sheet.role
            taken = boxes.count[m & 1, s]
            events = sent = 0
            if role == LOSS_PROGRAM:
                discard(m & 1, s, boxes, board.packets)
            if role == LOSS_PROGRAM and m > 0:
                if own_verdict:
                    sent = send_verdict(m, m == top, s, board, ports, boxes, verdicts)
                else:
                    place = samples[sheet.copy] * tellers + listens[s]
                    sent = send_told(m, s, place, board, ports, boxes, told)
            elif role in (INPUT, LAYER):
                take_errors(m, s, board, boxes, slot)
                if role == LAYER:
                    events = step_layer_back(m, s, board, rules, desk, room)
                    if events < 0:
                        status[0], status[1], status[2] = s, samples[sheet.copy], m
                        return FULL_DESK
                    if m > 0:
                        sent = send_errors(m, s, board, ports, boxes)
            code = (
                FULL_BOX
                if sent < 0
                else account(m, s, samples[sheet.copy], 1, (events, taken, sent), board, rules)
            )
            if code:
                status[0], status[1], status[2] = s, samples[sheet.copy], m
                return code
    return 0


@inlined
def step_layer_back(m: int, s: int, board: Board, rules: Rules, desk: Desk, room: NDArray[Any]) -> int:
    """Run a slice back through a tick; number of synaptic events, -1 where the desk is small."""
    if rules.scheme == OFF_GRID:
        if m >= rules.steps:
            return 0
        if m == rules.steps - 1:
            lift(s, board, False)
        return step_off_grid_back(m, s, board, rules, desk, room[0], room[1], room[2])
    if m == 0 or m > rules.steps:
        return 0
    # a voltage that the loss reads in a tick changes lam_v where a spike in that tick would
    if rules.scheme == 0:
        events = step_paper_back(m, s, board, room[0], room[1], room[2])
    else:
        events = step_exact_back(m, s, board, rules.holding, room[2])
    if m == rules.steps:
        lift(s, board, rules.scheme != 0)
    return events


@inlined
def clear_adjoint(s: int, board: Board) -> None:
    """Start a slice for a backward run."""
    sheet = board.sheet[s]
    own = board.own
    role = sheet.role
    if role != INPUT and role != LAYER:
        return
    a = sheet.own
    for e in range(a, a + board.progress[s].own):
        own[e].force = 0
    if role == LAYER:
        b, n = sheet.state, sheet.size
        board.state[LAM_V, b : b + n] = 0
        board.state[LAM_I, b : b + n] = 0
        board.state[CARRY, b : b + n] = 0
        board.marks[LATEST, b : b + n] = -1
        for e in range(board.progress[s].own):
            board.marks[LATEST, b + own[a + e].neuron] = e
        board.gradient[sheet.gradient : sheet.gradient_end] = 0
        c = sheet.received
        for e in range(c, c + board.progress[s].received):
            board.received[e].pulled = 0


@inlined
def tell_layer(s: int, place: int, board: Board, told: Told) -> None:
    """Write derivatives from the host into the spikes of a slice to which no loss listens."""
    own, a = board.own, board.sheet[s].own
    for e in range(told.first[place], told.first[place + 1]):
        # neuron holds the number of the spike here
        own[a + told.neuron[e]].force = told.value[e]
