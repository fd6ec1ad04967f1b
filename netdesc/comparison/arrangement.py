"""A comparison as plain data: what ``--json`` prints, and all that a report shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from netdesc.capabilities import arrange_capabilities
from netdesc.comparison.details import arrange_agreement, arrange_attribution, arrange_substrate
from netdesc.comparison.plain import Json, plain
from netdesc.comparison.runs import Outcome
from netdesc.comparison.study import Comparison
from netdesc.comparison.verdict import AGREES, levels
from netdesc.errors import record
from netdesc.events import Events, Floats
from netdesc.program import Block, Program
from netdesc.registry import backend_class, names


def arrange(comparison: Comparison) -> dict[str, Json]:
    """Return everything about a comparison as JSON data.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    dict
        Times in ms; None where a number is not finite or not known.
    """
    outcomes, base = comparison.outcomes, comparison.outcomes[comparison.reference]
    batch = base.batch
    result: dict[str, Json] = plain(
        {
            "name": comparison.model.description.name,
            "digest": comparison.model.digest,
            "reference": comparison.reference,
            "settings": asdict(comparison.settings),
            "weights": _tell_weights(comparison),
            "trained_apart": comparison.weights.train,
            "duration": comparison.program.duration,
            "batch": {"split": batch.split, "samples": batch.events.batch, "labels": batch.labels},
            "summary": levels(comparison.verdicts),
            "overview": {label: _overview(comparison, label) for label in [*outcomes, *comparison.refusals]},
            "verdicts": {label: asdict(item) for label, item in comparison.verdicts.items()},
            "substrates": {label: arrange_substrate(item) for label, item in outcomes.items()},
            "refusals": {
                label: [record(item) for item in refusal.diagnostics]
                for label, refusal in comparison.refusals.items()
            },
            "capabilities": {
                **{label: arrange_capabilities(item.compiled.backend.limits)
                   for label, item in outcomes.items()},
                **_refused_capabilities(comparison),
            },
            "agreements": {label: arrange_agreement(item) for label, item in comparison.agreements.items()},
            "attributions": {
                label: arrange_attribution(item) for label, item in comparison.attributions.items()
            },
            "network": _network(comparison.program, base.trace.parameters_as_run),
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
    )
    return result


def _tell_weights(comparison: Comparison) -> str:
    if comparison.weights.train:
        return "every substrate trained by itself"
    source = comparison.weights.source
    return "of the file" if source is None else f"trained: {source.name}"


def _overview(comparison: Comparison, label: str) -> dict[str, Any]:
    """Return the numbers that say most about a substrate."""
    outcome, verdict = comparison.outcomes.get(label), comparison.verdicts.get(label)
    agreement = comparison.agreements.get(label)
    spikes = [
        item.matches for item in (agreement.spikes.values() if agreement else ()) if item.kind == "spiking"
    ]
    matched, missing, extra = (
        sum(int(getattr(item, name).sum()) for item in spikes) if agreement else None
        for name in ("matched", "missing", "extra")
    )
    metrics = outcome.metrics if outcome else None
    explained = label in comparison.attributions and verdict is not None and verdict.level != AGREES
    largest = comparison.attributions[label].largest if explained else {}
    return {
        "level": verdict.level if verdict else "reference",
        "accuracy": metrics.accuracy if metrics else None,
        "loss": _loss(outcome) if outcome else None,
        "matched_fraction": matched / (matched + missing)
        if matched is not None and missing is not None and matched + missing > 0
        else None,
        "missing": missing,
        "extra": extra,
        "cosine": min(
            (item.cosine for item in agreement.gradients.values() if np.isfinite(item.cosine)), default=None
        )
        if agreement
        else None,
        "cause": ", ".join(dict.fromkeys(cause for cause in largest.values() if cause)),
        "energy": _per_sample(outcome, "energy_mJ"),
        "time": _per_sample(outcome, "time_ms"),
    }


def _per_sample(outcome: Outcome | None, name: str) -> float | None:
    """Return a cost that all substrates with costs tell of, for one sample."""
    cost = outcome.trace.costs.get(name) if outcome else None
    return None if outcome is None or cost is None else float(cost) / max(outcome.trace.batch, 1)


def _loss(outcome: Outcome) -> float | None:
    if outcome.metrics is not None:
        return outcome.metrics.loss
    return None if outcome.evaluation is None else outcome.evaluation.loss


def _curves(comparison: Comparison) -> dict[str, Any]:
    """Return the epochs of every training: one for each substrate, or that of the weights that all run."""
    found = {label: item.curves for label, item in comparison.outcomes.items() if item.curves}
    if comparison.weights.train:
        return found
    return {"weights": next(iter(found.values()))} if found else {}


def _refused_capabilities(comparison: Comparison) -> dict[str, Any]:
    """Return what backends can do that refused the model; those that are not there can nothing."""
    found = {}
    for label, refusal in comparison.refusals.items():
        name = refusal.substrate.backend
        if name in names():
            found[label] = arrange_capabilities(backend_class(name)({}).limits)
    return found


def _network(program: Program, as_run: Mapping[str, Floats]) -> dict[str, Any]:
    stage = {number: level for level, group in enumerate(program.stages, 1) for number in group.populations}
    return {
        "populations": [
            {
                "name": item.name,
                "kind": item.kind,
                "model": item.model,
                "size": item.size,
                "stage": stage.get(number, 0),
            }
            for number, item in enumerate(program.populations)
        ],
        "projections": [_projection(block, program, as_run) for block in program.blocks],
    }


def _projection(block: Block, program: Program, as_run: Mapping[str, Floats]) -> dict[str, Any]:
    weights = as_run.get(block.weight_key, block.weights)
    delays = as_run.get(block.delay_key, block.delays)
    return {
        "name": block.name,
        "pre": program.populations[block.pre].name,
        "post": program.populations[block.post].name,
        "synapses": block.size,
        "weight_mean": float(weights.mean()) if weights.size else None,
        "weight_spread": float(weights.std()) if weights.size else None,
        "delay_low": float(delays.min()) if delays.size else None,
        "delay_high": float(delays.max()) if delays.size else None,
        "trained": ["weight"] * block.train_weight + ["delay"] * block.train_delay,
    }


def _events(events: Events) -> dict[str, Any]:
    return {"times": events.times, "neurons": events.sources, "samples": events.samples()}
