"""Adjoint sweep of a uniform layer: all its neurons see one stream of arrivals."""

from __future__ import annotations

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.physics.jit import kernel
from netdesc.physics.lif import (
    adjoint_charge,
    adjoint_flow,
    bounded_slope,
    charge,
    decay,
    slope_after,
    slope_before,
    weight_force,
)


@kernel
def sweep_layer_back(
    first: int, last: int, times: Floats, rows: Integers, offsets: Integers, weights: Floats,
    constants: tuple[float, float, float, float], floor: float, duration: float,
    spike_times: Floats, spike_neurons: Integers, spike_currents: Floats, spike_offsets: Integers,
    force: Floats, arrival: Floats, gradient: Floats,
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
    tau_m, tau_s, gap, reset = constants
    n = weights.shape[1]
    lam_v = np.empty(n)
    lam_i = np.empty(n)
    next_v = np.empty(n)
    next_i = np.empty(n)
    at = np.empty(n)
    grazing = 0
    for b in range(first, last):
        for l in range(n):
            lam_v[l] = 0.0
            lam_i[l] = 0.0
        begin = offsets[b]
        e = offsets[b + 1] - 1
        while e >= begin and times[e] >= duration:
            arrival[e] = 0.0
            e -= 1
        p = spike_offsets[b + 1] - 1
        lowest = spike_offsets[b]
        t = duration
        while True:
            target = times[e] if e >= begin else 0.0
            span = t - target
            a = decay(span, tau_m)
            d = decay(span, tau_s)
            gain = adjoint_charge(charge(span, a, d, tau_m, tau_s), tau_m, tau_s)
            for l in range(n):
                next_i[l] = lam_i[l] * d + lam_v[l] * gain
                next_v[l] = lam_v[l] * a
            latest = p
            if p >= lowest and spike_times[p] > target:
                for l in range(n):
                    at[l] = t
            while p >= lowest and spike_times[p] > target:
                l = spike_neurons[p]
                moment = spike_times[p]
                v, i = adjoint_flow(lam_v[l], lam_i[l], at[l] - moment, tau_m, tau_s)
                slope = slope_before(spike_currents[p], gap)
                raised = bounded_slope(slope, floor)
                if raised > slope:
                    grazing += 1
                total = slope_after(spike_currents[p], reset) * v + force[p]
                force[p] = total
                lam_v[l] = total / raised
                lam_i[l] = i
                at[l] = moment
                p -= 1
            for q in range(p + 1, latest + 1):
                l = spike_neurons[q]
                v, i = adjoint_flow(lam_v[l], lam_i[l], at[l] - target, tau_m, tau_s)
                next_v[l] = v
                next_i[l] = i
            lam_v, next_v = next_v, lam_v
            lam_i, next_i = next_i, lam_i
            if e < begin:
                break
            row = rows[e]
            sum_0 = 0.0
            sum_1 = 0.0
            sum_2 = 0.0
            sum_3 = 0.0
            m = n - n % 4
            for l in range(0, m, 4):
                sum_0 += weights[row, l] * (lam_v[l] - lam_i[l])
                sum_1 += weights[row, l + 1] * (lam_v[l + 1] - lam_i[l + 1])
                sum_2 += weights[row, l + 2] * (lam_v[l + 2] - lam_i[l + 2])
                sum_3 += weights[row, l + 3] * (lam_v[l + 3] - lam_i[l + 3])
            for l in range(m, n):
                sum_0 += weights[row, l] * (lam_v[l] - lam_i[l])
            arrival[e] = (sum_0 + sum_1) + (sum_2 + sum_3)
            for l in range(n):
                gradient[row, l] += weight_force(lam_i[l], tau_s)
            t = target
            e -= 1
    return grazing
