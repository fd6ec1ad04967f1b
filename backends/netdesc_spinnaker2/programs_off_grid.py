"""The layer program forward, for the scheme ``off_grid``: spikes and arrivals at fractions of a tick."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Integers
from netdesc.physics.jit import kernel
from netdesc.physics.subtick import FREE, Cell, cross_tick
from netdesc.physics.tick import charge_of, current_after, current_left, factors_until, reaches, voltage_after
from netdesc_spinnaker2.emulator_memory import (
    CAME_AT,
    FADE,
    FALLS,
    FREE_AT,
    GAP,
    LATEST,
    LEAK,
    LIFT,
    RESET,
    RING,
    RISE,
    RISES,
    TAU_M,
    TAU_S,
    WAITING,
    Board,
    I,
    Rules,
    U,
)
from netdesc_spinnaker2.programs import BURST, FULL_DESK, FULL_STORE, IN_FLIGHT

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


@kernel
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


@kernel
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
    events = 0
    for e in range(a + board.places[CAME_AT, place], a + board.places[CAME_AT, place + 1]):
        fraction = float(received[e].fraction)
        row = sheet.row + received[e].row
        if rules.uniform:
            _, fade, lift = factors_until(fraction, rules.timestep, tau_m[0], tau_s[0])
        for g in range(board.first[row], board.first[row + 1]):
            segment = board.segments[g]
            slot = sheet.ring + ((m - 1 + segment.delay) % depth) * n
            start, count, base = segment.start, segment.size, segment.base
            events += count
            if m - 1 + segment.delay >= rules.steps:
                board.events[s, IN_FLIGHT] += count
            if segment.run == 1 and rules.uniform:
                low, high = slot + base, slot + base + count
                land_row(
                    weight[start : start + count],
                    kind(fade),
                    kind(lift),
                    board.rings[RING, low:high],
                    board.rings[LIFT, low:high],
                    board.rings[RISES, low:high],
                    board.rings[FALLS, low:high],
                )
                continue
            for k in range(count):
                j = base + k if segment.run == 1 else board.target[segment.target_start + k]
                if not rules.uniform:
                    _, fade, lift = factors_until(fraction, rules.timestep, tau_m[j], tau_s[j])
                w = weight[start + k]
                board.rings[RING, slot + j] += w * kind(fade)
                board.rings[LIFT, slot + j] += w * kind(lift)
                board.rings[RISES, slot + j] += w if w > zero else zero
                board.rings[FALLS, slot + j] += w if w < zero else zero
    return events


@kernel
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


@kernel
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


@kernel
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


@kernel
def find_target(g: int, j: int, board: Board) -> int:
    """Return which synapse of a segment leads to neuron j, -1 for none."""
    segment = board.segments[g]
    if segment.run == 1:
        k = j - segment.base
        return k if 0 <= k < segment.size else -1
    target = board.target[segment.target_start : segment.target_start + segment.size]
    k = np.searchsorted(target, j)
    return k if k < len(target) and target[k] == j else -1  # type: ignore[return-value]


@kernel
def flag_spikes(
    u: NDArray[Any],
    i: NDArray[Any],
    lift: NDArray[Any],
    rise_sum: NDArray[Any],
    fall_sum: NDArray[Any],
    leak: NDArray[Any],
    rise: NDArray[Any],
    fade: NDArray[Any],
    gap: NDArray[Any],
    ends: NDArray[Any],
    flag: NDArray[Any],
) -> float:
    """Compute the voltages at the end of a tick, had there been no spike, and flag neurons that may spike.

    A neuron is not flagged only where v can't have passed the threshold and come back: it does not reach it
    at all, or the current stays above what would let it fall.

    Parameters
    ----------
    u, i, lift, rise_sum, fall_sum, leak, rise, fade, gap : ndarray, shape (n,)
        State at the start, and what the arrivals of the tick do; the sums get the current at the start, too.
    ends, flag : ndarray, shape (n,)
        Results: voltages at the end, and 1 or 0.

    Returns
    -------
    float
        Number of flags.
    """
    one = gap.dtype.type(1)
    zero = gap.dtype.type(0)
    hits = zero
    for k in range(len(u)):
        ends[k] = voltage_after(u[k], charge_of(i[k], rise[k]) + lift[k], leak[k])
    for k in range(len(u)):
        now = i[k]
        left = current_left(now, fade[k])
        rise_sum[k] += now if now > zero else zero
        fall_sum[k] += now if now < zero else left
    for k in range(len(u)):
        most = rise_sum[k]
        left = leak[k] * u[k]
        bound = (u[k] if u[k] > left else left) + most * (one - leak[k])
        returns = (most > gap[k]) & (fall_sum[k] < gap[k]) & (bound >= gap[k])
        flag[k] = one if reaches(ends[k], gap[k]) | returns else zero
    for k in range(len(u)):
        hits += flag[k]
    return hits  # type: ignore[no-any-return]


@kernel
def step_off_grid(
    m: int,
    s: int,
    board: Board,
    rules: Rules,
    desk: Desk,
    ends: NDArray[Any],
    flag: NDArray[Any],
) -> int:
    """Run the neurons of a slice through a tick and store their spikes.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board, rules
    desk : Desk
    ends, flag : ndarray of float32
        Room for as many numbers as there are neurons.

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
    slot = sheet.ring + (m % sheet.depth) * n
    ring, lift = board.rings[RING, slot : slot + n], board.rings[LIFT, slot : slot + n]
    rise_sum, fall_sum = board.rings[RISES, slot : slot + n], board.rings[FALLS, slot : slot + n]
    fade, gap = board.numbers[FADE, c : c + n], board.numbers[GAP, c : c + n]
    hits = flag_spikes(
        u,
        i,
        lift,
        rise_sum,
        fall_sum,
        board.numbers[LEAK, c : c + n],
        board.numbers[RISE, c : c + n],
        fade,
        gap,
        ends,
        flag,
    )
    if rules.holding:
        for k in range(n):
            if waiting[k] >= 0:
                ends[k] = u[k]
                flag[k] = 1 if free[k] == m else 0
                hits += flag[k]
    first = sheet.own
    fresh = used = board.progress[s].own
    specials = 0
    if hits > 0:
        for k in range(n):
            if flag[k] == 0:
                continue
            count = collect_arrivals(k, m, s, board, desk)
            if count > len(desk.when):
                return FULL_DESK
            release = float(own[first + waiting[k]].fraction) if waiting[k] >= 0 else FREE
            cell = cell_of(c + k, board)
            spikes = cross_tick(
                float(u[k]),
                float(i[k]),
                0.0,
                release,
                count,
                desk.when,
                desk.weight,
                desk.receptor,
                rules.timestep,
                cell,
                board.hold[c + k] > 0,
                desk.at,
                desk.current,
                desk.result[specials],
            )
            if spikes < 0:
                return BURST
            if spikes == 0 and waiting[k] < 0:
                continue
            if waiting[k] >= 0:
                own[first + waiting[k]].release = desk.result[specials, 3]
                waiting[k] = -1
            desk.special[specials] = k
            specials += 1
            if first + used + spikes > sheet.own_end:
                return FULL_STORE
            for x in range(spikes):
                store(first + used, m, k, desk.at[x], desk.current[x], board.hold[c + k] > 0, gap[k], board)
                used += 1
    for k in range(n):
        u[k] = ends[k]
    for k in range(n):
        i[k] = current_after(i[k], ring[k], fade[k])
        ring[k], lift[k], rise_sum[k], fall_sum[k] = 0, 0, 0, 0
    for x in range(specials):
        u[desk.special[x]] = desk.result[x, 0]
        i[desk.special[x]] = desk.result[x, 1]
    order_spikes(first + fresh, first + used, board)
    for e in range(fresh, used):
        k = own[first + e].neuron
        own[first + e].previous, board.marks[LATEST, a + k] = board.marks[LATEST, a + k], e
        if board.hold[c + k] > 0:
            waiting[k] = e
            free[k] = m + board.hold[c + k]
    board.progress[s].own = used
    return 0


