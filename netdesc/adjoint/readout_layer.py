"""Adjoint sweep of a uniform read-out, whose neurons all see one sequence of arrivals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.arrivals import Incoming, find_longest
from netdesc.adjoint.cells import Constants, UniformLayer
from netdesc.adjoint.derivatives import PartialSums, select_part
from netdesc.adjoint.drive import Drive
from netdesc.adjoint.segments import Segments, cut_at_arrivals, make_segments
from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.dynamics.lif_adjoint import adjoint_factors, adjoint_state_after, arrival_force, weight_force
from netdesc.dynamics.readout import share_after, weigh_arrivals
from netdesc.dynamics.views import row, unowned
from netdesc.events import Floats, Integers


class Peaks(NamedTuple):
    """Where the neurons of a read-out have their maxima in a sample.

    Parameters
    ----------
    place : ndarray of int64, shape (n,)
        Segment that ends with the maximum or holds it; -1 where the loss does not read it.
    share : ndarray of float64, shape (n,)
        Share of the jump that arrivals at the very time of the maximum meet, see ``share_after``; 0 where
        there is no such arrival.
    """

    place: Integers
    share: Floats


class Shares(NamedTuple):
    """What means add to the adjoints at every arrival of a sample, per unit of dL/dmean.

    Parameters
    ----------
    by_v, by_i : ndarray of float64, shape (means, arrivals)
        Of voltage and current; see ``weigh_arrivals``.
    """

    by_v: Floats
    by_i: Floats


class Adjoints(NamedTuple):
    """Adjoints of the neurons of a read-out.

    Parameters
    ----------
    lam_v, lam_i : ndarray of float64, shape (n,)
        By maxima, which the sweep integrates.
    total_v, total_i : ndarray of float64, shape (n,)
        With what means add at the present arrival.
    """

    lam_v: Floats
    lam_i: Floats
    total_v: Floats
    total_i: Floats


@inlined
def place_peaks(b: int, segments: Segments, drive: Drive, peaks: Peaks) -> tuple[bool, bool]:
    """Find the segment of every maximum; return whether there is one, and one at the time of an arrival."""
    peaked, kinks = False, False
    for cell in range(len(peaks.place)):
        peaks.place[cell] = -1
        peaks.share[cell] = 0.0
        if drive.peak_jump[b, cell] != 0.0:
            moment = drive.peak_time[b, cell]
            j = np.searchsorted(segments.edges[1 : segments.size], moment)
            peaks.place[cell] = j
            peaked = True
            kinks = kinks or (j < segments.size - 1 and segments.edges[j + 1] == moment)
    return peaked, kinks


@kernel
def find_peaks(
    b: int, segments: Segments, incoming: Incoming, layer: UniformLayer, drive: Drive, peaks: Peaks
) -> bool:
    """Find the segment of every neuron's maximum, and the share of arrivals at the very time of it.

    Parameters
    ----------
    b : int
        The sample.
    segments : Segments
    incoming : Incoming
    layer : UniformLayer
    drive : Drive
    peaks : Peaks
        Results.

    Returns
    -------
    bool
        Whether the loss reads any maximum.
    """
    peaked, kinks = place_peaks(b, segments, drive, peaks)
    if not kinks:
        return peaked
    place, edges, fade = peaks.place, segments.edges, segments.factors[1]
    n = len(place)
    i = layer.current.copy()
    before = np.zeros(n)
    for j in range(segments.size - 1):
        for cell in range(n):
            i[cell] *= fade[j]
        for cell in range(n):
            if place[cell] == j:
                before[cell] = i[cell]
        for cell in range(n):
            i[cell] += layer.weights[incoming.slots[segments.first + j], cell]
        for cell in range(n):
            if place[cell] >= 0 and drive.peak_time[b, cell] == edges[j + 1]:
                peaks.share[cell] = share_after(before[cell], i[cell], drive.peak_voltage[b, cell])
    return peaked


@shared
def cross_segment(
    b: int, j: int, segments: Segments, constants: Constants, drive: Drive, peaks: Peaks, lam: Adjoints
) -> None:
    """Compute the adjoints by maxima at the start of segment j, over the jumps within it.

    Parameters
    ----------
    b, j : int
        Sample and segment.
    segments : Segments
    constants : Constants
    drive : Drive
    peaks : Peaks
    lam : Adjoints
        ``lam_v`` and ``lam_i`` are overwritten.
    """
    segments, drive, peaks, lam = unowned(segments), unowned(drive), unowned(peaks), unowned(lam)
    lam_v, lam_i, place = lam.lam_v, lam.lam_i, peaks.place
    a, d, gain = segments.factors[0, j], segments.factors[1, j], segments.factors[2, j]
    n = len(lam_v)
    for cell in range(n):
        lam_v[cell], lam_i[cell] = adjoint_state_after(lam_v[cell], lam_i[cell], a, d, gain)
    for cell in range(n):
        if place[cell] == j:
            s = drive.peak_time[b, cell] - segments.edges[j]
            by_v, _, by_i = adjoint_factors(s, constants.tau_m, constants.tau_s)
            lam_v[cell] += drive.peak_jump[b, cell] * by_v
            lam_i[cell] += drive.peak_jump[b, cell] * by_i


@shared
def add_means(
    b: int, j: int, segments: Segments, constants: Constants, drive: Drive, peaks: Peaks, shares: Shares,
    lam: Adjoints,
) -> None:  # fmt: skip
    """Compute the adjoints that an arrival meets: by maxima, by those at its very time, and by means.

    Parameters
    ----------
    b, j : int
        The sample, and the segment that the arrival begins.
    segments : Segments
    constants : Constants
    drive : Drive
    peaks : Peaks
    shares : Shares
    lam : Adjoints
        Results: ``total_v`` and ``total_i``.
    """
    drive, peaks, shares, lam = unowned(drive), unowned(peaks), unowned(shares), unowned(lam)
    at = segments.edges[j]
    total_v, total_i = lam.total_v, lam.total_i
    n = len(total_v)
    for cell in range(n):
        total_v[cell] = lam.lam_v[cell]
        total_i[cell] = lam.lam_i[cell]
    for cell in range(n):
        if peaks.share[cell] > 0.0 and drive.peak_time[b, cell] == at:
            total_v[cell] += peaks.share[cell] * drive.peak_jump[b, cell]
    tau_m, tau_s = constants.tau_m, constants.tau_s
    for q in range(len(drive.rates)):
        by_v, by_i = shares.by_v[q, j - 1] / tau_m, shares.by_i[q, j - 1] / tau_s
        for cell in range(n):
            total_v[cell] -= drive.means[q, b, cell] * by_v
            total_i[cell] -= drive.means[q, b, cell] * by_i


@kernel
def sweep_readout_layer_back(
    first: int, last: int, incoming: Incoming, layer: UniformLayer, sums: PartialSums, drive: Drive,
    duration: float,
) -> None:  # fmt: skip
    """Compute the adjoints of samples ``first`` to ``last - 1`` of a uniform read-out, back to its synapses.

    Parameters
    ----------
    first, last : int
        Range of samples.
    incoming : Incoming
        Arrivals, by row of the weights.
    layer : UniformLayer
    sums : PartialSums
        Results are added.
    drive : Drive
        Without jumps at common times.
    duration : float
        In ms.
    """
    constants, weights = layer.constants, layer.weights
    n = weights.shape[1]
    room = make_segments(find_longest(first, last, incoming.offsets))
    lam = Adjoints(np.empty(n), np.empty(n), np.empty(n), np.empty(n))
    peaks = Peaks(np.empty(n, dtype=np.int64), np.empty(n))
    means, longest = len(drive.rates), len(room.edges)
    shares = Shares(np.empty((means, longest)), np.empty((means, longest)))
    for b in range(first, last):
        segments = cut_at_arrivals(b, incoming, constants, duration, room)
        for q in range(means):
            weigh_arrivals(
                segments.size - 1, segments.edges[1:], duration, drive.rates[q], constants.tau_m,
                constants.tau_s, row(shares.by_v, q), row(shares.by_i, q),
            )  # fmt: skip
        peaked = find_peaks(b, segments, incoming, layer, drive, peaks)
        gains = select_part(b, sums)
        lam.lam_v[:] = 0.0
        lam.lam_i[:] = 0.0
        for j in range(segments.size - 1, 0, -1):
            if peaked:
                cross_segment(b, j, segments, constants, drive, peaks, lam)
            add_means(b, j, segments, constants, drive, peaks, shares, lam)
            e = segments.first + j - 1
            number = incoming.slots[e]
            total = 0.0
            for cell in range(n):
                total += arrival_force(weights[number, cell], lam.total_v[cell], lam.total_i[cell])
                gains.weight[number, cell] += weight_force(lam.total_i[cell], constants.tau_s)
            gains.arrival[e] += total
