"""The total loss of a batch, its cotangent, and its predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdesc.description.model import Loss
from netdesc.errors import BackendError, DescriptionError, Diagnostic
from netdesc.events import Floats, Integers
from netdesc.goals import Goals
from netdesc.losses.contribution import KINDS, VOLTAGE_KINDS, choose_reader
from netdesc.losses.predictions import Predictions, no_predictions
from netdesc.losses.requirements import REGULARIZERS, TRACED
from netdesc.program import Program
from netdesc.trace import Cotangent, Trace

EXACT = frozenset({*KINDS, *VOLTAGE_KINDS, *REGULARIZERS, TRACED})
"""Kinds of losses with an exact cotangent."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The losses of a batch.

    Parameters
    ----------
    loss : float
        Mean over the batch of the sum of all weighted losses.
    terms : mapping of str to float
        What each loss contributes to ``loss``, its weight included.
    cotangent : Cotangent
        Derivative of ``loss``, so divided by the batch size.
    predictions : ndarray of int64, shape (batch,)
        Neuron of the population of the first loss that is no regularizer: the one that spikes first, or
        with the highest reading; the smallest index where there are several; -1 where none spikes.
    ties : ndarray of bool, shape (batch,)
        Whether there are several.
    correct : ndarray of bool, shape (batch,), or None
        Whether the prediction is the label; None where that loss has no labels.
    silent_samples : int
        Samples in which no neuron of that population spikes; 0 where voltages decide.
    silent_labels : int
        Samples in which the label's neuron does not spike, so that the loss has a stand-in value; 0 where
        voltages decide.
    """

    loss: float
    terms: Mapping[str, float]
    cotangent: Cotangent
    predictions: Integers
    ties: NDArray[np.bool_]
    correct: NDArray[np.bool_] | None
    silent_samples: int
    silent_labels: int


def require_kinds(losses: Iterable[Loss], available: Iterable[str], who: str) -> None:
    """Refuse kinds of losses of which ``who`` has no exact cotangent.

    Raises
    ------
    BackendError
        With one diagnostic per loss that is not available.
    """
    kinds = set(available)
    diagnostics = [
        Diagnostic(
            f"{who} has no exact gradient for {loss.kind} yet; use one of {', '.join(sorted(kinds))}",
            path=f"losses.{loss.name}",
        )
        for loss in losses
        if loss.kind not in kinds
    ]
    if diagnostics:
        raise BackendError(diagnostics)


def evaluate(
    losses: Mapping[str, Loss], trace: Trace, program: Program, goals: Goals | Integers | None
) -> Evaluation:
    """Compute the total loss of a batch and its derivative with respect to all that it reads.

    Parameters
    ----------
    losses : mapping of str to Loss
        At least one; predictions are read from the population of the first that is no regularizer.
    trace : Trace
        Result of a forward run.
    program : Program
        What was run.
    goals : Goals, ndarray of int64, shape (batch,), or None
        Labels and targets of the samples, or labels alone, for losses without a target of their own.

    Returns
    -------
    Evaluation

    Raises
    ------
    BackendError
        If a kind of loss has no exact cotangent, or the trace lacks what it reads.
    DescriptionError
        If there is no loss, a label or target is missing or names no neuron, or a target does not fit.
    """
    require_kinds(losses.values(), EXACT, "event-driven training")
    if not losses:
        raise DescriptionError("the model has no loss; add one under losses", path="losses")
    goals, terms = Goals.of(goals), dict[str, float]()
    parts: dict[str, dict[str, Floats]] = {name: {} for name in Cotangent.__slots__}
    predicted: Predictions | None = None
    for loss in losses.values():
        found = choose_reader(loss)(loss, trace, program, goals)
        predicted = predicted or found.predictions
        factor = loss.weight / max(trace.batch, 1)
        terms[loss.name] = factor * float(found.values.sum())
        for (part, key), slopes in found.slopes.items():
            scaled, sums = factor * slopes, parts[part]
            sums[key] = sums[key] + scaled if key in sums else scaled
    predicted = predicted or no_predictions(trace.batch)
    return Evaluation(
        loss=sum(terms.values()),
        terms=terms,
        cotangent=Cotangent(**parts),
        predictions=predicted.predictions,
        ties=predicted.ties,
        correct=predicted.correct,
        silent_samples=predicted.silent_samples,
        silent_labels=predicted.silent_labels,
    )
