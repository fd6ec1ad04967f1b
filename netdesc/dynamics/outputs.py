"""Losses and predictions from what is read of the outputs of a batch, in loops over arrays."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import int64, kernel
from netdesc.events import Floats, Integers


class Term(NamedTuple):
    """One loss, sample by sample, before its weight and the mean over the batch.

    Parameters
    ----------
    values : ndarray of float64, shape (batch,)
        Always finite where what it reads and the options are.
    slopes : ndarray of float64, shape (batch, size)
        Derivative of each value with respect to what is read of each neuron: its first spike time, in 1/ms,
        0 where it is silent; its voltage; or its number of spikes.
    """

    values: Floats
    slopes: Floats


class Scales(NamedTuple):
    """Numbers of the loss.

    Parameters
    ----------
    tau_0, tau_1 : float
        In ms.
    alpha : float
    duration : float
        Of the run in ms.
    """

    tau_0: float
    tau_1: float
    alpha: float
    duration: float


@kernel
def compare_first(times: Floats, labels: Integers, scales: Scales, term: Term) -> None:
    """Compute the loss of every sample and its slopes; see ``time_to_first_spike``.

    Parameters
    ----------
    times : ndarray of float64, shape (batch, size)
        In ms, infinity where a neuron is silent.
    labels : ndarray of int64, shape (batch,)
    scales : Scales
    term : Term
        Results.
    """
    tau_0, tau_1, alpha, duration = scales
    size = times.shape[1]
    for b in range(len(labels)):
        label, earliest = labels[b], duration
        for cell in range(size):
            earliest = min(earliest, times[b, cell])
        own = times[b, label]
        fired = own < np.inf
        total = 0.0
        for cell in range(size):
            odds = math.exp((earliest - times[b, cell]) / tau_0)
            term.slopes[b, cell] = odds
            total += odds
        if not fired:
            own, total = duration, float(size)
        late = math.exp(own / tau_1)
        lag = (own - earliest) / tau_0 if fired else 0.0
        term.values[b] = lag + math.log(total) + alpha * (late - 1.0)
        for cell in range(size):
            term.slopes[b, cell] *= -1.0 / (tau_0 * total) if fired else 0.0
        if fired:
            term.slopes[b, label] += 1.0 / tau_0 + (alpha / tau_1) * late


@kernel
def compare_voltages(voltages: Floats, labels: Integers, term: Term) -> None:
    """Compute the loss of every sample and its slopes; see ``voltage_cross_entropy``.

    Parameters
    ----------
    voltages : ndarray of float64, shape (batch, size)
    labels : ndarray of int64, shape (batch,)
    term : Term
        Results.
    """
    size = voltages.shape[1]
    for b in range(len(labels)):
        highest = voltages[b, 0]
        for cell in range(1, size):
            highest = max(highest, voltages[b, cell])
        total = 0.0
        for cell in range(size):
            odds = math.exp(voltages[b, cell] - highest)
            term.slopes[b, cell] = odds
            total += odds
        term.values[b] = math.log(total) - (voltages[b, labels[b]] - highest)
        for cell in range(size):
            term.slopes[b, cell] /= total
        term.slopes[b, labels[b]] -= 1.0


@kernel
def find_first(times: Floats, sources: Integers, offsets: Integers, first: Floats, events: Integers) -> None:
    """Find the first spike of every neuron in every sample.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In ms, ascending within a sample.
    sources : ndarray of int64, shape (k,)
    offsets : ndarray of int64, shape (batch + 1,)
    first : ndarray of float64, shape (batch, size)
        Results: times in ms, infinity without a spike.
    events : ndarray of int64, shape (batch, size)
        Results: positions, -1 without a spike.
    """
    batch, size = first.shape
    for b in range(batch):
        for cell in range(size):
            first[b, cell] = np.inf
            events[b, cell] = -1
        for k in range(offsets[b], offsets[b + 1]):
            if events[b, sources[k]] < 0:
                first[b, sources[k]] = times[k]
                events[b, sources[k]] = k


@kernel
def find_winners(
    times: Floats, labels: Integers, predictions: Integers, ties: NDArray[np.bool_]
) -> tuple[int, int]:
    """Find the neuron that spikes first in every sample.

    Parameters
    ----------
    times : ndarray of float64, shape (batch, size)
        In ms, infinity where a neuron is silent.
    labels : ndarray of int64, shape (batch,) or (0,)
    predictions : ndarray of int64, shape (batch,)
        Results; -1 where none spikes.
    ties : ndarray of bool, shape (batch,)
        Results.

    Returns
    -------
    silent, unheard : int
        Samples in which no neuron, and the label's neuron, does not spike.
    """
    silent, unheard = 0, 0
    for b in range(times.shape[0]):
        earliest, winner, tied = np.inf, int64(-1), False
        for cell in range(times.shape[1]):
            t = times[b, cell]
            if t < earliest:
                earliest, winner, tied = t, int64(cell), False
            elif t == earliest and winner >= 0:
                tied = True
        predictions[b] = winner
        ties[b] = tied
        silent += 1 if winner < 0 else 0
        if len(labels) > 0:
            unheard += 1 if times[b, labels[b]] == np.inf else 0
    return silent, unheard


@kernel
def find_highest(voltages: Floats, predictions: Integers, ties: NDArray[np.bool_]) -> None:
    """Find the neuron with the highest voltage in every sample, and whether there are several.

    Parameters
    ----------
    voltages : ndarray of float64, shape (batch, size)
    predictions : ndarray of int64, shape (batch,)
        Results.
    ties : ndarray of bool, shape (batch,)
        Results.
    """
    for b in range(voltages.shape[0]):
        winner, tied = int64(0), False
        for cell in range(1, voltages.shape[1]):
            if voltages[b, cell] > voltages[b, winner]:
                winner, tied = int64(cell), False
            elif voltages[b, cell] == voltages[b, winner]:
                tied = True
        predictions[b] = winner
        ties[b] = tied
