"""Synapses, spikes and packets per slice, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.block import Block
from netdesc.events import Floats, Integers
from netdesc.program import PopulationSlice
from netdesc_spinnaker2.mapping.network import Network
from netdesc_spinnaker2.options import Options
from netdesc_spinnaker2.profile import Profile

_CHUNK = 256

SUMS = ("synapses", "trained", "indexed", "timed", "events")
"""What is summed over the neurons of a population; fields of ``Fan`` and ``Load``."""

Reach = NDArray[np.bool_]
"""Whether a slice, by row, has a synapse onto another, by column."""

Bounds = Mapping[str, Integers]
"""First neuron of every slice of a population, and its size at the end: shape (slices + 1,)."""


@dataclass(frozen=True, slots=True)
class Fan:
    """What arrives at a population, summed over its neurons: entry n is the sum over neurons below n.

    Parameters
    ----------
    synapses, trained, indexed, timed : ndarray of int64, shape (size + 1,)
        All synapses; those that training changes; those of sparse blocks; those with individual delays.
    events : ndarray of float64, shape (size + 1,)
        Expected synaptic events in a sample.
    slots : int
        Ticks that a spike may be under way, plus one.
    """

    synapses: Integers
    trained: Integers
    indexed: Integers
    timed: Integers
    events: Floats
    slots: int


@dataclass(frozen=True, slots=True)
class Load:
    """What each slice of a population carries; arrays have one element per slice.

    Parameters
    ----------
    neurons, synapses, trained, indexed, timed : ndarray of int64
        As in ``Fan``.
    rows : ndarray of int64
        Rows of sparse blocks: sources whose spikes reach the slice, counted for each block.
    events : ndarray of float64
        Expected synaptic events in a sample.
    received, spikes : ndarray of float64
        Expected packets in a sample, and expected spikes of its neurons.
    errors : ndarray of float64
        Expected packets with errors that it receives in a sample when training, those of a loss included.
    slots : int
    """

    neurons: Integers
    synapses: Integers
    trained: Integers
    indexed: Integers
    timed: Integers
    rows: Integers
    events: Floats
    received: Floats
    spikes: Floats
    errors: Floats
    slots: int


def fan(network: Network, name: str, *, integer: bool) -> Fan:
    """Count what arrives at each neuron of a population.

    Parameters
    ----------
    network : Network
    name : str
        Population.
    integer : bool
        Whether a synapse word holds the delay, so that no synapse needs a byte for it.
    """
    size = network.program.population(name).size
    totals = np.zeros((4, size), dtype=np.int64)
    events, slots = np.zeros(size), 2
    for block in network.incoming(name):
        count, delays = arriving(block), network.delays[block.name]
        timed = len(delays) > 1 and not integer
        totals += np.outer([1, block.train_weight, not block.dense, timed], count)
        events += count * network.spikes[network.source(block).name]
        slots = max(slots, int(np.max(delays, initial=1)) + 1)
    sums = np.pad(np.cumsum(totals, axis=1), ((0, 0), (1, 0)))
    return Fan(sums[0], sums[1], sums[2], sums[3], np.concatenate(([0.0], np.cumsum(events))), slots)


def arriving(block: Block) -> Integers:
    """Return the number of synapses of every target of a block, shape (n_post,)."""
    if block.indices is None:
        return np.full(block.n_post, block.n_pre, dtype=np.int64)
    return np.bincount(block.indices, minlength=block.n_post).astype(np.int64)


def connected(block: Block, pre: Integers, post: Integers) -> Reach:
    """Return which slices have a synapse between them.

    Parameters
    ----------
    block : Block
    pre, post : ndarray of int64, shape (p + 1,) and (q + 1,)
        Bounds of the slices of its two populations.

    Returns
    -------
    ndarray of bool, shape (p, q)
    """
    p, q = len(pre) - 1, len(post) - 1
    if block.indptr is None or block.indices is None:
        return np.ones((p, q), dtype=np.bool_)
    column = np.repeat(np.arange(q), np.diff(post))
    table = np.zeros((p, q), dtype=np.bool_)
    for number in range(p):
        first, last = int(block.indptr[pre[number]]), int(block.indptr[pre[number + 1]])
        table[number, column[block.indices[first:last]]] = True
    return table


def bound(population: PopulationSlice, network: Network, arriving_at: Fan, bounds: Integers) -> Load:
    """Return an upper bound of the load of slices, before the slices of other populations are known.

    Parameters
    ----------
    population : PopulationSlice
    network : Network
    arriving_at : Fan
        Of the population.
    bounds : ndarray of int64, shape (slices + 1,)

    Returns
    -------
    Load
        As if every source reached every slice; without error packets.
    """
    blocks = network.incoming(population.name)
    sources = {block.pre: network.source(block) for block in blocks}
    n = len(bounds) - 1
    rows = np.full(n, sum(block.n_pre for block in blocks if not block.dense), dtype=np.int64)
    received = np.full(n, float(sum(item.size * network.spikes[item.name] for item in sources.values())))
    return _load(network.spikes[population.name], arriving_at, bounds, rows, (received, np.zeros(n)))


def reached(network: Network, pre: str, post: str, reach: Mapping[str, Reach]) -> Reach | None:
    """Return which slices of two populations are connected by any block; None where there is no block."""
    tables = [reach[block.name] for block in network.incoming(post) if network.source(block).name == pre]
    if len(tables) == 1:
        return tables[0]
    return np.logical_or.reduce(tables) if tables else None


def measure(
    population: PopulationSlice,
    network: Network,
    arriving_at: Fan,
    bounds: Bounds,
    reach: Mapping[str, Reach],
) -> Load:
    """Return the load of every slice of a population.

    Parameters
    ----------
    population : PopulationSlice
    network : Network
    arriving_at : Fan
        Of the population.
    bounds : mapping of str to ndarray
        Per population.
    reach : mapping of str to ndarray of bool, shape (p, q)
        Per block, as ``connected`` gives it.
    """
    name, cuts = population.name, bounds[population.name]
    n = len(cuts) - 1
    rows, received, errors = np.zeros(n), np.zeros(n), np.zeros(n)
    for block in network.incoming(name):
        if not block.dense:
            rows += _weighted(np.diff(bounds[network.source(block).name]), reach[block.name])
    for other in network.program.populations:
        arrival = reached(network, other.name, name, reach)
        if arrival is not None:
            received += _weighted(np.diff(bounds[other.name]) * network.spikes[other.name], arrival)
        departure = reached(network, name, other.name, reach)
        if departure is not None:
            errors += np.diff(cuts) * network.spikes[name] * departure.sum(axis=1)
    if name in network.losses:
        errors += np.diff(cuts)
    return _load(network.spikes[name], arriving_at, cuts, rows.astype(np.int64), (received, errors))


def _weighted(values: Floats | Integers, table: Reach) -> Floats:
    """Return ``values @ table`` without a copy of the whole table as numbers."""
    result = np.zeros(table.shape[1])
    for start in range(0, len(values), _CHUNK):
        result += values[start : start + _CHUNK].astype(np.float64) @ table[start : start + _CHUNK]
    return result


def _load(
    spikes: float, arriving_at: Fan, bounds: Integers, rows: Integers, packets: tuple[Floats, Floats]
) -> Load:
    def between(sums: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(sums[bounds[1:]] - sums[bounds[:-1]])

    neurons = np.diff(bounds)
    return Load(
        neurons=neurons,
        **{name: between(getattr(arriving_at, name)) for name in SUMS},
        rows=rows,
        received=packets[0],
        spikes=neurons * spikes,
        errors=packets[1],
        slots=arriving_at.slots,
    )


def cycles(load: Load, ticks: int, profile: Profile, *, training: bool) -> Floats:
    """Estimate the cycles of a layer in a tick at the expected rates.

    Parameters
    ----------
    load : Load
    ticks : int
        Ticks of a sample.
    profile : Profile
    training : bool
        Whether there is a backward pass.

    Returns
    -------
    ndarray of float64, shape (slices,)
        The dearer of forward and backward. Both update every neuron and touch every synaptic event; forward
        takes in spikes and sends spikes, backward takes in one error packet per spike sent and destination
        and sends one per spike received.
    """
    work = load.neurons * profile.neuron_cycles.value + load.events / ticks * profile.synapse_cycles.value
    forward = load.received + load.spikes
    backward = load.received + load.errors if training else forward
    return np.asarray(work + np.maximum(forward, backward) / ticks * profile.packet_cycles.value)


def arrivals(load: Load, ticks: int, *, training: bool) -> Floats:
    """Return the expected packets into a slice in a tick, the larger of forward and backward."""
    return np.asarray(np.maximum(load.received, load.errors if training else 0.0) / ticks)


def trains(network: Network, options: Options) -> bool:
    """Return whether the chip trains."""
    trained = any(block.train_weight for block in network.program.blocks)
    return trained if options.training is None else options.training
