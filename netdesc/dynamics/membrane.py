"""The linear membrane with one or two exponential currents, as the kernels see it: LIF, LI and IF_curr_exp.

State: voltage above rest u, and two currents. Adjoint: lam_v and one lam_i per current, scaled as in
`netdesc.dynamics.lif`; lam_v is 0 while the membrane is held.
"""

from __future__ import annotations

from typing import NamedTuple

from netdesc.dynamics import lif, lif_adjoint, two_currents
from netdesc.dynamics.lif import decay
from netdesc.dynamics.protocol import State, register
from netdesc.events import Floats

RESIDUALS = ("current", "release_current")
"""Total synaptic current at a spike and at the end of its refractory period."""


class Membrane(NamedTuple):
    """Parameters of linear membranes.

    Parameters
    ----------
    tau_m, tau_ref : ndarray of float64, shape (n,)
        In ms.
    tau_s : ndarray of float64, shape (n, 2)
        In ms; the second column repeats the first where a neuron has one current.
    gap, reset, start : ndarray of float64, shape (n,)
        Threshold, reset and initial voltage minus the resting voltage.
    current : ndarray of float64, shape (n, 2)
        Initial synaptic currents.
    """

    tau_m: Floats
    tau_ref: Floats
    tau_s: Floats
    gap: Floats
    reset: Floats
    start: Floats
    current: Floats


def begin(cells: Membrane, cell: int) -> State:
    return cells.start[cell], cells.current[cell, 0], cells.current[cell, 1]


def refractory(cells: Membrane, cell: int) -> float:
    return float(cells.tau_ref[cell])


def horizon(cells: Membrane) -> float:
    return float("inf")


def above(x: State, cells: Membrane, cell: int) -> bool:
    return bool(x[0] >= cells.gap[cell])


def flow(x: State, cells: Membrane, cell: int, s: float) -> State:
    tau_m, tau_i, tau_j = cells.tau_m[cell], cells.tau_s[cell, 0], cells.tau_s[cell, 1]
    if tau_i == tau_j and x[2] == 0.0:
        u, i = lif.flow(x[0], x[1], s, tau_m, tau_i)
        return u, i, x[2]
    return two_currents.flow_two(x[0], x[1], x[2], s, tau_m, tau_i, tau_j)


def held(x: State, cells: Membrane, cell: int, s: float) -> State:
    return x[0], x[1] * decay(s, cells.tau_s[cell, 0]), x[2] * decay(s, cells.tau_s[cell, 1])


def arrive(x: State, cells: Membrane, cell: int, receptor: int, weight: float) -> State:
    if receptor == 0:
        return x[0], x[1] + weight, x[2]
    return x[0], x[1], x[2] + weight


def crossing(x: State, cells: Membrane, cell: int, s: float) -> float:
    gap, tau_m, tau_i, tau_j = cells.gap[cell], cells.tau_m[cell], cells.tau_s[cell, 0], cells.tau_s[cell, 1]
    if tau_i == tau_j:
        return lif.crossing(x[0], x[1] + x[2], gap, tau_m, tau_i, s)
    return two_currents.crossing_two(x[0], x[1], x[2], gap, tau_m, tau_i, tau_j, s)


def quiet(x: State, cells: Membrane, cell: int, s: float) -> float:
    tau_m, tau_i, tau_j = cells.tau_m[cell], cells.tau_s[cell, 0], cells.tau_s[cell, 1]
    return two_currents.quiet(x[0], x[1], x[2], cells.gap[cell], tau_m, tau_i, tau_j)


def spike(x: State, cells: Membrane, cell: int) -> State:
    return cells.reset[cell], x[1], x[2]


def keep_spike(x: State, kept: Floats, k: int, cells: Membrane, cell: int) -> None:
    kept[0, k] = x[1] + x[2]


def keep_release(x: State, kept: Floats, k: int, cells: Membrane, cell: int) -> None:
    kept[1, k] = x[1] + x[2]


def voltage(x: State, cells: Membrane, cell: int) -> float:
    return x[0]


def current(x: State, cells: Membrane, cell: int) -> float:
    return x[1] + x[2]


def subtract(x: State, cells: Membrane, cell: int, drop: float) -> State:
    return x[0] - drop, x[1], x[2]


def needs_states(cells: Membrane) -> bool:
    return False


def recall(kept: Floats, k: int, cells: Membrane, cell: int) -> State:
    return cells.gap[cell], kept[0, k], 0.0


def flow_adjoint(lam: State, x: State, cells: Membrane, cell: int, s: float) -> State:
    tau_m, tau_i, tau_j = cells.tau_m[cell], cells.tau_s[cell, 0], cells.tau_s[cell, 1]
    return lif_adjoint.adjoint_flow((lam[0], lam[1], lam[2]), s, tau_m, tau_i, tau_j)


def arrive_adjoint(
    lam: State, x: State, cells: Membrane, cell: int, receptor: int, weight: float, within: bool
) -> tuple[State, float, float]:
    lam_i = lam[1] if receptor == 0 else lam[2]
    force = lif_adjoint.arrival_force(weight, lam[0], lam_i)
    return lam, force, lif_adjoint.weight_force(lam_i, cells.tau_s[cell, receptor])


def release_adjoint(lam: State, kept: Floats, k: int, cells: Membrane, cell: int) -> tuple[State, float]:
    return (0.0, lam[1], lam[2]), lif_adjoint.slope_after(kept[1, k], cells.reset[cell]) * lam[0]


def spike_adjoint(
    lam: State, kept: Floats, k: int, cells: Membrane, cell: int, force: float, floor: float
) -> tuple[State, float, bool]:
    least = floor * (cells.gap[cell] - cells.reset[cell])
    lam_v, raised = lif_adjoint.spike_jump(
        force, lif_adjoint.slope_before(kept[0, k], cells.gap[cell]), least
    )
    return (lam_v, lam[1], lam[2]), force, raised


def forget(lam: State, cells: Membrane, cell: int) -> State:
    return 0.0, lam[1], lam[2]


def slope(kept: Floats, k: int, cells: Membrane, cell: int, floor: float) -> float:
    least = floor * (cells.gap[cell] - cells.reset[cell])
    return lif_adjoint.bounded_slope(lif_adjoint.slope_before(kept[0, k], cells.gap[cell]), least)


release = spike
held_adjoint = flow_adjoint
register(Membrane, globals(), 3, RESIDUALS)
