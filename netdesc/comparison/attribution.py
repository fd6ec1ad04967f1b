"""How much of a deviation is due to what: departures of a substrate, switched on one at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from netdesc.comparison.agreement import direct
from netdesc.comparison.runs import Job, Outcome, Refusal, attempt
from netdesc.comparison.substrates import Substrate, with_options
from netdesc.comparison.trains import Trains, match, van_rossum
from netdesc.events import Floats

MEASURES = ("spikes", "gradient", "accuracy")
"""Measures of an effect, for each of which the largest cause is named."""

REST = "everything else"
"""Name of what no departure explains."""


@runtime_checkable
class Departing(Protocol):
    """A backend that can switch off what sets it apart from the equations."""

    def departures(self) -> Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Return pairs of settings that differ in one departure alone.

        Returns
        -------
        mapping of str to (mapping, mapping)
            By the name of the departure: the section ``backends.NAME`` without it and with it, units
            resolved. Only departures that are part of the present settings; the first of the first pair is
            the substrate at its most ideal.
        """
        ...


@dataclass(frozen=True, slots=True)
class Effect:
    """What one cause does.

    Parameters
    ----------
    cause : str
        Name of the departure.
    how : str
        Which two runs were compared.
    spikes : float
        Mean distance of van Rossum of a neuron in a sample; a spike and silence are 1 apart.
    unmatched : float
        Spikes without a partner within the window, over those of the run without the cause.
    shift : float
        Mean absolute deviation of matched spikes, in ms.
    gradient : float or None
        1 minus the cosine between the gradients of the batch, all parameters as one vector; None without
        gradients.
    length : float or None
        Length of the gradient with the cause, over that without.
    accuracy, loss : float or None
        With the cause minus without, on the test samples.
    diagnostics : tuple of str
        Why it could not be measured, where that is so; the numbers are NaN or None then.
    """

    cause: str
    how: str
    spikes: float
    unmatched: float
    shift: float
    gradient: float | None
    length: float | None
    accuracy: float | None
    loss: float | None
    diagnostics: tuple[str, ...] = ()

    def size(self, measure: str) -> float:
        """Return how large the effect is on one of ``MEASURES``; 0 where it is not known."""
        value = getattr(self, measure)
        return 0.0 if value is None or math.isnan(value) else abs(float(value))


