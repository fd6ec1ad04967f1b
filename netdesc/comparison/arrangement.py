"""A comparison as plain data: what ``--json`` prints, and all that a report shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.comparison.agreement import Agreement, GradientAgreement, SpikeAgreement
from netdesc.comparison.attribution import Attribution
from netdesc.comparison.runs import Outcome
from netdesc.comparison.study import Comparison
from netdesc.comparison.verdict import AGREES, levels
from netdesc.errors import Diagnostic
from netdesc.events import Events
from netdesc.maps import Mapped
from netdesc.program import Block, Program

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

POINTS = 4000
"""Points of a cloud of gradients, at most; of more, every n-th is kept, and how many there were."""


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
            "duration": comparison.program.duration,
            "batch": {"split": batch.split, "samples": batch.events.batch, "labels": batch.labels},
            "summary": levels(comparison.verdicts),
            "overview": {label: _overview(comparison, label) for label in [*outcomes, *comparison.refusals]},
            "verdicts": {label: asdict(item) for label, item in comparison.verdicts.items()},
            "substrates": {label: _substrate(item) for label, item in outcomes.items()},
            "refusals": {
                label: [record(item) for item in refusal.diagnostics]
                for label, refusal in comparison.refusals.items()
            },
            "agreements": {label: _agreement(item) for label, item in comparison.agreements.items()},
            "attributions": {label: _attribution(item) for label, item in comparison.attributions.items()},
            "network": _network(comparison.program),
            "rasters": {
                label: {name: _events(events) for name, events in item.trace.spikes.items()}
                for label, item in outcomes.items()
            },
            "voltages": {
                label: {
                    key: {"times": part.times, "neurons": part.neurons, "values": part.values}
                    for key, part in item.trace.samples.items()
                    if key.endswith(".v")
                }
                for label, item in outcomes.items()
            },
            "resolved": comparison.resolved,
        }
    )
    return result


def flatten(data: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every value of JSON data with its path.

    Parameters
    ----------
    data : JSON data
    path : str
        Of the data itself.

    Yields
    ------
    path : str
        Keys and indices, separated by slashes.
    value : None, bool, int, float or str
    """
    if isinstance(data, dict | list):
        for key, item in data.items() if isinstance(data, dict) else enumerate(data):
            yield from flatten(item, f"{path}/{key}" if path else str(key))
    else:
        yield path, data


