"""Loops of the backward sweep on a grid; arrays are (batch, steps, neurons)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Indices, Integers

Flags = NDArray[np.uint8]


@kernel
def close_steps(samples: Integers, sources: Integers, first: Integers, last: Integers, open_: Flags) -> None:
    """Set ``open_`` to 0 from step ``first`` to step ``last - 1`` of every spike."""
    steps = open_.shape[1]
    for spike in range(len(sources)):
        for step in range(max(first[spike], 0), min(last[spike], steps)):
            open_[samples[spike], step, sources[spike]] = 0


@kernel
def sweep(
    drive: Floats,
    open_: Flags,
    factors: tuple[Floats, Floats, Floats],
    span: tuple[int, int],
    state: Floats,
    currents: Floats,
) -> None:
    """Carry the adjoints of voltage and currents back over a span of steps.

    ``g_v[n] = drive[n] + open[n] beta g_v[n+1]`` and
    ``g_i[n] = alpha g_i[n+1] + open[n] gain g_v[n+1]``, both 0 after the last step.

    Parameters
    ----------
    drive : ndarray of float64, shape (batch, steps, n)
        Derivative by the voltage other than through the voltage of the next step.
    open_ : ndarray of uint8, shape (batch, steps, n)
        From ``find_open``.
    factors : tuple of ndarray of float64
        beta and gain, shape (n,), and alpha, shape (receptors, n).
    span : tuple of int
        First and one past the last step.
    state : ndarray of float64, shape (batch, n)
        g_v of the step after the span; afterwards that of its first step.
    currents : ndarray of float64, shape (receptors, batch, steps, n)
        g_i, filled in over the span.
    """
    beta, gain, alpha = factors
    receptors, batch, steps, size = currents.shape
    for sample in range(batch):
        for back in range(span[1] - span[0]):
            step = span[1] - 1 - back
            for receptor in range(receptors):
                if step + 1 < steps:
                    for j in range(size):
                        currents[receptor, sample, step, j] = (
                            alpha[receptor, j] * currents[receptor, sample, step + 1, j]
                            + open_[sample, step, j] * gain[j] * state[sample, j]
                        )
                else:
                    for j in range(size):
                        currents[receptor, sample, step, j] = 0.0
            for j in range(size):
                state[sample, j] = (
                    drive[sample, step, j] + open_[sample, step, j] * beta[j] * state[sample, j]
                )


@kernel
def gather_dense(
    samples: Integers, sources: Integers, arrivals: Integers, currents: Floats, result: Floats
) -> None:
    """Add up the adjoints that every source meets: ``result[source] += currents[sample, arrival]``.

    Parameters
    ----------
    samples, sources, arrivals : ndarray of int64, shape (spikes,)
        ``arrivals`` are the steps whose currents hold the spikes; outside of the grid there is none.
    currents : ndarray of float64, shape (batch, steps, n_post)
    result : ndarray of float64, shape (n_pre, n_post)
        Added to.
    """
    steps, size = currents.shape[1], currents.shape[2]
    for spike in range(len(sources)):
        step = arrivals[spike]
        if 0 <= step < steps:
            sample, source = samples[spike], sources[spike]
            for j in range(size):
                result[source, j] += currents[sample, step, j]


@kernel
def gather_sparse(
    spikes: tuple[Integers, Integers, Integers],
    indptr: Integers,
    indices: Indices,
    lags: Integers,
    currents: Floats,
    result: Floats,
) -> None:
    """Add up the adjoints that every synapse meets; see ``gather_dense``.

    Parameters
    ----------
    spikes : tuple of ndarray of int64, shape (spikes,)
        Samples, sources, and steps of the spikes.
    indptr, indices : ndarray of int64 and of int32
        As in ``Block``.
    lags : ndarray of int64, shape (synapses,)
        Steps from the spike to the current that holds it.
    currents : ndarray of float64, shape (batch, steps, n_post)
    result : ndarray of float64, shape (synapses,)
        Added to.
    """
    samples, sources, bins = spikes
    steps = currents.shape[1]
    for spike in range(len(sources)):
        sample, source = samples[spike], sources[spike]
        for synapse in range(indptr[source], indptr[source + 1]):
            step = bins[spike] + lags[synapse]
            if 0 <= step < steps:
                result[synapse] += currents[sample, step, indices[synapse]]


@kernel
def return_sparse(
    indptr: Integers,
    indices: Indices,
    charges: tuple[Floats, Integers],
    span: tuple[int, int],
    currents: Floats,
    result: Floats,
) -> None:
    """Carry adjoints of currents back to the spikes: ``result[n] += sum_j w_j currents[n + lag_j]``.

    Parameters
    ----------
    indptr, indices : ndarray of int64 and of int32
        As in ``Block``.
    charges : tuple of ndarray, shape (synapses,)
        Weights in the voltage of the target, and lags in steps.
    span : tuple of int
        First and one past the last step of the spikes.
    currents : ndarray of float64, shape (batch, steps, n_post)
    result : ndarray of float64, shape (batch, steps, n_pre)
        Added to.
    """
    weights, lags = charges
    batch, steps, size = result.shape
    for sample in range(batch):
        for step in range(span[0], span[1]):
            for source in range(size):
                total = 0.0
                for synapse in range(indptr[source], indptr[source + 1]):
                    arrival = step + lags[synapse]
                    if arrival < steps:
                        total += weights[synapse] * currents[sample, arrival, indices[synapse]]
                result[sample, step, source] += total