@kernel
def cell_of(c: int, board: Board) -> Cell:
    """Return the constants of a neuron as the equations within a tick take them."""
    return (
        board.taus[TAU_M, c],
        board.taus[TAU_S, c],
        board.taus[TAU_S, c],
        float(board.numbers[GAP, c]),
        float(board.numbers[RESET, c]),
    )


@kernel
def store(
    e: int, m: int, k: int, fraction: float, current: float, held: bool, gap: float, board: Board
) -> None:
    """Store a spike."""
    own = board.own
    own[e].tick, own[e].neuron, own[e].fraction, own[e].current = m, k, fraction, current
    own[e].release = np.nan if held else own[e].current
    own[e].slope = own[e].current - gap


@kernel
def order_spikes(begin: int, end: int, board: Board) -> None:
    """Sort the spikes of a tick by time in place; equal ones keep their order."""
    own = board.own
    for e in range(begin + 1, end):
        neuron, fraction, current = own[e].neuron, own[e].fraction, own[e].current
        release, slope = own[e].release, own[e].slope
        p = e
        while p > begin and own[p - 1].fraction > fraction:
            own[p].neuron, own[p].fraction = own[p - 1].neuron, own[p - 1].fraction
            own[p].current, own[p].release = own[p - 1].current, own[p - 1].release
            own[p].slope = own[p - 1].slope
            p -= 1
        own[p].neuron, own[p].fraction, own[p].current = neuron, fraction, current
        own[p].release, own[p].slope = release, slope
