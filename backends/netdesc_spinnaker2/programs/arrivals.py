"""Arrivals at fractions of a tick: what they do by its end, and those of one neuron in order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.subtick import Cell
from netdesc.dynamics.tick import factors_until
from netdesc.events import Floats, Integers
from netdesc_spinnaker2.board.memory import (
    CAME_AT,
    FALLS,
    GAP,
    LIFT,
    RESET,
    RING,
    RISES,
    TAU_M,
    TAU_S,
    Board,
    Rules,
)
from netdesc_spinnaker2.board.prefetch import fetch_ahead
from netdesc_spinnaker2.programs.layer import IN_FLIGHT, SHORT

MOST = 1024
"""Spikes of a neuron in a tick, and arrivals at first."""


class Desk(NamedTuple):
    """Room for one neuron and one tick.

    Parameters
    ----------
    when, weight, pulls, gains : ndarray of float64, shape (arrivals,)
    found : ndarray of int64, shape (arrivals, 4)
        Spike received, delay, synapse and gradient of every arrival.
    receptor : ndarray of int64, shape (arrivals,)
    at, current, force : ndarray of float64, shape (MOST,)
    special, latest, released : ndarray of int64, shape (neurons,)
    marked : ndarray of int64, shape (neurons,)
    result : ndarray of float64, shape (neurons, 4)
    """

    when: Floats
    weight: Floats
    pulls: Floats
    gains: Floats
    found: Integers
    receptor: Integers
    at: Floats
    current: Floats
    force: Floats
    special: Integers
    latest: Integers
    released: Integers
    marked: Integers
    result: Floats


@inlined
def make_desk(neurons: int, arrivals: int) -> Desk:
    """Make room for slices of at most that many neurons and that many arrivals at one of them in a tick."""
    return Desk(
        np.empty(arrivals),
        np.empty(arrivals),
        np.empty(arrivals),
        np.empty(arrivals),
        np.empty((arrivals, 4), dtype=np.int64),
        np.zeros(arrivals, dtype=np.int64),
        np.empty(MOST),
        np.empty(MOST),
        np.empty(MOST),
        np.empty(neurons, dtype=np.int64),
        np.empty(neurons, dtype=np.int64),
        np.empty(neurons, dtype=np.int64),
        np.zeros(neurons, dtype=np.int64),
        np.empty((neurons, 4)),
    )


@inlined
def land(m: int, s: int, board: Board, rules: Rules) -> int:
    """Add what the spikes received in a tick do by the end of their ticks of arrival.

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
    received = board.received
    n, depth, c = sheet.size, sheet.depth, sheet.cell
    tau_m, tau_s = board.taus[TAU_M, c : c + n], board.taus[TAU_S, c : c + n]
    weight = board.weight[sheet.weight : sheet.weight_end]
    place, a = sheet.place + m - 1, sheet.received
    kind = weight.dtype.type
    zero = kind(0)
    ring, rows, head, left = sheet.ring, sheet.row, (m - 1) % depth, rules.steps - m
    rings, lifts, rises, falls = board.rings[RING], board.rings[LIFT], board.rings[RISES], board.rings[FALLS]
    events = in_flight = 0
    end = a + board.places[CAME_AT, place + 1]
    for e in range(a + board.places[CAME_AT, place], end):
        fetch_ahead(e, end, rows, sheet.weight, board)
        fraction = float(received[e].fraction)
        row = rows + received[e].row
        if rules.uniform and board.first[row] < board.first[row + 1]:
            _, fade, lift = factors_until(fraction, rules.timestep, tau_m[0], tau_s[0])
        for g in range(board.first[row], board.first[row + 1]):
            segment = board.segments[g]
            delay = segment.delay
            # no delay is as long as the ring
            slot = ring + (head + delay - (depth if head + delay >= depth else 0)) * n
            start, count, base = segment.start, segment.size, segment.base
            events += count
            in_flight += count if delay > left else 0
            if segment.run == 1 and rules.uniform and count >= SHORT:
                low, high = slot + base, slot + base + count
                land_row(
                    weight[start : start + count],
                    kind(fade),
                    kind(lift),
                    rings[low:high],
                    lifts[low:high],
                    rises[low:high],
                    falls[low:high],
                )
                continue
            for k in range(count):
                j = base + k if segment.run == 1 else board.target[segment.target_start + k]
                if not rules.uniform:
                    _, fade, lift = factors_until(fraction, rules.timestep, tau_m[j], tau_s[j])
                w = weight[start + k]
                rings[slot + j] += w * kind(fade)
                lifts[slot + j] += w * kind(lift)
                rises[slot + j] += w if w > zero else zero
                falls[slot + j] += w if w < zero else zero
    board.events[s, IN_FLIGHT] += in_flight
    return events


