"""Packets between the programs: what a router does with each, and the FIFO in which it waits for a tick.

A processing element has two boxes. During tick m it drains one, and what is sent to it in that tick waits in the
other, so that nothing depends on the order in which the elements are visited.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc.physics.jit import kernel

SPIKE, ERROR, LOSS, GRADIENT, WEIGHT = range(5)
"""Kinds of packets, in the order of ``plan.SPACES``."""

SENT, DELIVERED, LATE, DROPPED = range(4)
"""What is counted of them. A multicast packet counts once for every processing element that it goes to."""

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


class Boxes(NamedTuple):
    """FIFOs of all processing elements.

    Parameters
    ----------
    start : ndarray of int64, shape (slices + 1,)
        Where the packets of each stand.
    count : ndarray of int64, shape (2, slices)
    key : ndarray of int64, shape (2, room)
    payload, fraction : ndarray of float32, shape (2, room)
        First and second word of the payload.
    depth : ndarray of int64, shape (1,)
        Packets that a FIFO holds if those beyond are lost; 0 if a full one stops the run.
    """

    start: Integers
    count: Integers
    key: Integers
    payload: NDArray[Any]
    fraction: NDArray[Any]
    depth: Integers


@kernel
def send(
    port: int, payload: float, fraction: float, into: int, ports: Ports, boxes: Boxes, tally: Integers,
) -> int:
    """Hand a packet to the router, which puts it into the box of every destination.

    Parameters
    ----------
    port : int
    payload, fraction : float
    into : int
        Which of the two boxes.
    ports : Ports
    boxes : Boxes
    tally : ndarray of int64, shape (4,)
        Counts of this kind of packets, of the sender.

    Returns
    -------
    int
        ``ROOM``, or a slice whose box is full.
    """
    journey = ports.journey[port]
    tally[SENT] += ports.lost[journey]
    tally[DROPPED] += ports.lost[journey]
    for e in range(ports.first[journey], ports.first[journey + 1]):
        to = ports.target[e]
        place = boxes.count[into, to]
        tally[SENT] += 1
        if boxes.depth[0] > 0 and place >= boxes.depth[0]:
            tally[DROPPED] += 1
            continue
        at = boxes.start[to] + place
        if at == boxes.start[to + 1]:
            return to
        boxes.key[into, at] = ports.key[port]
        boxes.payload[into, at] = payload
        boxes.fraction[into, at] = fraction
        boxes.count[into, to] = place + 1
        tally[DELIVERED] += 1
    return ROOM


@kernel
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
    key = boxes.key[into, begin:begin + count]
    ordered = True
    for k in range(1, count):
        ordered &= key[k - 1] <= key[k]
    if not ordered:
        order = np.argsort(key, kind="mergesort")
        payload = boxes.payload[into, begin:begin + count]
        fraction = boxes.fraction[into, begin:begin + count]
        key[:] = key[order]
        payload[:] = payload[order]
        fraction[:] = fraction[order]
    return count


@kernel
def find_row(key: int, bases: Integers, sizes: Integers, rows: Integers) -> int:
    """Return what a program knows a key as.

    Parameters
    ----------
    key : int
    bases, sizes, rows : ndarray of int64, shape (blocks,)
        Blocks of keys that the program knows, ascending, and the number of the first key of each.

    Returns
    -------
    int
        -1 for a key that it does not know.
    """
    low = 0
    high = len(bases)
    while low < high:
        middle = (low + high) // 2
        if bases[middle] <= key:
            low = middle + 1
        else:
            high = middle
    if low == 0 or key - bases[low - 1] >= sizes[low - 1]:
        return -1
    return rows[low - 1] + key - bases[low - 1]
