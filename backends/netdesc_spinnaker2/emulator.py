"""The emulated board: all processing elements, tick after tick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc.physics.jit import kernel
from netdesc_spinnaker2.emulator_loan import lend_board, lend_boxes, lend_ports, lend_verdicts
from netdesc_spinnaker2.emulator_memory import (
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
from netdesc_spinnaker2.emulator_run import Out, Stimulus, load_sample, read_out, record
from netdesc_spinnaker2.learning import Told, Verdicts, hear, send_told, send_verdict
from netdesc_spinnaker2.packets import Boxes, Ports, discard
from netdesc_spinnaker2.programs import (
    EVENTS,
    FULL_BOX,
    FULL_DESK,
    LONG_TICKS,
    OVERRUN,
    deposit,
    send_spikes,
    step_layer,
    take_in,
)
from netdesc_spinnaker2.programs_backward import (
    send_errors,
    step_exact_back,
    step_off_grid_back,
    step_paper_back,
    take_errors,
)
from netdesc_spinnaker2.programs_off_grid import Desk, land, make_desk, step_off_grid

OFF_GRID = 2


@kernel
def account(
    m: int, s: int, sample: int, way: int, done: tuple[int, int, int], board: Board, rules: Rules
) -> int:
    """Add the work of a tick to the counts.

    Parameters
    ----------
    m, s, sample : int
        Tick, slice and sample.
    way : int
        0 forward, 1 backward.
    done : tuple of int
        Synaptic events, packets taken in, packets sent.
    board, rules

    Returns
    -------
    int
        0, or that the tick took too long.
    """
    sheet = board.sheet[s]
    events, taken, sent = done
    neurons = sheet.size if sheet.role == LAYER else 0
    cycles = neurons * rules.neuron + events * rules.synapse + (taken + sent) * rules.packet
    board.events[s, EVENTS] += events if way == 0 else 0
    board.busiest[s, way] = max(board.busiest[s, way], cycles)
    b = sample % len(board.work)
    board.work[b, sheet.number, way, m, 0] += events
    board.work[b, sheet.number, way, m, 1] += taken
    board.work[b, sheet.number, way, m, 2] += sent
    if cycles <= rules.budget:
        return 0
    board.events[s, LONG_TICKS] += 1
    return OVERRUN if rules.overrun == 0 else 0


@kernel
def run_round(
    begin: int,
    end: int,
    samples: Integers,
    arrivals: int,
    held: Board,
    rules: Rules,
    held_ports: Ports,
    held_boxes: Boxes,
    stimulus: Stimulus,
    held_verdicts: Verdicts,
    out: Out,
    status: Integers,
) -> int:
    """Run one sample on every copy, forward.

    Parameters
    ----------
    begin, end : int
        Slices.
    samples : ndarray of int64, shape (copies,)
        Sample of each copy, -1 for none.
    arrivals : int
        At one neuron in a tick, in ``off_grid``.
    held, rules, held_ports, held_boxes, stimulus, held_verdicts
    out : Out
    status : ndarray of int64, shape (3,)
        Result: slice, sample and tick at which the run stopped.

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
    ends, flag = np.empty(widest, dtype=np.float32), np.empty(widest, dtype=np.float32)
    for s in range(begin, end):
        sheet = board.sheet[s]
        if samples[sheet.copy] < 0:
            continue
        code = load_sample(s, samples[sheet.copy], board, boxes, stimulus, verdicts)
        if code:
            status[0], status[1], status[2] = s, samples[sheet.copy], 0
            return code
    # after the last tick, spikes under way still come to rest
    for m in range(rules.steps + (1 if rules.scheme == OFF_GRID else 2)):
        for s in range(begin, end):
            sheet = board.sheet[s]
            if samples[sheet.copy] < 0:
                continue
            if sheet.role == LAYER and rules.scheme == OFF_GRID:
                record(m, s, samples[sheet.copy], board, out)
            code = tick_forward(
                m, s, samples[sheet.copy], board, rules, ports, boxes, verdicts, desk, ends, flag
            )
            if code:
                status[0], status[1], status[2] = s, samples[sheet.copy], m
                return code
            if sheet.role == LAYER and rules.scheme != OFF_GRID:
                record(m, s, samples[sheet.copy], board, out)
    return 0


