"""The emulated board forward: all processing elements, tick after tick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel
from netdesc.events import Integers
from netdesc_spinnaker2.board.borrowed import lend_board, lend_boxes, lend_ports, lend_verdicts
from netdesc_spinnaker2.board.loading import FULL_OUT, Out, Stimulus, load_sample, read_out, record
from netdesc_spinnaker2.board.memory import (
    INPUT,
    LAYER,
    LOSS_PROGRAM,
    Board,
    Rules,
)
from netdesc_spinnaker2.board.packets import Boxes, Ports, discard
from netdesc_spinnaker2.programs.arrivals import Desk, land, make_desk
from netdesc_spinnaker2.programs.grid import step_layer
from netdesc_spinnaker2.programs.layer import (
    EVENTS,
    LONG_TICKS,
    OVERRUN,
    deposit,
    send_spikes,
    take_in,
)
from netdesc_spinnaker2.programs.loss import Verdicts, hear
from netdesc_spinnaker2.programs.off_grid import step_off_grid

OFF_GRID = 2


@inlined
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


@inlined
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
def run_samples(
    begin: int,
    end: int,
    samples: Integers,
    copies: int,
    start: int,
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
    """Run the samples of a batch forward, round after round, and read the spikes out.

    Parameters
    ----------
    begin, end, arrivals, board, rules, ports, boxes, stimulus, verdicts, out, status
        As in ``run_round``.
    samples : ndarray of int64, shape (copies,)
        Room; those of the last round afterwards.
    copies : int
    start, batch : int
        First sample, and one past the last.

    Returns
    -------
    int
        0, or why it stopped; ``FULL_OUT`` before the round of sample ``status[1]``, which may be the next
        start, where the stores of the slices hold more than the host has room for.
    """
    stores = 0
    for s in range(begin, end):
        if board.sheet[s].role == LAYER:
            stores += board.sheet[s].own_end - board.sheet[s].own
    for first in range(start, batch, copies):
        if out.used[0] + stores > len(out.tick):
            status[0], status[1], status[2] = begin, first, 0
            return FULL_OUT
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
                read_out(s, samples[sheet.copy], board, out)
    return 0
