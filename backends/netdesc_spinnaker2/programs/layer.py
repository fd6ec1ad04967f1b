"""What input and layer programs do with packets forward: take spikes in, send spikes."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import inlined
from netdesc_spinnaker2.board.memory import CAME_AT, SENT_AT, Board, Rules
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

FULL_STORE, FULL_RECEIVED, FULL_BOX, FULL_WORKSPACE, OVERRUN, TOO_MANY = 1, 2, 3, 4, 5, 6
"""Why a run stops before its end."""

EVENTS, IN_FLIGHT, GRAZING, LONG_TICKS = range(4)
"""What is counted of a slice besides packets."""

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
    entry = board.slices[s]
    received = board.received
    into = m & 1
    begin = boxes.start[s]
    count = sort_box(into, s, boxes)
    a = entry.received
    known, known_end, rows = entry.known, entry.known_end, entry.row
    block, previous = known, np.int64(0)
    room = entry.received_end - a
    used = board.progress[s].received if rules.keep else 0
    place = entry.place + m - 1
    if m > 0:
        board.places[CAME_AT, place] = used
    spent = entry.size * rules.neuron
    late = rules.overrun == 1 and not last
    for k in range(count):
        held = boxes.packet[into, begin + k].key
        key = held & KEY
        # packets that have waited stand last, and their keys start again from the lowest
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
        received.row[a + used] = row
        received.fraction[a + used] = boxes.packet[into, begin + k].fraction
        received.gradient[a + used] = 0
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
    entry = board.slices[s]
    received, place = board.received, entry.place
    # no delay is as long as the ring
    oldest = m - entry.depth + 1
    if oldest <= 0:
        return 0
    gone = board.places[CAME_AT, place + oldest]
    for e in range(entry.received, entry.received + used - gone):
        received.row[e], received.fraction[e] = received.row[e + gone], received.fraction[e + gone]
        received.gradient[e] = received.gradient[e + gone]
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
def send_spikes(m: int, s: int, board: Board, ports: Ports, boxes: Boxes) -> int:
    """Send one packet for every spike of a tick, and close the tick in the index of spikes sent.

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
    entry = board.slices[s]
    sent = board.sent
    place, a = entry.place + m, entry.sent
    begin = board.progress[s].cursor
    end = begin
    while end < board.progress[s].sent and sent.tick[a + end] == m:
        end += 1
    board.places[SENT_AT, place], board.places[SENT_AT, place + 1] = begin, end
    board.progress[s].cursor = end
    port = entry.spike_port
    if port < 0:
        return 0
    zero = board.state.dtype.type(0)
    for e in range(a + begin, a + end):
        at = port + sent.neuron[e]
        if send(at, zero, sent.fraction[e], 1 - (m & 1), (s, SPIKE), ports, boxes, board.packets) != ROOM:
            return FULL_BOX
    return 0
