"""Adjoint sweep of a read-out: membranes without spikes, driven by a loss of their voltages."""

from __future__ import annotations

import numpy as np

from netdesc.adjoint.arrivals import gather
from netdesc.adjoint.drive import Drive
from netdesc.adjoint.layer import measure_pieces
from netdesc.adjoint.neuron import drift
from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import adjoint_after, adjoint_charge, arrival_force, charge, decay, weight_force
from netdesc.dynamics.readout import mean_of_current, mean_of_voltage, share_after
from netdesc.events import Floats, Integers


@kernel
def begin_readout(b: int, cell: int, duration: float, drive: Drive, state: Floats) -> None:
    """Set neuron ``cell`` of sample b to the end of the run.

    Parameters
    ----------
    b, cell : int
    duration : float
        In ms.
    drive : Drive
    state : ndarray of float64, shape (6, n)
        lam_v, lam_i of both currents, present time, jumps at common times and maxima that are still to come.
    """
    state[0, cell] = 0.0
    state[1, cell] = 0.0
    state[2, cell] = 0.0
    state[3, cell] = duration
    state[4, cell] = len(drive.moments)
    state[5, cell] = 1.0 if drive.peak_jump[b, cell] != 0.0 else 0.0


@kernel
def retreat_readout(
    b: int, cell: int, target: float, drive: Drive, state: Floats, tau_m: Floats, tau_s: Floats
) -> None:
    """Carry the adjoints of neuron ``cell`` back to a time, over all jumps after it; means are left out.

    Parameters
    ----------
    b, cell : int
        Sample and neuron.
    target : float
        In ms.
    drive : Drive
    state : ndarray of float64, shape (6, n)
        See ``begin_readout``.
    tau_m : ndarray of float64, shape (n,)
    tau_s : ndarray of float64, shape (n, 2)
    """
    while True:
        m = int(state[4, cell]) - 1
        moment = drive.moments[m] if m >= 0 else -1.0
        peak = drive.peak_time[b, cell] if state[5, cell] > 0.0 else -1.0
        if moment <= target and peak <= target:
            break
        if peak >= moment:
            drift(cell, peak, state, tau_m, tau_s)
            state[0, cell] += drive.peak_jump[b, cell]
            state[5, cell] = 0.0
        else:
            drift(cell, moment, state, tau_m, tau_s)
            state[0, cell] += drive.jumps[b, cell, m]
            state[4, cell] = m
    drift(cell, target, state, tau_m, tau_s)


@kernel
def add_means(
    b: int, cell: int, at: float, duration: float, drive: Drive, tau_m: float, tau_i: float, tau_j: float
) -> tuple[float, float, float]:
    """Return what means add to lam_v and to lam_i of both currents of a neuron at a time."""
    lam_v = 0.0
    lam_i = 0.0
    lam_j = 0.0
    for q in range(len(drive.rates)):
        rate = drive.rates[q]
        pull = drive.means[q, b, cell]
        early = np.exp(-rate * at) / duration
        lam_v -= pull / tau_m * mean_of_voltage(duration - at, early, rate, tau_m)
        lam_i -= pull / tau_i * mean_of_current(duration - at, early, rate, tau_m, tau_i)
        lam_j -= pull / tau_j * mean_of_current(duration - at, early, rate, tau_m, tau_j)
    return lam_v, lam_i, lam_j


@kernel
def find_share(
    begin: int, end: int, moment: float, u: float, when: Floats, synapse: Integers, receptor: Integers,
    weight: Floats, tau_s: Floats, current: Floats,
) -> float:  # fmt: skip
    """Return how much of the jump at a maximum the arrivals of that very time meet; see ``share_after``.

    Parameters
    ----------
    begin, end : int
        Arrivals of the neuron, in order of time.
    moment, u : float
        Time of the maximum in ms, and voltage above rest.
    when, synapse : ndarray
        From ``gather``.
    receptor, weight : ndarray
        Of the sorted synapses.
    tau_s, current : ndarray of float64, shape (2,)
        Time constants of the currents, and their initial values.
    """
    before = current[0] * decay(moment, tau_s[0]) + current[1] * decay(moment, tau_s[1])
    after = 0.0
    for e in range(begin, end):
        w = weight[synapse[e]]
        if when[e] < moment:
            before += w * decay(moment - when[e], tau_s[receptor[synapse[e]]])
        elif when[e] == moment:
            after += w
    return share_after(before, before + after, u)


