"""The network, one substrate, one agreement and one attribution as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from netdesc.block import Block
from netdesc.capabilities import arrange_numbers
from netdesc.comparison.attribution import Attribution
from netdesc.comparison.effects import MEASURES, Effect
from netdesc.comparison.records import Agreement, GradientAgreement, SpikeAgreement
from netdesc.comparison.runs import Outcome
from netdesc.comparison.trains import Counts, count
from netdesc.errors import record
from netdesc.events import Floats
from netdesc.maps import Estimating, Mapped
from netdesc.plotting.colours import colour
from netdesc.program import Program

POINTS = 4000
"""Points of a cloud of gradients, at most; of more, every n-th is kept, and how many there were."""

COUNTED = Counts._fields
"""Names of numbers of spikes."""

DIGITS = 12
"""Decimals of means of times in ms."""


def arrange_substrate(outcome: Outcome) -> dict[str, Any]:
    """Return the results of one substrate: metrics, spikes, costs, counts, limits, notes and placement."""
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
        **_estimate(outcome),
        "health": {**trace.health},
        "provenance": {**trace.provenance},
        "notes": [record(item) for item in outcome.notes],
        "placement": _placement(outcome),
        "confusion": None if outcome.predictions is None else outcome.predictions.confusion(),
    }


def _estimate(outcome: Outcome) -> dict[str, Any]:
    """Return estimated costs, and the tagged numbers of the machine behind them."""
    backend = outcome.compiled.backend
    if not isinstance(backend, Estimating):
        return {"estimated": {}, "numbers": {}}
    found = backend.estimate(outcome.program, max(outcome.trace.batch, 1)).run
    return {"estimated": {**found.costs}, "numbers": arrange_numbers(found.numbers)}


def _placement(outcome: Outcome) -> dict[str, Any] | None:
    backend = outcome.compiled.backend
    if not isinstance(backend, Mapped):
        return None
    found = backend.describe_map(outcome.program)
    return {"text": found.text, "panels": [asdict(item) for item in found.panels]}


def arrange_agreement(agreement: Agreement) -> dict[str, Any]:
    """Return how far a substrate agrees with the reference, by population and by parameter."""
    return {
        "same_predictions": agreement.same_predictions,
        "spikes": {name: _spikes(item) for name, item in agreement.spikes.items()},
        "gradients": {key: _gradients(item) for key, item in agreement.gradients.items()},
        "parameters": {key: asdict(item) for key, item in agreement.parameters.items()},
        "voltages": {
            key: {
                "rmse": float(np.sqrt(np.mean(values**2))) if values.size else None,
                "by_neuron": np.sqrt(np.mean(values**2, axis=0)),
            }
            for key, values in agreement.voltages.items()
        },
    }


def _spikes(item: SpikeAgreement) -> dict[str, Any]:
    found, counts = item.matches, count([item.matches])
    first = item.first[np.isfinite(item.first)]
    return {
        "type": item.kind,
        **{name: getattr(counts, name) for name in (*COUNTED, "matched_fraction", "unmatched_fraction")},
        "deviation_mean": _mean(found.deviations),
        "deviation_rms": float(np.sqrt(np.mean(found.deviations**2))) if found.deviations.size else None,
        "deviation_quartiles": np.percentile(found.deviations, (25, 50, 75))
        if found.deviations.size
        else None,
        "first_mean": _mean(first),
        "first_absolute": _mean(np.abs(first)),
        "van_rossum": float(item.van_rossum.mean()),
        "victor_purpura": float(item.victor_purpura.mean()),
        "earliest": item.earliest,
        "by_sample": {name: getattr(found, name).sum(axis=1) for name in COUNTED},
        "by_neuron": {
            **{name: getattr(found, name).sum(axis=0) for name in COUNTED},
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
        "norm_ratio": item.ratio,
        "cosines": item.cosines,
        "norm_ratios": item.ratios,
        "entries": len(item.reference),
        "every": every,
        "reference": item.reference[::every],
        "other": item.other[::every],
    }


def arrange_attribution(item: Attribution) -> dict[str, Any]:
    """Return the effects of all sources of deviation, and which of them exceed the noise."""
    return {
        "whole": _effect(item.whole),
        "effects": [_effect(effect) for effect in item.effects],
        "largest": item.largest,
    }


def _effect(effect: Effect) -> dict[str, Any]:
    values = asdict(effect)
    clear = {name: effect.is_clear(name) for name in MEASURES}
    return {"source_of_deviation": values.pop("source"), **values, "clear": clear}


def _mean(values: Floats) -> float | None:
    # A femtosecond is rounding, not time.
    return round(float(values.mean()), DIGITS) if values.size else None


def arrange_network(program: Program, effective: Mapping[str, Floats]) -> dict[str, Any]:
    """Return populations, with their colours and thresholds, and projections.

    Parameters
    ----------
    program : Program
    effective : mapping of str to ndarray
        Effective weights and delays, by the keys of the blocks.

    Returns
    -------
    dict
        ``threshold`` has one value per neuron, or a single one where all are equal; None without spikes.
    """
    stage = {number: level for level, group in enumerate(program.stages, 1) for number in group.populations}
    return {
        "populations": [
            {
                "name": item.name,
                "type": item.kind,
                "model": item.model,
                "size": item.size,
                "stage": stage.get(number, 0),
                "colour": colour(number),
                "threshold": _threshold(program.parameters["threshold"][item.start : item.stop], item.kind),
            }
            for number, item in enumerate(program.populations)
        ],
        "projections": [_projection(block, program, effective) for block in program.blocks],
    }


def _threshold(values: Floats, kind: str) -> Floats | None:
    if kind != "spiking" or not len(values):
        return None
    return values[:1] if bool(np.all(values == values[0])) else values


def _projection(block: Block, program: Program, effective: Mapping[str, Floats]) -> dict[str, Any]:
    weights = effective.get(block.weight_key, block.weights)
    delays = effective.get(block.delay_key, block.delays)
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
