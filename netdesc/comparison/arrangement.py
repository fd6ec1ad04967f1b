"""A comparison as plain data: what ``--json`` prints, and all that a report shows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np

from netdesc import __version__
from netdesc.border import configure
from netdesc.capabilities import arrange_capabilities
from netdesc.comparison.details import (
    arrange_agreement,
    arrange_attribution,
    arrange_network,
    arrange_substrate,
)
from netdesc.comparison.predictions import compare_predictions
from netdesc.comparison.runs import Outcome
from netdesc.comparison.study import Comparison
from netdesc.comparison.verdict import AGREES
from netdesc.errors import NetdescError, record
from netdesc.events import Events
from netdesc.plain import Json, plain
from netdesc.plotting.colours import SUBSTRATES

SPIKES = ("matched_fraction", "unmatched_fraction", "missing", "extra")
"""Numbers of spikes of all spiking populations."""


def arrange(comparison: Comparison) -> dict[str, Json]:
    """Return everything about a comparison as JSON data.

    Returns
    -------
    dict
        Times in ms; None where a number is not finite or not known.
    """
    outcomes, base = comparison.outcomes, comparison.outcomes[comparison.reference]
    batch = base.batch
    data = {
        "name": comparison.model.description.name,
        "digest": comparison.model.digest,
        "reference": comparison.reference,
        "settings": asdict(comparison.settings),
        "weights": _describe_weights(comparison),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "trained_separately": comparison.weights.train,
        "duration": comparison.program.duration,
        "batch": {"split": batch.split, "samples": batch.events.batch, "labels": batch.labels},
        "summary": "; ".join(f"{label}: {item.level}" for label, item in comparison.verdicts.items()),
        "overview": {
            label: arrange_overview(comparison, label) for label in [*outcomes, *comparison.refusals]
        },
        "verdicts": {label: asdict(item) for label, item in comparison.verdicts.items()},
        "substrates": {label: arrange_substrate(item) for label, item in outcomes.items()},
        "refusals": {
            label: [record(item) for item in refusal.diagnostics]
            for label, refusal in comparison.refusals.items()
        },
        "capabilities": _capabilities(comparison),
        "agreements": {label: arrange_agreement(item) for label, item in comparison.agreements.items()},
        "attributions": {label: arrange_attribution(item) for label, item in comparison.attributions.items()},
        "colours": {
            label: SUBSTRATES[number % len(SUBSTRATES)] for number, label in enumerate(comparison.agreements)
        },
        "network": arrange_network(comparison.program, base.trace.effective_parameters),
        "curves": _curves(comparison),
        "rasters": {
            label: {name: _events(events) for name, events in item.trace.spikes.items()}
            for label, item in outcomes.items()
        },
        "voltages": {
            label: {
                key: {"times": part.times, "neurons": part.neurons, "values": part.values}
                for key, part in item.trace.recordings.items()
                if key.endswith(".v")
            }
            for label, item in outcomes.items()
        },
        "resolved": comparison.resolved,
    }
    return {name: plain(item) for name, item in data.items()}


def arrange_overview(comparison: Comparison, label: str) -> dict[str, Any]:
    """Return the most important numbers of a substrate.

    Parameters
    ----------
    comparison : Comparison
    label : str
        Of the substrate.

    Returns
    -------
    dict
        ``matched_fraction`` is relative to the spikes of the reference, ``unmatched_fraction`` to the spikes
        of both runs; ``accuracy_test`` is McNemar's exact test against the reference; ``time`` (ms) and
        ``energy`` (mJ) are estimates per sample.
    """
    outcome, verdict = comparison.outcomes.get(label), comparison.verdicts.get(label)
    agreement = comparison.agreements.get(label)
    cosines = [item.cosine for item in agreement.gradients.values()] if agreement else []
    metrics = outcome.metrics if outcome else None
    explained = label in comparison.attributions and verdict is not None and verdict.level != AGREES
    largest = comparison.attributions[label].largest if explained else {}
    base = comparison.outcomes[comparison.reference]
    test = compare_predictions(base.predictions, outcome.predictions) if outcome and verdict else None
    return {
        "level": verdict.level if verdict else "reference",
        "accuracy": metrics.accuracy if metrics else None,
        "accuracy_test": test._asdict() if test else None,
        "loss": outcome.loss if outcome else None,
        **{name: getattr(agreement.counts, name) if agreement else None for name in SPIKES},
        "cosine": min(filter(np.isfinite, cosines), default=None),
        "largest_source": ", ".join(dict.fromkeys(source for source in largest.values() if source)),
        "energy": _per_sample(outcome, "energy_mJ"),
        "time": _per_sample(outcome, "time_ms"),
    }


def _per_sample(outcome: Outcome | None, name: str) -> float | None:
    """Return a cost of one sample; None where the substrate reports none."""
    cost = outcome.trace.costs.get(name) if outcome else None
    return None if outcome is None or cost is None else float(cost) / max(outcome.trace.batch, 1)


def _describe_weights(comparison: Comparison) -> str:
    if comparison.weights.train:
        return "each substrate trained separately"
    source = comparison.weights.source
    return "initial weights of the file" if source is None else f"trained weights of {source.name}"


def _curves(comparison: Comparison) -> dict[str, Any]:
    """Return the epochs of every training: one per substrate, or that of the shared weights."""
    found = {label: item.curves for label, item in comparison.outcomes.items() if item.curves}
    if comparison.weights.train:
        return found
    return {"weights": next(iter(found.values()))} if found else {}


def _capabilities(comparison: Comparison) -> dict[str, Any]:
    """Return the capabilities of all backends, also of those that refused the model."""
    limits = {label: item.compiled.backend.limits for label, item in comparison.outcomes.items()}
    for label, refusal in comparison.refusals.items():
        # A backend that is missing or broken can do nothing; the refusal says why.
        with suppress(NetdescError):
            limits[label] = configure(refusal.substrate.backend, {}).limits
    return {label: arrange_capabilities(item) for label, item in limits.items()}


def _events(events: Events) -> dict[str, Any]:
    return {"times": events.times, "neurons": events.sources, "samples": events.samples()}
