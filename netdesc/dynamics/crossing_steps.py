"""Crossings of the threshold in a fixed number of steps, for loops over many neurons.

A loop over neurons takes as many steps as the slowest of them. An estimate that uses the states at both ends
of the bracket, and steps of fourth order from there, need two steps almost always.
"""

from __future__ import annotations

from netdesc.dynamics.elementary import fused
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif import flow, guess

# Relative size of the last step below which the error is that of rounding.
ACCURATE = 2e-4


@inlined
def improve(x: float, c0: float, c1: float, c2: float, c3: float, c4: float, c5: float) -> float:
    """Take a step of Halley's method from x to the root of a polynomial in [0, 1]."""
    value = fused(c5, x, c4)
    slope = fused(c5, x, value)
    bend = fused(c5, x, slope)
    value = fused(value, x, c3)
    slope = fused(slope, x, value)
    bend = fused(bend, x, slope)
    value = fused(value, x, c2)
    slope = fused(slope, x, value)
    bend = fused(bend, x, slope)
    value = fused(value, x, c1)
    slope = fused(slope, x, value)
    value = fused(value, x, c0)
    x -= value * slope / fused(slope, slope, -value * bend)
    return min(max(x, 0.0), 1.0)


@inlined
def interpolate(
    u: float,
    i: float,
    u_end: float,
    i_end: float,
    gap: float,
    width: float,
    tau_m: float,
    tau_s: float,
) -> float:
    """Estimate when u crosses the gap by the polynomial with the right value, slope and bend at both ends.

    Parameters
    ----------
    u, i : float
        State at 0, u below the gap.
    u_end, i_end : float
        State at the end of the bracket, u not below the gap.
    gap : float
        ``threshold - E``.
    width : float
        Length of the bracket in ms.
    tau_m, tau_s : float
        Time constants in ms.

    Returns
    -------
    float
        In ms; not a number where the bracket has no length.
    """
    rate_m = 1.0 / tau_m
    rate_s = 1.0 / tau_s
    miss = u - gap
    slope = (i - u) * rate_m
    last = (i_end - u_end) * rate_m
    half = 0.5 * width * width * rate_m
    # derivatives over the bracket as its length
    c1 = slope * width
    c2 = -fused(i, rate_s, slope) * half
    d1 = last * width
    d2 = -fused(i_end, rate_s, last) * half
    rise = u_end - gap - miss - c1 - c2
    turn = fused(-2.0, c2, d1 - c1)
    c3 = fused(10.0, rise, fused(-4.0, turn, d2 - c2))
    c4 = fused(-15.0, rise, fused(7.0, turn, -2.0 * (d2 - c2)))
    c5 = fused(6.0, rise, fused(-3.0, turn, d2 - c2))
    x = guess(miss, slope, u_end - gap, width) / width
    x = improve(x, miss, c1, c2, c3, c4, c5)
    x = improve(x, miss, c1, c2, c3, c4, c5)
    return x * width


@inlined
def householder(u: float, i: float, gap: float, s: float, tau_m: float, tau_s: float) -> tuple[float, float]:
    """Return one step of Householder's method of fourth order for ``u(s) = gap``.

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
    rest : float
        Relative size of the step, against the distance to the peak and tau_s: the error of the next
        estimate is about ``step * rest**3``.

    Notes
    -----
    Householder (1970), The numerical treatment of a single nonlinear equation, with three derivatives.
    """
    u_s, i_s = flow(u, i, s, tau_m, tau_s)
    rate_m = 1.0 / tau_m
    rate_s = 1.0 / tau_s
    first = (i_s - u_s) * rate_m
    fall = i_s * rate_s
    second = -(fall + first) * rate_m
    third = fused(fall, rate_s, -second) * rate_m
    inverse = 1.0 / first
    newton = (u_s - gap) * inverse
    bend = 0.5 * second * inverse
    twist = (1.0 / 6.0) * third * inverse
    step = newton * fused(-bend, newton, 1.0) / fused(fused(twist, newton, -2.0 * bend), newton, 1.0)
    return step, abs(step) * fused(2.0, abs(bend), rate_s)
