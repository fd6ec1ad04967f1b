"""The total loss of a batch, its cotangent, and what the network would answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from netdesc.description.model import Loss
from netdesc.errors import BackendError, DescriptionError, Diagnostic
from netdesc.events import Events, Floats, Integers
from netdesc.losses.first_spikes import FirstSpikes
from netdesc.losses.relative_spike_time_mse import relative_spike_time_mse
from netdesc.losses.spike_time_mse import spike_time_mse
from netdesc.losses.term import Kind, Term
from netdesc.losses.time_to_first_spike import time_to_first_spike
from netdesc.program import Program
from netdesc.trace import Cotangent, Trace

KINDS: Mapping[str, Kind] = MappingProxyType({
    "time_to_first_spike": time_to_first_spike,
    "spike_time_mse": spike_time_mse,
    "relative_spike_time_mse": relative_spike_time_mse,
})
"""Kinds of losses by name."""


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
        The neuron of the first loss's population that spikes first, the smallest index where several do;
        -1 where none spikes.
    ties : ndarray of bool, shape (batch,)
        Whether several neurons spike first at the same time.
    correct : ndarray of bool, shape (batch,), or None
        Whether the prediction is the label; None where the first loss has no labels.
    silent_samples : int
        Samples in which no neuron of that population spikes.
    silent_labels : int
        Samples in which the label's neuron does not spike, so that the loss has a stand-in value.
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
    """Refuse kinds of losses that have no exact cotangent.

    Parameters
    ----------
    losses : iterable of Loss
    available : iterable of str
        Kinds that may be used.
    who : str
        Who offers these kinds, for the message.

    Raises
    ------
    BackendError
        With one diagnostic per loss that is not available.
    """
    kinds = sorted(available)
    diagnostics = [
        Diagnostic(f"{who} has no exact gradient for {loss.kind} yet; use one of {', '.join(kinds)}",
                   path=f"losses.{loss.name}")
        for loss in losses if loss.kind not in kinds]
    if diagnostics:
        raise BackendError(diagnostics)


def evaluate(losses: Mapping[str, Loss], trace: Trace, program: Program,
             labels: Integers | None) -> Evaluation:
    """Compute the total loss of a batch and its derivative with respect to every spike.

    Parameters
    ----------
    losses : mapping of str to Loss
        At least one; predictions are read from the population of the first.
    trace : Trace
        Result of a forward run.
    program : Program
        What was run.
    labels : ndarray of int64, shape (batch,), or None
        Labels of the samples, for losses without a target of their own.

    Returns
    -------
    Evaluation

    Raises
    ------
    BackendError
        If a kind of loss has no exact cotangent.
    DescriptionError
        If there is no loss, a label is missing or names no neuron, or a target does not fit.
    """
    require_kinds(losses.values(), KINDS, "event-driven training")
    if not losses:
        raise DescriptionError(Diagnostic("the model has no loss; add one under losses", path="losses"))
    terms: dict[str, float] = {}
    spikes: dict[str, Floats] = {}
    answers: list[tuple[FirstSpikes, Integers | None]] = []
    for loss in losses.values():
        events = find_spikes(loss, trace)
        first = FirstSpikes.find(events, program.population(loss.population).size)
        wanted = choose_labels(loss, labels, first.times.shape)
        values, slopes = compute_term(loss, first.times, wanted, duration=program.duration)
        share = loss.weight / trace.batch
        terms[loss.name] = share * float(values.sum())
        pull = first.scatter(share * slopes, len(events))
        spikes[loss.population] = spikes[loss.population] + pull if loss.population in spikes else pull
        answers.append((first, wanted))
    return conclude(terms, Cotangent(spikes), answers[0])


def find_spikes(loss: Loss, trace: Trace) -> Events:
    """Return the spikes that a loss is about.

    Parameters
    ----------
    loss : Loss
    trace : Trace

    Returns
    -------
    Events

    Raises
    ------
    DescriptionError
        If the population has no spikes because it is a read-out.
    """
    if loss.population not in trace.spikes:
        raise DescriptionError(Diagnostic(
            f"{loss.kind} is about spikes, but population {loss.population} never spikes; "
            "name a spiking population", path=f"losses.{loss.name}"))
    return trace.spikes[loss.population]


def choose_labels(loss: Loss, labels: Integers | None, shape: tuple[int, ...]) -> Integers | None:
    """Return the labels that hold for one loss: its own target, or those of the samples.

    Parameters
    ----------
    loss : Loss
    labels : ndarray of int64, shape (batch,), or None
    shape : tuple of int
        (batch, size) of the loss's population.

    Returns
    -------
    ndarray of int64, shape (batch,), or None
        None where the loss has neither.

    Raises
    ------
    DescriptionError
        If a label names no neuron of the population.
    """
    target = loss.options.get("target")
    if isinstance(target, list | tuple | np.ndarray):
        return None
    if target is not None:
        labels = np.full(shape[0], int(target), dtype=np.int64)
    if labels is not None and len(labels) and (labels.min() < 0 or labels.max() >= shape[1]):
        raise DescriptionError(Diagnostic(
            f"labels run from {labels.min()} to {labels.max()}, but population {loss.population} has "
            f"{shape[1]} neurons, 0 to {shape[1] - 1}; give it one neuron per class",
            path=f"losses.{loss.name}"))
    return labels


def compute_term(loss: Loss, times: Floats, labels: Integers | None, *, duration: float) -> Term:
    """Compute one loss, its problems told with the path of the loss.

    Parameters
    ----------
    loss : Loss
    times : ndarray of float64, shape (batch, size)
        First spike times in ms; infinity where a neuron is silent.
    labels : ndarray of int64, shape (batch,), or None
    duration : float
        Length of a sample in ms.

    Returns
    -------
    Term

    Raises
    ------
    DescriptionError
        If the loss has no labels and needs them, or its target does not fit.
    """
    try:
        # An overflow becomes an infinite loss, which training reports with its epoch and step.
        with np.errstate(over="ignore", invalid="ignore"):
            return KINDS[loss.kind](loss.options, times, labels, duration=duration)
    except ValueError as error:
        raise DescriptionError(Diagnostic(str(error), path=f"losses.{loss.name}")) from error


def conclude(terms: Mapping[str, float], cotangent: Cotangent,
             answer: tuple[FirstSpikes, Integers | None]) -> Evaluation:
    """Put an evaluation together, with the predictions of one population.

    Parameters
    ----------
    terms : mapping of str to float
    cotangent : Cotangent
    answer : pair of FirstSpikes and ndarray of int64, shape (batch,), or None
        First spikes of the population that answers, and what it should answer.

    Returns
    -------
    Evaluation
    """
    (times, _), labels = answer
    earliest = times.min(axis=1)
    silent = np.isinf(earliest)
    predictions = times.argmin(axis=1)
    predictions[silent] = -1
    ties = ((times == earliest[:, None]).sum(axis=1) > 1) & ~silent
    unheard = 0 if labels is None else int(np.isinf(times[np.arange(len(labels)), labels]).sum())
    return Evaluation(
        loss=sum(terms.values()), terms=terms, cotangent=cotangent, predictions=predictions, ties=ties,
        correct=None if labels is None else predictions == labels,
        silent_samples=int(silent.sum()), silent_labels=unheard)
