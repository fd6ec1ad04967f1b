"""The neurons of a layer backward, for the scheme ``off_grid``."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.subtick import FREE, cross_tick_back
from netdesc_spinnaker2.board.memory import (
    CARRY,
    FADE,
    FLOOR,
    LAM_I,
    LAM_V,
    LATEST,
    LEAK,
    PULL,
    SENT_AT,
    Board,
    Rules,
)
from netdesc_spinnaker2.programs.arrivals import Desk, cell_of, collect_arrivals
from netdesc_spinnaker2.programs.arrivals_backward import meet_within
from netdesc_spinnaker2.programs.grid_backward import step_back
from netdesc_spinnaker2.programs.layer import GRAZING


@inlined
def find_specials(m: int, s: int, board: Board, holding: bool, desk: Desk) -> int:
    """List the neurons that spike or are released in a tick, and take its spikes off their chains.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board : Board
    holding : bool
    desk : Desk
        Results: ``special``; ``latest``, the last spike of each in this tick, -1 for none; ``released``, the
        spike that it is released from in this tick, -1 for none; ``marked``, 1 for these neurons.

    Returns
    -------
    int
        How many.
    """
    sheet = board.sheet[s]
    own = board.own
    n, a, first = sheet.size, sheet.state, sheet.own
    latest, hold = board.marks[LATEST, a : a + n], board.hold[sheet.cell : sheet.cell + n]
    place = sheet.place + m
    count = 0
    for e in range(first + board.places[SENT_AT, place], first + board.places[SENT_AT, place + 1]):
        k = own[e].neuron
        if desk.marked[k] == 0:
            desk.marked[k] = 1
            desk.special[count], desk.latest[count], desk.released[count] = k, latest[k], -1
            count += 1
    for p in range(count):
        k = desk.special[p]
        e = desk.latest[p]
        while e >= 0 and own[first + e].tick == m:
            e = own[first + e].previous
        latest[k] = e
    if holding:
        for p in range(count):
            k = desk.special[p]
            e = latest[k]
            if e >= 0 and hold[k] > 0 and own[first + e].tick + hold[k] == m:
                desk.released[p] = e
        for k in range(n):
            e = latest[k]
            if desk.marked[k] == 0 and e >= 0 and hold[k] > 0 and own[first + e].tick + hold[k] == m:
                desk.marked[k] = 1
                desk.special[count], desk.latest[count], desk.released[count] = k, -1, e
                count += 1
    return count


@inlined
def step_off_grid_back(
    m: int,
    s: int,
    board: Board,
    rules: Rules,
    desk: Desk,
    quiet_v: NDArray[Any],
    quiet_i: NDArray[Any],
    pulls: NDArray[Any],
) -> int:
    """Run a slice back through a tick of the scheme ``off_grid``.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board, rules
    desk : Desk
    quiet_v, quiet_i, pulls : ndarray
        Room for a number per neuron.

    Returns
    -------
    int
        Number of synaptic events; -1 where the desk is too small.
    """
    sheet = board.sheet[s]
    n, a, c = sheet.size, sheet.state, sheet.cell
    lam_v, lam_i = board.state[LAM_V, a : a + n], board.state[LAM_I, a : a + n]
    specials = find_specials(m, s, board, rules.holding, desk)
    for k in range(n):
        quiet_v[k] = 0 if desk.marked[k] == 1 else lam_v[k]
        quiet_i[k] = 0 if desk.marked[k] == 1 else lam_i[k]
    for p in range(specials):
        desk.marked[desk.special[p]] = 0
    events = meet_within(m, s, board, rules, quiet_v, quiet_i, pulls)
    for p in range(specials):
        if not cross_back(m, s, p, board, rules, desk):
            return -1
    step_back(
        lam_v,
        lam_i,
        board.numbers[LEAK, c : c + n],
        board.numbers[FADE, c : c + n],
        board.numbers[PULL, c : c + n],
    )
    for p in range(specials):
        lam_v[desk.special[p]] = desk.result[p, 0]
        lam_i[desk.special[p]] = desk.result[p, 1]
    return events


@inlined
def cross_back(m: int, s: int, p: int, board: Board, rules: Rules, desk: Desk) -> bool:
    """Carry the adjoint of one special neuron back through a tick; False where the desk is too small."""
    sheet = board.sheet[s]
    own = board.own
    first, k = sheet.own, desk.special[p]
    a, c = sheet.state + k, sheet.cell + k
    count = collect_arrivals(k, m, s, board, desk)
    if count > len(desk.when):
        return False
    hits = 0
    e = desk.latest[p]
    while e > board.marks[LATEST, a]:
        hits += 1
        e = own[first + e].previous
    e = desk.latest[p]
    for x in range(hits - 1, -1, -1):
        desk.at[x] = own[first + e].fraction
        desk.current[x] = own[first + e].current
        desk.force[x] = own[first + e].force
        e = own[first + e].previous
    desk.result[p, 0] = board.state[LAM_V, a]
    desk.result[p, 1] = board.state[LAM_I, a]
    desk.result[p, 2] = 0.0
    desk.result[p, 3] = board.state[CARRY, a]
    e = desk.released[p]
    board.events[s, GRAZING] += cross_tick_back(
        float(own[first + e].fraction) if e >= 0 else FREE,
        float(own[first + e].release) if e >= 0 else 0.0,
        count,
        desk.when,
        desk.weight,
        desk.receptor,
        hits,
        desk.at,
        desk.current,
        rules.timestep,
        cell_of(c, board),
        board.hold[c] > 0,
        float(board.numbers[FLOOR, c]),
        desk.force,
        desk.result[p],
        desk.pulls,
        desk.gains,
    )
    board.state[CARRY, a] = desk.result[p, 3]
    kind = board.state.dtype.type
    for x in range(count):
        at = sheet.received + desk.found[x, 0]
        board.received[at].pulled += kind(desk.pulls[x])
        if desk.found[x, 3] >= 0:
            board.gradient[sheet.gradient + desk.found[x, 3]] += kind(desk.gains[x])
    e = desk.latest[p]
    for x in range(hits - 1, -1, -1):
        own[first + e].force = desk.force[x]
        e = own[first + e].previous
    return True
