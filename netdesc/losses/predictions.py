"""Predictions of a network, and whether they are right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.outputs import find_highest, find_winners
from netdesc.events import Floats, Integers, frozen


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
    batch = len(times)
    predictions, ties = np.empty(batch, dtype=np.int64), np.empty(batch, dtype=np.bool_)
    asked = np.empty(0, dtype=np.int64) if labels is None else labels
    silent, unheard = find_winners(frozen(times, np.float64), frozen(asked, np.int64), predictions, ties)
    correct = None if labels is None else predictions == labels
    return Predictions(predictions, ties, correct, silent, unheard)


def predict_by_voltages(voltages: Floats, labels: Integers | None) -> Predictions:
    """Predict the neuron with the highest voltage.

    Parameters
    ----------
    voltages : ndarray of float64, shape (batch, size)
    labels : ndarray of int64, shape (batch,), or None
    """
    batch = len(voltages)
    predictions, ties = np.empty(batch, dtype=np.int64), np.empty(batch, dtype=np.bool_)
    find_highest(frozen(voltages, np.float64), predictions, ties)
    return Predictions(predictions, ties, None if labels is None else predictions == labels)


def no_predictions(batch: int) -> Predictions:
    """Return the predictions of a model whose losses ask for none."""
    return Predictions(np.full(batch, -1, dtype=np.int64), np.zeros(batch, dtype=np.bool_), None)
