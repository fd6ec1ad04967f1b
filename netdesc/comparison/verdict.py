"""Verdicts in words: where substrates agree, where they deviate, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from netdesc.comparison.attribution import REST, Attribution
from netdesc.comparison.effects import Effect
from netdesc.comparison.findings import (
    EXACT,
    report_counts,
    report_gradients,
    report_inputs,
    report_metrics,
    report_origin,
    report_parameters,
    report_patterns,
    report_spikes,
)
from netdesc.comparison.predictions import compare_predictions
from netdesc.comparison.records import Agreement
from netdesc.comparison.runs import Outcome, Refusal

AGREES, CLOSE, DEVIATES, REFUSED = "agrees", "is close", "deviates", "cannot run it"

LONE = 0.0025
"""Fraction of unmatched spikes, of the spikes of both runs, that rounding at the threshold may explain."""

FEW_UNMATCHED = 0.005
"""Fraction of unmatched spikes, of the spikes of both runs, up to which a substrate is close."""

SMALL_LOSS = 0.02
"""Difference of accuracies up to which a significant difference still counts as close."""

TURNED = 0.01
"""1 minus the cosine between gradients that rounding may explain."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a substrate.

    Parameters
    ----------
    label : str
    level : str
        ``AGREES``, ``CLOSE``, ``DEVIATES`` or ``REFUSED``.
    findings : tuple of str
        Where it agrees or deviates, in sentences.
    reasons : tuple of str
        The largest sources of deviation.
    alerts : tuple of str
        Deviations that may be faults, since no listed non-ideality explains them.
    """

    label: str
    level: str
    findings: tuple[str, ...]
    reasons: tuple[str, ...]
    alerts: tuple[str, ...] = ()


def refuse(refusal: Refusal) -> Verdict:
    """Return the verdict of a substrate that did not run."""
    return Verdict(refusal.substrate.label, REFUSED, tuple(str(item) for item in refusal.diagnostics), ())


def judge(
    reference: Outcome,
    other: Outcome,
    agreement: Agreement,
    attribution: Attribution | None = None,
) -> Verdict:
    """Judge how far a substrate agrees with the reference."""
    findings = (
        *report_metrics(reference, other, agreement),
        *(report_spikes(item) for item in agreement.spiking),
        *report_inputs(agreement),
        *report_origin(agreement),
        *report_gradients(agreement),
        *report_parameters(agreement),
        *report_counts(other),
    )
    level = grade(agreement)
    if attribution is None or level == AGREES:
        return Verdict(other.substrate.label, level, findings, ())
    alerts = tuple(suspect(agreement, attribution))
    return Verdict(other.substrate.label, level, findings, tuple(explain(attribution)), alerts)


def suspect(agreement: Agreement, attribution: Attribution) -> Iterator[str]:
    """Yield deviations that may be faults.

    Yields
    ------
    str
        If the substrate at its most ideal, with the same weights and delays, deviates by more than rounding
        near the threshold explains.
    """
    rest = attribution.effects[-1]
    words = []
    if rest.unmatched > LONE:
        words.append(f"{100 * rest.unmatched:.3g} % unmatched spikes (of the spikes of both runs)")
    if rest.shift > EXACT:
        words.append(f"matched spikes that differ by {rest.shift:.3g} ms")
    if rest.gradient is not None and rest.gradient > TURNED:
        words.append(f"a gradient cosine of {1.0 - rest.gradient:.3f}")
    if words:
        signs = "; ".join([*report_origin(agreement), *report_patterns(agreement)])
        hints = f" {signs[:1].upper()}{signs[1:]}." if signs else ""
        yield f"No listed non-ideality explains {_listed(words)}; this may be a fault.{hints}"


def judge_apart(reference: Outcome, other: Outcome, agreement: Agreement) -> Verdict:
    """Judge a substrate that was trained separately.

    Returns
    -------
    Verdict
        From accuracy alone, or loss: spikes and gradients differ because the weights differ.
    """
    findings = (
        *report_metrics(reference, other, agreement),
        "trained separately: weights differ, and therefore spikes and gradients",
        *report_parameters(agreement),
        *report_counts(other),
    )
    return Verdict(other.substrate.label, grade_apart(reference, other), findings, ())


def grade_apart(reference: Outcome, other: Outcome) -> str:
    """Return ``AGREES``, ``CLOSE`` or ``DEVIATES`` for substrates that were trained separately.

    Returns
    -------
    str
        Agrees: McNemar's exact test on the same samples finds no significant difference of accuracies
        (p >= 0.05); close: a significant difference of at most 2 percentage points. Without accuracies,
        losses within 1 and 10 %.
    """
    before, after = reference.metrics, other.metrics
    if before is None or after is None:
        return DEVIATES
    test = compare_predictions(reference.predictions, other.predictions)
    if test is None or before.accuracy is None or after.accuracy is None:
        difference, scale = abs(after.loss - before.loss), abs(before.loss)
        return AGREES if difference <= 0.01 * scale else CLOSE if difference <= 0.1 * scale else DEVIATES
    if not test.significant:
        return AGREES
    return CLOSE if abs(after.accuracy - before.accuracy) <= SMALL_LOSS else DEVIATES


def grade(agreement: Agreement) -> str:
    """Return ``AGREES``, ``CLOSE`` or ``DEVIATES``.

    Returns
    -------
    str
        Agrees: all spikes match to 0.001 ms and gradients to 1 - cosine = 0.001. Close: at most 0.5 % of
        the spikes of both runs unmatched, gradient cosines of at least 0.99, no weight with another sign.
    """
    unmatched = agreement.counts.unmatched_fraction or 0.0
    shifts = (float(np.abs(item.matches.deviations).max(initial=0.0)) for item in agreement.spiking)
    moved = max(shifts, default=0.0)
    turned = max((_turn(item.cosine) for item in agreement.gradients.values()), default=0.0)
    flipped = any(item.flipped for item in agreement.parameters.values())
    if unmatched == 0.0 and moved <= EXACT and turned <= EXACT and not flipped:
        return AGREES
    return CLOSE if unmatched <= FEW_UNMATCHED and turned <= 0.01 and not flipped else DEVIATES


def explain(attribution: Attribution) -> Iterator[str]:
    """Yield the largest source of deviation of each measure."""
    by_source: dict[str, list[str]] = {}
    for measure, source in attribution.largest.items():
        if source:
            by_source.setdefault(source, []).append(measure)
    effects = {item.source: item for item in attribution.effects}
    for source, measures in by_source.items():
        words = f"largest source of deviation in {_listed(measures)}: {source} ({_size(effects[source])})"
        yield words + (", which no listed non-ideality explains" if source == REST else "")
    if not by_source:
        yield "no deviation exceeds the noise"


def _size(effect: Effect) -> str:
    words = [f"van Rossum distance {effect.spikes:.3g} per neuron"] if np.isfinite(effect.spikes) else []
    words += [f"1 - cosine {effect.gradient:.3g}"] if effect.gradient is not None else []
    if effect.accuracy is not None:
        lost = effect.accuracy != 0.0 and not effect.is_clear("accuracy")
        words.append(
            f"accuracy {100 * effect.accuracy:+.1f} percentage points" + (", within noise" if lost else "")
        )
    return ", ".join(words)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _turn(cosine: float) -> float:
    return 1.0 - cosine if np.isfinite(cosine) else 1.0
