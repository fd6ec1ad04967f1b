"""Predictions on the test samples: confusion matrices and a paired test of accuracies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc.losses.evaluation import Evaluation

SIGNIFICANT = 0.05
"""Level of the test below which a difference of accuracies is called significant."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions of one substrate on the test samples.

    Parameters
    ----------
    labels, predictions : ndarray of int64, shape (samples,)
        A prediction is -1 where no output neuron spikes.
    correct : ndarray of bool, shape (samples,)
    """

    labels: Integers
    predictions: Integers
    correct: NDArray[np.bool_]

    def confusion(self) -> Integers:
        """Return how often each label got each prediction, shape (classes, classes + 1).

        Rows are labels, columns predictions; the last column counts samples without a prediction.
        """
        classes = int(max(self.labels.max(initial=0), self.predictions.max(initial=0))) + 1
        columns = np.where(self.predictions < 0, classes, self.predictions)
        counts = np.bincount(self.labels * (classes + 1) + columns, minlength=classes * (classes + 1))
        return counts.reshape(classes, classes + 1).astype(np.int64)


def collect_predictions(evaluation: Evaluation, labels: Integers | None) -> Predictions | None:
    """Return the predictions of a batch; None where the model has no labels."""
    if labels is None or evaluation.correct is None:
        return None
    return Predictions(labels, evaluation.predictions, evaluation.correct)


def join(batches: Sequence[Predictions | None]) -> Predictions | None:
    """Join the predictions of several batches; None where one of them has none."""
    parts = [item for item in batches if item is not None]
    if not parts or len(parts) < len(batches):
        return None
    return Predictions(
        np.concatenate([item.labels for item in parts]),
        np.concatenate([item.predictions for item in parts]),
        np.concatenate([item.correct for item in parts]),
    )


class PairedTest(NamedTuple):
    """McNemar's exact test of two accuracies on the same samples.

    Parameters
    ----------
    samples : int
        Samples that both classified.
    only_reference, only_other : int
        Samples that only the reference, or only the other substrate, classified correctly.
    discordant : int
        Their sum, the n of the binomial distribution.
    p_value : float
        Two-sided: the probability, if both were equally accurate, that the discordant samples split at
        least as unevenly (McNemar, Psychometrika 12, 1947).
    """

    samples: int
    only_reference: int
    only_other: int
    discordant: int
    p_value: float

    @property
    def significant(self) -> bool:
        """Whether the accuracies differ at the level `SIGNIFICANT`."""
        return self.p_value < SIGNIFICANT


def compare_predictions(reference: Predictions | None, other: Predictions | None) -> PairedTest | None:
    """Test whether two accuracies differ; None without labels, or for different samples."""
    if reference is None or other is None or not np.array_equal(reference.labels, other.labels):
        return None
    first = int(np.count_nonzero(reference.correct & ~other.correct))
    second = int(np.count_nonzero(other.correct & ~reference.correct))
    return PairedTest(len(reference.labels), first, second, first + second, binomial_test(first, second))


def binomial_test(one: int, two: int) -> float:
    """Return the exact two-sided p-value of a split for a fair coin.

    Returns
    -------
    float
        1 for no toss at all.
    """
    tosses, fewer = one + two, min(one, two)
    # Integers of any size: a power of two as large as this overflows a float.
    tail = sum(math.comb(tosses, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**tosses))
