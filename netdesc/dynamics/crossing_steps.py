"""Crossings of the threshold in a fixed number of steps, for loops over many neurons.

A loop over neurons takes as many steps as the slowest of them. An estimate that uses the states at both ends
of the bracket, and steps of fourth order from there, need two steps almost always.
"""

from __future__ import annotations

from netdesc.dynamics.elementary import fused
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif import flow, guess

# Relative size of a step below which the error is that of rounding.
ACCURATE = 5e-3


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
    x = guess(miss, c1, u_end - gap, 1.0)
    x = improve(x, miss, c1, c2, c3, c4, c5)
    return improve(x, miss, c1, c2, c3, c4, c5) * width


@inlined
def refine(
    u: float, i: float, gap: float, s: float, tau_m: float, tau_s: float
) -> tuple[float, float, float]:
    """Return the root of ``u(s) = gap`` next to an estimate, from the Taylor series of u around it.

    Parameters
    ----------
    u, i : float
        State at 0.
    gap : float
        ``threshold - E``.
    s : float
        The estimate in ms.
    tau_m, tau_s : float
        Time constants in ms.

    Returns
    -------
    s, i : float
        Time in ms and current at the root.
    rest : float
        Size of the step against the distance to the peak and tau_s: the error is about ``step * rest**6``.

    Notes
    -----
    The series of degree 6 is inverted to third order, and that is improved by one step of Newton's method.
    """
    u_s, i_s = flow(u, i, s, tau_m, tau_s)
    rate_m = 1.0 / tau_m
    rate_s = 1.0 / tau_s
    j1 = -i_s * rate_s
    j2 = (-0.5 * rate_s) * j1
    j3 = (-1.0 / 3.0 * rate_s) * j2
    j4 = (-1.0 / 4.0 * rate_s) * j3
    j5 = (-1.0 / 5.0 * rate_s) * j4
    c1 = (i_s - u_s) * rate_m
    c2 = (j1 - c1) * (0.5 * rate_m)
    c3 = (j2 - c2) * (1.0 / 3.0 * rate_m)
    c4 = (j3 - c3) * (1.0 / 4.0 * rate_m)
    c5 = (j4 - c4) * (1.0 / 5.0 * rate_m)
    c6 = (j5 - c5) * (1.0 / 6.0 * rate_m)
    miss = u_s - gap
    inverse = 1.0 / c1
    first = -miss * inverse
    b2 = c2 * inverse
    third = fused(2.0 * b2, b2, -c3 * inverse)
    x = first * fused(first, fused(first, third, -b2), 1.0)
    x2 = x * x
    value = fused(fused(fused(c6, x, c5), x2, fused(c4, x, c3)), x2 * x, fused(fused(c2, x, c1), x, miss))
    slope = fused(
        fused(fused(6.0 * c6, x, 5.0 * c5), x2, fused(4.0 * c4, x, 3.0 * c3)), x2, fused(2.0 * c2, x, c1)
    )
    x -= value / slope
    left = fused(fused(fused(j5, x, j4), x2, fused(j3, x, j2)), x2, fused(j1, x, i_s))
    return s + x, left, abs(x) * fused(2.0, abs(b2), rate_s)
