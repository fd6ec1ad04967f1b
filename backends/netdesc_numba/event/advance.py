"""One neuron between arrivals, refractory periods included."""

from __future__ import annotations

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import NEVER, crossing, decay, flow
from netdesc.dynamics.two_currents import crossing_two, flow_two
from netdesc.events import Floats, Integers


@kernel
def advance(
    cell: int,
    target: float,
    state: Floats,
    last: Integers,
    release: Floats,
    tau_m: Floats,
    tau_s: Floats,
    reset: Floats,
) -> None:
    """Carry the state of neuron ``cell`` to a time before which it does not spike.

    Parameters
    ----------
    cell : int
    target : float
        In ms.
    state : ndarray of float64, shape (5, n)
        Voltage above rest, both currents, present time, end of the refractory period; changed in place.
    last : ndarray of int64, shape (n,)
        Spike whose release is still to come, -1 for none; changed in place.
    release : ndarray of float64
        Result: total current at the release of that spike, if it lies before the target.
    tau_m, reset : ndarray of float64, shape (n,)
    tau_s : ndarray of float64, shape (n, 2)
    """
    if last[cell] >= 0:
        end = min(state[4, cell], target)
        span = end - state[3, cell]
        if span > 0.0:
            state[1, cell] *= decay(span, tau_s[cell, 0])
            state[2, cell] *= decay(span, tau_s[cell, 1])
            state[3, cell] = end
        if state[4, cell] <= target:
            release[last[cell]] = state[1, cell] + state[2, cell]
            state[0, cell] = reset[cell]
            last[cell] = -1
    span = target - state[3, cell]
    if span > 0.0 and last[cell] < 0:
        if tau_s[cell, 0] == tau_s[cell, 1] and state[2, cell] == 0.0:
            u, i = flow(state[0, cell], state[1, cell], span, tau_m[cell], tau_s[cell, 0])
            state[0, cell] = u
            state[1, cell] = i
        else:
            u, i, j = flow_two(
                state[0, cell],
                state[1, cell],
                state[2, cell],
                span,
                tau_m[cell],
                tau_s[cell, 0],
                tau_s[cell, 1],
            )
            state[0, cell] = u
            state[1, cell] = i
            state[2, cell] = j
    state[3, cell] = target


@kernel
def predict(
    cell: int,
    state: Floats,
    last: Integers,
    tau_m: Floats,
    tau_s: Floats,
    gap: Floats,
    reset: Floats,
    limit: float,
) -> float:
    """Return the time of the next spike of neuron ``cell`` up to a limit, if nothing arrives.

    Parameters
    ----------
    cell : int
    state, last, tau_m, tau_s, gap, reset : ndarray
        See ``advance``; nothing is changed.
    limit : float
        In ms.

    Returns
    -------
    float
        In ms; ``NEVER`` where there is none.
    """
    begin = state[3, cell]
    u = state[0, cell]
    i = state[1, cell]
    j = state[2, cell]
    if last[cell] >= 0:
        begin = state[4, cell]
        if begin >= limit:
            return NEVER
        span = begin - state[3, cell]
        u = reset[cell]
        i *= decay(span, tau_s[cell, 0])
        j *= decay(span, tau_s[cell, 1])
    if tau_s[cell, 0] == tau_s[cell, 1]:
        s = crossing(u, i + j, gap[cell], tau_m[cell], tau_s[cell, 0], limit - begin)
    else:
        s = crossing_two(u, i, j, gap[cell], tau_m[cell], tau_s[cell, 0], tau_s[cell, 1], limit - begin)
    return begin + s if s >= 0.0 else NEVER


@kernel
def fire(
    cell: int,
    k: int,
    moment: float,
    state: Floats,
    last: Integers,
    tau_ref: Floats,
    reset: Floats,
    times: Floats,
    neurons: Integers,
    currents: Floats,
    release: Floats,
) -> None:
    """Record spike k of neuron ``cell``, whose state has been carried to that moment, and reset it.

    Parameters
    ----------
    cell, k : int
    moment : float
        In ms.
    state, last, tau_ref, reset : ndarray
        See ``advance``; state and last are changed.
    times, neurons, currents, release : ndarray
        Results, per spike; ``release`` is NaN until the release.
    """
    times[k] = moment
    neurons[k] = cell
    currents[k] = state[1, cell] + state[2, cell]
    state[0, cell] = reset[cell]
    state[4, cell] = moment + tau_ref[cell]
    if tau_ref[cell] > 0.0:
        release[k] = float("nan")
        last[cell] = k
    else:
        release[k] = currents[k]
        last[cell] = -1