@kernel
def sweep_readout_back(
    first: int, last: int, times: Floats, slots: Integers, offsets: Integers,
    fan_start: Integers, fan_target: Integers, fan_synapse: Integers, fan_receptor: Integers,
    fan_weight: Floats, fan_delay: Floats, tau_m: Floats, tau_s: Floats, current: Floats, duration: float,
    drive: Drive, arrival: Floats, weight_gradient: Floats, delay_gradient: Floats,
) -> None:  # fmt: skip
    """Carry adjoints of samples ``first`` to ``last - 1`` back to the synapses of a read-out.

    Parameters
    ----------
    first, last : int
        Range of samples.
    times, slots, offsets, fan_start, fan_target, fan_synapse, fan_receptor, fan_weight, fan_delay
        As in ``sweep_neurons_back``.
    tau_m : ndarray of float64, shape (n,)
    tau_s, current : ndarray of float64, shape (n, 2)
        ``current`` at the start.
    duration : float
        In ms.
    drive : Drive
    arrival : ndarray of float64, shape (k,)
        Result is added: dL/dt of each spike that enters.
    weight_gradient, delay_gradient : ndarray of float64, shape (synapses,)
        Results are added, by synapse number.
    """
    n = len(tau_m)
    state = np.empty((6, n))
    for b in range(first, last):
        start, when, synapse, spike, _ = gather(
            offsets[b], offsets[b + 1], times, slots, fan_start, fan_target, fan_delay, n, duration
        )
        for cell in range(n):
            begin_readout(b, cell, duration, drive, state)
            share = -1.0
            for e in range(start[cell + 1] - 1, start[cell] - 1, -1):
                at = when[e]
                retreat_readout(b, cell, at, drive, state, tau_m, tau_s)
                q = synapse[e]
                r = fan_receptor[q]
                more = add_means(b, cell, at, duration, drive, tau_m[cell], tau_s[cell, 0], tau_s[cell, 1])
                lam_v = state[0, cell] + more[0]
                lam_i = state[1 + r, cell] + (more[1] if r == 0 else more[2])
                if state[5, cell] > 0.0 and drive.peak_time[b, cell] == at:
                    if share < 0.0:
                        share = find_share(
                            start[cell], start[cell + 1], at, drive.peak_voltage[b, cell], when, synapse,
                            fan_receptor, fan_weight, tau_s[cell], current[cell],
                        )  # fmt: skip
                    lam_v += share * drive.peak_jump[b, cell]
                pull = arrival_force(fan_weight[q], lam_v, lam_i)
                arrival[spike[e]] += pull
                delay_gradient[fan_synapse[q]] += pull
                weight_gradient[fan_synapse[q]] += weight_force(lam_i, tau_s[cell, r])


@kernel
def find_peaks(
    b: int, segments: int, edges: Floats, begin: int, rows: Integers, weights: Floats, tau_s: float,
    current: Floats, fade: Floats, drive: Drive, place: Integers, share: Floats,
) -> None:  # fmt: skip
    """Find the segment of every neuron's maximum, and the share of arrivals at the very time of it.

    Parameters
    ----------
    b : int
        The sample.
    segments, edges, begin, rows, weights
        As in ``sweep_readout_layer_back``.
    tau_s : float
        In ms.
    current : ndarray of float64, shape (n,)
        At the start.
    fade : ndarray of float64, shape (segments,)
        Decay of the current over each segment.
    drive : Drive
    place : ndarray of int64, shape (n,)
        Result: segment that ends with the maximum or holds it; -1 for none.
    share : ndarray of float64, shape (n,)
        Result; 0 where no arrival is at the time of the maximum.
    """
    n = len(place)
    kinks = False
    for cell in range(n):
        place[cell] = -1
        share[cell] = 0.0
        if drive.peak_jump[b, cell] != 0.0:
            moment = drive.peak_time[b, cell]
            place[cell] = np.searchsorted(edges[1:segments], moment)
            kinks = kinks or (place[cell] < segments - 1 and edges[place[cell] + 1] == moment)
    if not kinks:
        return
    i = current.copy()
    before = np.zeros(n)
    for j in range(segments - 1):
        for cell in range(n):
            i[cell] *= fade[j]
        for cell in range(n):
            if place[cell] == j:
                before[cell] = i[cell]
        for cell in range(n):
            i[cell] += weights[rows[begin + j], cell]
        for cell in range(n):
            if place[cell] >= 0 and drive.peak_time[b, cell] == edges[j + 1]:
                share[cell] = share_after(before[cell], i[cell], drive.peak_voltage[b, cell])


