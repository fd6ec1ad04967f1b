"""The adjoint of leaky integrate-and-fire with exponential synaptic currents.

Wunderlich and Pehle 2021, in reverse time:

    tau_m lam_v' = -lam_v       tau_s lam_i' = -lam_i + lam_v

Every function takes and returns numbers: voltages in the unit of the cell, times in ms.
"""

from __future__ import annotations

from netdesc.dynamics.elementary import fused
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif import decay, gain_over, interval_factors


@inlined
def adjoint_gain_over(k: float, tau_m: float, tau_s: float) -> float:
    """Return what lam_i gains over an interval per unit of lam_v at its later end.

    Parameters
    ----------
    k : float
        ``gain_over`` of the interval.
    tau_m, tau_s : float
        Time constants in ms.

    Returns
    -------
    float
        ``tau_m / (tau_m - tau_s) (a - b)``: the prefactor has tau_m where the forward one has tau_s.
    """
    return k * (tau_m / tau_s)


@inlined
def adjoint_after(lam_v: float, lam_i: float, b: float, gain: float) -> float:
    """Return lam_i at the start of an interval whose decay of the current and gain are known."""
    return fused(lam_i, b, lam_v * gain)


@inlined
def adjoint_factors(s: float, tau_m: float, tau_s: float) -> tuple[float, float, float]:
    """Return what an interval does to any adjoint: decays of lam_v and lam_i, and gain of lam_i per lam_v.

    Parameters
    ----------
    s : float
        Length of the interval in ms.
    tau_m, tau_s : float
        Time constants in ms.
    """
    a, b, k = interval_factors(s, tau_m, tau_s)
    return a, b, adjoint_gain_over(k, tau_m, tau_s)


@inlined
def adjoint_state_after(lam_v: float, lam_i: float, a: float, b: float, gain: float) -> tuple[float, float]:
    """Return lam_v and lam_i at the start of an interval without events whose factors are known."""
    return lam_v * a, adjoint_after(lam_v, lam_i, b, gain)


@inlined
def adjoint_flow(
    lam: tuple[float, float, float], s: float, tau_m: float, tau_i: float, tau_j: float
) -> tuple[float, float, float]:
    """Return lam_v and both lam_i at the start of an interval without events, from their values at its end.

    Parameters
    ----------
    lam : tuple of float
        Adjoints of the voltage and of two currents at the later end.
    s : float
        Length of the interval in ms.
    tau_m, tau_i, tau_j : float
        Time constants in ms.
    """
    a, b, c = decay(s, tau_m), decay(s, tau_i), decay(s, tau_j)
    gain_b = adjoint_gain_over(gain_over(s, a, b, tau_m, tau_i), tau_m, tau_i)
    gain_c = adjoint_gain_over(gain_over(s, a, c, tau_m, tau_j), tau_m, tau_j)
    return lam[0] * a, adjoint_after(lam[0], lam[1], b, gain_b), adjoint_after(lam[0], lam[2], c, gain_c)


@inlined
def slope_before(current: float, gap: float) -> float:
    """Return tau_m dv/dt just before a spike.

    Parameters
    ----------
    current : float
        Total synaptic current at the spike.
    gap : float
        ``threshold - E``.
    """
    return current - gap


@inlined
def slope_after(current: float, reset: float) -> float:
    """Return tau_m dv/dt where integration starts again.

    Parameters
    ----------
    current : float
        Total synaptic current at that time.
    reset : float
        ``v_reset - E``.
    """
    return current - reset


@inlined
def arrival_force(weight: float, lam_v: float, lam_i: float) -> float:
    """Return dL/d(arrival time) of one spike: ``w (lam_v - lam_i)`` at the target."""
    return weight * (lam_v - lam_i)


@inlined
def weight_force(lam_i: float, tau_s: float) -> float:
    """Return dL/dw of one arrival: ``-tau_s lam_i`` at the target."""
    return -tau_s * lam_i


@inlined
def bounded_slope(slope: float, floor: float) -> float:
    """Return the slope, not below the floor that keeps a grazing spike's gradient finite."""
    return slope if slope > floor else floor


@inlined
def spike_jump(force: float, slope: float, floor: float) -> tuple[float, bool]:
    """Return lam_v just before a spike.

    Parameters
    ----------
    force : float
        Total dL/dt of the spike.
    slope : float
        tau_m dv/dt just before it.
    floor : float
        Smallest slope to divide by.

    Returns
    -------
    tuple of (float, bool)
        lam_v, and whether the slope was raised to the floor.
    """
    raised = bounded_slope(slope, floor)
    return force / raised, raised > slope
