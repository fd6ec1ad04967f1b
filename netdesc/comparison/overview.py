"""The first screen of a comparison: the most important numbers of each substrate."""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.comparison.predictions import compare_predictions
from netdesc.comparison.runs import Outcome
from netdesc.comparison.study import Comparison
from netdesc.comparison.verdict import AGREES

SPIKES = ("matched_fraction", "unmatched_fraction", "missing", "extra")
"""Numbers of spikes of all spiking populations."""


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
