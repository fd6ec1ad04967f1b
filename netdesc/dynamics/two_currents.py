"""The same neuron with two synaptic currents of different time constants (excitatory and inhibitory)."""

from __future__ import annotations

import math

from netdesc.dynamics.elementary import fused
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif import CONVERGED, STEPS, decay, gain_over, guess
from netdesc.dynamics.protocol import NEVER

CAUTIOUS = 1.0 + 1e-9
"""Factor of a bound that covers its rounding."""


@inlined
def propagate(u: float, i: float, j: float, a: float, gain_i: float, gain_j: float) -> float:
    """Return u after a step whose decay and gains are known beforehand.

    Parameters
    ----------
    u, i, j : float
        State at the start.
    a : float
        Decay of the membrane over the step.
    gain_i, gain_j : float
        ``gain_over`` of both currents over the step.

    Returns
    -------
    float
        Voltage above rest at the end.
    """
    return fused(u, a, fused(i, gain_i, j * gain_j))


@inlined
def flow_two(
    u: float, i: float, j: float, s: float, tau_m: float, tau_i: float, tau_j: float
) -> tuple[float, float, float]:
    """Return u, i and j after an interval without events.

    Parameters
    ----------
    u, i, j : float
        Voltage above rest and the two currents at the start.
    s : float
        Length of the interval in ms.
    tau_m, tau_i, tau_j : float
        Time constants in ms.

    Returns
    -------
    tuple of float
        State at the end.
    """
    a = decay(s, tau_m)
    b = decay(s, tau_i)
    c = decay(s, tau_j)
    gain_i = gain_over(s, a, b, tau_m, tau_i)
    gain_j = gain_over(s, a, c, tau_m, tau_j)
    return propagate(u, i, j, a, gain_i, gain_j), i * b, j * c


@inlined
def excess(i: float, j: float, gap: float, s: float, tau_i: float, tau_j: float) -> float:
    """Return the total current above the gap after time s."""
    return fused(i, decay(s, tau_i), fused(j, decay(s, tau_j), -gap))


@inlined
def turning_point(i: float, j: float, tau_i: float, tau_j: float) -> float:
    """Return the time at which the total current has its extremum.

    Returns
    -------
    float
        In ms; ``NEVER`` if it has none after 0.
    """
    if tau_i == tau_j or i * j >= 0.0:
        return NEVER
    s = math.log(-(i * tau_j) / (j * tau_i)) / (1.0 / tau_i - 1.0 / tau_j)
    return s if s > 0.0 else NEVER


@inlined
def sign_change(
    i: float, j: float, gap: float, tau_i: float, tau_j: float, left: float, right: float
) -> float:
    """Return where the total current passes the gap in [left, right], by bisection to the last bit.

    Parameters
    ----------
    i, j : float
        Currents at 0.
    gap : float
        ``threshold - E``.
    tau_i, tau_j : float
        Time constants in ms.
    left, right : float
        In ms; the excess has opposite signs there.

    Returns
    -------
    float
        In ms.
    """
    positive_left = excess(i, j, gap, left, tau_i, tau_j) > 0.0
    for _ in range(200):
        middle = 0.5 * (left + right)
        if not left < middle < right:
            break
        if (excess(i, j, gap, middle, tau_i, tau_j) > 0.0) == positive_left:
            left = middle
        else:
            right = middle
    return 0.5 * (left + right)


