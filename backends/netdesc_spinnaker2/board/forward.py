"""The emulated board forward: all processing elements, tick after tick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.dynamics.views import unowned
from netdesc.events import Integers
from netdesc.ticks.arrivals import make_workspace
from netdesc.ticks.delivery import deposit, land
from netdesc.ticks.forward import step_on_grid
from netdesc.ticks.off_grid import step_off_grid
from netdesc.ticks.records import BURST, NO_ROOM, OFF_GRID, Slice, Workspace
from netdesc_spinnaker2.board.loading import FULL_OUT, Out, Stimulus, load_sample, read_out, record
from netdesc_spinnaker2.board.memory import CAME_AT, INPUT, LAYER, LOSS_PROGRAM, Board, Rules
from netdesc_spinnaker2.board.packets import discard
from netdesc_spinnaker2.board.views import SCRATCH, Memory, slice_of
from netdesc_spinnaker2.programs.layer import (
    EVENTS,
    FULL_STORE,
    FULL_WORKSPACE,
    IN_FLIGHT,
    LONG_TICKS,
    OVERRUN,
    TOO_MANY,
    send_spikes,
    take_in,
)
from netdesc_spinnaker2.programs.loss import store_first_spikes


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
    entry = board.slices[s]
    events, taken, sent = done
    neurons = entry.size if entry.role == LAYER else 0
    cycles = neurons * rules.neuron + events * rules.synapse + (taken + sent) * rules.packet
    board.events[s, EVENTS] += events if way == 0 else 0
    board.busiest[s, way] = max(board.busiest[s, way], cycles)
    b = sample % len(board.work)
    board.work[b, entry.number, way, m, 0] += events
    board.work[b, entry.number, way, m, 1] += taken
    board.work[b, entry.number, way, m, 2] += sent
    if cycles <= rules.budget:
        return 0
    board.events[s, LONG_TICKS] += 1
    return OVERRUN if rules.overrun == 0 else 0


@inlined
def measure_slices(span: tuple[int, int], board: Board) -> tuple[int, int]:
    """Return the largest number of neurons of a slice, at least 1, and the spikes that all stores hold."""
    widest, stores = 1, 0
    for s in range(span[0], span[1]):
        widest = max(widest, board.slices[s].size)
        if board.slices[s].role == LAYER:
            stores += board.slices[s].sent_end - board.slices[s].sent
    return widest, stores


@inlined
def start_round(
    span: tuple[int, int], samples: Integers, memory: Memory, stimulus: Stimulus, status: Integers
) -> int:
    """Put all slices into the state at the start of their samples; 0, or why the run stops."""
    board = memory.board
    for s in range(span[0], span[1]):
        sample = samples[board.slices[s].copy]
        if sample >= 0:
            code = load_sample(s, sample, memory, stimulus)
            if code:
                status[0], status[1], status[2] = s, sample, 0
                return code
    return 0


@inlined
def tick_forward(
    m: int, s: int, sample: int, memory: Memory, workspace: Workspace, scratch: NDArray[Any]
) -> int:
    """Run the program of one processing element for a tick forward; 0, or why it stops."""
    board, rules, boxes = memory.board, memory.rules, memory.boxes
    entry = board.slices[s]
    role = entry.role
    last = m == rules.steps + (0 if rules.scheme == OFF_GRID else 1)
    taken = boxes.count[m & 1, s]
    before = board.progress[s].cursor
    events = 0
    if role == INPUT:
        discard(m & 1, s, boxes, board.packets)
    elif role == LOSS_PROGRAM:
        store_first_spikes(m, s, board, boxes, memory.losses)
    elif role == LAYER:
        waiting = boxes.count[1 - (m & 1), s]
        code = take_in(m, s, last, board, rules, boxes)
        if code:
            return code
        taken -= boxes.count[1 - (m & 1), s] - waiting
        item = slice_of(s, board, rules, scratch)
        if m > 0:
            events = deliver(m, s, item, board, rules)
        if not last:
            code = step_layer(m, s, item, board, rules, workspace)
            if code:
                return code
    if role == INPUT or (role == LAYER and not last):
        if last:
            return 0
        code = send_spikes(m, s, board, memory.ports, boxes)
        if code:
            return code
    sent = board.progress[s].cursor - before if role != LOSS_PROGRAM and entry.spike_port >= 0 else 0
    return account(m, s, sample, 0, (events, taken, sent), board, rules)


@inlined
def deliver(m: int, s: int, item: Slice, board: Board, rules: Rules) -> int:
    """Add up the weights of the spikes that were sent in the tick before; return the synaptic events."""
    place, left = board.slices[s].place + m - 1, rules.steps - m
    begin, end = board.places[CAME_AT, place], board.places[CAME_AT, place + 1]
    if rules.scheme == OFF_GRID:
        events, in_flight = land(m - 1, begin, end, left, rules.timestep, item)
    else:
        events, in_flight = deposit(m - 1, begin, end, left, item)
    board.events[s, IN_FLIGHT] += in_flight
    return events


@inlined
def step_layer(m: int, s: int, item: Slice, board: Board, rules: Rules, workspace: Workspace) -> int:
    """Run the neurons of a slice for a tick; 0, or why the run cannot go on."""
    used = board.progress[s].sent
    if rules.scheme == OFF_GRID:
        used = step_off_grid(m, used, rules.timestep, item, workspace)
    elif m > 0:
        used = step_on_grid(m, used, rules.scheme, item)
    if used < 0:
        return FULL_STORE if used == NO_ROOM else TOO_MANY if used == BURST else FULL_WORKSPACE
    board.progress[s].sent = used
    return 0


@inlined
def read_round(span: tuple[int, int], samples: Integers, board: Board, out: Out) -> None:
    """Copy the spikes of a round to the host."""
    for s in range(span[0], span[1]):
        entry = board.slices[s]
        if samples[entry.copy] >= 0 and entry.role == LAYER:
            read_out(s, samples[entry.copy], board, out)


@kernel
def run_samples(
    span: tuple[int, int],
    samples: Integers,
    batch: tuple[int, int],
    arrivals: int,
    held: Memory,
    stimulus: Stimulus,
    out: Out,
    status: Integers,
) -> int:
    """Run the samples of a batch forward, one on every copy, round after round, and read the spikes out.

    Parameters
    ----------
    span : tuple of int
        First slice, and one past the last.
    samples : ndarray of int64, shape (copies,)
        Room; those of the last round afterwards, -1 for none.
    batch : tuple of int
        First sample, and one past the last.
    arrivals : int
        At one neuron in a tick, in ``off_grid``.
    held : Memory
    stimulus : Stimulus
    out : Out
        Without any room for spikes none are read.
    status : ndarray of int64, shape (3,)
        Result: slice, sample and tick at which the run stopped.

    Returns
    -------
    int
        0, or why it stopped; ``FULL_OUT`` before the round of sample ``status[1]``, which may be the next
        start, where the stores of the slices hold more than the host has room for.
    """
    room = make_room(span, arrivals, held)
    return run_rounds(span, samples, batch, room, held, stimulus, out, status)


@inlined
def make_room(span: tuple[int, int], arrivals: int, memory: Memory) -> tuple[Workspace, NDArray[Any]]:
    """Make room for the largest slice: a workspace, and ``SCRATCH`` numbers for every neuron."""
    widest, _ = measure_slices(span, memory.board)
    workspace = make_workspace(widest, arrivals if memory.rules.scheme == OFF_GRID else 1)
    return workspace, np.empty(SCRATCH * widest, dtype=np.float32)


@shared
def run_rounds(
    span: tuple[int, int],
    samples: Integers,
    batch: tuple[int, int],
    held_room: tuple[Workspace, NDArray[Any]],
    held: Memory,
    stimulus: Stimulus,
    out: Out,
    status: Integers,
) -> int:
    """Run the samples of a batch forward; see ``run_samples``."""
    memory = unowned(held)
    workspace, scratch = unowned(held_room)
    board, rules, inside = memory.board, memory.rules, memory.rules.scheme == OFF_GRID
    _, stores = measure_slices(span, board)
    reads = len(out.tick) > 0
    for first in range(batch[0], batch[1], len(samples)):
        if reads and out.used[0] + stores > len(out.tick):
            status[0], status[1], status[2] = span[0], first, 0
            return FULL_OUT
        for c in range(len(samples)):
            samples[c] = first + c if first + c < batch[1] else -1
        code = start_round(span, samples, memory, stimulus, status)
        if code:
            return code
        # after the last tick, spikes under way still come to rest
        for m in range(rules.steps + (1 if inside else 2)):
            for s in range(span[0], span[1]):
                sample = samples[board.slices[s].copy]
                if sample < 0:
                    continue
                if board.slices[s].role == LAYER and inside:
                    record(m, s, sample, board, out)
                code = tick_forward(m, s, sample, memory, workspace, scratch)
                if code:
                    status[0], status[1], status[2] = s, sample, m
                    return code
                if board.slices[s].role == LAYER and not inside:
                    record(m, s, sample, board, out)
        if reads:
            read_round(span, samples, board, out)
    return 0
