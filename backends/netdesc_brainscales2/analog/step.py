"""One interval between events, for many circuits that each have parameters of their own."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.elementary import exponential, fused, relative_decay
from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.lif import decay, flow
from netdesc.dynamics.two_currents import flow_two, propagate
from netdesc.events import Floats, Integers
from netdesc_brainscales2.analog.crossing import first_crossing
from netdesc_brainscales2.chip.noise import THRESHOLD, Keys, noise

# Rows of the parameters of circuits.
TAU_M, TAU_I, TAU_J, TAU_REF, GAP, RESET, LOW, HIGH, PEAK, HIGHEST, START, START_I, START_J, KNEE, ROOM = (
    range(15)
)
# Rows of what a step needs of them; divisions take most of its time.
RATE_M, RATE_I, RATE_J, BEND_I, FAR_I, BEND_J, FAR_J = range(15, 22)
PARAMETERS = 22
# Rows of the state: voltage above rest, both currents, what is left of a refractory period, threshold.
U, EXC, INH, WAIT, BAR = range(5)
STATES = 5
# Rows of what a step leaves behind.
U_END, I_END, J_END, WAIT_END, FLAG = range(5)
SMALLEST = 1e-300
# Relative distance from the threshold up to which a turning voltage is left to the general solution: whether
# it touches is a matter of rounding there, and weights in whole steps do touch it.
TOUCH = 1e-12


@inlined
def decay_by(s: float, tau: float, rate: float) -> float:
    """Return ``lif.decay``, with ``1 / tau`` known."""
    q = s * rate
    return exponential(-fused(fused(-q, tau, s), rate, q))


@inlined
def charge_by(s: float, a: float, b: float, rate: float, bend: float, far: float) -> float:
    """Return ``lif.charge``, with all that depends on time constants alone known.

    Parameters
    ----------
    s : float
        Time in ms.
    a, b : float
        Decays of membrane and current over s.
    rate, bend, far : float
        ``1 / tau_m``, ``(tau_m - tau_s) / (tau_m tau_s)``, ``tau_s / (tau_m - tau_s)``.

    Returns
    -------
    float
    """
    x = s * bend
    near = s * rate * a * relative_decay(x)
    return near if abs(x) <= 1.0 else far * (a - b)


@inlined
def needs_care(
    u: float,
    i: float,
    j: float,
    u_end: float,
    decays: tuple[float, float, float],
    gains: tuple[float, float, float],
    bar: float,
) -> float:
    """Return 0 where a spike within an interval is excluded, 1 otherwise.

    The inhibitory current is replaced by the share of the excitatory one that it takes away at least.
    Where the current stays above the threshold all along, v can only pass upward, so its end decides.

    Parameters
    ----------
    u, i, j : float
        State at the start; i not negative, j not positive.
    u_end : float
        Voltage at the end.
    decays : tuple of float
        Of membrane and both currents over the interval.
    gains : tuple of float
        Charges of both currents, and the largest charge of the first within the interval.
    bar : float
        Threshold above rest.

    Returns
    -------
    float
    """
    a, b, c = decays
    gain_i, gain_j, most = gains
    share = min(1.0, c / max(b, SMALLEST))
    drive = fused(j, share, i)
    part = min(1.0, gain_j / max(gain_i, SMALLEST))
    push = max(fused(j, part, i), 0.0)
    left = u * a
    bound = fused(push, most, u if u > left else left)
    lowest = fused(i, b, j)
    near = fused(-TOUCH, abs(bar), bar)
    return 1.0 if (u_end >= bar) | ((drive > bar) & (bound >= near) & (lowest <= bar)) else 0.0


@kernel
def step_lanes(lanes: int, span: Floats, cells: Floats, state: Floats, after: Floats) -> int:
    """Carry circuits over an interval as if none of them spiked, and flag those that need care.

    Parameters
    ----------
    lanes : int
        How many; the arrays may be longer.
    span : ndarray of float64, shape (n,)
        Length of the interval of each in ms.
    cells : ndarray of float64, shape (PARAMETERS, n)
    state : ndarray of float64, shape (STATES, n)
    after : ndarray of float64, shape (STATES, n)
        Result.

    Returns
    -------
    int
        How many are flagged: those that may spike, are refractory, or leave the rails.
    """
    u, i, j, wait, bar = state[U], state[EXC], state[INH], state[WAIT], state[BAR]
    u_end, i_end, j_end, wait_end, flag = (
        after[U_END],
        after[I_END],
        after[J_END],
        after[WAIT_END],
        after[FLAG],
    )
    tau_m, tau_i, tau_j = cells[TAU_M], cells[TAU_I], cells[TAU_J]
    rate_m, rate_i, rate_j = cells[RATE_M], cells[RATE_I], cells[RATE_J]
    bend_i, far_i, bend_j, far_j = cells[BEND_I], cells[FAR_I], cells[BEND_J], cells[FAR_J]
    low, high, peak, highest = cells[LOW], cells[HIGH], cells[PEAK], cells[HIGHEST]
    for k in range(lanes):
        s = span[k]
        a = decay_by(s, tau_m[k], rate_m[k])
        b = decay_by(s, tau_i[k], rate_i[k])
        c = decay_by(s, tau_j[k], rate_j[k])
        gain_i = charge_by(s, a, b, rate_m[k], bend_i[k], far_i[k])
        gain_j = charge_by(s, a, c, rate_m[k], bend_j[k], far_j[k])
        v = propagate(u[k], i[k], j[k], a, gain_i, gain_j)
        most = gain_i if s < peak[k] else highest[k]
        spikes = needs_care(u[k], i[k], j[k], v, (a, b, c), (gain_i, gain_j, most), bar[k])
        u_end[k] = v
        i_end[k] = i[k] * b
        j_end[k] = j[k] * c
        wait_end[k] = 0.0
        flag[k] = 1.0 if (spikes > 0.0) | (wait[k] > 0.0) | (v < low[k]) | (v > high[k]) else 0.0
    flagged = 0
    for k in range(lanes):
        flagged += 1 if flag[k] > 0.0 else 0
    return flagged


@kernel
def hold(lane: int, span: float, cells: Floats, state: Floats) -> float:
    """Keep a refractory circuit at its reset for at most ``span`` ms, and return how long that was."""
    held: float = min(state[WAIT, lane], span)
    state[EXC, lane] *= decay(held, cells[TAU_I, lane])
    state[INH, lane] *= decay(held, cells[TAU_J, lane])
    state[U, lane] = cells[RESET, lane]
    state[WAIT, lane] -= held
    return held


@kernel
def drift(lane: int, span: float, cells: Floats, state: Floats) -> int:
    """Carry a circuit that does not spike over an interval; return 1 where a rail stops it.

    A rail is applied at the end of the interval.
    """
    tau_m, tau_i, tau_j = cells[TAU_M, lane], cells[TAU_I, lane], cells[TAU_J, lane]
    if tau_i == tau_j and state[INH, lane] == 0.0:
        u, i = flow(state[U, lane], state[EXC, lane], span, tau_m, tau_i)
        j = 0.0
    else:
        u, i, j = flow_two(state[U, lane], state[EXC, lane], state[INH, lane], span, tau_m, tau_i, tau_j)
    state[EXC, lane] = i
    state[INH, lane] = j
    state[U, lane] = min(max(u, cells[LOW, lane]), cells[HIGH, lane])
    return 1 if (u < cells[LOW, lane]) | (u > cells[HIGH, lane]) else 0


@kernel
def settle(
    lane: int,
    neuron: int,
    start: float,
    span: float,
    cells: Floats,
    state: Floats,
    serial: Integers,
    table: Floats,
    key: np.uint64,
    spread: float,
    found_times: Floats,
    found_lanes: Integers,
    found: int,
) -> tuple[int, int]:
    """Carry one circuit over an interval with all its spikes.

    Parameters
    ----------
    lane, neuron : int
        Column of the arrays, and what noise is drawn for.
    start, span : float
        Start and length of the interval in ms.
    cells, state : ndarray
        See ``step_lanes``; the state is changed in place.
    serial : ndarray of int64, shape (n,)
        Spikes of each circuit so far; changed in place.
    table, key, spread
        Noise of thresholds: quantiles, key of the sample, and standard deviation relative to
        threshold - rest.
    found_times, found_lanes : ndarray, shape (capacity,)
        Results.
    found : int
        Spikes found so far.

    Returns
    -------
    found : int
        Spikes found so far; -1 where the capacity did not suffice.
    clipped : int
        1 where a rail stopped the circuit.
    """
    left = span
    while True:
        if state[WAIT, lane] > 0.0:
            left -= hold(lane, left, cells, state)
        if left <= 0.0:
            return found, 0
        s = -1.0
        above, bar = max(state[U, lane], 0.0), state[BAR, lane]
        reach = fused(state[EXC, lane], cells[HIGHEST, lane], above)
        if fused(-TOUCH, abs(bar), bar) <= max(reach, above) and state[EXC, lane] > bar:
            s = first_crossing(
                state[U, lane],
                state[EXC, lane],
                state[INH, lane],
                state[BAR, lane],
                cells[TAU_M, lane],
                cells[TAU_I, lane],
                cells[TAU_J, lane],
                left,
            )
        if s < 0.0:
            return found, drift(lane, left, cells, state)
        if found == len(found_times):
            return -1, 0
        left -= s
        found_times[found] = start + (span - left)
        found_lanes[found] = lane
        found += 1
        serial[lane] += 1
        state[EXC, lane] *= decay(s, cells[TAU_I, lane])
        state[INH, lane] *= decay(s, cells[TAU_J, lane])
        state[U, lane] = cells[RESET, lane]
        state[WAIT, lane] = cells[TAU_REF, lane]
        if spread > 0.0:
            x = noise(table, key, neuron, 2 * serial[lane] + THRESHOLD)
            state[BAR, lane] = cells[GAP, lane] * (1.0 + spread * x)


@kernel
def restart(
    lanes: int,
    first: int,
    size: int,
    cells: Floats,
    state: Floats,
    serial: Integers,
    table: Floats,
    keys: Keys,
    spread: float,
) -> None:
    """Set circuits to the start of a sample: lane k is neuron ``k % size`` of ``first + k // size``."""
    for k in range(lanes):
        state[U, k] = cells[START, k]
        state[EXC, k] = cells[START_I, k]
        state[INH, k] = cells[START_J, k]
        state[WAIT, k] = 0.0
        state[BAR, k] = cells[GAP, k]
        serial[k] = 0
    if spread > 0.0:
        for s in range(lanes // size):
            for n in range(size):
                x = noise(table, keys[first + s], n, THRESHOLD)
                state[BAR, s * size + n] = cells[GAP, s * size + n] * (1.0 + spread * x)