@inlined
def rise(
    u: float, i: float, j: float, gap: float, tau_m: float, tau_i: float, tau_j: float, width: float
) -> float:
    """Return the crossing in [0, width], on all of which the current lifts v through the threshold.

    Parameters
    ----------
    u, i, j : float
        State at 0, u below the gap.
    gap : float
        ``threshold - E``.
    tau_m, tau_i, tau_j : float
        Time constants in ms.
    width : float
        In ms.

    Returns
    -------
    float
        In ms; ``NEVER`` if u stays below the gap.
    """
    u_high, _, _ = flow_two(u, i, j, width, tau_m, tau_i, tau_j)
    if u_high < gap or width <= 0.0:
        return NEVER
    s = guess(u - gap, (i + j - u) / tau_m, u_high - gap, width)
    left = 0.0
    right = width
    for _ in range(STEPS):
        if not left < s < right:
            s = 0.5 * (left + right)
        u_s, i_s, j_s = flow_two(u, i, j, s, tau_m, tau_i, tau_j)
        miss = u_s - gap
        first = (i_s + j_s - u_s) / tau_m
        second = -(i_s / tau_i + j_s / tau_j + first) / tau_m
        step = miss * first / (first * first - 0.5 * miss * second)
        if miss < 0.0:
            left = s
        else:
            right = s
        following = s - step
        rest = abs(step) * (abs(second / first) + 1.0 / min(tau_i, tau_j))
        if rest <= CONVERGED or miss == 0.0:
            return min(max(following, left), right)
        s = following
    return right


@inlined
def crossing_two(
    u: float, i: float, j: float, gap: float, tau_m: float, tau_i: float, tau_j: float, span: float
) -> float:
    """Return the first time in [0, span] at which u reaches the gap from below.

    The total current has at most one extremum, so it exceeds the gap on at most two parts of the
    interval, each within one side of the extremum; v can reach the threshold only there.

    Parameters
    ----------
    u, i, j : float
        State at 0.
    gap : float
        ``threshold - E``.
    tau_m, tau_i, tau_j : float
        Time constants in ms.
    span : float
        Length of the interval in ms, finite.

    Returns
    -------
    float
        In ms; ``NEVER`` if there is none.
    """
    turn = turning_point(i, j, tau_i, tau_j)
    start = 0.0
    for piece in range(2):
        end = span
        if piece == 0 and 0.0 < turn < span:
            end = turn
        starts_above = excess(i, j, gap, start, tau_i, tau_j) > 0.0
        ends_above = excess(i, j, gap, end, tau_i, tau_j) > 0.0
        if starts_above or ends_above:
            low = start
            high = end
            if not starts_above:
                low = sign_change(i, j, gap, tau_i, tau_j, start, end)
            if not ends_above:
                high = sign_change(i, j, gap, tau_i, tau_j, start, end)
            u_low, i_low, j_low = flow_two(u, i, j, low, tau_m, tau_i, tau_j)
            if u_low >= gap:
                return low
            s = rise(u_low, i_low, j_low, gap, tau_m, tau_i, tau_j, high - low)
            if s >= 0.0:
                return low + s
        if end >= span:
            break
        start = end
    return NEVER


@inlined
def quiet(u: float, i: float, j: float, gap: float, tau_m: float, tau_i: float, tau_j: float) -> float:
    """Return a time before which u does not reach the gap from below, without any exponential.

    The voltage rises no faster than by the largest current that is still to come, and in all no further than
    by the charge of the currents that lift it.

    Parameters
    ----------
    u, i, j : float
        State at 0.
    gap : float
        ``threshold - E``.
    tau_m, tau_i, tau_j : float
        Time constants in ms.

    Returns
    -------
    float
        In ms; infinite where it never does.
    """
    most = max(i, 0.0) + max(j, 0.0)
    charge = max(i, 0.0) * tau_i + max(j, 0.0) * tau_j
    # what holds u down, and does not decay faster than what lifts it, counts in full
    if (i > 0.0) & (j < 0.0) & (tau_j >= tau_i):
        most = max(i + j, 0.0)
        charge = most * tau_i
    if (j > 0.0) & (i < 0.0) & (tau_i >= tau_j):
        most = max(i + j, 0.0)
        charge = most * tau_j
    if (most <= gap) | ((max(u, 0.0) * tau_m + charge) * CAUTIOUS < gap * tau_m):
        return math.inf
    if u >= gap:
        return 0.0
    return (gap - u) * tau_m / ((most - u) * CAUTIOUS)
