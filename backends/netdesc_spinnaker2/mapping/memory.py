"""SRAM of a processing element, item by item, and what recordings take of the DRAM."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from netdesc.events import Integers
from netdesc.program import PopulationSlice
from netdesc_spinnaker2.mapping.network import Network
from netdesc_spinnaker2.mapping.traffic import Load
from netdesc_spinnaker2.options import Options

Items = dict[str, Integers]


def layer(load: Load, options: Options, ticks: int, *, training: bool) -> Items:
    """Return the bytes of the slices of a layer.

    Parameters
    ----------
    load : Load
    options : Options
    ticks : int
        Ticks of a sample.
    training : bool

    Returns
    -------
    dict of str to ndarray of int64, shape (slices,)
        ``weights``: 4 per synapse, or a word of 2 with index and delay for integer weights. ``indices``: 1
        per synapse of a sparse block with float weights. ``delays``: 1 per synapse with an individual delay
        and a float weight. ``rows``: 2 per source of a sparse block. ``gradients``: 4 per trained synapse.
        ``own_spikes``: 8 each (tick, neuron, i - v), 12 with the time inside the tick. ``received_spikes``:
        when training 4 each, 8 with the time inside the tick; without training only what is under way in
        ``off_grid``. ``state``: 16 per neuron. ``ring``: 8 per neuron and slot, in
        ``off_grid`` 16 (what arrives in a tick does to current and voltage, and bounds of both).
    """
    integer, inside = options.weights == "integer", options.scheme == "off_grid"
    items = {
        "weights": (2 if integer else 4) * load.synapses,
        "indices": np.zeros_like(load.indexed) if integer else load.indexed,
        "delays": load.timed,
        "rows": 2 * load.rows,
        "own_spikes": (12 if inside else 8) * room(load.spikes),
        "state": 16 * load.neurons,
        "ring": (16 if inside else 8) * load.slots * load.neurons,
    }
    if training:
        items["gradients"] = 4 * load.trained
        items["received_spikes"] = (8 if inside else 4) * room(load.received)
    elif inside:
        items["received_spikes"] = 8 * room(load.received * (load.slots / ticks))
    return items


def optimizer(load: Load, options: Options) -> Items:
    """Return the bytes of the optimizers of the slices of a layer.

    Returns
    -------
    dict of str to ndarray of int64, shape (slices,)
        ``weights`` and ``gradients``: 4 per trained synapse; ``moments``: 8 for Adam.
    """
    items = {"weights": 4 * load.trained, "gradients": 4 * load.trained}
    if options.optimizer != "sgd":
        items["moments"] = 8 * load.trained
    return items


def source(load: Load, options: Options) -> Items:
    """Return the bytes of the slices of an input: spikes of one sample, 4 each, 8 with the time inside."""
    return {"stimulus": (8 if options.scheme == "off_grid" else 4) * room(load.spikes)}


def loss(population: PopulationSlice) -> Items:
    """Return the bytes of a loss: 16 per neuron (first spike, time, dL/dt, softmax) and 4 for the label."""
    return {"state": np.array([16 * population.size]), "label": np.array([4])}


def room(expected: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Integers:
    """Return the number of elements that are allocated for an expected number of spikes."""
    return np.ceil(np.asarray(expected) - 1e-9).astype(np.int64)


def total(items: Items) -> Integers:
    """Return the sum over items, shape (slices,)."""
    return np.asarray(sum(items.values(), start=np.int64(0)))


def recording(network: Network, population: PopulationSlice, bounds: Integers) -> tuple[Integers, Integers]:
    """Return what the recordings of a population take, by the bounds of its slices, shape (slices + 1,).

    Returns
    -------
    buffer : ndarray of int64, shape (slices,)
        Bytes of SRAM: 4 per sampled neuron and variable, emptied into the DRAM at every sample.
    store : ndarray of int64, shape (slices,)
        Bytes of DRAM for one sample: 4 per neuron, variable and sample; 8 per expected spike.
    """
    buffer, store = (np.zeros(len(bounds) - 1, dtype=np.int64) for _ in range(2))
    for item in network.records:
        if item.population != population.name:
            continue
        kept = np.diff(np.searchsorted(np.sort(item.neurons), bounds))
        if item.variable == "spikes":
            store += 8 * room(kept * network.spikes[population.name])
        else:
            buffer += 4 * kept
            store += (
                4 * kept * (math.floor(network.program.duration / max(item.every, network.tick) + 1e-9) + 1)
            )
    return buffer, store


def itemized(items: Items, index: int) -> Mapping[str, int]:
    """Return the bytes of one slice by item, without items of 0."""
    return {name: int(values[index]) for name, values in items.items() if values[index]}
