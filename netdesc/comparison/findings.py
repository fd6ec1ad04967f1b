"""Findings in sentences: what agrees and what deviates between two runs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netdesc.comparison.predictions import PairedTest, compare_predictions
from netdesc.comparison.records import Agreement, SpikeAgreement
from netdesc.comparison.runs import Outcome
from netdesc.comparison.trains import count
from netdesc.parameters import UNITS, quantity_of

EXACT = 1e-3
"""Spike times (ms) and 1 minus cosines that differ by at most this count as equal."""

FEW = 3
"""Spikes needed before a common shift is reported."""

OPPOSITE = -0.5
"""Below this cosine a gradient has the opposite direction."""

LOST = ("dropped", "lost", "late", "overrun", "clipped", "saturated", "unmodelled")
"""Words in the names of counts of events that were lost or changed."""


def report_metrics(reference: Outcome, other: Outcome, agreement: Agreement) -> Iterator[str]:
    """Yield accuracy with its paired test, loss, and how often predictions are the same."""
    before, after = reference.metrics, other.metrics
    if before is not None and after is not None:
        words = f"loss {after.loss:.4g} against {before.loss:.4g}"
        if before.accuracy is not None and after.accuracy is not None:
            test = compare_predictions(reference.predictions, other.predictions)
            words = (
                f"accuracy {100 * after.accuracy:.1f} % against {100 * before.accuracy:.1f} % on "
                f"{after.samples} samples{describe_test(test)}; {words}"
            )
        yield words
    if agreement.same_predictions is not None and agreement.same_predictions < 1.0:
        yield f"same prediction on {100 * agreement.same_predictions:.0f} % of the compared samples"


def describe_test(test: PairedTest | None) -> str:
    """Return the test in parentheses; nothing where there is none."""
    if test is None:
        return ""
    return (
        f" (McNemar's exact test: n = {test.discordant} discordant samples, {test.only_reference} to "
        f"{test.only_other}, p = {test.p_value:.2g})"
    )


def report_spikes(item: SpikeAgreement) -> str:
    """Return how the spikes of a population compare."""
    both, missing, extra = count([item.matches])
    if missing == extra == both == 0:
        return f"{item.population}: silent in both"
    counts = f"{both} of {both + missing} spikes matched"
    counts += f", {missing} missing" if missing else ""
    counts += f", {extra} extra" if extra else ""
    return f"{item.population}: {counts}{_describe_shift(item)}"


def _describe_shift(item: SpikeAgreement) -> str:
    moved = item.matches.deviations
    if len(moved) == 0:
        return ""
    if float(np.abs(moved).max()) <= EXACT:
        return "; times agree to 0.001 ms"
    low, high = np.percentile(moved, (25, 75))
    return f"; {_describe_delay(item) or f'half of them are shifted by {low:+.3g} to {high:+.3g} ms'}"


def _describe_delay(item: SpikeAgreement) -> str:
    """Return the shift that all spikes have in common; nothing where they have none."""
    moved = item.matches.deviations
    if len(moved) < FEW or len(moved) < count([item.matches]).missing:
        return ""
    low, middle, high = np.percentile(moved, (25, 50, 75))
    if high - low >= 0.02 * abs(middle) or abs(middle) <= EXACT:
        return ""
    side = "late" if middle > 0 else "early"
    return f"most are {abs(middle):.3g} ms {side}, a constant shift such as a delay causes"


def report_inputs(agreement: Agreement) -> Iterator[str]:
    """Yield which inputs arrived at other times."""
    for item in agreement.spikes.values():
        moved = item.matches.deviations[np.abs(item.matches.deviations) > EXACT]
        lost = count([item.matches]).unmatched
        if item.kind == "source" and (len(moved) or lost):
            words = f"{len(moved)} of {len(item.matches.deviations)} input spikes were moved"
            words += f", by at most {np.abs(moved).max():.3g} ms" if len(moved) else ""
            yield f"{item.population}: {words}" + (f"; {lost} are unmatched" if lost else "")


def report_origin(agreement: Agreement) -> Iterator[str]:
    """Yield the first deviating spike; later deviations may follow from it."""
    deviating = [item for item in agreement.spiking if item.earliest is not None]
    if deviating:
        first = min(deviating, key=lambda item: item.earliest[2] if item.earliest else np.inf)
        sample, neuron, time = first.earliest or (0, 0, 0.0)
        yield (
            f"first deviating spike: {first.population}, neuron {neuron}, at {time:.4g} ms in sample {sample}"
        )


def report_gradients(agreement: Agreement) -> Iterator[str]:
    """Yield how the gradients of a batch compare."""
    for key, item in agreement.gradients.items():
        words = f"gradient of {key}: "
        if not np.isfinite(item.cosine):
            yield words + "zero on one of the two substrates"
        elif item.cosine < OPPOSITE:
            yield words + f"opposite direction (cosine {item.cosine:.3f}), as if a sign were reversed"
        else:
            yield words + f"cosine {item.cosine:.4f}, norm ratio {item.ratio:.3g}"


def report_parameters(agreement: Agreement) -> Iterator[str]:
    """Yield which effective weights and delays differ from the nominal ones."""
    for key, item in agreement.parameters.items():
        if item.changed:
            unit = UNITS[quantity_of(key)]
            more = f", {item.flipped} with opposite sign" if item.flipped else ""
            more += f", {item.zeroed} rounded to 0" if item.zeroed else ""
            yield (
                f"{key}: {item.changed} of {item.count} effective values differ from the nominal ones, by at "
                f"most {item.largest:.3g}{unit and f' {unit}'}{more}"
            )


def report_counts(other: Outcome) -> Iterator[str]:
    """Yield counts of events that were lost or changed."""
    for name, number in other.trace.health.items():
        if number and any(word in name for word in LOST):
            yield f"{name.replace('_', ' ')}: {number}"


def report_patterns(agreement: Agreement) -> Iterator[str]:
    """Yield patterns that are typical of faults."""
    for item in agreement.spiking:
        delay = _describe_delay(item)
        if delay:
            yield f"{item.population}: {delay}"
    for key, part in agreement.gradients.items():
        if part.cosine < OPPOSITE:
            yield f"the gradient of {key} has the opposite direction"
