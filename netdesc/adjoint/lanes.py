"""The neurons of a layer carried backward through one sample, side by side or one by one."""

from __future__ import annotations

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif_adjoint import (
    adjoint_after,
    arrival_force,
    slope_after,
    slope_before,
    spike_jump,
    weight_force,
)
from netdesc.events import Floats, Integers


@kernel
def undo_segment(
    begin: int,
    low: int,
    high: int,
    neurons: Integers,
    currents: Floats,
    force: Floats,
    floor: float,
    gap: float,
    reset: float,
    lam: Floats,
    following: Floats,
    earlier: Floats,
    by_later: Floats,
    by_earlier: Floats,
) -> int:
    """Carry the neurons that spike within a segment back over it.

    Parameters
    ----------
    begin, low, high : int
        Spikes ``begin + low`` to ``begin + high - 1`` lie in the segment.
    neurons, currents, force, floor
        As in ``sweep_layer_back``.
    gap, reset : float
    lam : ndarray of float64, shape (2, n)
        lam_v and lam_i at the end of the segment; overwritten for the neurons that spike.
    following : ndarray of float64, shape (2, n)
        Results: the same at its start, for the neurons that spike.
    earlier : ndarray of float64
        From ``cut_spikes``.
    by_later, by_earlier : ndarray of float64, shape (3, capacity)
        From ``measure_pieces``.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    grazing = 0
    for q in range(high - 1, low - 1, -1):
        k = begin + q
        cell = neurons[k]
        lam[1, cell] = adjoint_after(lam[0, cell], lam[1, cell], by_later[1, q], by_later[2, q])
        force[k] += slope_after(currents[k], reset) * (lam[0, cell] * by_later[0, q])
        lam[0, cell], raised = spike_jump(force[k], slope_before(currents[k], gap), floor)
        grazing += 1 if raised else 0
        if earlier[q] >= 0.0:
            following[1, cell] = adjoint_after(lam[0, cell], lam[1, cell], by_earlier[1, q], by_earlier[2, q])
            following[0, cell] = lam[0, cell] * by_earlier[0, q]
    return grazing


@kernel
def pull_row(weight: Floats, lam: Floats) -> float:
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


@kernel
def carry_cell(
    cell: int, begin: int, segments: int, rows: Integers, weights: Floats, own: int, count: int,
    times: Floats, neurons: Integers, currents: Floats, force: Floats, floor: float,
    constants: tuple[float, float, float, float], edges: Floats,
    by_segment: Floats, by_later: Floats, by_earlier: Floats, arrival: Floats, gradient: Floats,
) -> int:  # fmt: skip
    """Carry one neuron of a sample back from the end to the start.

    Parameters
    ----------
    cell : int
    begin : int
        First arrival of the sample; segment j > 0 starts at arrival ``begin + j - 1``.
    segments : int
    own, count : int
        Spikes ``own`` to ``own + count - 1`` of all neurons.
    rows, weights, times, neurons, currents, force, floor, constants, arrival, gradient
        As in ``sweep_layer_back``; results are added to ``arrival``.
    edges, by_segment, by_later, by_earlier
        From ``cut_spikes`` and ``measure_pieces``.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    _, tau_s, gap, reset = constants
    lam_v = 0.0
    lam_i = 0.0
    grazing = 0
    q = count - 1
    while q >= 0 and neurons[own + q] != cell:
        q -= 1
    for j in range(segments - 1, -1, -1):
        latest = -1
        while q >= 0 and times[own + q] > edges[j]:
            k = own + q
            lam_i = adjoint_after(lam_v, lam_i, by_later[1, q], by_later[2, q])
            force[k] += slope_after(currents[k], reset) * (lam_v * by_later[0, q])
            lam_v, raised = spike_jump(force[k], slope_before(currents[k], gap), floor)
            grazing += 1 if raised else 0
            latest = q
            q -= 1
            while q >= 0 and neurons[own + q] != cell:
                q -= 1
        if latest >= 0:
            lam_i = adjoint_after(lam_v, lam_i, by_earlier[1, latest], by_earlier[2, latest])
            lam_v *= by_earlier[0, latest]
        else:
            lam_i = adjoint_after(lam_v, lam_i, by_segment[1, j], by_segment[2, j])
            lam_v *= by_segment[0, j]
        if j > 0:
            row = rows[begin + j - 1]
            arrival[begin + j - 1] += arrival_force(weights[row, cell], lam_v, lam_i)
            gradient[row, cell] += weight_force(lam_i, tau_s)
    return grazing


@kernel
def carry_row(
    begin: int, segments: int, rows: Integers, weights: Floats, own: int, count: int,
    times: Floats, neurons: Integers, currents: Floats, force: Floats, floor: float,
    constants: tuple[float, float, float, float], edges: Floats, earlier: Floats,
    by_segment: Floats, by_later: Floats, by_earlier: Floats, lam: Floats, following: Floats,
    arrival: Floats, gradient: Floats,
) -> int:  # fmt: skip
    """Carry all neurons of a sample back side by side, from the end to the start.

    Parameters are those of ``carry_cell``, and ``earlier`` from ``cut_spikes``; ``lam`` and ``following``,
    shape (2, n), are overwritten.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    _, tau_s, gap, reset = constants
    n = weights.shape[1]
    grazing = 0
    for cell in range(n):
        lam[0, cell] = 0.0
        lam[1, cell] = 0.0
    high = count
    for j in range(segments - 1, -1, -1):
        a, d, gain = by_segment[0, j], by_segment[1, j], by_segment[2, j]
        for cell in range(n):
            following[1, cell] = adjoint_after(lam[0, cell], lam[1, cell], d, gain)
            following[0, cell] = lam[0, cell] * a
        low = high
        while low > 0 and times[own + low - 1] > edges[j]:
            low -= 1
        if low < high:
            grazing += undo_segment(
                own, low, high, neurons, currents, force, floor, gap, reset, lam, following, earlier,
                by_later, by_earlier,
            )  # fmt: skip
            high = low
        lam, following = following, lam
        if j > 0:
            e = begin + j - 1
            arrival[e] = pull_row(weights[rows[e]], lam)
            for cell in range(n):
                gradient[rows[e], cell] += weight_force(lam[1, cell], tau_s)
    return grazing
