"""One neuron within one tick of the scheme ``off_grid``: spikes and arrivals at fractions of it.

Everything is computed in double precision from the state at one end of the tick, and rounded by the caller
where it is stored. Times are fractions of the tick; those of spikes are multiples of ``1 / RESOLUTION``.
"""

from __future__ import annotations

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif import crossing, decay
from netdesc.dynamics.lif_adjoint import (
    adjoint_flow,
    arrival_force,
    slope_after,
    slope_before,
    spike_jump,
    weight_force,
)
from netdesc.dynamics.tick import RESOLUTION
from netdesc.dynamics.two_currents import crossing_two, flow_two
from netdesc.events import Floats
from netdesc.ticks.records import Workspace

FREE = -1.0
"""In place of a release: the membrane is not held."""
LATER = 2.0
"""In place of a release: the membrane is held to the end of the tick."""
STEP = 1.0 / RESOLUTION
Cell = tuple[float, float, float, float, float]
"""tau_m and tau_s of both currents in ms, gap, reset."""
START, ARRIVAL, SPIKE, RELEASE = range(4)
"""What comes next in a tick that is gone through backward."""


@inlined
def spike_fraction(at: float, fraction: float, moved: bool) -> float:
    """Return where a spike was in the resolution of a packet: rounded, after what the neuron has seen.

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


@inlined
def next_crossing(u: float, i: float, j: float, cell: Cell, span: float) -> float:
    """Return the first time in [0, span] at which u reaches the gap, in ms; negative for none."""
    tau_m, tau_i, tau_j, gap, _ = cell
    if tau_i == tau_j:
        return crossing(u, i + j, gap, tau_m, tau_i, span)
    return crossing_two(u, i, j, gap, tau_m, tau_i, tau_j, span)


@inlined
def cross_tick(
    state: tuple[float, float, float],
    release: float,
    count: int,
    timestep: float,
    cell: Cell,
    refractory: bool,
    workspace: Workspace,
    end: Floats,
) -> int:
    """Advance a neuron through a tick, from arrival to arrival.

    Parameters
    ----------
    state : tuple of float
        Voltage above rest and currents at the start.
    release : float
        Where the membrane is released; ``FREE`` if it is not held, ``LATER`` if it stays held.
    count : int
        Arrivals in ``workspace``, in order of time.
    timestep : float
        In ms.
    cell : tuple of float
    refractory : bool
        Whether a spike holds the membrane; to the end of the tick, then.
    workspace : Workspace
        Results: ``at`` and ``current`` of each spike, as many as there is room for.
    end : ndarray of float64, shape (4,)
        Results: voltage and currents at the end, total current at the release.

    Returns
    -------
    int
        Number of spikes, -1 if they do not fit.
    """
    u, i, j = state
    tau_m, tau_i, tau_j, _, reset = cell
    at = 0.0
    k = hits = 0
    moved = False
    while True:
        target = workspace.when[k] if k < count else 1.0
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
            s = next_crossing(u, i, j, cell, span)
            if s >= 0.0:
                if hits == len(workspace.at):
                    return -1
                fraction = spike_fraction(at, at + s / timestep, moved)
                i *= decay((fraction - at) * timestep, tau_i)
                j *= decay((fraction - at) * timestep, tau_j)
                workspace.at[hits], workspace.current[hits] = fraction, i + j
                hits += 1
                u, at, moved = reset, fraction, True
                release = LATER if refractory else FREE
                continue
            u, i, j = flow_two(u, i, j, span, tau_m, tau_i, tau_j)
            at = target
        if k == count:
            break
        i += workspace.weight[k] if workspace.receptor[k] == 0 else 0.0
        j += workspace.weight[k] if workspace.receptor[k] == 1 else 0.0
        moved = True
        k += 1
    end[0], end[1], end[2] = u, i, j
    return hits


@inlined
def event_before(k: int, h: int, release: float, workspace: Workspace) -> tuple[int, float]:
    """Return what comes next backward, and when; at one time arrivals, then spikes, then the release."""
    kind, target = START, 0.0
    if release >= 0.0 and release < LATER:
        kind, target = RELEASE, release
    if h >= 0 and workspace.at[h] >= target:
        kind, target = SPIKE, workspace.at[h]
    if k >= 0 and workspace.when[k] >= target:
        kind, target = ARRIVAL, workspace.when[k]
    return kind, target


@inlined
def cross_tick_back(
    released: tuple[float, float],
    counts: tuple[int, int],
    timestep: float,
    cell: Cell,
    refractory: bool,
    floor: float,
    workspace: Workspace,
    state: Floats,
) -> int:
    """Take the adjoint of a neuron back through a tick.

    Parameters
    ----------
    released : tuple of float
        Where the membrane is released from a spike of an earlier tick, and the current there; ``FREE`` if it
        is not in this tick.
    counts : tuple of int
        Arrivals and spikes in ``workspace``.
    timestep, cell, refractory
        As in ``cross_tick``.
    floor : float
        Smallest slope to divide by.
    workspace : Workspace
        ``force`` in: dL/dt of each spike through all but the neuron, in 1/ms. Out: the total. Results:
        ``gradient`` and ``weight_gradient`` of each arrival.
    state : ndarray of float64, shape (4,)
        lam_v, lam_i, lam_j and what is kept through the refractory period. In: at the end of the tick. Out:
        at its start.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    release = released[0]
    tau_m, tau_i, tau_j, gap, reset = cell
    at, grazing = 1.0, 0
    k, h = counts[0] - 1, counts[1] - 1
    while True:
        kind, target = event_before(k, h, release, workspace)
        lam = state[0], state[1], state[2]
        state[0], state[1], state[2] = adjoint_flow(lam, (at - target) * timestep, tau_m, tau_i, tau_j)
        at = target
        if kind == START:
            return grazing
        if kind == ARRIVAL:
            r = workspace.receptor[k]
            workspace.gradient[k] = arrival_force(workspace.weight[k], state[0], state[1 + r])
            workspace.weight_gradient[k] = weight_force(state[1 + r], tau_i if r == 0 else tau_j)
            k -= 1
        elif kind == SPIKE:
            if not refractory:
                state[3] = slope_after(workspace.current[h], reset) * state[0]
            slope = slope_before(workspace.current[h], gap)
            workspace.force[h] += state[3]
            state[0], raised = spike_jump(workspace.force[h], slope, floor)
            grazing += 1 if raised else 0
            state[3] = 0.0
            h -= 1
        else:
            state[3] = slope_after(released[1], reset) * state[0]
            state[0] = 0.0
            release = FREE
