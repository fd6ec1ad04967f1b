"""When a circuit with an excitatory and an inhibitory current reaches its threshold."""

from __future__ import annotations

from netdesc.dynamics.elementary import fused, logarithm
from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.lif import crossing, decay
from netdesc.dynamics.two_currents import crossing_two, excess, rise

STEPS = 60
# Relative error of the end of the bracket: only a spike that grazes the threshold that closely is at stake.
PRECISE = 1e-13
# Relative distance from the threshold up to which a turning voltage is left to the general solution: whether
# it touches is a matter of rounding there, and weights in whole steps do touch it.
TOUCH = 1e-12


@inlined
def falls_below(i: float, j: float, gap: float, tau_i: float, tau_j: float, span: float) -> float:
    """Return when the total current falls through the gap, which it does once in [0, span].

    Parameters
    ----------
    i, j : float
        Currents at 0, together above the gap.
    gap : float
        ``threshold - E``.
    tau_i, tau_j : float
        Time constants in ms.
    span : float
        Length of the interval in ms; the current is below the gap at its end.

    Returns
    -------
    float
        In ms, by Newton's method in a bracket.
    """
    left, right = 0.0, span
    s = 0.5 * span
    if gap > 0.0:
        s = min(tau_i * logarithm((i + j) / gap), span)
    for _ in range(STEPS):
        b = i * decay(s, tau_i)
        c = j * decay(s, tau_j)
        miss = b + c - gap
        if miss > 0.0:
            left = s
        else:
            right = s
        slope = -(b / tau_i + c / tau_j)
        following = s - miss / slope if slope != 0.0 else left
        if not left < following < right:
            following = 0.5 * (left + right)
        done = abs(following - s) <= PRECISE * span
        s = following
        if done or right - left <= PRECISE * span:
            break
    return s


@kernel
def first_crossing(
    u: float, i: float, j: float, gap: float, tau_m: float, tau_i: float, tau_j: float, span: float
) -> float:
    """Return the first time in [0, span] at which u reaches the gap from below.

    Where the current exceeds the gap on one stretch from 0 on, that is where v can rise through it; all
    other cases are left to the general solution.

    Parameters
    ----------
    u, i, j : float
        Voltage above rest, excitatory and inhibitory current at 0.
    gap : float
        ``threshold - E``.
    tau_m, tau_i, tau_j : float
        Time constants in ms.
    span : float
        In ms, finite.

    Returns
    -------
    float
        In ms; ``NEVER`` if there is none.
    """
    if tau_i == tau_j or j == 0.0:
        return crossing(u, i + j, gap, tau_m, tau_i, span)
    if i + j > gap and u < gap:
        end = excess(i, j, gap, span, tau_i, tau_j)
        # with the slower excitation the current rises, then falls; otherwise it might dip in between
        steady = tau_i >= tau_j or fused(i, decay(span, tau_i), j) > gap
        if end <= 0.0:
            return rise(u, i, j, gap, tau_m, tau_i, tau_j, falls_below(i, j, gap, tau_i, tau_j, span))
        if steady:
            return rise(u, i, j, gap, tau_m, tau_i, tau_j, span)
    return crossing_two(u, i, j, gap, tau_m, tau_i, tau_j, span)
