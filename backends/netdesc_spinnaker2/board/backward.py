"""The emulated board backward: all processing elements, tick after tick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.dynamics.views import unowned
from netdesc.events import Integers
from netdesc.ticks.backward import begin_late, chain, start_adjoints, step_exact_back, step_published_back
from netdesc.ticks.off_grid_backward import step_off_grid_back
from netdesc.ticks.records import OFF_GRID, PUBLISHED, Workspace
from netdesc_spinnaker2.board.forward import account, make_room
from netdesc_spinnaker2.board.memory import INPUT, LATEST, LAYER, LOSS_PROGRAM, SENT_AT, Board, Rules
from netdesc_spinnaker2.board.packets import discard
from netdesc_spinnaker2.board.views import SCRATCH, Memory, adjoints_of, sent_spikes, slice_of
from netdesc_spinnaker2.programs.errors import send_errors, take_errors
from netdesc_spinnaker2.programs.layer import FULL_BOX, FULL_WORKSPACE, GRAZING
from netdesc_spinnaker2.programs.loss import Forces, send_forces, send_loss


@kernel
def run_round_back(
    span: tuple[int, int],
    samples: Integers,
    arrivals: int,
    held: Memory,
    forces: Forces,
    recipient: Integers,
    status: Integers,
) -> int:
    """Run the adjoints of the sample on every copy backward.

    Parameters
    ----------
    span, samples, arrivals, held, status
        As in ``run_samples``, after a round of it.
    forces : Forces
        From the host; without any entry the loss programs use those that they have computed.
    recipient : ndarray of int64, shape (slices,)
        Number of a slice among those that get derivatives from the host, -1 for others.

    Returns
    -------
    int
        0, or why it stopped.
    """
    room = make_room(span, arrivals, held)
    slot = np.empty(len(room[1]) // SCRATCH, dtype=np.int64)
    return take_round_back(span, samples, (room, slot), held, forces, recipient, status)


@shared
def take_round_back(
    span: tuple[int, int],
    samples: Integers,
    held_room: tuple[tuple[Workspace, NDArray[Any]], Integers],
    held: Memory,
    forces: Forces,
    recipient: Integers,
    status: Integers,
) -> int:
    """Run the adjoints of the sample on every copy backward; see ``run_round_back``."""
    memory = unowned(held)
    (workspace, scratch), slot = unowned(held_room)
    board, rules = memory.board, memory.rules
    recipients = 0
    for s in range(len(recipient)):
        recipients = max(recipients, recipient[s] + 1)
    for s in range(span[0], span[1]):
        if samples[board.slices[s].copy] >= 0:
            start_back(s, samples[board.slices[s].copy], recipients, memory, forces, recipient, scratch)
    # the boxes of backward ticks are those of the same number: what leaves in tick m + 1 is taken in in
    # tick m
    top = rules.steps + (0 if rules.scheme == OFF_GRID else 1)
    for m in range(top, -1, -1):
        for s in range(span[0], span[1]):
            sample = samples[board.slices[s].copy]
            if sample < 0:
                continue
            taken = memory.boxes.count[m & 1, s]
            events = sent = 0
            if board.slices[s].role == LOSS_PROGRAM:
                place = sample * recipients + recipient[s]
                sent = send_losses(m, m == top, s, place, memory, forces)
            elif board.slices[s].role in (INPUT, LAYER):
                take_errors(m, s, board, memory.boxes, slot)
                if board.slices[s].role == LAYER:
                    events = step_layer_back(m, s, board, rules, workspace, scratch)
                    if m > 0 and events >= 0:
                        sent = send_errors(m, s, board, memory.ports, memory.boxes)
            code = FULL_BOX if sent < 0 else FULL_WORKSPACE if events < 0 else 0
            if code == 0:
                code = account(m, s, sample, 1, (events, taken, sent), board, rules)
            if code:
                status[0], status[1], status[2] = s, sample, m
                return code
    return 0


@inlined
def send_losses(m: int, top: bool, s: int, place: int, memory: Memory, forces: Forces) -> int:
    """Run a loss program for a tick; packets sent, or -1 where a box is full."""
    board, ports, boxes = memory.board, memory.ports, memory.boxes
    discard(m & 1, s, boxes, board.packets)
    if m == 0:
        return 0
    if len(forces.first) == 1:
        return send_loss(m, top, s, board, ports, boxes, memory.losses)
    return send_forces(m, s, place, board, ports, boxes, forces)


@inlined
def step_layer_back(
    m: int, s: int, board: Board, rules: Rules, workspace: Workspace, scratch: NDArray[Any]
) -> int:
    """Run a slice back through a tick; number of synaptic events, -1 where the workspace is small."""
    last = rules.steps - (1 if rules.scheme == OFF_GRID else 0)
    if m > last or (m == 0 and rules.scheme != OFF_GRID):
        return 0
    item, adjoints = slice_of(s, board, rules, scratch), adjoints_of(s, board, scratch)
    place = board.slices[s].place + m
    begin, end = board.places[SENT_AT, place], board.places[SENT_AT, place + 1]
    if m == last and rules.scheme == OFF_GRID:
        begin_late(adjoints, item.cells, False)
    # a voltage that the loss reads in a tick changes lam_v where a spike in that tick would
    if rules.scheme == OFF_GRID:
        events, grazing = step_off_grid_back(m, begin, end, rules.timestep, item, adjoints, workspace)
    elif rules.scheme == PUBLISHED:
        events, grazing = step_published_back(m, begin, end, item, adjoints)
    else:
        events, grazing = step_exact_back(m, begin, end, item, adjoints)
    if m == last and rules.scheme != OFF_GRID:
        begin_late(adjoints, item.cells, rules.scheme != PUBLISHED)
    board.events[s, GRAZING] += grazing
    return events


@inlined
def start_back(
    s: int,
    sample: int,
    recipients: int,
    memory: Memory,
    forces: Forces,
    recipient: Integers,
    scratch: NDArray[Any],
) -> None:
    """Start a slice for a backward run."""
    board = memory.board
    entry = board.slices[s]
    memory.boxes.count[0, s] = 0
    memory.boxes.count[1, s] = 0
    sent, count = sent_spikes(s, board), board.progress[s].sent
    if entry.role in (INPUT, LAYER):
        sent.force[:count] = 0
    if entry.role == INPUT:
        chain(count, sent, board.marks[LATEST, entry.state : entry.state + entry.size])
    elif entry.role == LAYER:
        start_adjoints(count, adjoints_of(s, board, scratch), sent)
        board.gradient[entry.gradient : entry.gradient_end] = 0
        board.received.gradient[entry.received : entry.received + board.progress[s].received] = 0
    if recipient[s] >= 0 and len(forces.first) > 1:
        place = sample * recipients + recipient[s]
        board.progress[s].cursor = forces.first[place + 1]
        if entry.role != LOSS_PROGRAM:
            write_forces(s, place, board, forces)


@inlined
def write_forces(s: int, place: int, board: Board, forces: Forces) -> None:
    """Write derivatives from the host into the spikes of a slice that no loss reads."""
    a = board.slices[s].sent
    for e in range(forces.first[place], forces.first[place + 1]):
        # neuron holds the number of the spike here
        board.sent.force[a + forces.neuron[e]] = forces.value[e]
