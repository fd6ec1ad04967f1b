"""Arrivals at fractions of a tick backward: they meet the adjoints of their targets, carried back to them."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif import adjoint_charge, arrival_force, weight_force
from netdesc.dynamics.tick import (
    adjoint_current_before,
    adjoint_voltage_before,
    factors_until,
)
from netdesc_spinnaker2.board.memory import (
    CAME_AT,
    TAU,
    TAU_M,
    TAU_S,
    Board,
    Rules,
)


@inlined
def meet_within(
    m: int, s: int, board: Board, rules: Rules, lam_v: NDArray[Any], lam_i: NDArray[Any], pulls: NDArray[Any]
) -> int:
    """Let the spikes that arrive in a tick meet the adjoints of their targets, carried back to the arrival.

    Parameters
    ----------
    m, s : int
        Tick and slice.
    board, rules
    lam_v, lam_i : ndarray, shape (n,)
        Adjoints at the end of the tick.
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
    tau, tau_m, tau_s = (
        board.numbers[TAU, c : c + n],
        board.taus[TAU_M, c : c + n],
        board.taus[TAU_S, c : c + n],
    )
    weight = board.weight[sheet.weight : sheet.weight_end]
    gradient = board.gradient[sheet.gradient : sheet.gradient_end]
    kind = weight.dtype.type
    events = 0
    for d in range(sheet.distinct, sheet.distinct + sheet.delays):
        delay = board.distinct[d]
        if delay > m:
            continue
        place = sheet.place + m - delay
        for e in range(a + board.places[CAME_AT, place], a + board.places[CAME_AT, place + 1]):
            row = sheet.row + received[e].row
            total = received[e].pulled
            fraction = float(received[e].fraction)
            if rules.uniform:
                leak, fade, k = factors_until(fraction, rules.timestep, tau_m[0], tau_s[0])
                g_i = adjoint_charge(k, tau_m[0], tau_s[0])
            for g in range(board.first[row], board.first[row + 1]):
                segment = board.segments[g]
                if segment.delay != delay:
                    continue
                start, count, base, gain = segment.start, segment.size, segment.base, segment.gain
                events += count
                if segment.run == 1 and rules.uniform:
                    total = pull_within(
                        weight[start : start + count],
                        lam_v[base : base + count],
                        lam_i[base : base + count],
                        kind(leak),
                        kind(fade),
                        kind(g_i),
                        pulls,
                        total,
                    )
                    if gain >= 0:
                        gain_within(
                            gradient[gain : gain + count],
                            lam_v[base : base + count],
                            lam_i[base : base + count],
                            tau[base : base + count],
                            kind(fade),
                            kind(g_i),
                        )
                    continue
                for x in range(count):
                    j = base + x if segment.run == 1 else board.target[segment.target_start + x]
                    if not rules.uniform:
                        leak, fade, k = factors_until(fraction, rules.timestep, tau_m[j], tau_s[j])
                        g_i = adjoint_charge(k, tau_m[j], tau_s[j])
                    lam = adjoint_current_before(lam_i[j], lam_v[j], kind(fade), kind(g_i))
                    total += arrival_force(
                        weight[start + x], adjoint_voltage_before(lam_v[j], kind(leak)), lam
                    )
                    if gain >= 0:
                        gradient[gain + x] += weight_force(lam, tau[j])
            received[e].pulled = total
    return events


@inlined
def pull_within(
    weight: NDArray[Any],
    lam_v: NDArray[Any],
    lam_i: NDArray[Any],
    leak: float,
    fade: float,
    pull: float,
    pulls: NDArray[Any],
    total: float,
) -> float:
    """Add dL/d(arrival) over neighbouring targets to what there is; arrays of shape (k,)."""
    for k in range(len(weight)):
        lam = adjoint_current_before(lam_i[k], lam_v[k], fade, pull)
        pulls[k] = arrival_force(weight[k], adjoint_voltage_before(lam_v[k], leak), lam)
    for k in range(len(weight)):
        total += pulls[k]
    return total


@inlined
def gain_within(
    gradient: NDArray[Any],
    lam_v: NDArray[Any],
    lam_i: NDArray[Any],
    tau: NDArray[Any],
    fade: float,
    pull: float,
) -> None:
    """Add dL/dw over neighbouring targets; arrays of shape (k,)."""
    for k in range(len(gradient)):
        gradient[k] += weight_force(adjoint_current_before(lam_i[k], lam_v[k], fade, pull), tau[k])
