"""Populations and projections of a network as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.block import Block
from netdesc.events import Floats
from netdesc.plotting.colours import colour
from netdesc.program import Program


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
