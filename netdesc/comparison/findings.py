"""In sentences: what agrees and what does not between two runs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netdesc.comparison.records import Agreement, SpikeAgreement
from netdesc.comparison.runs import Outcome

EXACT = 1e-3
"""Up to here spike times (ms) and 1 minus cosines count as equal."""

FEW = 3
"""Spikes from which on a common shift is more than chance."""

OPPOSITE = -0.5
"""Below this cosine a gradient points the other way."""

LOST = ("dropped", "lost", "late", "overrun", "clipped", "saturated", "unmodelled")
"""What names of counts hold that tell of something lost or bent."""


def tell_metrics(reference: Outcome, other: Outcome, agreement: Agreement) -> Iterator[str]:
    """Yield what accuracy and loss are, and how often answers are the same."""
    before, after = reference.metrics, other.metrics
    if before is not None and after is not None:
        words = f"loss {after.loss:.4g} against {before.loss:.4g}"
        if before.accuracy is not None and after.accuracy is not None:
            words = (
                f"accuracy {100 * after.accuracy:.1f} % against {100 * before.accuracy:.1f} % on "
                f"{after.samples} samples; {words}"
            )
        yield words
    if agreement.same_answers is not None and agreement.same_answers < 1.0:
        yield f"the same answer in {100 * agreement.same_answers:.0f} % of the compared samples"


def tell_spikes(item: SpikeAgreement) -> str:
    """Return how the spikes of a population compare."""
    found = item.matches
    missing, extra, both = (int(part.sum()) for part in (found.missing, found.extra, found.matched))
    if missing == extra == both == 0:
        return f"{item.population}: silent in both"
    counts = f"{both} of {both + missing} spikes matched"
    counts += f", {missing} missing" if missing else ""
    counts += f", {extra} extra" if extra else ""
    return f"{item.population}: {counts}{_tell_shift(item)}"


def _tell_shift(item: SpikeAgreement) -> str:
    moved = item.matches.deviations
    if len(moved) == 0:
        return ""
    if float(np.abs(moved).max()) <= EXACT:
        return "; times agree to 0.001 ms"
    low, high = np.percentile(moved, (25, 75))
    return f"; {_tell_delay(item) or f'half of them are {low:+.3g} to {high:+.3g} ms off'}"


def _tell_delay(item: SpikeAgreement) -> str:
    """Return by how much all spikes are late or early alike; nothing where they are not."""
    moved = item.matches.deviations
    if len(moved) < FEW or len(moved) < int(item.matches.missing.sum()):
        return ""
    low, middle, high = np.percentile(moved, (25, 50, 75))
    if high - low >= 0.02 * abs(middle) or abs(middle) <= EXACT:
        return ""
    side = "late" if middle > 0 else "early"
    return f"all are {abs(middle):.3g} ms {side}, a constant shift as from a delay"


def tell_sources(agreement: Agreement) -> Iterator[str]:
    """Yield which inputs came at other times."""
    for item in agreement.spikes.values():
        moved = item.matches.deviations[np.abs(item.matches.deviations) > EXACT]
        lost = int(item.matches.missing.sum() + item.matches.extra.sum())
        if item.kind == "source" and (len(moved) or lost):
            words = f"{len(moved)} of {len(item.matches.deviations)} input spikes were moved"
            words += f", by at most {np.abs(moved).max():.3g} ms" if len(moved) else ""
            yield f"{item.population}: {words}" + (f"; {lost} have no partner" if lost else "")


def tell_origin(agreement: Agreement) -> Iterator[str]:
    """Yield where spikes part first; what comes later may only follow from it."""
    parted = [item for item in spiking(agreement) if item.earliest is not None]
    if parted:
        first = min(parted, key=lambda item: item.earliest[2] if item.earliest else np.inf)
        sample, neuron, time = first.earliest or (0, 0, 0.0)
        yield (
            f"spikes part first in {first.population}, neuron {neuron}, at {time:.4g} ms of sample {sample}"
        )


def tell_gradients(agreement: Agreement) -> Iterator[str]:
    """Yield how the gradients of a batch compare."""
    for key, item in agreement.gradients.items():
        words = f"gradient by {key}: "
        if not np.isfinite(item.cosine):
            yield words + "zero in one of them"
        elif item.cosine < OPPOSITE:
            yield words + f"points the other way (cosine {item.cosine:.3f}): a sign is swapped"
        else:
            yield words + f"cosine {item.cosine:.4f}, length x {item.ratio:.3g}"


def tell_parameters(agreement: Agreement) -> Iterator[str]:
    """Yield which weights and delays were run with other values."""
    for key, item in agreement.parameters.items():
        if item.changed:
            more = f", {item.flipped} with the other sign" if item.flipped else ""
            more += f", {item.zeroed} became 0" if item.zeroed else ""
            yield (
                f"{key}: {item.changed} of {item.count} were run with another value{more}, by at most "
                f"{item.largest:.3g}"
            )


def tell_losses(other: Outcome) -> Iterator[str]:
    """Yield counts of what went wrong on the way."""
    for name, count in other.trace.health.items():
        if count and any(word in name for word in LOST):
            yield f"{name.replace('_', ' ')}: {count}"


def tell_patterns(agreement: Agreement) -> Iterator[str]:
    """Yield patterns that faults of one kind leave."""
    for item in spiking(agreement):
        delay = _tell_delay(item)
        if delay:
            yield f"{item.population}: {delay}"
    for key, part in agreement.gradients.items():
        if part.cosine < OPPOSITE:
            yield f"the gradient by {key} points the other way"


def spiking(agreement: Agreement) -> list[SpikeAgreement]:
    """Return the agreements of populations that make spikes of their own."""
    return [item for item in agreement.spikes.values() if item.kind == "spiking"]
