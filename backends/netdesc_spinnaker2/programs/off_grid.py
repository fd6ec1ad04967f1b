"""The neurons of a layer forward, for the scheme ``off_grid``: spikes and arrivals at fractions of a tick."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.subtick import FREE, cross_tick
from netdesc.dynamics.tick import charge_of, current_after, current_left, reaches, voltage_after
from netdesc_spinnaker2.board.memory import (
    FADE,
    FALLS,
    FREE_AT,
    GAP,
    LATEST,
    LEAK,
    LIFT,
    RING,
    RISE,
    RISES,
    WAITING,
    Board,
    I,
    Rules,
    U,
)
from netdesc_spinnaker2.programs.arrivals import Desk, cell_of, collect_arrivals
from netdesc_spinnaker2.programs.layer import BURST, FULL_DESK, FULL_STORE


@inlined
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


@inlined
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


@inlined
def store(
    e: int, m: int, k: int, fraction: float, current: float, held: bool, gap: float, board: Board
) -> None:
    """Store a spike."""
    own = board.own
    own[e].tick, own[e].neuron, own[e].fraction, own[e].current = m, k, fraction, current
    own[e].release = np.nan if held else own[e].current
    own[e].slope = own[e].current - gap


@inlined
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
