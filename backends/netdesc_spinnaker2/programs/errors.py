"""Errors come in and go out.

An error packet mirrors a spike packet: for a spike sent in tick n it leaves in the backward tick n + 1, with
dL/dt through all synapses of the slice, and is taken in by the source in the backward tick n.
"""

from __future__ import annotations

from netdesc.dynamics.jit import inlined
from netdesc.events import Integers
from netdesc.ticks.records import Spikes
from netdesc_spinnaker2.board.memory import ADJOINTS, CAME_AT, GAP, SENT_AT, STATES, TAU_M, Board
from netdesc_spinnaker2.board.packets import (
    AT_END,
    DELIVERED,
    DROPPED,
    ERROR,
    KEY,
    ROOM,
    Boxes,
    Ports,
    send,
    sort_box,
)
from netdesc_spinnaker2.board.views import sent_spikes
from netdesc_spinnaker2.mapping.keys import SPACE_SHIFT


@inlined
def take_errors(m: int, s: int, board: Board, boxes: Boxes, slot: Integers) -> int:
    """Drain a box of errors into the spikes that they belong to.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board, boxes
    slot : ndarray of int64, shape (neurons,)
        Room.

    Returns
    -------
    int
        Packets taken in.
    """
    entry = board.slices[s]
    sent = sent_spikes(s, board)
    into = m & 1
    count = sort_box(into, s, boxes)
    boxes.count[into, s] = 0
    place, n = entry.place + m, entry.size
    begin, end = board.places[SENT_AT, place], board.places[SENT_AT, place + 1]
    if count == 0:
        return 0
    slot[:n] = -1
    for e in range(begin, end):
        slot[sent.neuron[e]] = e
    at = boxes.start[s]
    kind_of = board.state.dtype.type
    found, last = -1, -1
    for x in range(at, at + count):
        packet = boxes.packet[into, x]
        key = packet.key & KEY
        lost = entry.loss_base >= 0 and key >= entry.loss_base
        k = key - (entry.loss_base if lost else entry.error_base)
        if lost and packet.fraction == AT_END and 0 <= k < n:
            # the membrane of a neuron without a spike: lam_v = -dL/dv / tau_m, the payload is -dL/dv gap;
            # it waits where refractory neurons keep theirs, see begin_late
            c = entry.cell + k
            kept = ADJOINTS * entry.state + STATES * n + k
            board.adjoint[kept] += packet.payload / (board.numbers[GAP, c] * kind_of(board.taus[TAU_M, c]))
            continue
        head = slot[k] if 0 <= k < n and (lost or entry.error_base >= 0) else -1
        # an input may spike twice at one time; errors go to such spikes in turn
        again = found >= 0 and key == last and sent.fraction[found] == packet.fraction
        found = find_spike(sent.previous[found], begin, packet.fraction, sent) if again else -1
        if found < 0:
            found = find_spike(head, begin, packet.fraction, sent)
        last = key
        if found < 0:
            board.packets[s, key >> SPACE_SHIFT, DELIVERED] -= 1
            board.packets[s, key >> SPACE_SHIFT, DROPPED] += 1
            continue
        sent.force[found] += packet.payload
    return count


@inlined
def find_spike(e: int, begin: int, fraction: float, sent: Spikes) -> int:
    """Return the spike at a fraction of the tick on a chain of spikes of one neuron, -1 if there is none.

    Parameters
    ----------
    e : int
        Head of the chain.
    begin : int
        First spike of the tick.
    fraction : float
    sent : Spikes
        Of the slice.
    """
    while e >= begin and sent.fraction[e] != fraction:
        e = sent.previous[e]
    return e if e >= begin else -1


@inlined
def send_errors(m: int, s: int, board: Board, ports: Ports, boxes: Boxes) -> int:
    """Send one error packet for every spike received that was sent in the tick before.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board, ports, boxes

    Returns
    -------
    int
        Packets sent, or -1 where a box is full.
    """
    entry = board.slices[s]
    received = board.received
    port, a, place = entry.error_port, entry.received, entry.place + m - 1
    sent = 0
    if port < 0:
        return 0
    for e in range(a + board.places[CAME_AT, place], a + board.places[CAME_AT, place + 1]):
        at = port + received.row[e]
        if ports.journey[at] < 0:
            continue
        payload, fraction = received.gradient[e], received.fraction[e]
        if send(at, payload, fraction, 1 - (m & 1), (s, ERROR), ports, boxes, board.packets) != ROOM:
            return -1
        sent += 1
    return sent
