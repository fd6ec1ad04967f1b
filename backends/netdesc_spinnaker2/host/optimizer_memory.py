"""The memory of the optimizers, synapse by synapse."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Integers
from netdesc.program import Program
from netdesc_spinnaker2.board.assembly import Emulation
from netdesc_spinnaker2.host.parameters import Parameters
from netdesc_spinnaker2.programs.optimizer import Store


def lay_out_store(emulation: Emulation, program: Program, parameters: Parameters) -> tuple[Store, Integers]:
    """Lay out the memory of the optimizers.

    Returns
    -------
    store : Store
    places : ndarray of int64
        Number of the synapse of every element.
    """
    template, plan, each = emulation.template, emulation.plan, emulation.each
    begins = np.concatenate(([0], np.cumsum(template.gradients)))
    layers = {
        (item.population, item.start): item.index for item in plan.slices[:each] if item.role == "layer"
    }
    start = np.zeros(len(plan.slices), dtype=np.int64)
    words, orders, weights, places, neurons = [np.zeros(1, dtype=np.int64)], [], [], [], 0
    for item in plan.slices:
        if item.role != "optimizer":
            continue
        t = layers[item.population, item.start]
        span = slice(begins[t], begins[t + 1])
        target = template.gradient_target[span]
        order = np.argsort(target, kind="stable")
        start[item.index] = neurons
        start[t : plan.copies * each : each] = neurons
        words.append(words[-1][-1] + np.cumsum(np.bincount(target, minlength=item.size)))
        orders.append(order)
        weights.append(template.gradient_weight[span][order])
        places.append(template.gradient_order[span][order])
        neurons += item.size
    place = np.concatenate(places)
    low, high = (
        np.concatenate([np.full(b.size, b.weight_bounds[k]) for b in program.blocks])[place] for k in range(2)
    )
    kind = np.float32
    weight, gradient, moment_1, moment_2 = np.zeros((4, len(place)), kind)
    store = Store(
        weight,
        gradient,
        moment_1,
        moment_2,
        low.astype(kind),
        high.astype(kind),
        parameters.scale()[place].astype(kind),
        np.concatenate(words).astype(np.int64),
        np.concatenate(orders).astype(np.int64),
        np.concatenate(weights).astype(np.int64),
        start,
    )
    return store, place


def flatten(program: Program, places: Integers, values: Mapping[str, Floats]) -> Floats:
    """Return values by the keys of the trained weights in the order of the optimizers.

    Parameters
    ----------
    program : Program
    places : ndarray of int64
        From ``lay_out_store``.
    values : mapping of str to ndarray
    """
    parts = [
        values[block.weight_key] if block.train_weight else np.zeros(block.size) for block in program.blocks
    ]
    return np.concatenate(parts)[places]


def arrange(program: Program, places: Integers, values: NDArray[np.float32]) -> dict[str, Floats]:
    """Return values in the order of the optimizers by the keys of the trained weights; as ``flatten``."""
    flat = np.zeros(sum(block.size for block in program.blocks))
    flat[places] = values
    return split_trained(program, flat)


def split_trained(program: Program, flat: Floats) -> dict[str, Floats]:
    """Return values of all synapses, block after block, by the keys of the trained weights."""
    bounds = np.cumsum([0, *(block.size for block in program.blocks)])
    return {
        block.weight_key: flat[bounds[k] : bounds[k + 1]]
        for k, block in enumerate(program.blocks)
        if block.train_weight
    }
