"""Leaky integrate-and-fire with exponential synaptic currents.

In the membrane's frame ``u = v - E`` (E the resting voltage) and with the gap ``c = threshold - E``:

    tau_m du/dt = -u + i        tau_s di/dt = -i        spike: u reaches c from below

Every function takes and returns numbers: voltages in the unit of the cell, times in ms.
"""

from __future__ import annotations

import math

from netdesc.dynamics.elementary import exponential, exponential_less_one, fused, logarithm
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.protocol import NEVER

STEPS = 80
CONVERGED = 1e-5


@inlined
def quotient(s: float, tau: float) -> float:
    """Return s / tau by the reciprocal, which a loop over s computes once, and one correction."""
    rate = 1.0 / tau
    q = s * rate
    return fused(fused(-q, tau, s), rate, q)


@inlined
def decay(s: float, tau: float) -> float:
    """Return exp(-s / tau): what is left after time s."""
    return exponential(-quotient(s, tau))


@inlined
def divergence(s: float, tau_m: float, tau_s: float) -> float:
    """Return by what fraction the faster one of two decays over time s is below the slower one."""
    return -exponential_less_one(-s * (abs(tau_m - tau_s) / (tau_m * tau_s)))


@inlined
def gain_by(apart: float, slow: float, s: float, tau_m: float, tau_s: float) -> float:
    """Return ``gain_over``, with the ``divergence`` of both decays and the slower one."""
    # both are computed: a choice between numbers, unlike a branch, does not keep a loop from being vectorized
    distance = abs(tau_m - tau_s)
    far = (tau_s / (distance if distance > 0.0 else tau_s)) * apart
    return slow * (far if distance > 0.0 else s * (1.0 / tau_m))


@inlined
def gain_over(s: float, a: float, b: float, tau_m: float, tau_s: float) -> float:
    """Return k(s): the voltage after time s per unit of current at its start.

    Parameters
    ----------
    s : float
        Time in ms.
    a, b : float
        Decays of membrane and current over s.
    tau_m, tau_s : float
        Time constants in ms, in any ratio.

    Returns
    -------
    float
        ``tau_s / (tau_m - tau_s) (a - b)``, without cancellation where the two are close.
    """
    return gain_by(divergence(s, tau_m, tau_s), a if tau_m >= tau_s else b, s, tau_m, tau_s)


@inlined
def interval_factors(s: float, tau_m: float, tau_s: float) -> tuple[float, float, float]:
    """Return what an interval without events does to any neuron: decays of u and i, and gain.

    Parameters
    ----------
    s : float
        Length of the interval in ms.
    tau_m, tau_s : float
        Time constants in ms.
    """
    slow = decay(s, max(tau_m, tau_s))
    apart = divergence(s, tau_m, tau_s)
    fast = fused(-slow, apart, slow)
    a, b = (slow, fast) if tau_m >= tau_s else (fast, slow)
    return a, b, gain_by(apart, slow, s, tau_m, tau_s)


@inlined
def largest_gain(tau_m: float, tau_s: float) -> tuple[float, float]:
    """Return the length in ms of the interval with the largest gain, and that gain."""
    s = tau_s if tau_m == tau_s else math.log(tau_m / tau_s) * tau_m * tau_s / (tau_m - tau_s)
    return s, gain_over(s, decay(s, tau_m), decay(s, tau_s), tau_m, tau_s)


@inlined
def voltage_after(u: float, i: float, a: float, k: float) -> float:
    """Return u after an interval whose decay of the membrane and gain are known."""
    return fused(u, a, i * k)


@inlined
def state_after(u: float, i: float, a: float, b: float, k: float) -> tuple[float, float]:
    """Return u and i after an interval without events whose factors are known."""
    return voltage_after(u, i, a, k), i * b


@inlined
def flow(u: float, i: float, s: float, tau_m: float, tau_s: float) -> tuple[float, float]:
    """Return u and i after an interval without events.

    Parameters
    ----------
    u, i : float
        State at the start.
    s : float
        Length of the interval in ms.
    tau_m, tau_s : float
        Time constants in ms.

    Returns
    -------
    tuple of float
        State at the end.
    """
    a, b, k = interval_factors(s, tau_m, tau_s)
    return state_after(u, i, a, b, k)


@inlined
def rising_until(i: float, gap: float, tau_s: float, span: float) -> float:
    """Return the end of the part of [0, span] in which the current lifts v through the threshold.

    The voltage can pass the gap upward only while i > gap, and downward only while i < gap; so there is
    a crossing exactly if u has reached the gap at the end of that part.

    Parameters
    ----------
    i : float
        Synaptic current at 0.
    gap : float
        ``threshold - E``.
    tau_s : float
        Synaptic time constant in ms.
    span : float
        Length of the interval in ms.

    Returns
    -------
    float
        In ms; ``NEVER`` where there is no such part.
    """
    if gap > 0.0:
        if i <= gap:
            return NEVER
        return min(span, tau_s * logarithm(i / gap))
    if gap == 0.0 and i <= 0.0:
        return NEVER
    return span


