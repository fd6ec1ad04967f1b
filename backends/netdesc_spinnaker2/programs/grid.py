"""The neurons of a layer forward, for the schemes ``paper`` and ``exact_exponential``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.tick import charge_of, current_after, current_left, passes, reaches, voltage_after
from netdesc.events import Integers
from netdesc_spinnaker2.board.memory import (
    FADE,
    FREE_AT,
    GAP,
    LATEST,
    LEAK,
    RESET,
    RING,
    RISE,
    WAITING,
    Board,
    I,
    Rules,
    U,
)
from netdesc_spinnaker2.programs.layer import FULL_STORE


@inlined
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


@inlined
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


@inlined
def add_row(to: NDArray[Any], row: NDArray[Any]) -> None:
    """Add what arrived to the currents and clear it."""
    for k in range(len(to)):
        to[k] += row[k]
        row[k] = 0


@inlined
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