@inlined
def land_row(
    weight: NDArray[Any],
    fade: float,
    lift: float,
    ring: NDArray[Any],
    lifts: NDArray[Any],
    rises: NDArray[Any],
    falls: NDArray[Any],
) -> None:
    """Add what a packet does to neighbouring targets; arrays of shape (k,)."""
    zero = weight.dtype.type(0)
    for k in range(len(weight)):
        w = weight[k]
        ring[k] += w * fade
        lifts[k] += w * lift
        rises[k] += w if w > zero else zero
        falls[k] += w if w < zero else zero


@inlined
def collect_arrivals(j: int, m: int, s: int, board: Board, desk: Desk) -> int:
    """Collect what arrives at a neuron in a tick, in order of time, then emission, then source.

    Parameters
    ----------
    j, m, s : int
        Neuron, tick and slice.
    board : Board
    desk : Desk
        Results: ``when``, ``weight`` and ``found``.

    Returns
    -------
    int
        How many; if that is more than there is room for, the rest is missing.
    """
    sheet = board.sheet[s]
    received = board.received
    a, w = sheet.received, sheet.weight
    count = 0
    # delays descend, so that emissions ascend
    for d in range(sheet.distinct, sheet.distinct + sheet.delays):
        delay = board.distinct[d]
        if delay > m:
            continue
        place = sheet.place + m - delay
        for e in range(a + board.places[CAME_AT, place], a + board.places[CAME_AT, place + 1]):
            row = sheet.row + received[e].row
            if not (board.lags[row] >> (delay & 15)) & 1:
                continue
            for g in range(board.first[row], board.first[row + 1]):
                segment = board.segments[g]
                if segment.delay != delay:
                    continue
                k = find_target(g, j, board)
                if k < 0:
                    continue
                if count < len(desk.when):
                    p = make_place(count, float(received[e].fraction), received[e].row, delay, board, a, desk)
                    desk.when[p] = received[e].fraction
                    desk.weight[p] = board.weight[w + segment.start + k]
                    desk.found[p, 0] = e - a
                    desk.found[p, 1] = delay
                    desk.found[p, 2] = segment.start + k
                    desk.found[p, 3] = segment.gain + k if segment.gain >= 0 else -1
                count += 1
    return count


@inlined
def make_place(count: int, fraction: float, row: int, delay: int, board: Board, a: int, desk: Desk) -> int:
    """Return the place of an arrival among those there are; those behind it move on by one."""
    p = count
    while p > 0 and (
        desk.when[p - 1] > fraction
        or (
            desk.when[p - 1] == fraction
            and desk.found[p - 1, 1] == delay
            and board.received[a + desk.found[p - 1, 0]].row > row
        )
    ):
        desk.when[p] = desk.when[p - 1]
        desk.weight[p] = desk.weight[p - 1]
        for column in range(4):
            desk.found[p, column] = desk.found[p - 1, column]
        p -= 1
    return p


@inlined
def find_target(g: int, j: int, board: Board) -> int:
    """Return which synapse of a segment leads to neuron j, -1 for none."""
    segment = board.segments[g]
    if segment.run == 1:
        k = j - segment.base
        return k if 0 <= k < segment.size else -1
    target = board.target[segment.target_start : segment.target_start + segment.size]
    k = np.searchsorted(target, j)
    return k if k < len(target) and target[k] == j else -1  # type: ignore[return-value]


@inlined
def cell_of(c: int, board: Board) -> Cell:
    """Return the constants of a neuron as the equations within a tick take them."""
    return (
        board.taus[TAU_M, c],
        board.taus[TAU_S, c],
        board.taus[TAU_S, c],
        float(board.numbers[GAP, c]),
        float(board.numbers[RESET, c]),
    )
