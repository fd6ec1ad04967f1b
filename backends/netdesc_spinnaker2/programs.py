"""The input and layer programs forward, for the schemes ``paper`` and ``exact_exponential``.

A program works on the stretches of memory of its own slice and on the packets in its box. Order of every
sum of
arrivals: tick of emission, then key (which ascends with the source), then projection.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc.physics.jit import kernel
from netdesc.physics.tick import charge_of, current_after, current_left, passes, reaches, voltage_after
from netdesc_spinnaker2.emulator_memory import (
    CAME_AT,
    FADE,
    FREE_AT,
    GAP,
    LATEST,
    LEAK,
    RESET,
    RING,
    RISE,
    SENT_AT,
    WAITING,
    Board,
    I,
    Rules,
    U,
)
from netdesc_spinnaker2.packets import (
    DELIVERED,
    DROPPED,
    KEY,
    LATE,
    ROOM,
    SPIKE,
    Boxes,
    Ports,
    find_row,
    send,
    sort_box,
)

FULL_STORE, FULL_RECEIVED, FULL_BOX, FULL_DESK, OVERRUN, BURST = 1, 2, 3, 4, 5, 6
"""Why a run stops before its end."""

EVENTS, IN_FLIGHT, GRAZING, LONG_TICKS = range(4)
"""What is counted of a slice besides packets."""

HELD_UP = 1 << 40
"""Mark of a packet that has waited for a tick before."""


@kernel
def take_in(m: int, s: int, last: bool, board: Board, rules: Rules, boxes: Boxes) -> int:
    """Drain a box of spikes into the store of those received.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    last : bool
        Whether the sample is over, so that nothing waits for another tick.
    board, rules, boxes

    Returns
    -------
    int
        0, or why the run cannot go on.
    """
    sheet = board.sheet[s]
    received = board.received
    into = m & 1
    begin = boxes.start[s]
    count = sort_box(into, s, boxes)
    a = sheet.received
    room = sheet.received_end - a
    used = board.progress[s].received if rules.keep else 0
    place = sheet.place + m - 1
    if m > 0:
        board.places[CAME_AT, place] = used
    spent = sheet.size * rules.neuron
    for k in range(count):
        key = boxes.packet[into, begin + k].key
        row = find_row(key & KEY, board.known, sheet.known, sheet.known_end)
        if row < 0:
            board.packets[s, SPIKE, DELIVERED] -= 1
            board.packets[s, SPIKE, DROPPED] += 1
            continue
        cost = rules.packet + board.fan[sheet.row + row] * rules.synapse
        if rules.overrun == 1 and not last and spent + cost > rules.budget:
            if boxes.depth[0] > 0 and boxes.count[1 - into, s] >= boxes.depth[0]:
                board.packets[s, SPIKE, LATE if key >= HELD_UP else DELIVERED] -= 1
                board.packets[s, SPIKE, DROPPED] += 1
                continue
            if not wait(begin + k, s, into, boxes):
                return FULL_BOX
            if key < HELD_UP:
                board.packets[s, SPIKE, DELIVERED] -= 1
                board.packets[s, SPIKE, LATE] += 1
            continue
        if used == room:
            return FULL_RECEIVED
        spent += cost
        received[a + used].tick = m - 1
        received[a + used].row = row
        received[a + used].fraction = boxes.packet[into, begin + k].fraction
        received[a + used].pulled = 0
        used += 1
    if m > 0:
        board.places[CAME_AT, place + 1] = used
    board.progress[s].received = used
    boxes.count[into, s] = 0
    return 0


@kernel
def wait(at: int, s: int, into: int, boxes: Boxes) -> bool:
    """Put a packet of one box into the other; False where that is full."""
    to = boxes.start[s] + boxes.count[1 - into, s]
    if to == boxes.start[s + 1]:
        return False
    boxes.packet[1 - into, to].key = boxes.packet[into, at].key | HELD_UP
    boxes.packet[1 - into, to].payload = boxes.packet[into, at].payload
    boxes.packet[1 - into, to].fraction = boxes.packet[into, at].fraction
    boxes.count[1 - into, s] += 1
    return True


@kernel
def deposit(m: int, s: int, board: Board, rules: Rules) -> int:
    """Add the weights of the spikes received in a tick to the ring buffer, in their order.

    Parameters
    ----------
    m, s : int
        Tick and slice; the spikes were sent in the tick before.
    board, rules

    Returns
    -------
    int
        Number of synaptic events.
    """
    sheet = board.sheet[s]
    size, depth = sheet.size, sheet.depth
    ring = board.rings[RING, sheet.ring : sheet.ring + depth * size]
    weight = board.weight[sheet.weight : sheet.weight_end]
    place = sheet.place + m - 1
    a = sheet.received
    events = 0
    for e in range(a + board.places[CAME_AT, place], a + board.places[CAME_AT, place + 1]):
        row = sheet.row + board.received[e].row
        for g in range(board.first[row], board.first[row + 1]):
            segment = board.segments[g]
            start, count = segment.start, segment.size
            slot = ((m - 1 + segment.delay) % depth) * size
            if segment.run == 1:
                add_weights(
                    ring[slot + segment.base : slot + segment.base + count], weight[start : start + count]
                )
            else:
                for k in range(count):
                    ring[slot + board.target[segment.target_start + k]] += weight[start + k]
            events += count
            if m - 1 + segment.delay >= rules.steps:
                board.events[s, IN_FLIGHT] += count
    return events


@kernel
def add_weights(to: NDArray[Any], row: NDArray[Any]) -> None:
    """Add the weights of neighbouring synapses; arrays of shape (k,)."""
    for k in range(len(to)):
        to[k] += row[k]


@kernel
def step_paper(
    u: NDArray[Any],
    i: NDArray[Any],
    arrivals: NDArray[Any],
    leak: NDArray[Any],
    rise: NDArray[Any],
    fade: NDArray[Any],
    gap: NDArray[Any],
) -> float:
    """Carry the neurons of a slice over a tick of the paper's scheme; return how many are above threshold.

    Parameters
    ----------
    u, i, arrivals : ndarray, shape (n,)
        Voltage, current, and what arrives in this tick, which is cleared.
    leak, rise, fade, gap : ndarray, shape (n,)
    """
    one = gap.dtype.type(1)
    hits = gap.dtype.type(0)
    for k in range(len(u)):
        i[k] = current_after(i[k], arrivals[k], fade[k])
        arrivals[k] = 0
        u[k] = voltage_after(u[k], charge_of(i[k], rise[k]), leak[k])
        hits += one if passes(u[k], gap[k]) else one - one
    return hits  # type: ignore[no-any-return]


@kernel
def step_exact(
    u: NDArray[Any],
    i: NDArray[Any],
    leak: NDArray[Any],
    rise: NDArray[Any],
    fade: NDArray[Any],
    gap: NDArray[Any],
    waiting: Integers,
    holding: bool,
) -> float:
    """Carry the neurons of a slice over a tick in closed form; return how many are at or above threshold.

    Parameters
    ----------
    u, i, leak, rise, fade, gap : ndarray, shape (n,)
    waiting : ndarray of int64, shape (n,)
        Not negative where the membrane is held.
    holding : bool
        Whether there may be such neurons.
    """
    one = gap.dtype.type(1)
    hits = gap.dtype.type(0)
    if holding:
        for k in range(len(u)):
            moved = voltage_after(u[k], charge_of(i[k], rise[k]), leak[k])
            u[k] = u[k] if waiting[k] >= 0 else moved
    else:
        for k in range(len(u)):
            u[k] = voltage_after(u[k], charge_of(i[k], rise[k]), leak[k])
    for k in range(len(u)):
        i[k] = current_left(i[k], fade[k])
    for k in range(len(u)):
        hits += one if reaches(u[k], gap[k]) else one - one
    return hits  # type: ignore[no-any-return]


@kernel
def add_row(to: NDArray[Any], row: NDArray[Any]) -> None:
    """Add what arrived to the currents and clear it."""
    for k in range(len(to)):
        to[k] += row[k]
        row[k] = 0


@kernel
def step_layer(m: int, s: int, board: Board, rules: Rules) -> int:
    """Run the neurons of a slice for a tick and store their spikes.

    Parameters
    ----------
    m, s : int
        Tick, from 1, and slice.
    board, rules

    Returns
    -------
    int
        0, or why the run cannot go on.
    """
    sheet = board.sheet[s]
    own = board.own
    n, a, c = sheet.size, sheet.state, sheet.cell
    u, i = board.state[U, a : a + n], board.state[I, a : a + n]
    waiting, free = board.marks[WAITING, a : a + n], board.marks[FREE_AT, a : a + n]
    gap, leak = board.numbers[GAP, c : c + n], board.numbers[LEAK, c : c + n]
    rise, fade = board.numbers[RISE, c : c + n], board.numbers[FADE, c : c + n]
    slot = sheet.ring + (m % sheet.depth) * n
    arrivals = board.rings[RING, slot : slot + n]
    paper = rules.scheme == 0
    first = sheet.own
    if paper:
        hits = step_paper(u, i, arrivals, leak, rise, fade, gap)
    else:
        hits = step_exact(u, i, leak, rise, fade, gap, waiting, rules.holding)
        if rules.holding:
            for k in range(n):
                if waiting[k] >= 0 and m >= free[k]:
                    own[first + waiting[k]].release = i[k]
                    waiting[k] = -1
    if hits > 0:
        used = board.progress[s].own
        for k in range(n):
            fires = passes(u[k], gap[k]) if paper else reaches(u[k], gap[k])
            if not fires or waiting[k] >= 0:
                continue
            if first + used == sheet.own_end:
                return FULL_STORE
            e = first + used
            own[e].tick, own[e].neuron = m, k
            own[e].fraction, own[e].current, own[e].release = 0, i[k], i[k]
            own[e].slope = i[k] - u[k] if paper else i[k] - gap[k]
            own[e].previous, board.marks[LATEST, a + k] = board.marks[LATEST, a + k], used
            u[k] = board.numbers[RESET, c + k]
            if board.hold[c + k] > 0:
                free[k] = m + board.hold[c + k]
                waiting[k] = used
                own[e].release = np.nan
            used += 1
        board.progress[s].own = used
    if not paper:
        add_row(i, arrivals)
    return 0


@kernel
def send_spikes(m: int, s: int, board: Board, ports: Ports, boxes: Boxes) -> int:
    """Send one packet for every spike of a tick, and close the tick in the index of own spikes.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board, ports, boxes

    Returns
    -------
    int
        0, or why the run cannot go on.
    """
    sheet = board.sheet[s]
    own = board.own
    place, a = sheet.place + m, sheet.own
    begin = board.progress[s].cursor
    end = begin
    while end < board.progress[s].own and own[a + end].tick == m:
        end += 1
    board.places[SENT_AT, place], board.places[SENT_AT, place + 1] = begin, end
    board.progress[s].cursor = end
    port = sheet.spike_port
    if port < 0:
        return 0
    zero = board.state.dtype.type(0)
    for e in range(a + begin, a + end):
        if (
            send(
                port + own[e].neuron,
                zero,
                own[e].fraction,
                1 - (m & 1),
                s,
                SPIKE,
                ports,
                boxes,
                board.packets,
            )
            != ROOM
        ):
            return FULL_BOX
    return 0
