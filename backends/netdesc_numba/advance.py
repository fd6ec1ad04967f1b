"""One neuron between arrivals, refractory periods included."""

from __future__ import annotations

from netdesc.events import Floats, Integers
from netdesc.physics.jit import kernel
from netdesc.physics.lif import NEVER, crossing, decay, flow
from netdesc.physics.two_currents import crossing_two, flow_two


@kernel
def advance(
    l: int, target: float, state: Floats, last: Integers, release: Floats,
    tau_m: Floats, tau_s: Floats, reset: Floats,
) -> None:
    """Carry the state of neuron l to a time before which it does not spike.

    Parameters
    ----------
    l : int
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
    if last[l] >= 0:
        end = min(state[4, l], target)
        span = end - state[3, l]
        if span > 0.0:
            state[1, l] *= decay(span, tau_s[l, 0])
            state[2, l] *= decay(span, tau_s[l, 1])
            state[3, l] = end
        if state[4, l] <= target:
            release[last[l]] = state[1, l] + state[2, l]
            state[0, l] = reset[l]
            last[l] = -1
    span = target - state[3, l]
    if span > 0.0 and last[l] < 0:
        if tau_s[l, 0] == tau_s[l, 1] and state[2, l] == 0.0:
            u, i = flow(state[0, l], state[1, l], span, tau_m[l], tau_s[l, 0])
            state[0, l] = u
            state[1, l] = i
        else:
            u, i, j = flow_two(state[0, l], state[1, l], state[2, l], span, tau_m[l], tau_s[l, 0], tau_s[l, 1])
            state[0, l] = u
            state[1, l] = i
            state[2, l] = j
    state[3, l] = target


@kernel
def predict(
    l: int, state: Floats, last: Integers, tau_m: Floats, tau_s: Floats, gap: Floats, reset: Floats,
    limit: float,
) -> float:
    """Return the time of the next spike of neuron l up to a limit, if nothing arrives.

    Parameters
    ----------
    l : int
    state, last, tau_m, tau_s, gap, reset : ndarray
        See ``advance``; nothing is changed.
    limit : float
        In ms.

    Returns
    -------
    float
        In ms; ``NEVER`` where there is none.
    """
    begin = state[3, l]
    u = state[0, l]
    i = state[1, l]
    j = state[2, l]
    if last[l] >= 0:
        begin = state[4, l]
        if begin >= limit:
            return NEVER
        span = begin - state[3, l]
        u = reset[l]
        i *= decay(span, tau_s[l, 0])
        j *= decay(span, tau_s[l, 1])
    if tau_s[l, 0] == tau_s[l, 1]:
        s = crossing(u, i + j, gap[l], tau_m[l], tau_s[l, 0], limit - begin)
    else:
        s = crossing_two(u, i, j, gap[l], tau_m[l], tau_s[l, 0], tau_s[l, 1], limit - begin)
    return begin + s if s >= 0.0 else NEVER


@kernel
def fire(
    l: int, k: int, moment: float, state: Floats, last: Integers, tau_ref: Floats, reset: Floats,
    times: Floats, neurons: Integers, currents: Floats, release: Floats,
) -> None:
    """Record spike k of neuron l, whose state has been carried to that moment, and reset it.

    Parameters
    ----------
    l, k : int
    moment : float
        In ms.
    state, last, tau_ref, reset : ndarray
        See ``advance``; state and last are changed.
    times, neurons, currents, release : ndarray
        Results, per spike; ``release`` is NaN until the release.
    """
    times[k] = moment
    neurons[k] = l
    currents[k] = state[1, l] + state[2, l]
    state[0, l] = reset[l]
    state[4, l] = moment + tau_ref[l]
    if tau_ref[l] > 0.0:
        release[k] = float("nan")
        last[l] = k
    else:
        release[k] = currents[k]
        last[l] = -1