@kernel
def sweep_readout_layer_back(
    first: int, last: int, times: Floats, rows: Integers, offsets: Integers, weights: Floats,
    tau_m: float, tau_s: float, current: Floats, duration: float, drive: Drive,
    arrival: Floats, gradient: Floats,
) -> None:  # fmt: skip
    """Carry adjoints of samples ``first`` to ``last - 1`` of a uniform read-out back to its synapses.

    Parameters
    ----------
    first, last : int
        Range of samples.
    times, rows, offsets : ndarray
        Stream of arrivals.
    weights : ndarray of float64, shape (rows, n)
    tau_m, tau_s : float
        In ms.
    current : ndarray of float64, shape (n,)
        At the start.
    duration : float
        In ms.
    drive : Drive
        Without jumps at common times.
    arrival : ndarray of float64, shape (k,)
        Result is added: dL/d(arrival time).
    gradient : ndarray of float64, shape (rows, n)
        Result is added: dL/dw.
    """
    n = weights.shape[1]
    room = 1
    for b in range(first, last):
        room = max(room, offsets[b + 1] - offsets[b] + 2)
    edges = np.empty(room)
    span = np.empty(room)
    factors = np.empty((3, room))
    lam_v = np.empty(n)
    lam_i = np.empty(n)
    read_v = np.empty(n)
    read_i = np.empty(n)
    place = np.empty(n, dtype=np.int64)
    share = np.empty(n)
    for b in range(first, last):
        begin = offsets[b]
        segments = 1
        edges[0] = 0.0
        for e in range(begin, offsets[b + 1]):
            if times[e] < duration:
                edges[segments] = times[e]
                segments += 1
        edges[segments] = duration
        for j in range(segments):
            span[j] = edges[j + 1] - edges[j]
        measure_pieces(segments, span, factors, tau_m, tau_s)
        find_peaks(b, segments, edges, begin, rows, weights, tau_s, current, factors[1], drive, place, share)
        lam_v[:] = 0.0
        lam_i[:] = 0.0
        for j in range(segments - 1, 0, -1):
            at = edges[j]
            for cell in range(n):
                lam_i[cell] = adjoint_after(lam_v[cell], lam_i[cell], factors[1, j], factors[2, j])
                lam_v[cell] *= factors[0, j]
            for cell in range(n):
                if place[cell] == j:
                    s = drive.peak_time[b, cell] - at
                    a = decay(s, tau_m)
                    gain = adjoint_charge(charge(s, a, decay(s, tau_s), tau_m, tau_s), tau_m, tau_s)
                    lam_v[cell] += drive.peak_jump[b, cell] * a
                    lam_i[cell] += drive.peak_jump[b, cell] * gain
            for cell in range(n):
                read_v[cell] = lam_v[cell]
                read_i[cell] = lam_i[cell]
            for cell in range(n):
                if share[cell] > 0.0 and drive.peak_time[b, cell] == at:
                    read_v[cell] += share[cell] * drive.peak_jump[b, cell]
            for q in range(len(drive.rates)):
                rate = drive.rates[q]
                early = np.exp(-rate * at) / duration
                by_v = mean_of_voltage(duration - at, early, rate, tau_m) / tau_m
                by_i = mean_of_current(duration - at, early, rate, tau_m, tau_s) / tau_s
                for cell in range(n):
                    read_v[cell] -= drive.means[q, b, cell] * by_v
                    read_i[cell] -= drive.means[q, b, cell] * by_i
            e = begin + j - 1
            row = rows[e]
            total = 0.0
            for cell in range(n):
                total += arrival_force(weights[row, cell], read_v[cell], read_i[cell])
                gradient[row, cell] += weight_force(read_i[cell], tau_s)
            arrival[e] += total


@kernel
def sample_readout_adjoint(
    tau_m: Floats, tau_s: Floats, duration: float, drive: Drive, chosen: Integers, moments: Floats,
    lam_v: Floats, lam_i: Floats,
) -> None:  # fmt: skip
    """Evaluate the adjoints of chosen neurons of a read-out; at the time of a jump, those after it.

    Parameters
    ----------
    tau_m : ndarray of float64, shape (n,)
    tau_s : ndarray of float64, shape (n, 2)
    duration : float
        In ms.
    drive : Drive
    chosen : ndarray of int64, shape (c,)
    moments : ndarray of float64, shape (m,)
        Ascending, in ms.
    lam_v, lam_i : ndarray of float64, shape (batch, c, m)
        Results; ``lam_i`` of the first receptor.
    """
    state = np.empty((6, len(tau_m)))
    for b in range(len(lam_v)):
        for c in range(len(chosen)):
            cell = chosen[c]
            begin_readout(b, cell, duration, drive, state)
            for m in range(len(moments) - 1, -1, -1):
                at = min(moments[m], duration)
                retreat_readout(b, cell, at, drive, state, tau_m, tau_s)
                more = add_means(b, cell, at, duration, drive, tau_m[cell], tau_s[cell, 0], tau_s[cell, 1])
                lam_v[b, c, m] = state[0, cell] + more[0]
                lam_i[b, c, m] = state[1, cell] + more[1]