@kernel
def tick_forward(
    m: int,
    s: int,
    sample: int,
    board: Board,
    rules: Rules,
    ports: Ports,
    boxes: Boxes,
    verdicts: Verdicts,
    desk: Desk,
    ends: NDArray[Any],
    flag: NDArray[Any],
) -> int:
    """Run the program of one processing element for a tick forward; 0, or why it stops."""
    sheet = board.sheet[s]
    role = sheet.role
    last = m == rules.steps + (0 if rules.scheme == OFF_GRID else 1)
    taken = boxes.count[m & 1, s]
    before = board.progress[s].cursor
    events = 0
    if role == INPUT:
        discard(m & 1, s, boxes, board.packets)
    elif role == LOSS_PROGRAM:
        hear(m, s, board, boxes, verdicts)
    elif role == LAYER:
        waiting = boxes.count[1 - (m & 1), s]
        code = take_in(m, s, last, board, rules, boxes)
        if code:
            return code
        taken -= boxes.count[1 - (m & 1), s] - waiting
        if m > 0:
            events = land(m, s, board, rules) if rules.scheme == OFF_GRID else deposit(m, s, board, rules)
        if not last:
            if rules.scheme == OFF_GRID:
                code = step_off_grid(m, s, board, rules, desk, ends, flag)
            elif m > 0:
                code = step_layer(m, s, board, rules)
            if code:
                return code
    if role == INPUT or (role == LAYER and not last):
        if last:
            return 0
        code = send_spikes(m, s, board, ports, boxes)
        if code:
            return code
    sent = board.progress[s].cursor - before if role != LOSS_PROGRAM and sheet.spike_port >= 0 else 0
    return account(m, s, sample, 0, (events, taken, sent), board, rules)


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


@kernel
def step_layer_back(m: int, s: int, board: Board, rules: Rules, desk: Desk, room: NDArray[Any]) -> int:
    """Run a slice back through a tick; number of synaptic events, -1 where the desk is small."""
    if rules.scheme == OFF_GRID:
        if m >= rules.steps:
            return 0
        return step_off_grid_back(m, s, board, rules, desk, room[0], room[1], room[2])
    if m == 0 or m > rules.steps:
        return 0
    if rules.scheme == 0:
        return step_paper_back(m, s, board, room[0], room[1], room[2])
    return step_exact_back(m, s, board, rules.holding, room[2])


@kernel
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


@kernel
def tell_layer(s: int, place: int, board: Board, told: Told) -> None:
    """Write derivatives from the host into the spikes of a slice to which no loss listens."""
    own, a = board.own, board.sheet[s].own
    for e in range(told.first[place], told.first[place + 1]):
        # neuron holds the number of the spike here
        own[a + told.neuron[e]].force = told.value[e]


@kernel
def run_samples(
    begin: int,
    end: int,
    samples: Integers,
    copies: int,
    batch: int,
    arrivals: int,
    board: Board,
    rules: Rules,
    ports: Ports,
    boxes: Boxes,
    stimulus: Stimulus,
    verdicts: Verdicts,
    out: Out,
    status: Integers,
) -> int:
    """Run all samples of a batch forward, round after round, and read the spikes out.

    Parameters
    ----------
    begin, end, arrivals, board, rules, ports, boxes, stimulus, verdicts, out, status
        As in ``run_round``.
    samples : ndarray of int64, shape (copies,)
        Room; those of the last round afterwards.
    copies, batch : int

    Returns
    -------
    int
        0, or why it stopped.
    """
    for first in range(0, batch, copies):
        for c in range(copies):
            samples[c] = first + c if first + c < batch else -1
        code = run_round(
            begin, end, samples, arrivals, board, rules, ports, boxes, stimulus, verdicts, out, status
        )
        if code:
            return code
        for s in range(begin, end):
            sheet = board.sheet[s]
            if samples[sheet.copy] >= 0 and sheet.role == LAYER:
                code = read_out(s, samples[sheet.copy], board, out)
                if code:
                    status[0], status[1], status[2] = s, samples[sheet.copy], 0
                    return code
    return 0
