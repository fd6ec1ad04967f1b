"""A membrane without spikes: where its voltage turns, and its mean over a sample.

In the frame of the resting voltage, ``tau_m du/dt = -u + i`` and ``tau_s di/dt = -i``. A mean has the weights
``exp(-rate t) / T`` on [0, T]; with rate 0 every time counts the same.
"""

from __future__ import annotations

import math

from netdesc.dynamics.elementary import exponential, exponential_less_one
from netdesc.dynamics.jit import inlined, shared
from netdesc.dynamics.lif import interval_factors
from netdesc.dynamics.protocol import NEVER
from netdesc.dynamics.two_currents import flow_two, turning_point
from netdesc.dynamics.views import unowned
from netdesc.events import Floats

HALVINGS = 200


@inlined
def peak_time(u: float, i: float, tau_m: float, tau_s: float) -> float:
    """Return when u has its maximum, for a current that lifts it now and is positive.

    Parameters
    ----------
    u, i : float
        State at 0, ``i > max(u, 0)``.
    tau_m, tau_s : float
        In ms, in any ratio.

    Returns
    -------
    float
        In ms: ``du/dt = 0`` solved for the time, without cancellation where the time constants are close.
    """
    lead = (i - u) / i
    x = (tau_m - tau_s) / tau_m * lead
    return tau_s * lead * (1.0 if x == 0.0 else -math.log1p(-x) / x)


@inlined
def lift(
    u: float, i: float, j: float, s: float, tau_m: float, tau_i: float, tau_j: float
) -> tuple[float, float, float]:
    """Return u after time s, ``tau_m du/dt`` there and its derivative."""
    u_s, i_s, j_s = flow_two(u, i, j, s, tau_m, tau_i, tau_j)
    slope = i_s + j_s - u_s
    return u_s, slope, -(i_s / tau_i + j_s / tau_j + slope / tau_m)


@inlined
def fall_time(
    u: float, i: float, j: float, left: float, right: float, tau_m: float, tau_i: float, tau_j: float
) -> float:
    """Return where ``du/dt`` falls through 0, by Newton's method kept within a bracket.

    Parameters
    ----------
    u, i, j : float
        State at 0.
    left, right : float
        In ms; u rises at the left end and falls at the right one, and turns once between them.
    tau_m, tau_i, tau_j : float
        In ms.

    Returns
    -------
    float
        In ms.
    """
    s = 0.5 * (left + right)
    for _ in range(HALVINGS):
        _, slope, bend = lift(u, i, j, s, tau_m, tau_i, tau_j)
        if slope > 0.0:
            left = s
        else:
            right = s
        following = s - slope / bend if bend < 0.0 else 0.5 * (left + right)
        if not left < following < right:
            following = 0.5 * (left + right)
        if not left < following < right or abs(following - s) <= 1e-15 * s:
            return following
        s = following
    return s


@inlined
def peak_within(u: float, i: float, j: float, span: float, tau_m: float, tau_i: float, tau_j: float) -> float:
    """Return the time of the maximum of u strictly within an interval without events.

    Between turning points of the total current the sign of ``du/dt`` changes at most once (its product with
    ``exp(t / tau_m)`` is monotone there), so u has at most one such maximum.

    Parameters
    ----------
    u, i, j : float
        State at 0.
    span : float
        Length of the interval in ms.
    tau_m, tau_i, tau_j : float
        In ms.

    Returns
    -------
    float
        In ms; ``NEVER`` if there is none.
    """
    if span <= 0.0:
        return NEVER
    if tau_i == tau_j or j == 0.0 or i == 0.0:
        tau = tau_i if j == 0.0 else tau_j
        if i + j <= 0.0 or i + j <= u:
            return NEVER
        s = peak_time(u, i + j, tau_m, tau)
        return s if 0.0 < s < span else NEVER
    turn = turning_point(i, j, tau_i, tau_j)
    start = 0.0
    rises = i + j > u
    for piece in range(2):
        end = turn if piece == 0 and 0.0 < turn < span else span
        _, slope, _ = lift(u, i, j, end, tau_m, tau_i, tau_j)
        if rises and slope < 0.0:
            return fall_time(u, i, j, start, end, tau_m, tau_i, tau_j)
        if end >= span:
            break
        rises = slope > 0.0
        start = end
    return NEVER


@inlined
def mean_of_voltage(span: float, early: float, rate: float, tau_m: float) -> float:
    """Return what one unit of voltage adds to a mean: ``1/T int exp(-rate t) exp(-(t - t0)/tau_m) dt``.

    Parameters
    ----------
    span : float
        From t0 to the end of the sample, in ms.
    early : float
        ``exp(-rate t0) / T``.
    rate : float
        In 1/ms.
    tau_m : float
        In ms.

    Returns
    -------
    float
        ``-(tau_m / c) lam_v`` at t0, where c is dL/dmean.
    """
    kappa = 1.0 / tau_m + rate
    return early * (-exponential_less_one(-kappa * span) / kappa)


@inlined
def mean_of_current(span: float, early: float, rate: float, tau_m: float, tau_s: float) -> float:
    """Return what one unit of current adds to a mean: ``1/T int exp(-rate t) k(t - t0) dt``.

    Parameters
    ----------
    span, early, rate
        As in ``mean_of_voltage``.
    tau_m, tau_s : float
        In ms, in any ratio: the difference of two decays is written as the gain of an interval.

    Returns
    -------
    float
        ``-(tau_s / c) lam_i`` at t0, where c is dL/dmean.
    """
    kappa = 1.0 / tau_m + rate
    sigma = 1.0 / tau_s + rate
    _, _, k = interval_factors(span, tau_m, tau_s)
    late = exponential(-rate * span) * tau_m * k
    return early * ((-exponential_less_one(-kappa * span) - kappa * late) / (kappa * sigma * tau_m))


@shared
def weigh_arrivals(
    count: int, times: Floats, duration: float, rate: float, tau_m: float, tau_s: float, by_v: Floats,
    by_i: Floats,
) -> None:  # fmt: skip
    """Compute what one unit of voltage, and one of current, adds to a mean from several times on.

    Parameters
    ----------
    count : int
        Number of times; the arrays may be longer.
    times : ndarray of float64
        In ms; nothing is added from the end on.
    duration : float
        Of the sample in ms.
    rate : float
        Of the weights of the mean in 1/ms.
    tau_m, tau_s : float
        In ms.
    by_v, by_i : ndarray of float64
        Results; see ``mean_of_voltage`` and ``mean_of_current``.
    """
    times, by_v, by_i = unowned(times), unowned(by_v), unowned(by_i)
    for q in range(count):
        span = max(duration - times[q], 0.0)
        early = exponential(-rate * times[q]) / duration
        by_v[q] = mean_of_voltage(span, early, rate, tau_m)
        by_i[q] = mean_of_current(span, early, rate, tau_m, tau_s)


@inlined
def share_after(before: float, after: float, u: float) -> float:
    """Return how much of a jump of lam_v, at a maximum at the very time of an arrival, the arrival meets.

    Where an arrival turns a rise into a fall, the maximum is no stationary point but moves with the arrival:
    ``dL/d(arrival) = dL/du du/dt`` before it. That is ``w lam_v`` with this share of the jump.

    Parameters
    ----------
    before, after : float
        Total current on both sides of the arrivals of that time.
    u : float
        Voltage there.

    Returns
    -------
    float
        Between 0 and 1: the part between the two currents that lies above u.
    """
    low = min(before, after)
    high = max(before, after)
    if high <= u:
        return 0.0
    if low >= u:
        return 1.0
    return (high - u) / (high - low)
