"""The neuron circuit of the chip, as kernels see it.

State: voltage above rest, excitatory and inhibitory current, and threshold above rest, which noise changes
from spike to spike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from netdesc.dynamics.elementary import fused
from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.lif import decay, gain_over
from netdesc.dynamics.protocol import NEVER, State, register
from netdesc.dynamics.two_currents import propagate
from netdesc.events import Floats
from netdesc_brainscales2.analog.crossing import TOUCH, first_crossing
from netdesc_brainscales2.analog.inputs import add_charge
from netdesc_brainscales2.analog.propagator import decay_by, propagator

WIDTH = 4
"""Numbers in a state."""
SMALLEST = 1e-300


class Circuits(NamedTuple):
    """Parameters of circuits.

    Parameters
    ----------
    tau_m, tau_i, tau_j, tau_ref : ndarray of float64, shape (n,)
        In ms.
    rate_m, rate_i, rate_j, bend_i, bend_j, far_i, far_j : ndarray of float64, shape (n,)
        What depends on these alone: see ``propagator.charge_by``.
    gap, reset, low, high : ndarray of float64, shape (n,)
        Threshold, reset and rails above rest.
    highest : ndarray of float64, shape (n,)
        Largest gain of the excitatory current.
    rows : ndarray of float64, shape (16, n)
        All of the above, in this order.
    peak : ndarray of float64, shape (n,)
        Time of the largest gain in ms.
    knee, room : ndarray of float64, shape (n,)
        Of the synaptic inputs, see ``saturation``.
    start : ndarray of float64, shape (n, 3)
        Initial voltage above rest, and currents.
    """

    tau_m: Floats
    tau_i: Floats
    tau_j: Floats
    tau_ref: Floats
    rate_m: Floats
    rate_i: Floats
    rate_j: Floats
    bend_i: Floats
    bend_j: Floats
    far_i: Floats
    far_j: Floats
    gap: Floats
    reset: Floats
    low: Floats
    high: Floats
    highest: Floats
    rows: Floats
    peak: Floats
    knee: Floats
    room: Floats
    start: Floats


ROWS = Circuits._fields.index("rows")


@kernel
def largest_gain(peak: Floats, tau_m: Floats, tau_s: Floats) -> Floats:
    """Return the gain at its peak."""
    found = np.empty(len(peak))
    for k in range(len(peak)):
        a, b = decay(peak[k], tau_m[k]), decay(peak[k], tau_s[k])
        found[k] = gain_over(peak[k], a, b, tau_m[k], tau_s[k])
    return found


def make_circuits(
    tau_m: Floats,
    tau_s: Floats,
    *,
    tau_ref: Floats,
    levels: tuple[Floats, Floats],
    start: Floats,
    rails: tuple[ArrayLike, ArrayLike] = (-np.inf, np.inf),
    saturation: tuple[ArrayLike, ArrayLike] = (np.inf, 1.0),
) -> Circuits:
    """Return circuits with all that depends on their parameters alone.

    Parameters
    ----------
    tau_m, tau_ref : ndarray of float64, shape (n,)
        In ms.
    tau_s : ndarray of float64, shape (n, 2)
        In ms.
    levels : tuple of ndarray of float64, shape (n,)
        Threshold and reset above rest.
    start : ndarray of float64, shape (n, 3)
        Initial voltage above rest, and currents.
    rails : tuple of float or ndarray
        Lowest and highest voltage above rest.
    saturation : tuple of float or ndarray
        Knee and room of the synaptic inputs.
    """
    tau_i, tau_j = tau_s.T
    with np.errstate(divide="ignore", invalid="ignore"):
        peak = np.where(tau_m == tau_i, tau_i, np.log(tau_m / tau_i) * tau_m * tau_i / (tau_m - tau_i))
        far = [tau / (tau_m - tau) for tau in (tau_i, tau_j)]
    highest = largest_gain(peak, tau_m, tau_i)
    values = [tau_m, tau_i, tau_j, tau_ref, *(1.0 / tau for tau in (tau_m, tau_i, tau_j))]
    values += [(tau_m - tau) / (tau_m * tau) for tau in (tau_i, tau_j)]
    values += [*far, *levels, *rails, highest, *saturation]
    rows = np.empty((len(values), len(tau_m)))
    for row, item in zip(rows, values, strict=True):
        row[:] = item
    *rows_of_spikes, knee, room = rows
    return Circuits._make([*rows_of_spikes, rows[:-2], peak, knee, room, start])


def tile(cells: Circuits, times: int) -> Circuits:
    """Return circuits that are repeated one after the other."""
    rows = np.tile(cells.rows, times)
    last = [np.tile(item, times) for item in (cells.peak, cells.knee, cells.room)]
    return Circuits._make([*rows, rows, *last, np.tile(cells.start, (times, 1))])


def begin(cells: Circuits, cell: int) -> State:
    return cells.start[cell, 0], cells.start[cell, 1], cells.start[cell, 2], cells.gap[cell]


def refractory(cells: Circuits, cell: int) -> float:
    return float(cells.tau_ref[cell])


def horizon(cells: Circuits) -> float:
    return float("inf")


def above(x: State, cells: Circuits, cell: int) -> bool:
    return bool(x[0] >= x[3])


def flow(x: State, cells: Circuits, cell: int, s: float) -> State:
    a, b, c, gain_i, gain_j = propagator(s, cells, cell)
    return propagate(x[0], x[1], x[2], a, gain_i, gain_j), x[1] * b, x[2] * c, x[3]


def held(x: State, cells: Circuits, cell: int, s: float) -> State:
    b = decay_by(s, cells.tau_i[cell], cells.rate_i[cell])
    c = decay_by(s, cells.tau_j[cell], cells.rate_j[cell])
    return cells.reset[cell], x[1] * b, x[2] * c, x[3]


def arrive(x: State, cells: Circuits, cell: int, receptor: int, weight: float) -> State:
    knee, room = cells.knee[cell], cells.room[cell]
    if receptor == 0:
        full = x[1] + weight > knee
        return x[0], add_charge(x[1], weight, knee, room) if full else x[1] + weight, x[2], x[3]
    full = -(x[2] + weight) > knee
    return x[0], x[1], -add_charge(-x[2], -weight, knee, room) if full else x[2] + weight, x[3]


@inlined
def arrive_late(
    x: State, cells: Circuits, cell: int, receptor: int, weight: float, late: float, within: bool
) -> State:
    """Return the state after an arrival that was ``late`` ms ago; ``within`` a refractory period or not.

    Currents superpose; none of them saturates.
    """
    _, b, c, gain_i, gain_j = propagator(late, cells, cell)
    lift = 0.0 if within else weight * (gain_i if receptor == 0 else gain_j)
    if receptor == 0:
        return x[0] + lift, x[1] + weight * b, x[2], x[3]
    return x[0] + lift, x[1], x[2] + weight * c, x[3]


def crossing(x: State, cells: Circuits, cell: int, s: float) -> float:
    if x[3] == np.inf:
        return NEVER
    tau_m, tau_i, tau_j = cells.tau_m[cell], cells.tau_i[cell], cells.tau_j[cell]
    return first_crossing(x[0], x[1], x[2], x[3], tau_m, tau_i, tau_j, s)


def spike(x: State, cells: Circuits, cell: int) -> State:
    return cells.reset[cell], x[1], x[2], x[3]


def voltage(x: State, cells: Circuits, cell: int) -> float:
    return x[0]


@inlined
def may_spike(x: State, cells: Circuits, cell: int) -> bool:
    """Return whether a spike is possible if nothing arrives."""
    u = max(x[0], 0.0)
    reach = max(fused(x[1], cells.highest[cell], u), u)
    return x[1] > x[3] and fused(-TOUCH, abs(x[3]), x[3]) <= reach


@inlined
def clip(x: State, cells: Circuits, cell: int) -> tuple[State, int]:
    """Return the state within the rails, and 1 where it was outside."""
    low, high = cells.low[cell], cells.high[cell]
    u = min(max(x[0], low), high)
    return (u, x[1], x[2], x[3]), 1 if (x[0] < low) | (x[0] > high) else 0


@inlined
def shift_threshold(x: State, cells: Circuits, cell: int, deviation: float) -> State:
    """Return the state with another threshold; the deviation is relative to threshold - rest."""
    return x[0], x[1], x[2], cells.gap[cell] * (1.0 + deviation)


@inlined
def spike_possible(
    x: State, u_end: float, decays: tuple[float, float, float], gains: tuple[float, float, float]
) -> bool:
    """Return whether a spike within an interval cannot be excluded.

    The inhibitory current is replaced by the share of the excitatory one that it takes away at least.
    Where the current stays above the threshold all along, v can only pass upward, so its end decides.

    Parameters
    ----------
    x : tuple of float
        State at the start; its excitatory current is not negative, its inhibitory one not positive.
    u_end : float
        Voltage at the end.
    decays : tuple of float
        Of membrane and both currents over the interval.
    gains : tuple of float
        Gains of both currents, and the largest gain of the first within the interval.
    """
    u, i, j, threshold = x
    a, b, c = decays
    gain_i, gain_j, most = gains
    share = min(1.0, c / max(b, SMALLEST))
    drive = fused(j, share, i)
    part = min(1.0, gain_j / max(gain_i, SMALLEST))
    push = max(fused(j, part, i), 0.0)
    left = u * a
    bound = fused(push, most, u if u > left else left)
    lowest = fused(i, b, j)
    near = fused(-TOUCH, abs(threshold), threshold)
    passes = (drive > threshold) & (bound >= near) & (lowest <= threshold)
    return bool((u_end >= threshold) | passes)


@inlined
def step(x: State, cells: Circuits, cell: int, s: float) -> tuple[State, float]:
    """Return the state after s ms without a spike, and 0.0 where no spike and no rail can have been met."""
    a, b, c, gain_i, gain_j = propagator(s, cells, cell)
    u = propagate(x[0], x[1], x[2], a, gain_i, gain_j)
    most = gain_i if s < cells.peak[cell] else cells.highest[cell]
    doubtful = spike_possible(x, u, (a, b, c), (gain_i, gain_j, most))
    doubtful = doubtful | (u < cells.low[cell]) | (u > cells.high[cell])
    return (u, x[1] * b, x[2] * c, x[3]), 1.0 if doubtful else 0.0


release = spike
register(Circuits, globals(), WIDTH)
