"""The input and layer programs forward, for the schemes ``paper`` and ``exact_exponential``.

A program works on the stretches of memory of its own slice and on the packets in its box. Order of every sum of
arrivals: tick of emission, then key (which ascends with the source), then projection.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc.physics.jit import kernel
from netdesc.physics.tick import charge_of, current_after, current_left, passes, reaches, voltage_after
from netdesc_spinnaker2.emulator_memory import Board, Rules
from netdesc_spinnaker2.packets import (
    DELIVERED,
    DROPPED,
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

KEY = 0xFFFFFFFF


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
    sheet, known, state, received = board.sheet, board.known, board.state, board.received
    into = m & 1
    begin = boxes.start[s]
    count = sort_box(into, s, boxes)
    a = sheet.received[s]
    room = sheet.received[s + 1] - a
    used = state.received_count[s] if rules.keep else 0
    place = sheet.place[s] + m - 1
    if m > 0:
        state.received_place[place] = used
    known_from, known_to = sheet.known[s], sheet.known[s + 1]
    bases, sizes = known.base[known_from:known_to], known.size[known_from:known_to]
    rows = known.row[known_from:known_to]
    tally = board.counts.packets[s, SPIKE]
    spent = sheet.size[s] * rules.neuron
    for k in range(count):
        key = boxes.key[into, begin + k]
        row = find_row(key & KEY, bases, sizes, rows)
        if row < 0:
            tally[DELIVERED] -= 1
            tally[DROPPED] += 1
            continue
        cost = rules.packet + board.wiring.fan[sheet.row[s] + row] * rules.synapse
        if rules.overrun == 1 and not last and spent + cost > rules.budget:
            if not wait(begin + k, s, into, boxes):
                return FULL_BOX
            if key < HELD_UP:
                tally[DELIVERED] -= 1
                tally[LATE] += 1
            continue
        if used == room:
            return FULL_RECEIVED
        spent += cost
        received.tick[a + used] = m - 1
        received.row[a + used] = row
        received.fraction[a + used] = boxes.fraction[into, begin + k]
        received.pulled[a + used] = 0
        used += 1
    if m > 0:
        state.received_place[place + 1] = used
    state.received_count[s] = used
    boxes.count[into, s] = 0
    return 0


@kernel
def wait(at: int, s: int, into: int, boxes: Boxes) -> bool:
    """Put a packet of one box into the other; False where that is full."""
    to = boxes.start[s] + boxes.count[1 - into, s]
    if to == boxes.start[s + 1]:
        return False
    boxes.key[1 - into, to] = boxes.key[into, at] | HELD_UP
    boxes.payload[1 - into, to] = boxes.payload[into, at]
    boxes.fraction[1 - into, to] = boxes.fraction[into, at]
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
    sheet, wiring, state = board.sheet, board.wiring, board.state
    size, depth = sheet.size[s], sheet.depth[s]
    ring = state.ring[sheet.ring[s]:sheet.ring[s] + depth * size]
    weight = board.synaptic.weight[sheet.weight[s]:sheet.weight[s + 1]]
    place = sheet.place[s] + m - 1
    a = sheet.received[s]
    events = 0
    for e in range(a + state.received_place[place], a + state.received_place[place + 1]):
        row = sheet.row[s] + board.received.row[e]
        for g in range(wiring.first[row], wiring.first[row + 1]):
            slot = ((m - 1 + wiring.delay[g]) % depth) * size
            add_segment(g, slot, ring, weight, board)
            events += wiring.size[g]
            if m - 1 + wiring.delay[g] >= rules.steps:
                board.counts.events[s, IN_FLIGHT] += wiring.size[g]
    return events


@kernel
def add_segment(g: int, slot: int, ring: NDArray[Any], weight: NDArray[Any], board: Board) -> None:
    """Add the weights of a segment to a slot of the ring buffer."""
    wiring = board.wiring
    start, count = wiring.start[g], wiring.size[g]
    if wiring.run[g]:
        to = ring[slot + wiring.base[g]:slot + wiring.base[g] + count]
        row = weight[start:start + count]
        for k in range(len(to)):
            to[k] += row[k]
    else:
        target = wiring.target[wiring.target_start[g]:wiring.target_start[g] + count]
        for k in range(count):
            ring[slot + target[k]] += weight[start + k]


@kernel
def step_paper(
    u: NDArray[Any], i: NDArray[Any], arrivals: NDArray[Any], leak: NDArray[Any], rise: NDArray[Any],
    fade: NDArray[Any], gap: NDArray[Any],
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
    return hits


@kernel
def step_exact(
    u: NDArray[Any], i: NDArray[Any], leak: NDArray[Any], rise: NDArray[Any], fade: NDArray[Any],
    gap: NDArray[Any], waiting: Integers, holding: bool,
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
    return hits


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
    sheet, cells, state, own = board.sheet, board.cells, board.state, board.own
    n, a, c = sheet.size[s], sheet.state[s], sheet.cell[s]
    u, i = state.u[a:a + n], state.i[a:a + n]
    waiting, free = state.waiting[a:a + n], state.free[a:a + n]
    gap, leak, rise, fade = cells.gap[c:c + n], cells.leak[c:c + n], cells.rise[c:c + n], cells.fade[c:c + n]
    slot = sheet.ring[s] + (m % sheet.depth[s]) * n
    arrivals = state.ring[slot:slot + n]
    paper = rules.scheme == 0
    first = sheet.own[s]
    if paper:
        hits = step_paper(u, i, arrivals, leak, rise, fade, gap)
    else:
        hits = step_exact(u, i, leak, rise, fade, gap, waiting, rules.holding)
        if rules.holding:
            for k in range(n):
                if waiting[k] >= 0 and m >= free[k]:
                    own.release[first + waiting[k]] = i[k]
                    waiting[k] = -1
    if hits > 0:
        used = state.own_count[s]
        for k in range(n):
            fires = passes(u[k], gap[k]) if paper else reaches(u[k], gap[k])
            if not fires or waiting[k] >= 0:
                continue
            if first + used == sheet.own[s + 1]:
                return FULL_STORE
            e = first + used
            own.tick[e], own.neuron[e] = m, k
            own.fraction[e], own.current[e], own.release[e] = 0, i[k], i[k]
            own.slope[e] = i[k] - u[k] if paper else i[k] - gap[k]
            own.previous[e], state.latest[a + k] = state.latest[a + k], used
            u[k] = cells.reset[c + k]
            if cells.hold[c + k] > 0:
                free[k] = m + cells.hold[c + k]
                waiting[k] = used
                own.release[e] = np.nan
            used += 1
        state.own_count[s] = used
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
    sheet, state, own = board.sheet, board.state, board.own
    place, a = sheet.place[s] + m, sheet.own[s]
    begin = state.cursor[s]
    end = begin
    while end < state.own_count[s] and own.tick[a + end] == m:
        end += 1
    state.own_place[place], state.own_place[place + 1] = begin, end
    state.cursor[s] = end
    port = sheet.spike_port[s]
    if port < 0:
        return 0
    tally = board.counts.packets[s, SPIKE]
    zero = own.force.dtype.type(0)
    for e in range(a + begin, a + end):
        if send(port + own.neuron[e], zero, own.fraction[e], 1 - (m & 1), ports, boxes, tally) != ROOM:
            return FULL_BOX
    return 0
