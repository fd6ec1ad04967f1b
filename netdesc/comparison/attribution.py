"""Sources of deviation: the non-idealities of a substrate, switched on one at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from netdesc.comparison.effects import MEASURES, Effect, Series, measure
from netdesc.comparison.runs import Job, Outcome, Refusal, attempt, repeat
from netdesc.comparison.substrates import Substrate, with_options
from netdesc.events import Floats
from netdesc.parameters import DELAY, WEIGHT, quantity_of

LOG = logging.getLogger("netdesc.comparison")

REST = "unexplained residual"
"""Name of the deviation that no non-ideality explains."""

WEIGHTS = "weight quantization"


@runtime_checkable
class NonIdeal(Protocol):
    """A backend that can switch off its deviations from the equations."""

    def non_idealities(self) -> Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
        """Return pairs of settings that differ in one non-ideality alone.

        Returns
        -------
        mapping of str to (mapping, mapping)
            By the name of the non-ideality: the section ``backends.NAME`` without it and with it, units
            resolved. Only non-idealities of the current settings; the first element of the first pair is
            the substrate at its most ideal.
        """
        ...


@dataclass(frozen=True, slots=True)
class Attribution:
    """Sources of a deviation from the reference.

    Parameters
    ----------
    whole : Effect
        The substrate against the reference.
    effects : tuple of Effect
        One per source of deviation, the one of ``REST`` last.
    largest : mapping of str to str
        By measure: the source with the largest effect that exceeds its noise; empty where there is none.
    """

    whole: Effect
    effects: tuple[Effect, ...]
    largest: Mapping[str, str]


def attribute(reference: Outcome, other: Outcome, job: Job) -> Attribution:
    """Switch the non-idealities of a substrate on one at a time.

    The reference runs with the effective weights, and separately with the effective delays, of the substrate.
    A backend that lists its own non-idealities (see `NonIdeal`) runs with and without each. The difference
    that remains between the substrate at its most ideal and the reference with the same weights and delays
    is the unexplained residual: rounding of the state, or a fault. Noisy runs use several noise seeds.

    Parameters
    ----------
    reference, other : Outcome
        Of the same samples.
    job : Job
        What both did.
    """
    job = replace(job, batch=reference.batch)
    before, after = repeat(reference, job), repeat(other, job)
    title = f"{other.substrate.label} against {reference.substrate.label}"
    whole = measure("all", title, before, after, job=job)
    effects = tuple(_measure_each(before, after, job))
    return Attribution(whole, effects, {name: _largest(effects, name) for name in MEASURES})


def _measure_each(before: tuple[Outcome, ...], after: tuple[Outcome, ...], job: Job) -> Iterator[Effect]:
    reference, other = before[0], after[0]
    label, name = other.substrate.label, reference.substrate.label
    backend = other.compiled.backend
    listed = list_non_idealities(backend)
    for source, quantity in (("delays", DELAY), (WEIGHTS, WEIGHT)):
        values = _as_run(reference, other, quantity)
        if values and source not in listed:
            how = f"{name} with and without the effective {quantity}s of {label}"
            yield measure(source, how, before, _rerun(reference, job, values), job=job)
    ideal = after
    runs: dict[str, Series] = {}
    for number, (source, options) in enumerate(listed.items()):
        LOG.info("%s: with and without %s", label, source)
        without, with_it = (_run_once(other, item, job, runs) for item in options)
        yield measure(source, f"{label} with and without it", without, with_it, job=job)
        first = without[0]
        if number == 0 and isinstance(first, Outcome):
            ideal = tuple(item for item in without if isinstance(item, Outcome))
    values = _as_run(reference, ideal[0], DELAY) | _as_run(reference, ideal[0], WEIGHT)
    start = _rerun(reference, job, values) if values else before
    words = "without its non-idealities" if ideal is not after else "as configured"
    how = f"{label} {words}, against {name} with the same weights and delays"
    yield measure(REST, how, start, ideal, job=job)


def list_non_idealities(backend: object) -> Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Return the `NonIdeal.non_idealities` of a backend; none where it lists nothing.

    The method's former name ``departures`` is still accepted.
    """
    if isinstance(backend, NonIdeal):
        return backend.non_idealities()
    former = getattr(backend, "departures", None)
    return former() if callable(former) else {}


def _run_once(
    other: Outcome,
    options: Mapping[str, Any],
    job: Job,
    runs: dict[str, Series],
) -> Series:
    key = repr(sorted(options.items(), key=lambda item: item[0]))
    if key not in runs:
        model = with_options(other.model, other.substrate.backend, options)
        substrate = Substrate(other.substrate.label, other.substrate.backend)
        runs[key] = _series(attempt(model, substrate, job), job)
    return runs[key]


def _rerun(reference: Outcome, job: Job, values: Mapping[str, Floats]) -> Series:
    changed = replace(job, parameters={**job.parameters, **values})
    return _series(attempt(reference.model, reference.substrate, changed), changed)


def _series(found: Outcome | Refusal, job: Job) -> Series:
    return (found,) if isinstance(found, Refusal) else repeat(found, job)


def _as_run(reference: Outcome, other: Outcome, quantity: str) -> dict[str, Floats]:
    """Return effective values that differ from those of the reference, in the shapes of the reference."""
    result = {}
    for key, values in reference.trace.effective_parameters.items():
        found = other.trace.effective_parameters.get(key)
        if quantity_of(key) != quantity or found is None or len(values) == 0:
            continue
        if len(found) == 1 or len(found) == len(values) or (len(values) == 1 and np.all(found == found[0])):
            found = np.broadcast_to(found[:1] if len(values) == 1 else found, values.shape)
            # Rounding to 32 bits belongs to the unexplained residual.
            if np.any(np.abs(found - values) > 1e-6 * np.abs(values) + 1e-12):
                result[key] = np.array(found, dtype=np.float64)
    return result


def _largest(effects: tuple[Effect, ...], name: str) -> str:
    clear = [item for item in effects if item.is_clear(name)]
    return max(clear, key=lambda item: item.size(name)).source if clear else ""
