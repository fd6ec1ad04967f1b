"""Predictions of a network, and whether they are right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Integers


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions of a batch.

    Parameters
    ----------
    predictions : ndarray of int64, shape (batch,)
        The smallest index where several neurons win; -1 where none wins.
    ties : ndarray of bool, shape (batch,)
        Whether several neurons win.
    correct : ndarray of bool, shape (batch,), or None
        None without labels.
    silent_samples, silent_labels : int
        Samples in which no neuron, and the label's neuron, does not spike; 0 where spikes are not asked for.
    """

    predictions: Integers
    ties: NDArray[np.bool_]
    correct: NDArray[np.bool_] | None
    silent_samples: int = 0
    silent_labels: int = 0


def predict_by_spikes(times: Floats, labels: Integers | None) -> Predictions:
    """Predict the neuron that spikes first.

    Parameters
    ----------
    times : ndarray of float64, shape (batch, size)
        First spike times in ms; infinity where a neuron is silent.
    labels : ndarray of int64, shape (batch,), or None
    """
    earliest = times.min(axis=1)
    silent = np.isinf(earliest)
    predictions = times.argmin(axis=1)
    predictions[silent] = -1
    ties = ((times == earliest[:, None]).sum(axis=1) > 1) & ~silent
    unheard = 0 if labels is None else int(np.isinf(times[np.arange(len(labels)), labels]).sum())
    correct = None if labels is None else predictions == labels
    return Predictions(predictions, ties, correct, int(silent.sum()), unheard)


def predict_by_voltages(voltages: Floats, labels: Integers | None) -> Predictions:
    """Predict the neuron with the highest voltage.

    Parameters
    ----------
    voltages : ndarray of float64, shape (batch, size)
    labels : ndarray of int64, shape (batch,), or None
    """
    predictions = voltages.argmax(axis=1)
    ties = (voltages == voltages.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return Predictions(predictions, ties, None if labels is None else predictions == labels)


def no_predictions(batch: int) -> Predictions:
    """Return the predictions of a model whose losses ask for none."""
    return Predictions(np.full(batch, -1, dtype=np.int64), np.zeros(batch, dtype=np.bool_), None)
