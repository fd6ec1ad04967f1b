"""In words: where substrates agree, where they part, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.comparison.attribution import REST, Attribution
from netdesc.comparison.effects import Effect
from netdesc.comparison.findings import (
    EXACT,
    spiking,
    tell_gradients,
    tell_losses,
    tell_metrics,
    tell_origin,
    tell_parameters,
    tell_patterns,
    tell_sources,
    tell_spikes,
)
from netdesc.comparison.records import Agreement
from netdesc.comparison.runs import Outcome, Refusal

AGREES, CLOSE, PARTS, REFUSED = "agrees", "is close", "parts", "cannot run it"

LONE = 0.005
"""Share of spikes without a partner up to which rounding at the threshold may be the cause."""

TURNED = 0.01
"""1 minus the cosine up to which a gradient may have turned by rounding."""


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
        *(tell_spikes(item) for item in spiking(agreement)),
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
        signs = [*tell_origin(agreement), *tell_patterns(agreement)]
        hints = f" {_sentence(signs)}." if signs else ""
        yield f"No departure that the backend tells of explains {_listed(words)}: it may be a fault.{hints}"


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return text[:1].upper() + text[1:]


def judge_apart(reference: Outcome, other: Outcome, agreement: Agreement) -> Verdict:
    """Put into words how a substrate compares that was trained by itself.

    Parameters
    ----------
    reference, other : Outcome
    agreement : Agreement

    Returns
    -------
    Verdict
        By accuracy alone, or loss: spikes and gradients of other weights differ in any case.
    """
    findings = (
        *tell_metrics(reference, other, agreement),
        "it was trained by itself: its weights are its own, and with them spikes and gradients",
        *tell_parameters(agreement),
        *tell_losses(other),
    )
    return Verdict(other.substrate.label, grade_apart(reference, other), findings, ())


def grade_apart(reference: Outcome, other: Outcome) -> str:
    """Return ``AGREES``, ``CLOSE`` or ``PARTS`` for substrates that were trained apart.

    Parameters
    ----------
    reference, other : Outcome

    Returns
    -------
    str
        Agrees: accuracies are within two standard errors of their difference, as many test samples as there
        are; close: within four. Without accuracies, losses within 1 and 10 %.
    """
    before, after = reference.metrics, other.metrics
    if before is None or after is None:
        return PARTS
    if before.accuracy is None or after.accuracy is None:
        apart, unit = abs(after.loss - before.loss), 0.005 * abs(before.loss)
        return AGREES if apart <= 2 * unit else CLOSE if apart <= 20 * unit else PARTS
    apart = abs(after.accuracy - before.accuracy)
    unit = sum(item * (1.0 - item) for item in (before.accuracy, after.accuracy)) / before.samples
    return AGREES if apart <= 2 * unit**0.5 else CLOSE if apart <= 4 * unit**0.5 else PARTS


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
    spikes = spiking(agreement)
    unmatched = sum(int(item.matches.missing.sum() + item.matches.extra.sum()) for item in spikes)
    total = sum(int(item.matches.matched.sum() + item.matches.missing.sum()) for item in spikes)
    moved = max((float(np.abs(item.matches.deviations).max(initial=0.0)) for item in spikes), default=0.0)
    turned = max((_turn(item.cosine) for item in agreement.gradients.values()), default=0.0)
    flipped = any(item.flipped for item in agreement.parameters.values())
    if unmatched == 0 and moved <= EXACT and turned <= EXACT and not flipped:
        return AGREES
    return CLOSE if unmatched <= 0.01 * total and turned <= 0.01 and not flipped else PARTS


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
