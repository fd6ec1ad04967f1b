"""Adjoint sweep of a uniform layer: all its neurons see one stream of arrivals."""

from __future__ import annotations

import numpy as np

from netdesc.adjoint.lanes import carry_cell, carry_row
from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import charge, decay
from netdesc.dynamics.lif_adjoint import adjoint_charge
from netdesc.events import Floats, Integers

# Neurons below which going neuron by neuron beats going side by side.
NARROW = 16


@kernel
def measure_pieces(count: int, span: Floats, factors: Floats, tau_m: float, tau_s: float) -> None:
    """Compute what several intervals do to the adjoints.

    Parameters
    ----------
    count : int
        Number of intervals.
    span : ndarray of float64, shape (capacity,)
        Lengths in ms.
    factors : ndarray of float64, shape (3, capacity)
        Results: decays of lam_v and lam_i, and gain of lam_i per lam_v.
    tau_m, tau_s : float
        In ms.
    """
    for q in range(count):
        a = decay(span[q], tau_m)
        d = decay(span[q], tau_s)
        factors[0, q] = a
        factors[1, q] = d
        factors[2, q] = adjoint_charge(charge(span[q], a, d, tau_m, tau_s), tau_m, tau_s)


@kernel
def cut_spikes(
    edges: Floats,
    segments: int,
    begin: int,
    count: int,
    times: Floats,
    neurons: Integers,
    later: Floats,
    earlier: Floats,
    upper: Integers,
) -> None:
    """Cut the time around each spike of a sample at arrivals and at the neuron's other spikes.

    Parameters
    ----------
    edges : ndarray of float64, shape (segments + 1,)
        Arrivals between 0 and the duration, in ms.
    segments : int
    begin, count : int
        Spikes ``begin`` to ``begin + count - 1``.
    times, neurons : ndarray
        Spikes.
    later : ndarray of float64, shape (count,)
        Result: from each spike to what follows in its segment, the neuron's next spike or the edge.
    earlier : ndarray of float64, shape (count,)
        Result: from each spike back to the edge; -1 where the neuron has an earlier spike in the segment.
    upper : ndarray of int64, shape (n,)
        -1 for every neuron, before and after.
    """
    q = count - 1
    for j in range(segments - 1, -1, -1):
        top = q
        while q >= 0 and times[begin + q] > edges[j]:
            moment = times[begin + q]
            cell = neurons[begin + q]
            after = upper[cell]
            later[q] = (edges[j + 1] if after < 0 else times[begin + after]) - moment
            earlier[q] = moment - edges[j]
            if after >= 0:
                earlier[after] = -1.0
            upper[cell] = q
            q -= 1
        for r in range(q + 1, top + 1):
            upper[neurons[begin + r]] = -1


@kernel
def sweep_layer_back(
    first: int,
    last: int,
    times: Floats,
    rows: Integers,
    offsets: Integers,
    weights: Floats,
    constants: tuple[float, float, float, float],
    floor: float,
    duration: float,
    spike_times: Floats,
    spike_neurons: Integers,
    spike_currents: Floats,
    spike_offsets: Integers,
    force: Floats,
    arrival: Floats,
    gradient: Floats,
) -> int:
    """Carry adjoints of samples ``first`` to ``last - 1`` of a layer back to its synapses.

    Parameters
    ----------
    first, last : int
        Range of samples.
    times, rows, offsets : ndarray
        Stream of arrivals of the forward sweep.
    weights : ndarray of float64, shape (rows, n)
    constants : tuple of float
        tau_m, tau_s, gap, reset.
    floor : float
        Smallest slope that a spike's denominator may have.
    duration : float
        In ms.
    spike_times, spike_neurons, spike_currents, spike_offsets : ndarray
        The layer's own spikes, sorted by time within a sample.
    force : ndarray of float64, shape (spikes,)
        In: derivative of the loss with respect to each spike's time, direct and through later layers.
        Out: the total, with what follows in the neuron itself.
    arrival : ndarray of float64, shape (k,)
        Result: dL/d(arrival time).
    gradient : ndarray of float64, shape (rows, n)
        Result is added: dL/dw.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    tau_m, tau_s, _, _ = constants
    n = weights.shape[1]
    lam = np.empty((2, n))
    following = np.empty((2, n))
    upper = np.full(n, -1)
    room = 1
    for b in range(first, last):
        room = max(room, spike_offsets[b + 1] - spike_offsets[b], offsets[b + 1] - offsets[b] + 2)
    edges = np.empty(room)
    span = np.empty(room)
    later = np.empty(room)
    earlier = np.empty(room)
    by_segment = np.empty((3, room))
    by_later = np.empty((3, room))
    by_earlier = np.empty((3, room))
    grazing = 0
    for b in range(first, last):
        begin = offsets[b]
        segments = 1
        edges[0] = 0.0
        for e in range(begin, offsets[b + 1]):
            arrival[e] = 0.0
            if times[e] < duration:
                edges[segments] = times[e]
                segments += 1
        edges[segments] = duration
        for j in range(segments):
            span[j] = edges[j + 1] - edges[j]
        own = spike_offsets[b]
        count = spike_offsets[b + 1] - own
        cut_spikes(edges, segments, own, count, spike_times, spike_neurons, later, earlier, upper)
        measure_pieces(segments, span, by_segment, tau_m, tau_s)
        measure_pieces(count, later, by_later, tau_m, tau_s)
        measure_pieces(count, earlier, by_earlier, tau_m, tau_s)
        if n < NARROW:
            for cell in range(n):
                grazing += carry_cell(
                    cell, begin, segments, rows, weights, own, count, spike_times, spike_neurons,
                    spike_currents, force, floor, constants, edges, by_segment, by_later, by_earlier,
                    arrival, gradient,
                )  # fmt: skip
        else:
            grazing += carry_row(
                begin, segments, rows, weights, own, count, spike_times, spike_neurons, spike_currents, force,
                floor, constants, edges, earlier, by_segment, by_later, by_earlier, lam, following, arrival,
                gradient,
            )  # fmt: skip
    return grazing