@inlined
def may_spike(u: float, i: float, u_end: float, i_end: float, a: float, most: float, gap: float) -> float:
    """Return 0 where a spike within an interval is excluded, 1 otherwise.

    There is one if u ends above the gap. If not, there can be one only where the current falls through
    the gap on the way (see ``rising_until``), and not where a bound on u stays below.

    Parameters
    ----------
    u, i, u_end, i_end : float
        State at both ends of the interval.
    a : float
        Decay of the membrane over it.
    most : float
        Largest gain within it.
    gap : float
        ``threshold - E``.
    """
    left = u * a
    bound = fused(i, most, u if u > left else left)
    return 1.0 if (u_end >= gap) | ((i > gap) & (i_end < gap) & (bound >= gap)) else 0.0


@inlined
def rising_from(i: float, gap: float, tau_s: float) -> float:
    """Return the start of the part that ``rising_until`` ends.

    Parameters
    ----------
    i : float
        Synaptic current at 0.
    gap : float
        ``threshold - E``; the start is 0 unless it is negative (a neuron that fires without input) and i
        is lower still.
    tau_s : float
        Synaptic time constant in ms.

    Returns
    -------
    float
        In ms.
    """
    if gap < 0.0 and i < gap:
        return tau_s * logarithm(i / gap)
    return 0.0


@inlined
def guess(f: float, slope: float, end: float, width: float) -> float:
    """Return the root of the parabola through f at 0 with that slope and through ``end`` at ``width``.

    Parameters
    ----------
    f : float
        Value at 0, negative.
    slope : float
        Derivative at 0, positive, in 1/ms.
    end : float
        Value at ``width``, not negative.
    width : float
        In ms.

    Returns
    -------
    float
        In ms.
    """
    bend = fused(-slope, width, end - f) / (width * width)
    root = math.sqrt(max(fused(slope, slope, -4.0 * bend * f), 0.0))
    return -2.0 * f / (slope + root)


@inlined
def halley(
    u: float, i: float, gap: float, s: float, tau_m: float, tau_s: float
) -> tuple[float, float, float]:
    """Return one step of Halley's method for ``u(s) = gap``.

    Parameters
    ----------
    u, i : float
        State at 0.
    gap : float
        ``threshold - E``.
    s : float
        Present estimate in ms.
    tau_m, tau_s : float
        Time constants in ms.

    Returns
    -------
    step : float
        To be subtracted from s, in ms.
    miss : float
        ``u(s) - gap``.
    rest : float
        Relative size of the step, against the distance to the peak and tau_s: the error of the next
        estimate is below ``step * rest**2``.
    """
    u_s, i_s = flow(u, i, s, tau_m, tau_s)
    miss = u_s - gap
    rate_m = 1.0 / tau_m
    rate_s = 1.0 / tau_s
    first = (i_s - u_s) * rate_m
    inverse = 1.0 / first
    newton = miss * inverse
    bend = -fused(i_s, rate_s, first) * rate_m * inverse
    step = newton / fused(-0.5 * newton, bend, 1.0)
    return step, miss, abs(step) * (abs(bend) + rate_s)


@inlined
def crossing(u: float, i: float, gap: float, tau_m: float, tau_s: float, span: float) -> float:
    """Return the first time in [0, span] at which u reaches the gap from below.

    Parameters
    ----------
    u, i : float
        State at 0.
    gap : float
        ``threshold - E``.
    tau_m, tau_s : float
        Time constants in ms.
    span : float
        Length of the interval in ms, finite.

    Returns
    -------
    float
        In ms; ``NEVER`` if there is none. To the last few bits: safeguarded Halley iteration in a bracket.
    """
    high = rising_until(i, gap, tau_s, span)
    if high < 0.0:
        return NEVER
    low = rising_from(i, gap, tau_s)
    if low >= span:
        return NEVER
    u_low, i_low = (u, i) if low == 0.0 else flow(u, i, low, tau_m, tau_s)
    if u_low >= gap:
        return low
    width = high - low
    u_high, _ = flow(u_low, i_low, width, tau_m, tau_s)
    if u_high < gap or width <= 0.0:
        return NEVER
    s = guess(u_low - gap, (i_low - u_low) / tau_m, u_high - gap, width)
    left = 0.0
    right = width
    for _ in range(STEPS):
        if not left < s < right:
            s = 0.5 * (left + right)
        step, miss, rest = halley(u_low, i_low, gap, s, tau_m, tau_s)
        if miss < 0.0:
            left = s
        else:
            right = s
        following = s - step
        if rest <= CONVERGED or miss == 0.0:
            return low + min(max(following, left), right)
        s = following
    return low + right
