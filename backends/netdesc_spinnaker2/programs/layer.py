"""What input and layer programs do with packets forward: take spikes in, add their weights up, send spikes.

A program works on the stretches of memory of its own slice and on the packets in its box. Order of every sum
of arrivals: tick of emission, then key (which ascends with the source), then projection.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc_spinnaker2.board.memory import (
    CAME_AT,
    RING,
    SENT_AT,
    Board,
    Rules,
)
from netdesc_spinnaker2.board.packets import (
    DELIVERED,
    DROPPED,
    KEY,
    LATE,
    ROOM,
    SPIKE,
    Boxes,
    Ports,
    find_block,
    row_of,
    send,
    sort_box,
)
from netdesc_spinnaker2.board.prefetch import fetch_ahead

FULL_STORE, FULL_RECEIVED, FULL_BOX, FULL_DESK, OVERRUN, BURST = 1, 2, 3, 4, 5, 6
"""Why a run stops before its end."""

EVENTS, IN_FLIGHT, GRAZING, LONG_TICKS = range(4)
"""What is counted of a slice besides packets."""

SHORT = 4
"""Neighbouring synapses that are added one by one."""

HELD_UP = 1 << 40
"""Mark of a packet that has waited for a tick before."""


@inlined
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
    known, known_end, rows = sheet.known, sheet.known_end, sheet.row
    block, previous = known, np.int64(0)
    room = sheet.received_end - a
    used = board.progress[s].received if rules.keep else 0
    place = sheet.place + m - 1
    if m > 0:
        board.places[CAME_AT, place] = used
    spent = sheet.size * rules.neuron
    late = rules.overrun == 1 and not last
    for k in range(count):
        held = boxes.packet[into, begin + k].key
        key = held & KEY
        # packets that have waited stand last, and their keys begin anew
        block = find_block(key, board.known, known if key < previous else block, known_end)
        row = row_of(key, board.known, known, block)
        previous = key
        if row < 0:
            board.packets[s, SPIKE, DELIVERED] -= 1
            board.packets[s, SPIKE, DROPPED] += 1
            continue
        cost = rules.packet + board.fan[rows + row] * rules.synapse if late else 0
        if late and spent + cost > rules.budget:
            if boxes.depth[0] > 0 and boxes.count[1 - into, s] >= boxes.depth[0]:
                board.packets[s, SPIKE, LATE if held >= HELD_UP else DELIVERED] -= 1
                board.packets[s, SPIKE, DROPPED] += 1
                continue
            if not wait(begin + k, s, into, boxes):
                return FULL_BOX
            if held < HELD_UP:
                board.packets[s, SPIKE, DELIVERED] -= 1
                board.packets[s, SPIKE, LATE] += 1
            continue
        if used == room and rules.sliding:
            used -= forget(m, s, used, board)
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


@inlined
def forget(m: int, s: int, used: int, board: Board) -> int:
    """Forget the spikes received that have arrived at all neurons, and close up the others.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    used : int
        Spikes in the store.
    board : Board

    Returns
    -------
    int
        How many were forgotten.
    """
    sheet = board.sheet[s]
    received, place = board.received, sheet.place
    # no delay is as long as the ring
    oldest = m - sheet.depth + 1
    if oldest <= 0:
        return 0
    gone = board.places[CAME_AT, place + oldest]
    for e in range(sheet.received, sheet.received + used - gone):
        received[e] = received[e + gone]
    for t in range(oldest, m):
        board.places[CAME_AT, place + t] -= gone
    return gone  # type: ignore[no-any-return]


@inlined
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


@inlined
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
    a, rows = sheet.received, sheet.row
    head, left = (m - 1) % depth, rules.steps - m
    events = in_flight = 0
    end = a + board.places[CAME_AT, place + 1]
    for e in range(a + board.places[CAME_AT, place], end):
        fetch_ahead(e, end, rows, sheet.weight, board)
        row = rows + board.received[e].row
        for g in range(board.first[row], board.first[row + 1]):
            segment = board.segments[g]
            start, count, delay = segment.start, segment.size, segment.delay
            # no delay is as long as the ring
            slot = (head + delay - (depth if head + delay >= depth else 0)) * size
            if segment.run == 1 and count < SHORT:
                for k in range(count):
                    ring[slot + segment.base + k] += weight[start + k]
            elif segment.run == 1:
                add_weights(
                    ring[slot + segment.base : slot + segment.base + count], weight[start : start + count]
                )
            else:
                for k in range(count):
                    ring[slot + board.target[segment.target_start + k]] += weight[start + k]
            events += count
            in_flight += count if delay > left else 0
    board.events[s, IN_FLIGHT] += in_flight
    return events


@inlined
def add_weights(to: NDArray[Any], row: NDArray[Any]) -> None:
    """Add the weights of neighbouring synapses; arrays of shape (k,)."""
    for k in range(len(to)):
        to[k] += row[k]


@inlined
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
