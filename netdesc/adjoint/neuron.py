"""The adjoint of one neuron between its own spikes, refractory periods included."""

from __future__ import annotations

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import (
    adjoint_after,
    adjoint_charge,
    bounded_slope,
    charge,
    decay,
    slope_after,
    slope_before,
)
from netdesc.events import Floats


@kernel
def drift(cell: int, target: float, state: Floats, tau_m: Floats, tau_s: Floats) -> None:
    """Carry the adjoints of neuron ``cell`` back to a time, through an interval without its own events.

    Parameters
    ----------
    cell : int
    target : float
        In ms.
    state : ndarray of float64, shape (5, n)
        lam_v, lam_i of both currents, present time, carry of the refractory period.
    tau_m : ndarray of float64, shape (n,)
    tau_s : ndarray of float64, shape (n, 2)
        In ms.
    """
    span = state[3, cell] - target
    if span > 0.0:
        a = decay(span, tau_m[cell])
        b = decay(span, tau_s[cell, 0])
        c = decay(span, tau_s[cell, 1])
        lam_v = state[0, cell]
        gain_b = adjoint_charge(charge(span, a, b, tau_m[cell], tau_s[cell, 0]), tau_m[cell], tau_s[cell, 0])
        gain_c = adjoint_charge(charge(span, a, c, tau_m[cell], tau_s[cell, 1]), tau_m[cell], tau_s[cell, 1])
        state[1, cell] = adjoint_after(lam_v, state[1, cell], b, gain_b)
        state[2, cell] = adjoint_after(lam_v, state[2, cell], c, gain_c)
        state[0, cell] = lam_v * a
    state[3, cell] = target


@kernel
def retreat(
    cell: int,
    target: float,
    latest: int,
    state: Floats,
    tau_m: Floats,
    tau_s: Floats,
    tau_ref: Floats,
    reset: Floats,
    times: Floats,
    release: Floats,
    duration: float,
) -> None:
    """Carry the adjoints of neuron ``cell`` back to a time after its latest spike that is not yet undone.

    The release from the refractory period of that spike is crossed on the way, if it lies behind: the
    membrane's adjoint becomes the carry, and 0 before.

    Parameters
    ----------
    cell : int
    target : float
        In ms; just after the arrivals at that time.
    latest : int
        Index of that spike, -1 for none.
    state : ndarray of float64, shape (5, n)
        See ``drift``. The carry is NaN outside a refractory period.
    tau_m, tau_ref, reset : ndarray of float64, shape (n,)
    tau_s : ndarray of float64, shape (n, 2)
    times, release : ndarray of float64
        Spike times, and currents at the end of the refractory period that follows each.
    duration : float
        In ms.
    """
    if latest >= 0 and state[4, cell] != state[4, cell]:
        end = times[latest] + tau_ref[cell]
        if end >= duration:
            state[4, cell] = 0.0
        elif end > target:
            drift(cell, end, state, tau_m, tau_s)
            state[4, cell] = slope_after(release[latest], reset[cell]) * state[0, cell]
            state[0, cell] = 0.0
    drift(cell, target, state, tau_m, tau_s)


@kernel
def jump(cell: int, moment: float, total: float, slope: float, floor: Floats, state: Floats) -> int:
    """Set the adjoint of the membrane of neuron ``cell`` to its value just before a spike.

    Parameters
    ----------
    cell : int
    moment : float
        Time of the spike in ms.
    total : float
        Total dL/dt of the spike.
    slope : float
        tau_m dv/dt just before it.
    floor : ndarray of float64, shape (n,)
        Smallest slope to divide by.
    state : ndarray of float64, shape (5, n)
        See ``drift``.

    Returns
    -------
    int
        1 if the slope was raised to the floor.
    """
    state[4, cell] = float("nan")
    if moment == 0.0:
        # a neuron that starts above the threshold spikes at 0 whatever its parameters
        state[0, cell] = 0.0
        return 0
    raised = bounded_slope(slope, floor[cell])
    state[0, cell] = total / raised
    return 1 if raised > slope else 0


@kernel
def undo_spike(
    cell: int,
    k: int,
    state: Floats,
    tau_m: Floats,
    tau_s: Floats,
    tau_ref: Floats,
    gap: Floats,
    reset: Floats,
    times: Floats,
    currents: Floats,
    release: Floats,
    force: Floats,
    floor: Floats,
    duration: float,
) -> int:
    """Cross spike k of neuron ``cell`` backward (Wunderlich and Pehle 2021, with a refractory period).

    Parameters
    ----------
    cell, k : int
        Neuron, and index of its spike.
    state : ndarray of float64, shape (5, n)
        See ``drift``.
    tau_m, tau_ref, gap, reset, floor : ndarray of float64, shape (n,)
    tau_s : ndarray of float64, shape (n, 2)
    times, currents, release, force : ndarray of float64
        Per spike; ``force`` holds dL/dt through everything but the neuron itself and receives the total.
    duration : float
        In ms.

    Returns
    -------
    int
        1 if the slope was raised to the floor.
    """
    moment = times[k]
    retreat(cell, moment, k, state, tau_m, tau_s, tau_ref, reset, times, release, duration)
    if state[4, cell] != state[4, cell]:
        state[4, cell] = slope_after(release[k], reset[cell]) * state[0, cell]
    force[k] += state[4, cell]
    return jump(cell, moment, force[k], slope_before(currents[k], gap[cell]), floor, state)
