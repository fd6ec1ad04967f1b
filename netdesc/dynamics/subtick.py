"""One neuron within one tick of the scheme ``off_grid``: spikes and arrivals at fractions of it.

Everything is computed in double precision from the state at one end of the tick, and rounded by the caller
where it is stored. Times are fractions of the tick; those of spikes are multiples of ``1 / RESOLUTION``.
"""

from __future__ import annotations

from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.lif import (
    adjoint_charge,
    arrival_force,
    bounded_slope,
    charge,
    crossing,
    decay,
    slope_after,
    slope_before,
    weight_force,
)
from netdesc.dynamics.tick import RESOLUTION, jump_before
from netdesc.dynamics.two_currents import crossing_two, flow_two
from netdesc.events import Floats, Integers

FREE = -1.0
"""In place of a release: the membrane is not held."""
LATER = 2.0
"""In place of a release: the membrane is held to the end of the tick."""
STEP = 1.0 / RESOLUTION
Cell = tuple[float, float, float, float, float]
"""tau_m and tau_s of both currents in ms, gap, reset."""


@inlined
def spike_fraction(at: float, fraction: float, moved: bool) -> float:
    """Return where a packet says that the spike was: rounded, after what the neuron has seen.

    Parameters
    ----------
    at : float
        The latest event of the neuron.
    fraction : float
        Solution of the crossing.
    moved : bool
        Whether there was such an event in this tick.
    """
    rounded = int(fraction * RESOLUTION + 0.5) * STEP
    earliest = at + STEP if moved else at
    return min(max(rounded, earliest), 1.0 - STEP)


@kernel
def cross_tick(
    u: float,
    i: float,
    j: float,
    release: float,
    count: int,
    when: Floats,
    weight: Floats,
    receptor: Integers,
    timestep: float,
    cell: Cell,
    refractory: bool,
    at_spike: Floats,
    current: Floats,
    end: Floats,
) -> int:
    """Carry a neuron through a tick, from arrival to arrival.

    Parameters
    ----------
    u, i, j : float
        State at the start: voltage above rest, currents.
    release : float
        Where the membrane is released; ``FREE`` if it is not held, ``LATER`` if it stays held.
    count : int
        Arrivals; the arrays may be longer.
    when, weight, receptor : ndarray, shape (count,)
        Arrivals in order of time.
    timestep : float
        In ms.
    cell : tuple of float
    refractory : bool
        Whether a spike holds the membrane; to the end of the tick, then.
    at_spike, current : ndarray
        Results: fraction and total current of each spike, as many as there is room for.
    end : ndarray of float64, shape (4,)
        Results: u, i, j at the end, total current at the release.

    Returns
    -------
    int
        Number of spikes, -1 if they do not fit.
    """
    tau_m, tau_i, tau_j, gap, reset = cell
    at = 0.0
    k = 0
    hits = 0
    moved = False
    while True:
        target = when[k] if k < count else 1.0
        if release >= 0.0:
            stop = min(release, target)
            i *= decay((stop - at) * timestep, tau_i)
            j *= decay((stop - at) * timestep, tau_j)
            at = stop
            if release <= target:
                end[3] = i + j
                release = FREE
                continue
        else:
            span = (target - at) * timestep
            if tau_i == tau_j:
                s = crossing(u, i + j, gap, tau_m, tau_i, span)
            else:
                s = crossing_two(u, i, j, gap, tau_m, tau_i, tau_j, span)
            if s >= 0.0:
                if hits == len(at_spike):
                    return -1
                fraction = spike_fraction(at, at + s / timestep, moved)
                i *= decay((fraction - at) * timestep, tau_i)
                j *= decay((fraction - at) * timestep, tau_j)
                at_spike[hits] = fraction
                current[hits] = i + j
                hits += 1
                u = reset
                at = fraction
                moved = True
                release = LATER if refractory else FREE
                continue
            u, i, j = flow_two(u, i, j, span, tau_m, tau_i, tau_j)
            at = target
        if k == count:
            break
        i += weight[k] if receptor[k] == 0 else 0.0
        j += weight[k] if receptor[k] == 1 else 0.0
        moved = True
        k += 1
    end[0] = u
    end[1] = i
    end[2] = j
    return hits


@kernel
def cross_tick_back(
    release: float,
    release_current: float,
    count: int,
    when: Floats,
    weight: Floats,
    receptor: Integers,
    hits: int,
    at_spike: Floats,
    current: Floats,
    timestep: float,
    cell: Cell,
    refractory: bool,
    floor: float,
    force: Floats,
    state: Floats,
    pulls: Floats,
    gains: Floats,
) -> int:
    """Carry the adjoint of a neuron back through a tick.

    At one time arrivals are undone first, then spikes, then the release.

    Parameters
    ----------
    release, release_current : float
        As in ``cross_tick``, of a spike of an earlier tick; ``FREE`` if there is none in this tick.
    count, when, weight, receptor, timestep, cell, refractory
        As in ``cross_tick``.
    hits : int
        Spikes in this tick.
    at_spike, current : ndarray, shape (hits,)
        Their fractions and currents.
    floor : float
        Smallest slope to divide by.
    force : ndarray, shape (hits,)
        In: dL/dt of each spike through all but the neuron, in 1/ms. Out: the total.
    state : ndarray of float64, shape (4,)
        lam_v, lam_i, lam_j and the carry of the refractory period. In: at the end of the tick. Out: at
        its start.
    pulls, gains : ndarray, shape (count,)
        Results: dL/d(arrival time) in 1/ms, and dL/dw, of each arrival.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    tau_m, tau_i, tau_j, gap, reset = cell
    at = 1.0
    k = count - 1
    h = hits - 1
    grazing = 0
    while True:
        target = 0.0
        kind = 0
        if release >= 0.0 and release < LATER:
            target = release
            kind = 3
        if h >= 0 and at_spike[h] >= target:
            target = at_spike[h]
            kind = 2
        if k >= 0 and when[k] >= target:
            target = when[k]
            kind = 1
        s = (at - target) * timestep
        a = decay(s, tau_m)
        b = decay(s, tau_i)
        c = decay(s, tau_j)
        lam_v = state[0]
        state[1] = state[1] * b + lam_v * adjoint_charge(charge(s, a, b, tau_m, tau_i), tau_m, tau_i)
        state[2] = state[2] * c + lam_v * adjoint_charge(charge(s, a, c, tau_m, tau_j), tau_m, tau_j)
        state[0] = lam_v * a
        at = target
        if kind == 0:
            return grazing
        if kind == 1:
            lam = state[1 + receptor[k]]
            pulls[k] = arrival_force(weight[k], state[0], lam)
            gains[k] = weight_force(lam, tau_i if receptor[k] == 0 else tau_j)
            k -= 1
        elif kind == 2:
            if not refractory:
                state[3] = slope_after(current[h], reset) * state[0]
            slope = slope_before(current[h], gap)
            raised = bounded_slope(slope, floor)
            grazing += 1 if raised > slope else 0
            state[0] = jump_before(state[3], force[h], raised)
            force[h] += state[3]
            state[3] = 0.0
            h -= 1
        else:
            state[3] = slope_after(release_current, reset) * state[0]
            state[0] = 0.0
            release = FREE
