"""Effect of one source of deviation, from runs that differ in it alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from netdesc.comparison.agreement import direct
from netdesc.comparison.runs import Job, Outcome, Refusal
from netdesc.comparison.trains import Trains, count, match, van_rossum

MEASURES = ("spikes", "gradient", "accuracy")
"""Measures of an effect; the largest source of deviation is named for each of them."""

NUMBERS = ("spikes", "unmatched", "shift", "gradient", "norm_ratio", "accuracy", "loss")
"""All numbers of an effect."""

Series = tuple[Outcome | Refusal, ...]
"""Runs with one noise seed each; a single one where noise changes nothing."""

SMALLEST = 1e-6
"""Effects up to this size count as none."""


@dataclass(frozen=True, slots=True)
class Effect:
    """Effect of one source of deviation.

    Parameters
    ----------
    source : str
        Name of the non-ideality.
    how : str
        Which two runs were compared.
    spikes : float
        Mean van Rossum distance per neuron and sample; a spike and silence are 1 apart.
    unmatched : float
        Spikes without a match within the window, as a fraction of the spikes of both runs.
    shift : float
        Mean absolute deviation of matched spikes, in ms.
    gradient : float or None
        1 minus the cosine between the gradients of the batch, all parameters as one vector; None without
        gradients.
    norm_ratio : float or None
        Norm of the gradient with the non-ideality over the norm without it.
    accuracy, loss : float or None
        Value with the non-ideality minus value without it, on the test samples.
    diagnostics : tuple of str
        Why the effect could not be measured; the numbers are NaN or None then.
    repeats : int
        Number of noise seeds; all numbers are medians over them.
    spread : mapping of str to (float, float)
        By number: the smallest and the largest; empty for one seed.
    """

    source: str
    how: str
    spikes: float = math.nan
    unmatched: float = math.nan
    shift: float = math.nan
    gradient: float | None = None
    norm_ratio: float | None = None
    accuracy: float | None = None
    loss: float | None = None
    diagnostics: tuple[str, ...] = ()
    repeats: int = 1
    spread: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def size(self, measure: str) -> float:
        """Return how large the effect is on one of ``MEASURES``; 0 where it is not known."""
        value = getattr(self, measure)
        return 0.0 if value is None or math.isnan(value) else abs(float(value))

    def is_clear(self, measure: str) -> bool:
        """Return whether the effect exceeds the noise.

        Returns
        -------
        bool
            Whether 0 lies outside the range over the noise seeds, widened by half of it at both ends: a few
            seeds do not show the whole range of the noise.
        """
        if self.size(measure) <= SMALLEST:
            return False
        low, high = self.spread.get(measure, (1.0, 1.0))
        margin = 0.5 * (high - low)
        return low - margin > 0.0 or high + margin < 0.0


def measure(source: str, how: str, without: Series, with_it: Series, *, job: Job) -> Effect:
    """Measure the effect of a source of deviation: medians over the noise seeds.

    A median is None or NaN where one of the seeds has no value.
    """
    repeats = max(len(without), len(with_it))
    # With the same seed on both sides, noise that both have cancels.
    found = [
        measure_once(source, how, without[k % len(without)], with_it[k % len(with_it)], job=job)
        for k in range(repeats)
    ]
    return found[0] if repeats == 1 else summarize(found)


def summarize(effects: Sequence[Effect]) -> Effect:
    """Return the median of the effects of one source of deviation over noise seeds, with its spread."""
    medians: dict[str, float | None] = {}
    spread: dict[str, tuple[float, float]] = {}
    for name in NUMBERS:
        values = [getattr(item, name) for item in effects]
        if any(value is None for value in values):
            medians[name] = None
            continue
        if any(math.isnan(value) for value in values):
            medians[name] = math.nan
            continue
        medians[name] = float(np.median(values))
        spread[name] = (float(np.min(values)), float(np.max(values)))
    diagnostics = tuple(dict.fromkeys(text for item in effects for text in item.diagnostics))
    changes: dict[str, object] = {**medians, "diagnostics": diagnostics}
    return replace(effects[0], **changes, repeats=len(effects), spread=spread)  # type: ignore[arg-type]


def measure_once(
    source: str, how: str, one: Outcome | Refusal, two: Outcome | Refusal, *, job: Job
) -> Effect:
    """Measure the effect of a source of deviation with one noise seed, from runs without it and with it."""
    if isinstance(one, Refusal) or isinstance(two, Refusal):
        refused = (item for part in (one, two) if isinstance(part, Refusal) for item in part.diagnostics)
        return Effect(source, how, diagnostics=tuple(map(str, refused)))
    gradient, metrics = _compare_gradients(one, two), _compare_metrics(one, two)
    return Effect(source, how, *_compare_spikes(one, two, job), *gradient, *metrics)


def _compare_spikes(one: Outcome, two: Outcome, job: Job) -> tuple[float, float, float]:
    distances, found = [], []
    for item in one.program.populations:
        if item.kind != "spiking" or item.name not in two.trace.spikes:
            continue
        before, after = (Trains.of(run.trace.spikes[item.name], item.size) for run in (one, two))
        found.append(match(before, after, job.settings.window))
        distances.append(van_rossum(before, after, job.settings.tau).ravel())
    if not distances:
        return math.nan, math.nan, math.nan
    moved = np.abs(np.concatenate([item.deviations for item in found]))
    return (
        float(np.concatenate(distances).mean()),
        count(found).unmatched_fraction or 0.0,
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
        return None, _difference(*(item.evaluation.loss if item.evaluation else None for item in (one, two)))
    return _difference(before.accuracy, after.accuracy), after.loss - before.loss


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
