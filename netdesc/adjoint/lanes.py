"""The adjoints of a layer's neurons in one sample, computed side by side or one by one."""

from __future__ import annotations

from typing import Any, NamedTuple

from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.cells import UniformLayer
from netdesc.adjoint.derivatives import Derivatives
from netdesc.adjoint.neuron import OwnEvents
from netdesc.adjoint.pieces import Pieces
from netdesc.adjoint.segments import Segments
from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif_adjoint import (
    adjoint_state_after,
    arrival_force,
    slope_after,
    slope_before,
    spike_jump,
    weight_force,
)
from netdesc.events import Floats


class Levels(NamedTuple):
    """Voltages above rest that a spike depends on.

    Parameters
    ----------
    gap, reset : float
        Threshold and reset.
    floor : float
        Smallest slope at the threshold that a spike jump divides by.
    """

    gap: float
    reset: float
    floor: float


@inlined
def undo_spike(
    q: int, lam_v: float, lam_i: float, pieces: Pieces, spikes: OwnEvents, levels: Levels
) -> tuple[float, float, bool]:
    """Compute the adjoint of a neuron just before a spike, whose dL/dt becomes the total.

    Parameters
    ----------
    q : int
        The spike, counted from the first of the sample.
    lam_v, lam_i : float
        Adjoint at the end of the piece after the spike.
    pieces : Pieces
    spikes : OwnEvents
    levels : Levels

    Returns
    -------
    tuple of (float, float, bool)
        lam_v and lam_i, and whether the slope was raised to the floor.
    """
    k = pieces.first + q
    by = pieces.by_later
    lam_v, lam_i = adjoint_state_after(lam_v, lam_i, by[0, q], by[1, q], by[2, q])
    force = spikes.force[k] + slope_after(spikes.kept[0, k], levels.reset) * lam_v
    spikes.force[k] = force
    lam_v, raised = spike_jump(force, slope_before(spikes.kept[0, k], levels.gap), levels.floor)
    return lam_v, lam_i, raised


