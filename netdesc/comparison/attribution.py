"""How much of a deviation is due to what: departures of a substrate, switched on one at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from netdesc.comparison.effects import MEASURES, Effect, Pair, measure
from netdesc.comparison.runs import Job, Outcome, Refusal, attempt, repeat
from netdesc.comparison.substrates import Substrate, with_options
from netdesc.events import Floats

Series = tuple[Outcome, ...]
"""Runs with one stream of noise each; a single one where noise changes nothing."""

LOG = logging.getLogger("netdesc.comparison")

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
class Attribution:
    """Where a deviation from the reference comes from.

    Parameters
    ----------
    whole : Effect
        The substrate against the reference.
    effects : tuple of Effect
        One per cause, the one of ``REST`` last.
    largest : mapping of str to str
        By measure: the cause with the largest effect that is larger than what noise makes of it; empty
        where there is none.
    """

    whole: Effect
    effects: tuple[Effect, ...]
    largest: Mapping[str, str]


def attribute(reference: Outcome, other: Outcome, job: Job) -> Attribution:
    """Switch the departures of a substrate on one at a time.

    Weights and delays as the substrate ran them are written to the reference, one kind at a time. A backend
    that tells of its own departures (see `Departing`) is run with and without each. What remains between
    the substrate at its most ideal and the reference with the same weights and delays is called
    everything else: rounding of the state, or a fault. Whatever has noise runs with several streams of it.

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
    before, after = repeat(reference, job), repeat(other, job)
    title = f"{other.substrate.label} against {reference.substrate.label}"
    whole = measure(Pair("all", title, before, after), job)
    effects = tuple(measure(pair, job) for pair in _pairs(before, after, job))
    return Attribution(whole, effects, {name: _largest(effects, name) for name in MEASURES})


def _pairs(before: Series, after: Series, job: Job) -> Iterator[Pair]:
    reference, other = before[0], after[0]
    label, name = other.substrate.label, reference.substrate.label
    backend = other.compiled.backend
    told = backend.departures() if isinstance(backend, Departing) else {}
    for cause, suffix in (("delays", ".delay"), ("weight words", ".weight")):
        values = _as_run(reference, other, suffix)
        if values and cause not in told:
            how = f"{name} with and without the {suffix[1:]}s that {label} ran"
            yield Pair(cause, how, before, _rerun(reference, job, values))
    ideal: Series = after
    runs: dict[str, tuple[Outcome | Refusal, ...]] = {}
    for number, (cause, options) in enumerate(told.items()):
        LOG.info("%s: with and without %s", label, cause)
        without, with_it = (_run_once(other, item, job, runs) for item in options)
        yield Pair(cause, f"{label} with and without it", without, with_it)
        first = without[0]
        if number == 0 and isinstance(first, Outcome):
            ideal = tuple(item for item in without if isinstance(item, Outcome))
    values = {**_as_run(reference, ideal[0], ".delay"), **_as_run(reference, ideal[0], ".weight")}
    start = _rerun(reference, job, values) if values else before
    words = "without its departures" if ideal is not after else "as it is"
    yield Pair(REST, f"{label} {words}, against {name} with the same weights and delays", start, ideal)


def _run_once(
    other: Outcome,
    options: Mapping[str, Any],
    job: Job,
    runs: dict[str, tuple[Outcome | Refusal, ...]],
) -> tuple[Outcome | Refusal, ...]:
    key = repr(sorted(options.items(), key=lambda item: item[0]))
    if key not in runs:
        model = with_options(other.model, other.substrate.backend, options)
        substrate = Substrate(other.substrate.label, other.substrate.backend)
        runs[key] = _series(attempt(model, substrate, job), job)
    return runs[key]


def _rerun(reference: Outcome, job: Job, values: Mapping[str, Floats]) -> tuple[Outcome | Refusal, ...]:
    changed = replace(job, parameters={**job.parameters, **values})
    return _series(attempt(reference.model, reference.substrate, changed), changed)


def _series(found: Outcome | Refusal, job: Job) -> tuple[Outcome | Refusal, ...]:
    return (found,) if isinstance(found, Refusal) else repeat(found, job)


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


def _largest(effects: tuple[Effect, ...], name: str) -> str:
    clear = [item for item in effects if item.is_clear(name)]
    return max(clear, key=lambda item: item.size(name)).cause if clear else ""