@dataclass(frozen=True, slots=True)
class Attribution:
    """Where a deviation from the reference comes from.

    Parameters
    ----------
    whole : Effect
        The substrate against the reference.
    effects : tuple of Effect
        One per cause, the one of ``REST`` last.
    largest : mapping of str to str
        By measure: the cause with the largest effect; empty where there is none.
    """

    whole: Effect
    effects: tuple[Effect, ...]
    largest: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two runs that differ in one cause.

    Parameters
    ----------
    cause, how : str
    without, with_it : Outcome or Refusal
    """

    cause: str
    how: str
    without: Outcome | Refusal
    with_it: Outcome | Refusal


def attribute(reference: Outcome, other: Outcome, job: Job) -> Attribution:
    """Switch the departures of a substrate on one at a time.

    Weights and delays as the substrate ran them are written to the reference, one kind at a time. A backend
    that tells of its own departures (see `Departing`) is run with and without each. What remains between
    the substrate at its most ideal and the reference with the same weights and delays is called
    everything else: rounding of the state, or a fault.

    Parameters
    ----------
    reference, other : Outcome
        Of the same samples.
    job : Job
        What both did.

    Returns
    -------
    Attribution
    """
    job = replace(job, batch=reference.batch)
    whole = measure(
        Pair("all", f"{other.substrate.label} against {reference.substrate.label}", reference, other), job
    )
    effects = tuple(measure(pair, job) for pair in _pairs(reference, other, job))
    return Attribution(whole, effects, {name: _largest(effects, name) for name in MEASURES})


def measure(pair: Pair, job: Job) -> Effect:
    """Measure the effect of a cause.

    Parameters
    ----------
    pair : Pair
    job : Job

    Returns
    -------
    Effect
    """
    one, two = pair.without, pair.with_it
    refused = [str(item) for part in (one, two) if isinstance(part, Refusal) for item in part.diagnostics]
    if isinstance(one, Refusal) or isinstance(two, Refusal):
        return Effect(
            pair.cause, pair.how, math.nan, math.nan, math.nan, None, None, None, None, tuple(refused)
        )
    spikes, unmatched, shift = _compare_spikes(one, two, job)
    cosine, length = _compare_gradients(one, two)
    return Effect(pair.cause, pair.how, spikes, unmatched, shift, cosine, length, *_compare_metrics(one, two))


def _pairs(reference: Outcome, other: Outcome, job: Job) -> Iterator[Pair]:
    label, name = other.substrate.label, reference.substrate.label
    backend = other.compiled.backend
    told = backend.departures() if isinstance(backend, Departing) else {}
    for cause, suffix in (("delays", ".delay"), ("weight words", ".weight")):
        values = _as_run(reference, other, suffix)
        if values and cause not in told:
            yield Pair(
                cause,
                f"{name} with and without the {suffix[1:]}s that {label} ran",
                reference,
                _rerun(reference, job, values),
            )
    ideal = other
    runs: dict[str, Outcome | Refusal] = {}
    for number, (cause, options) in enumerate(told.items()):
        without, with_it = (_run_once(other, item, job, runs) for item in options)
        yield Pair(cause, f"{label} with and without it", without, with_it)
        if number == 0 and isinstance(without, Outcome):
            ideal = without
    values = {**_as_run(reference, ideal, ".delay"), **_as_run(reference, ideal, ".weight")}
    start = _rerun(reference, job, values) if values else reference
    words = "without its departures" if ideal is not other else "as it is"
    yield Pair(REST, f"{label} {words}, against {name} with the same weights and delays", start, ideal)


def _run_once(
    other: Outcome,
    options: Mapping[str, Any],
    job: Job,
    runs: dict[str, Outcome | Refusal],
) -> Outcome | Refusal:
    key = repr(sorted(options.items(), key=lambda item: item[0]))
    if key not in runs:
        model = with_options(other.model, other.substrate.backend, options)
        runs[key] = attempt(model, Substrate(other.substrate.label, other.substrate.backend), job)
    return runs[key]


def _rerun(reference: Outcome, job: Job, values: Mapping[str, Floats]) -> Outcome | Refusal:
    changed = replace(job, parameters={**job.parameters, **values})
    return attempt(reference.model, reference.substrate, changed)


def _as_run(reference: Outcome, other: Outcome, suffix: str) -> dict[str, Floats]:
    """Return what the other ran and the reference did not, in the shapes of the reference."""
    result = {}
    for key, values in reference.trace.parameters_as_run.items():
        found = other.trace.parameters_as_run.get(key)
        if not key.endswith(suffix) or found is None or len(values) == 0:
            continue
        if len(found) == 1 or len(found) == len(values) or (len(values) == 1 and np.all(found == found[0])):
            found = np.broadcast_to(found[:1] if len(values) == 1 else found, values.shape)
            # What 32 bits make of a number is part of everything else.
            if np.any(np.abs(found - values) > 1e-6 * np.abs(values) + 1e-12):
                result[key] = np.array(found, dtype=np.float64)
    return result


def _compare_spikes(one: Outcome, two: Outcome, job: Job) -> tuple[float, float, float]:
    distances, unmatched, deviations, count = [], 0, [np.empty(0)], 0
    for item in one.program.populations:
        if item.kind != "spiking" or item.name not in two.trace.spikes:
            continue
        before, after = (Trains.of(run.trace.spikes[item.name], item.size) for run in (one, two))
        found = match(before, after, job.settings.window)
        distances.append(van_rossum(before, after, job.settings.tau).ravel())
        unmatched += int(found.missing.sum() + found.extra.sum())
        count += len(before.times)
        deviations.append(np.abs(found.deviations))
    if not distances:
        return math.nan, math.nan, math.nan
    moved = np.concatenate(deviations)
    return (
        float(np.concatenate(distances).mean()),
        unmatched / max(count, 1),
        float(moved.mean()) if len(moved) else 0.0,
    )


def _compare_gradients(one: Outcome, two: Outcome) -> tuple[float | None, float | None]:
    before, after = one.gradient, two.gradient
    if before is None or after is None:
        return None, None
    keys = [key for key in before if key in after and len(before[key]) == len(after[key])]
    if not keys:
        return None, None
    cosine, ratio = direct(*(np.concatenate([run[key] for key in keys]) for run in (before, after)))
    return 1.0 - cosine, ratio


def _compare_metrics(one: Outcome, two: Outcome) -> tuple[float | None, float | None]:
    before, after = one.metrics, two.metrics
    if before is None or after is None:
        loss = (
            two.evaluation.loss - one.evaluation.loss
            if one.evaluation is not None and two.evaluation is not None
            else None
        )
        return None, loss
    accuracy = (
        after.accuracy - before.accuracy
        if before.accuracy is not None and after.accuracy is not None
        else None
    )
    return accuracy, after.loss - before.loss


def _largest(effects: tuple[Effect, ...], name: str) -> str:
    best = max(effects, key=lambda item: item.size(name))
    return best.cause if best.size(name) > 1e-6 else ""