@inlined
def undo_segment(
    low: int, high: int, pieces: Pieces, spikes: OwnEvents, levels: Levels, lam: Floats, following: Floats
) -> int:
    """Compute the adjoints of the neurons that spike within a segment at its start.

    Parameters
    ----------
    low, high : int
        Spikes ``low`` to ``high - 1`` lie in the segment, counted from the first of the sample.
    pieces : Pieces
    spikes : OwnEvents
    levels : Levels
    lam : ndarray of float64, shape (2, n)
        lam_v and lam_i at the end of the segment; overwritten for the neurons that spike.
    following : ndarray of float64, shape (2, n)
        Results: the same at its start, for the neurons that spike.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    by = pieces.by_earlier
    grazing = 0
    for q in range(high - 1, low - 1, -1):
        cell = spikes.neurons[pieces.first + q]
        lam_v, lam_i, raised = undo_spike(q, lam[0, cell], lam[1, cell], pieces, spikes, levels)
        lam[0, cell], lam[1, cell] = lam_v, lam_i
        grazing += 1 if raised else 0
        if pieces.earlier[q] >= 0.0:
            following[0, cell], following[1, cell] = adjoint_state_after(
                lam_v, lam_i, by[0, q], by[1, q], by[2, q]
            )
    return grazing


@inlined
def sum_forces(weight: Floats, lam: Floats) -> float:
    """Return the sum of ``w (lam_v - lam_i)`` over all neurons, in four interleaved parts."""
    n = len(weight)
    sum_0 = 0.0
    sum_1 = 0.0
    sum_2 = 0.0
    sum_3 = 0.0
    m = n - n % 4
    for cell in range(0, m, 4):
        sum_0 += arrival_force(weight[cell], lam[0, cell], lam[1, cell])
        sum_1 += arrival_force(weight[cell + 1], lam[0, cell + 1], lam[1, cell + 1])
        sum_2 += arrival_force(weight[cell + 2], lam[0, cell + 2], lam[1, cell + 2])
        sum_3 += arrival_force(weight[cell + 3], lam[0, cell + 3], lam[1, cell + 3])
    for cell in range(m, n):
        sum_0 += arrival_force(weight[cell], lam[0, cell], lam[1, cell])
    return (sum_0 + sum_1) + (sum_2 + sum_3)


@inlined
def find_previous(cell: int, q: int, pieces: Pieces, spikes: OwnEvents) -> int:
    """Return the last spike of a neuron up to spike q of the sample; -1 for none."""
    while q >= 0 and spikes.neurons[pieces.first + q] != cell:
        q -= 1
    return q


@inlined
def sweep_cell_back(
    cell: int, segments: Segments, pieces: Pieces, incoming: Incoming, layer: UniformLayer, spikes: OwnEvents,
    gains: Derivatives, levels: Levels,
) -> int:  # fmt: skip
    """Compute the adjoint of one neuron of a sample, from the end to the start.

    Parameters
    ----------
    cell : int
    segments : Segments
    pieces : Pieces
    incoming : Incoming
    layer : UniformLayer
    spikes : OwnEvents
    gains : Derivatives
        Results are added.
    levels : Levels

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    edges, by_segment, by_earlier = segments.edges, segments.factors, pieces.by_earlier
    lam_v = 0.0
    lam_i = 0.0
    grazing = 0
    q = find_previous(cell, pieces.size - 1, pieces, spikes)
    for j in range(segments.size - 1, -1, -1):
        latest = -1
        while q >= 0 and spikes.times[pieces.first + q] > edges[j]:
            lam_v, lam_i, raised = undo_spike(q, lam_v, lam_i, pieces, spikes, levels)
            grazing += 1 if raised else 0
            latest = q
            q = find_previous(cell, q - 1, pieces, spikes)
        if latest >= 0:
            lam_v, lam_i = adjoint_state_after(
                lam_v, lam_i, by_earlier[0, latest], by_earlier[1, latest], by_earlier[2, latest]
            )
        else:
            lam_v, lam_i = adjoint_state_after(
                lam_v, lam_i, by_segment[0, j], by_segment[1, j], by_segment[2, j]
            )
        if j > 0:
            e = segments.first + j - 1
            row = incoming.slots[e]
            gains.arrival[e] += arrival_force(layer.weights[row, cell], lam_v, lam_i)
            gains.weight[row, cell] += weight_force(lam_i, layer.constants.tau_s)
    return grazing


@inlined
def sweep_row_back(
    segments: Segments, pieces: Pieces, incoming: Incoming, layer: UniformLayer, spikes: OwnEvents,
    gains: Derivatives, levels: Levels, work: Any,
) -> int:  # fmt: skip
    """Compute the adjoints of all neurons of a sample side by side, from the end to the start.

    Parameters are those of ``sweep_cell_back``, and ``work``, a ``netdesc.adjoint.layer.Work``.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    tau_s, weights, gradient, by = layer.constants.tau_s, layer.weights, gains.weight, segments.factors
    n = weights.shape[1]
    lam, following, origins = work.lam[0], work.lam[1], work.origins
    lam[:] = 0.0
    grazing = 0
    high = pieces.size
    for j in range(segments.size - 1, -1, -1):
        a, d, gain = by[0, j], by[1, j], by[2, j]
        for cell in range(n):
            lam_v, lam_i = adjoint_state_after(lam[0, cell], lam[1, cell], a, d, gain)
            following[0, cell] = lam_v
            following[1, cell] = lam_i
        low = high
        while low > 0 and spikes.times[pieces.first + low - 1] > segments.edges[j]:
            low -= 1
        if low < high:
            grazing += undo_segment(low, high, pieces, spikes, levels, lam, following)
            high = low
        lam, following = following, lam
        if j > 0:
            e = segments.first + j - 1
            row = incoming.slots[e]
            force = sum_forces(weights[row], lam)
            gains.arrival[e] = force
            if len(origins) > 0 and origins[e] >= 0:
                spikes.force[origins[e]] += force
            for cell in range(n):
                gradient[row, cell] += weight_force(lam[1, cell], tau_s)
    return grazing
