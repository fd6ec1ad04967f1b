"""Packets between the programs: what a router does with each, and the FIFO in which it waits for a tick.

A processing element has two boxes. During tick m it drains one, and what is sent to it in that tick waits in
the other, so that nothing depends on the order in which the elements are visited.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.order import find_order, rearrange
from netdesc.events import Integers
from netdesc_spinnaker2.mapping.keys import SPACE_SHIFT

SPIKE, ERROR, LOSS, GRADIENT, WEIGHT = range(5)
"""Kinds of packets, in the order of ``plan.SPACES``."""

SENT, DELIVERED, LATE, DROPPED = range(4)
"""What is counted of them. A multicast packet counts once for every processing element that it goes to."""

AT_END = 1
"""Fraction of a tick that no spike has: an error with it is about the voltage at the end of the sample."""

KEY = 0xFFFFFFFF
"""A key as it travels; the boxes may hold a mark above it."""

ROOM = -1
"""There was room in every box."""


class Ports(NamedTuple):
    """Every key that a program may send, and where the routing tables take it from there.

    Parameters
    ----------
    key : ndarray of int64, shape (ports,)
    journey : ndarray of int64, shape (ports,)
        Number of the journey.
    first : ndarray of int64, shape (journeys + 1,)
        Destinations of each journey.
    target : ndarray of int64, shape (destinations,)
        Slices.
    lost : ndarray of int64, shape (journeys,)
        Branches that end without a program.
    """

    key: Integers
    journey: Integers
    first: Integers
    target: Integers
    lost: Integers


PACKET = np.dtype([("key", np.int64), ("payload", np.float32), ("fraction", np.float32)])
"""A packet in a box: key, and the two words of the payload."""

KNOWN = np.dtype([("base", np.int64), ("size", np.int64), ("row", np.int64)])
"""A block of keys that a program knows, ascending by base, and the number of its first key."""


class Boxes(NamedTuple):
    """FIFOs of all processing elements.

    Parameters
    ----------
    start : ndarray of int64, shape (slices + 1,)
        Where the packets of each stand.
    count : ndarray of int64, shape (2, slices)
    packet : ndarray of PACKET, shape (2, room)
    depth : ndarray of int64, shape (1,)
        Packets that a FIFO holds if those beyond are lost; 0 if a full one stops the run.
    """

    start: Integers
    count: Integers  # type: ignore[assignment]
    packet: NDArray[Any]
    depth: Integers


@inlined
def send(
    port: int,
    payload: float,
    fraction: float,
    into: int,
    sender: tuple[int, int],
    ports: Ports,
    boxes: Boxes,
    packets: Integers,
) -> int:
    """Hand a packet to the router, which puts it into the box of every destination.

    Parameters
    ----------
    port : int
    payload, fraction : float
    into : int
        Which of the two boxes.
    sender : tuple of int
        Slice that sends it, and kind of the packet.
    ports : Ports
    boxes : Boxes
    packets : ndarray of int64, shape (slices, 5, 4)
        Counts.

    Returns
    -------
    int
        ``ROOM``, or a slice whose box is full.
    """
    s, kind = sender
    journey, key = ports.journey[port], ports.key[port]
    begin, end = ports.first[journey], ports.first[journey + 1]
    depth = boxes.depth[0]
    full, dropped = ROOM, ports.lost[journey]
    sent = dropped
    for e in range(begin, end):
        to = ports.target[e]
        place = boxes.count[into, to]
        sent += 1
        if depth > 0 and place >= depth:
            dropped += 1
            continue
        at = boxes.start[to] + place
        if at == boxes.start[to + 1]:
            full = to
            break
        boxes.packet[into, at].key = key
        boxes.packet[into, at].payload = payload
        boxes.packet[into, at].fraction = fraction
        boxes.count[into, to] = place + 1
    packets[s, kind, SENT] += sent
    packets[s, kind, DROPPED] += dropped
    packets[s, kind, DELIVERED] += sent - dropped - (1 if full != ROOM else 0)
    return full


@inlined
def sort_box(into: int, s: int, boxes: Boxes) -> int:
    """Sort a box by key in place; packets of one key keep their order.

    Parameters
    ----------
    into, s : int
        Which of the two boxes of which slice.
    boxes : Boxes

    Returns
    -------
    int
        Number of packets.
    """
    begin = boxes.start[s]
    count = boxes.count[into, s]
    packet = boxes.packet
    ordered = True
    for x in range(begin + 1, begin + count):
        ordered &= packet[into, x - 1].key <= packet[into, x].key
    if not ordered:
        keys = np.empty(count, dtype=np.int64)
        for k in range(count):
            keys[k] = packet[into, begin + k].key
        rearrange(packet[into, begin : begin + count], find_order(keys))
    return count  # type: ignore[no-any-return]


@inlined
def discard(into: int, s: int, boxes: Boxes, packets: Integers) -> None:
    """Empty the box of a program that has no use for packets now.

    Parameters
    ----------
    into, s : int
        Which of the two boxes of which slice.
    boxes : Boxes
    packets : ndarray of int64, shape (slices, 5, 4)
        What was delivered counts as dropped.
    """
    begin = boxes.start[s]
    for x in range(begin, begin + boxes.count[into, s]):
        kind = (boxes.packet[into, x].key & KEY) >> SPACE_SHIFT
        packets[s, kind, DELIVERED] -= 1
        packets[s, kind, DROPPED] += 1
    boxes.count[into, s] = 0


@inlined
def find_row(key: int, known: NDArray[Any], begin: int, end: int) -> int:
    """Return what a program knows a key as.

    Parameters
    ----------
    key : int
    known : ndarray of KNOWN
    begin, end : int
        Blocks of the program.

    Returns
    -------
    int
        -1 for a key that it does not know.
    """
    return row_of(key, known, begin, find_block(key, known, begin, end))


@inlined
def find_block(key: int, known: NDArray[Any], low: int, end: int) -> int:
    """Return the first block of ``low`` to ``end`` that begins after a key."""
    # keys come in order, so that the block is mostly the one of the key before, or one soon after it
    stride, high = 1, low
    while high < end and known[high].base <= key:
        low = high + 1
        high += stride
        stride *= 2
    high = min(high, end)
    while low < high:
        middle = (low + high) >> 1
        if known[middle].base <= key:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def row_of(key: int, known: NDArray[Any], begin: int, after: int) -> int:
    """Return what a program knows a key as, -1 for nothing.

    Parameters
    ----------
    key : int
    known : ndarray of KNOWN
    begin : int
        First block of the program.
    after : int
        From ``find_block``.
    """
    if after == begin or key - known[after - 1].base >= known[after - 1].size:
        return -1
    return known[after - 1].row + key - known[after - 1].base  # type: ignore[no-any-return]
