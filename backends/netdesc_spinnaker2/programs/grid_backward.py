"""The neurons of a layer backward, for the schemes ``paper`` and ``exact_exponential``."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif import arrival_force, bounded_slope, slope_after, weight_force
from netdesc.dynamics.tick import (
    adjoint_current_before,
    adjoint_voltage_before,
    jump_before,
    paper_jump,
)
from netdesc_spinnaker2.board.memory import (
    CAME_AT,
    CARRY,
    FADE,
    FLOOR,
    GAP,
    LAM_I,
    LAM_V,
    LATEST,
    LEAK,
    PULL,
    RESET,
    SENT_AT,
    TAU,
    Board,
)
from netdesc_spinnaker2.programs.layer import GRAZING


@inlined
def meet(
    m: int,
    s: int,
    board: Board,
    pull_v: NDArray[Any],
    pull_i: NDArray[Any],
    gain_i: NDArray[Any],
    pulls: NDArray[Any],
) -> int:
    """Let the spikes that arrive in a tick meet the adjoints of their targets.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board : Board
    pull_v, pull_i : ndarray, shape (n,)
        Adjoints that tell dL/d(arrival).
    gain_i : ndarray, shape (n,)
        Adjoint that tells dL/dw.
    pulls : ndarray
        Room for as many numbers.

    Returns
    -------
    int
        Number of synaptic events.
    """
    sheet = board.sheet[s]
    received = board.received
    a, c, n = sheet.received, sheet.cell, sheet.size
    tau = board.numbers[TAU, c : c + n]
    weight = board.weight[sheet.weight : sheet.weight_end]
    gradient = board.gradient[sheet.gradient : sheet.gradient_end]
    events = 0
    for d in range(sheet.distinct, sheet.distinct + sheet.delays):
        delay = board.distinct[d]
        if delay > m:
            continue
        place = sheet.place + m - delay
        for e in range(a + board.places[CAME_AT, place], a + board.places[CAME_AT, place + 1]):
            row = sheet.row + received[e].row
            total = received[e].pulled
            for g in range(board.first[row], board.first[row + 1]):
                segment = board.segments[g]
                if segment.delay != delay:
                    continue
                start, count, base, gain = segment.start, segment.size, segment.base, segment.gain
                events += count
                if segment.run == 1:
                    total = pull_row(
                        weight[start : start + count],
                        pull_v[base : base + count],
                        pull_i[base : base + count],
                        pulls,
                        total,
                    )
                    if gain >= 0:
                        gain_row(
                            gradient[gain : gain + count],
                            gain_i[base : base + count],
                            tau[base : base + count],
                        )
                    continue
                for k in range(count):
                    j = board.target[segment.target_start + k]
                    total += arrival_force(weight[start + k], pull_v[j], pull_i[j])
                    if gain >= 0:
                        gradient[gain + k] += weight_force(gain_i[j], tau[j])
            received[e].pulled = total
    return events


@inlined
def pull_row(
    weight: NDArray[Any], lam_v: NDArray[Any], lam_i: NDArray[Any], pulls: NDArray[Any], total: float
) -> float:
    """Add dL/d(arrival) over neighbouring targets to what there is; arrays of shape (k,)."""
    for k in range(len(weight)):
        pulls[k] = arrival_force(weight[k], lam_v[k], lam_i[k])
    for k in range(len(weight)):
        total += pulls[k]
    return total


@inlined
def gain_row(gradient: NDArray[Any], lam_i: NDArray[Any], tau: NDArray[Any]) -> None:
    """Add dL/dw over neighbouring targets; arrays of shape (k,)."""
    for k in range(len(gradient)):
        gradient[k] += weight_force(lam_i[k], tau[k])


@inlined
def step_back(
    lam_v: NDArray[Any], lam_i: NDArray[Any], leak: NDArray[Any], fade: NDArray[Any], pull: NDArray[Any]
) -> None:
    """Carry the adjoints back over a tick, without spikes; lam_i first, with the later lam_v."""
    for k in range(len(lam_v)):
        lam_i[k] = adjoint_current_before(lam_i[k], lam_v[k], fade[k], pull[k])
        lam_v[k] = adjoint_voltage_before(lam_v[k], leak[k])


@inlined
def lift(s: int, board: Board, late: bool) -> None:
    """Let lam_v of silent neurons begin with what a loss of their last voltage makes it.

    Parameters
    ----------
    s : int
        Slice.
    board : Board
    late : bool
        Whether the adjoints have been carried back over the last tick already, from its end.
    """
    sheet = board.sheet[s]
    a, c = sheet.state, sheet.cell
    for k in range(sheet.size):
        begun = board.state[CARRY, a + k]
        if late:
            board.state[LAM_I, a + k] += board.numbers[PULL, c + k] * begun
            board.state[LAM_V, a + k] += board.numbers[LEAK, c + k] * begun
        else:
            board.state[LAM_V, a + k] += begun
        board.state[CARRY, a + k] = 0


@inlined
def step_paper_back(
    m: int, s: int, board: Board, late_v: NDArray[Any], late_i: NDArray[Any], pulls: NDArray[Any]
) -> int:
    """Run a slice back through a tick of the paper's scheme.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board : Board
    late_v, late_i, pulls : ndarray
        Room for a number per neuron.

    Returns
    -------
    int
        Number of synaptic events.
    """
    sheet = board.sheet[s]
    own = board.own
    n, a, c, first = sheet.size, sheet.state, sheet.cell, sheet.own
    lam_v, lam_i = board.state[LAM_V, a : a + n], board.state[LAM_I, a : a + n]
    # dL/d(arrival) is read at one tick, dL/dw at the one before it
    for k in range(n):
        late_v[k] = lam_v[k]
        late_i[k] = lam_i[k]
    step_back(
        lam_v,
        lam_i,
        board.numbers[LEAK, c : c + n],
        board.numbers[FADE, c : c + n],
        board.numbers[PULL, c : c + n],
    )
    place = sheet.place + m
    for e in range(first + board.places[SENT_AT, place], first + board.places[SENT_AT, place + 1]):
        k = own[e].neuron
        slope = bounded_slope(own[e].slope, board.numbers[FLOOR, c + k])
        board.events[s, GRAZING] += 1 if slope > own[e].slope else 0
        distance = board.numbers[GAP, c + k] - board.numbers[RESET, c + k]
        lam_v[k] += paper_jump(late_v[k], own[e].force, slope, distance)
        own[e].force += distance * late_v[k]
    return meet(m, s, board, late_v, late_i, lam_i, pulls)


@inlined
def step_exact_back(m: int, s: int, board: Board, holding: bool, pulls: NDArray[Any]) -> int:
    """Run a slice back through a tick of the scheme ``exact_exponential``; as ``step_paper_back``."""
    sheet = board.sheet[s]
    own = board.own
    n, a, c, first = sheet.size, sheet.state, sheet.cell, sheet.own
    lam_v, lam_i = board.state[LAM_V, a : a + n], board.state[LAM_I, a : a + n]
    carry = board.state[CARRY, a : a + n]
    latest = board.marks[LATEST, a : a + n]
    events = meet(m, s, board, lam_v, lam_i, lam_i, pulls)
    place = sheet.place + m
    for e in range(first + board.places[SENT_AT, place], first + board.places[SENT_AT, place + 1]):
        k = own[e].neuron
        slope = bounded_slope(own[e].slope, board.numbers[FLOOR, c + k])
        board.events[s, GRAZING] += 1 if slope > own[e].slope else 0
        if board.hold[c + k] == 0:
            carry[k] = slope_after(own[e].current, board.numbers[RESET, c + k]) * lam_v[k]
        lam_v[k] = jump_before(carry[k], own[e].force, slope)
        own[e].force += carry[k]
        carry[k] = 0
        latest[k] = own[e].previous
    if holding:
        for k in range(n):
            e = first + latest[k]
            if latest[k] >= 0 and board.hold[c + k] > 0 and own[e].tick + board.hold[c + k] == m:
                carry[k] = slope_after(own[e].release, board.numbers[RESET, c + k]) * lam_v[k]
                lam_v[k] = 0
    step_back(
        lam_v,
        lam_i,
        board.numbers[LEAK, c : c + n],
        board.numbers[FADE, c : c + n],
        board.numbers[PULL, c : c + n],
    )
    return events
