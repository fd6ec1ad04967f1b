"""Leaky integrate-and-fire from tick to tick: the equations of three schemes, and their adjoints.

In the membrane's frame (``u = v - E``, gap ``c = threshold - E``), with a and b the decays of membrane and
current over a tick of length dt:

``published``
    ``i[n] = b i[n-1] + arrivals``, ``p = a u[n-1] + (1 - a) i[n]``, a spike where ``p > c``; backward
    ``li[n] = b li[n+1] + (1 - b) lv[n+1]``, ``lv[n] = a lv[n+1] + z[n+1] ((c - r) lv[n+1] + g) / (i - p)``
    (r the reset; c - r is 1 in normalized cells).
``exact_exponential``
    ``u`` and ``i`` by their closed forms over dt, a spike where ``u >= c``, then arrivals are added to i;
    backward the closed forms of the adjoint, and the jump with the slope ``i - c`` of the tick.
``off_grid``
    between ticks as ``exact_exponential``; spikes and arrivals lie at a fraction of a tick
    (``netdesc.ticks.crossing``).

The equations hold no literal, so that they compute in the precision of their arguments. In an adjoint the
time constants are in ms, and so a cotangent is in 1/ms.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.lif import gain_over, interval_factors
from netdesc.dynamics.lif_adjoint import adjoint_gain_over
from netdesc.events import Floats, Integers
from netdesc.steps import LATEST, count_steps

PUBLISHED, EXACT, OFF_GRID = "published", "exact_exponential", "off_grid"
SCHEMES = (PUBLISHED, EXACT, OFF_GRID)
RESOLUTION = 2.0**24
"""Parts of a tick that the payload of a packet resolves: what float32 holds below 1."""


class Tick(NamedTuple):
    """What a tick does to the neurons, in the precision of the state.

    Parameters
    ----------
    leak : ndarray, shape (n,)
        Decay of the membrane.
    gain : ndarray, shape (receptors, n)
        Voltage per unit of current: ``1 - leak`` in the published scheme, the closed form otherwise.
    fade : ndarray, shape (receptors, n)
        Decay of the currents.
    adjoint_gain : ndarray, shape (receptors, n)
        What lam_i gains per unit of lam_v: ``1 - fade`` in the published scheme.
    """

    leak: NDArray[Any]
    gain: NDArray[Any]
    fade: NDArray[Any]
    adjoint_gain: NDArray[Any]


def measure_tick(scheme: str, timestep: float, tau_m: Floats, tau_s: Floats, dtype: type[np.generic]) -> Tick:
    """Compute what a tick does, in double precision, each number rounded once.

    Parameters
    ----------
    scheme : str
        One of ``SCHEMES``.
    timestep : float
        In ms.
    tau_m : ndarray of float64, shape (n,)
        In ms.
    tau_s : ndarray of float64, shape (n, receptors)
        In ms.
    dtype : type
        ``numpy.float32`` or ``numpy.float64``.

    Returns
    -------
    Tick
    """
    rows = tau_s.T
    leak, fade = np.exp(-timestep / tau_m), np.exp(-timestep / rows)
    if scheme == PUBLISHED:
        gain = np.broadcast_to(-np.expm1(-timestep / tau_m), rows.shape)
        adjoint_gain = -np.expm1(-timestep / rows)
    else:
        gain, adjoint_gain = np.empty(rows.shape), np.empty(rows.shape)
        measure_gains(
            timestep, leak, fade, np.ascontiguousarray(tau_m), np.ascontiguousarray(rows), gain, adjoint_gain
        )
    return Tick(*(np.ascontiguousarray(values, dtype=dtype) for values in (leak, gain, fade, adjoint_gain)))


@kernel
def measure_gains(
    timestep: float,
    leak: Floats,
    fade: Floats,
    tau_m: Floats,
    tau_s: Floats,
    gain: Floats,
    adjoint_gain: Floats,
) -> None:
    """Fill in ``Tick.gain`` and ``Tick.adjoint_gain`` of the closed forms; arrays as there."""
    for r in range(len(tau_s)):
        for j in range(len(tau_m)):
            gain[r, j] = gain_over(timestep, leak[j], fade[r, j], tau_m[j], tau_s[r, j])
            adjoint_gain[r, j] = adjoint_gain_over(gain[r, j], tau_m[j], tau_s[r, j])


@inlined
def current_after(i: float, arrivals: float, fade: float) -> float:
    """Return the current one tick later, with what arrived."""
    return fade * i + arrivals


@inlined
def current_left(i: float, fade: float) -> float:
    """Return the current one tick later, without what arrived."""
    return fade * i


@inlined
def voltage_after(u: float, gained: float, leak: float) -> float:
    """Return the voltage one tick later.

    Parameters
    ----------
    u : float
    gained : float
        ``gained_from`` of all currents, added in the order of the receptors.
    leak : float
    """
    return leak * u + gained


@inlined
def gained_from(i: float, gain: float) -> float:
    """Return what a current adds to the voltage in a tick."""
    return gain * i


@inlined
def passes(u: float, gap: float) -> bool:
    """Return whether the neuron of the published scheme spikes: strictly above the threshold."""
    return u > gap


@inlined
def reaches(u: float, gap: float) -> bool:
    """Return whether the neuron of the other schemes spikes."""
    return u >= gap


@inlined
def may_return(u: float, most: float, least: float, leak: float, lift: float, gap: float) -> bool:
    """Return whether the voltage can pass the threshold within a tick and be below it at the end.

    The bound of ``lif.may_spike`` for an interval in which spikes arrive: the voltage exceeds the larger one
    of its values without current by no more than the largest current would lift it in all of the tick.

    Parameters
    ----------
    u, gap : float
        Voltage at the start and threshold, above rest.
    most, least : float
        What the current cannot exceed, and cannot fall below, whatever has arrived by then.
    leak, lift : float
        Decay of the voltage over the tick, and 1 less that.
    """
    left = leak * u
    bound = (u if u > left else left) + most * lift
    return (most > gap) & (least < gap) & (bound >= gap)


@inlined
def subtract(u: float, gap: float, reset: float) -> float:
    """Return the voltage after a spike that subtracts the distance from reset to threshold."""
    return u - (gap - reset)


@inlined
def adjoint_current_before(lam_i: float, lam_v: float, fade: float, gain: float) -> float:
    """Return lam_i one tick earlier; lam_v is the one at the later end."""
    return fade * lam_i + gain * lam_v


@inlined
def adjoint_voltage_before(lam_v: float, leak: float) -> float:
    """Return lam_v one tick earlier, without spikes."""
    return leak * lam_v


def split_times(times: Floats, timestep: float) -> tuple[Integers, Floats]:
    """Return tick and fraction of times in ms, in the resolution of a payload.

    Parameters
    ----------
    times : ndarray of float64
        In ms.
    timestep : float
        In ms.

    Returns
    -------
    ticks : ndarray of int64
    fractions : ndarray of float64
        Multiples of ``1 / RESOLUTION``.
    """
    parts = np.floor(np.minimum(count_steps(times, timestep), LATEST) * RESOLUTION + 0.5)
    ticks = np.floor(parts / RESOLUTION)
    return ticks.astype(np.int64), parts / RESOLUTION - ticks


@inlined
def factors_until(fraction: float, timestep: float, tau_m: float, tau_s: float) -> tuple[float, float, float]:
    """Return what the rest of a tick does: decay of v, decay of i, gain; in double precision.

    Parameters
    ----------
    fraction : float
        Where in the tick the interval begins; it ends with the tick.
    timestep, tau_m, tau_s : float
        In ms.
    """
    return interval_factors((1.0 - fraction) * timestep, tau_m, tau_s)
