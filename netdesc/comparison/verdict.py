"""In words: where substrates agree, where they part, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.comparison.attribution import REST, Attribution
from netdesc.comparison.effects import Effect
from netdesc.comparison.records import Agreement, SpikeAgreement
from netdesc.comparison.runs import Outcome, Refusal

AGREES, CLOSE, PARTS, REFUSED = "agrees", "is close", "parts", "cannot run it"

EXACT = 1e-3
"""Up to here spike times (ms) and 1 minus cosines count as equal."""

LONE = 0.005
"""Share of spikes without a partner up to which rounding at the threshold may be the cause."""

TURNED = 0.01
"""1 minus the cosine up to which a gradient may have turned by rounding."""

OPPOSITE = -0.5
"""Below this cosine a gradient points the other way."""

LOST = ("dropped", "lost", "late", "overrun", "clipped", "saturated", "unmodelled")
"""What names of counts hold that tell of something lost or bent."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody should know first about a substrate.

    Parameters
    ----------
    label : str
    level : str
        ``AGREES``, ``CLOSE``, ``PARTS`` or ``REFUSED``.
    findings : tuple of str
        Where it agrees or parts, in sentences.
    reasons : tuple of str
        Why, as far as attribution tells.
    alerts : tuple of str
        What looks like a fault, since nothing that the backend tells of explains it.
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
    """Put into words how a substrate compares with the reference.

    Parameters
    ----------
    reference, other : Outcome
    agreement : Agreement
    attribution : Attribution or None

    Returns
    -------
    Verdict
    """
    findings = (
        *tell_metrics(reference, other, agreement),
        *(tell_spikes(item) for item in _spiking(agreement)),
        *tell_sources(agreement),
        *tell_origin(agreement),
        *tell_gradients(agreement),
        *tell_parameters(agreement),
        *tell_losses(other),
    )
    level = grade(agreement)
    if attribution is None or level == AGREES:
        return Verdict(other.substrate.label, level, findings, ())
    alerts = tuple(suspect(agreement, attribution))
    return Verdict(other.substrate.label, level, findings, tuple(explain(attribution)), alerts)


def suspect(agreement: Agreement, attribution: Attribution) -> Iterator[str]:
    """Yield what looks like a fault.

    Parameters
    ----------
    agreement : Agreement
    attribution : Attribution

    Yields
    ------
    str
        If the substrate at its most ideal, with the same weights and delays, differs by more than rounding
        makes of spikes close to the threshold.
    """
    rest = attribution.effects[-1]
    words = []
    if rest.unmatched > LONE:
        words.append(f"{100 * rest.unmatched:.3g} % of the spikes without a partner")
    if rest.shift > EXACT:
        words.append(f"spikes {rest.shift:.3g} ms off")
    if rest.gradient is not None and rest.gradient > TURNED:
        words.append(f"a gradient with cosine {1.0 - rest.gradient:.3f}")
    if words:
        signs = [*tell_origin(agreement), *_tell_signs(agreement)]
        hints = f" {_sentence(signs)}." if signs else ""
        yield f"No departure that the backend tells of explains {_listed(words)}: it may be a fault.{hints}"


def _tell_signs(agreement: Agreement) -> Iterator[str]:
    """Yield patterns that faults of one kind leave."""
    for item in _spiking(agreement):
        if "constant shift" in _tell_shift(item):
            yield f"{item.population}{_tell_shift(item).replace(';', ':', 1)}"
    for key, part in agreement.gradients.items():
        if part.cosine < OPPOSITE:
            yield f"the gradient by {key} points the other way"


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def grade(agreement: Agreement) -> str:
    """Return ``AGREES``, ``CLOSE`` or ``PARTS``.

    Parameters
    ----------
    agreement : Agreement

    Returns
    -------
    str
        Close: at most one spike in a hundred without a partner, cosines of at least 0.99, median shifts
        below a twentieth of the window at which spikes are matched being left to the findings.
    """
    spikes = _spiking(agreement)
    unmatched = sum(int(item.matches.missing.sum() + item.matches.extra.sum()) for item in spikes)
    total = sum(int(item.matches.matched.sum() + item.matches.missing.sum()) for item in spikes)
    moved = max((float(np.abs(item.matches.deviations).max(initial=0.0)) for item in spikes), default=0.0)
    turned = max((_turn(item.cosine) for item in agreement.gradients.values()), default=0.0)
    flipped = any(item.flipped for item in agreement.parameters.values())
    if unmatched == 0 and moved <= EXACT and turned <= EXACT and not flipped:
        return AGREES
    return CLOSE if unmatched <= 0.01 * total and turned <= 0.01 and not flipped else PARTS


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
    low, middle, high = np.percentile(moved, (25, 50, 75))
    if high - low < 0.02 * abs(middle) and abs(middle) > EXACT:
        side = "late" if middle > 0 else "early"
        return f"; all are {abs(middle):.3g} ms {side}, a constant shift as from a delay"
    return f"; half of them are {low:+.3g} to {high:+.3g} ms off"


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
    parted = [item for item in _spiking(agreement) if item.earliest is not None]
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


def explain(attribution: Attribution) -> Iterator[str]:
    """Yield the largest cause of every kind of deviation."""
    by_cause: dict[str, list[str]] = {}
    for measure, cause in attribution.largest.items():
        if cause:
            by_cause.setdefault(cause, []).append(measure)
    effects = {item.cause: item for item in attribution.effects}
    for cause, measures in by_cause.items():
        words = f"largest cause of what happens to {_listed(measures)}: {cause} ({_size(effects[cause])})"
        yield words + (", which no departure that the backend tells of explains" if cause == REST else "")
    if not by_cause:
        yield "there is nothing to explain"


def _size(effect: Effect) -> str:
    words = [f"distance {effect.spikes:.3g} a neuron"] if np.isfinite(effect.spikes) else []
    words += [f"1 - cosine {effect.gradient:.3g}"] if effect.gradient is not None else []
    if effect.accuracy is not None:
        lost = effect.accuracy != 0.0 and not effect.is_clear("accuracy")
        words.append(
            f"accuracy {100 * effect.accuracy:+.1f} points" + (", which is within its noise" if lost else "")
        )
    return ", ".join(words)


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _spiking(agreement: Agreement) -> list[SpikeAgreement]:
    return [item for item in agreement.spikes.values() if item.kind == "spiking"]


def _turn(cosine: float) -> float:
    return 1.0 - cosine if np.isfinite(cosine) else 1.0


def levels(verdicts: Mapping[str, Verdict]) -> str:
    """Return one line about all substrates.

    Parameters
    ----------
    verdicts : mapping of str to Verdict

    Returns
    -------
    str
    """
    return "; ".join(f"{label} {item.level}" for label, item in verdicts.items())