def plain(value: Any) -> Any:
    """Return arrays, mappings and sequences, nested at will, as JSON data; None where not finite."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def record(diagnostic: Diagnostic) -> dict[str, Json]:
    """Return a diagnostic as JSON data; the place is None where none is known."""
    place = diagnostic.location
    return {
        "code": diagnostic.code,
        "path": diagnostic.path,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": diagnostic.message,
    }


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
    }


def _loss(outcome: Outcome) -> float | None:
    if outcome.metrics is not None:
        return outcome.metrics.loss
    return None if outcome.evaluation is None else outcome.evaluation.loss


def _substrate(outcome: Outcome) -> dict[str, Any]:
    trace, evaluation = outcome.trace, outcome.evaluation
    return {
        "backend": outcome.substrate.backend,
        "options": list(outcome.substrate.overrides),
        "time": outcome.compiled.backend.limits.time,
        "metrics": None if outcome.metrics is None else asdict(outcome.metrics),
        "batch_loss": None if evaluation is None else evaluation.loss,
        "losses": None if evaluation is None else evaluation.terms,
        "predictions": None if evaluation is None else evaluation.predictions,
        "spikes": {name: len(events) / max(events.batch, 1) for name, events in trace.spikes.items()},
        "gradient_norms": {
            key: float(np.linalg.norm(values)) for key, values in (outcome.gradient or {}).items()
        },
        "seconds": outcome.seconds,
        "costs": {**trace.costs},
        "health": {**trace.health},
        "limits": {
            name: {"value": item.value, "unit": item.unit, "source": item.source, "tag": item.tag}
            for name, item in outcome.compiled.backend.limits.numbers.items()
        },
        "provenance": {**trace.provenance},
        "notes": [record(item) for item in outcome.notes],
        "curves": outcome.curves,
        "map": _map(outcome),
    }


def _map(outcome: Outcome) -> dict[str, Any] | None:
    backend = outcome.compiled.backend
    if not isinstance(backend, Mapped):
        return None
    found = backend.describe_map(outcome.program)
    return {"text": found.text, "panels": [asdict(item) for item in found.panels]}


def _agreement(agreement: Agreement) -> dict[str, Any]:
    return {
        "same_answers": agreement.same_answers,
        "spikes": {name: _spikes(item) for name, item in agreement.spikes.items()},
        "gradients": {key: _gradients(item) for key, item in agreement.gradients.items()},
        "parameters": {
            key: {field.name: getattr(item, field.name) for field in fields(item)}
            for key, item in agreement.parameters.items()
        },
        "voltages": {
            key: {
                "rmse": float(np.sqrt(np.mean(values**2))) if values.size else None,
                "by_neuron": np.sqrt(np.mean(values**2, axis=0)),
            }
            for key, values in agreement.voltages.items()
        },
    }


def _spikes(item: SpikeAgreement) -> dict[str, Any]:
    found = item.matches
    first = item.first[np.isfinite(item.first)]
    total = int(found.matched.sum() + found.missing.sum())
    return {
        "kind": item.kind,
        "matched": found.matched.sum(),
        "missing": found.missing.sum(),
        "extra": found.extra.sum(),
        "matched_fraction": found.matched.sum() / total if total else None,
        "deviation_mean": _mean(found.deviations),
        "deviation_rms": _rms(found.deviations),
        "deviation_quartiles": np.percentile(found.deviations, (25, 50, 75))
        if found.deviations.size
        else None,
        "first_mean": _mean(first),
        "first_absolute": _mean(np.abs(first)),
        "van_rossum": float(item.van_rossum.mean()),
        "victor_purpura": float(item.victor_purpura.mean()),
        "earliest": item.earliest,
        "by_sample": {
            name: part.sum(axis=1)
            for name, part in (("matched", found.matched), ("missing", found.missing), ("extra", found.extra))
        },
        "by_neuron": {
            "matched": found.matched.sum(axis=0),
            "missing": found.missing.sum(axis=0),
            "extra": found.extra.sum(axis=0),
            "van_rossum": item.van_rossum.mean(axis=0),
            "victor_purpura": item.victor_purpura.mean(axis=0),
            "first": [_mean(row[np.isfinite(row)]) for row in item.first.T],
        },
        "deviations": {
            "samples": found.trains // found.matched.shape[1],
            "neurons": found.trains % found.matched.shape[1],
            "values": found.deviations,
        },
    }


def _gradients(item: GradientAgreement) -> dict[str, Any]:
    every = max(1, -(-len(item.reference) // POINTS))
    return {
        "cosine": item.cosine,
        "ratio": item.ratio,
        "cosines": item.cosines,
        "ratios": item.ratios,
        "entries": len(item.reference),
        "every": every,
        "reference": item.reference[::every],
        "other": item.other[::every],
    }


def _attribution(item: Attribution) -> dict[str, Any]:
    return {
        "whole": asdict(item.whole),
        "effects": [asdict(effect) for effect in item.effects],
        "largest": item.largest,
    }


def _network(program: Program) -> dict[str, Any]:
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
        "projections": [_projection(block, program) for block in program.blocks],
    }


def _projection(block: Block, program: Program) -> dict[str, Any]:
    return {
        "name": block.name,
        "pre": program.populations[block.pre].name,
        "post": program.populations[block.post].name,
        "synapses": block.size,
        "weight_mean": _mean(block.weights),
        "weight_spread": float(block.weights.std()) if block.size else None,
        "delay_low": block.delays.min() if block.delays.size else None,
        "delay_high": block.delays.max() if block.delays.size else None,
        "trained": ["weight"] * block.train_weight + ["delay"] * block.train_delay,
    }


def _events(events: Events) -> dict[str, Any]:
    return {"times": events.times, "neurons": events.sources, "samples": events.samples()}


def _mean(values: NDArray[np.float64]) -> float | None:
    return float(values.mean()) if values.size else None


def _rms(values: NDArray[np.float64]) -> float | None:
    return float(np.sqrt(np.mean(values**2))) if values.size else None
