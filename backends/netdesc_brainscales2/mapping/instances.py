"""One execution instance: neurons placed, events routed, synapses in cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from netdesc.events import Integers
from netdesc.program import Program
from netdesc_brainscales2.mapping.crossbar import Address, Refusal, Sender, connect
from netdesc_brainscales2.mapping.demand import Demand
from netdesc_brainscales2.mapping.placement import Slice, bus_of, place
from netdesc_brainscales2.options import Options


@dataclass(frozen=True, slots=True)
class Crowding:
    """Why neurons do not fit into one instance.

    Parameters
    ----------
    kind : str
        ``fanin`` (more circuits per neuron than can merge), ``circuits`` (too many in all), or that of a
        ``Refusal``: ``label``, ``bus``, ``rows``.
    need, limit : float
    population : str
        Whose neurons want too much.
    merged : mapping of str to int
        Circuits per neuron of every population as far as they were found.
    sender : str
        Population whose events found no way; empty where that is not the cause.
    bus : int
        Their bus; -1 where any would do.
    """

    kind: str
    need: float
    limit: float
    population: str
    merged: Mapping[str, int]
    sender: str = ""
    bus: int = -1


@dataclass(frozen=True, slots=True)
class Cell:
    """Synapses of one block from one source, within one instance.

    Parameters
    ----------
    demand : Demand
    synapses : ndarray of int64, shape (k,)
        Within the block.
    places : ndarray of int64, shape (k,)
        Position of each synapse's target among the targets of the sender.
    before_positive, before_negative : ndarray of int64, shape (k,)
        Cells of the sender on the same target that belong to earlier synapses.
    """

    demand: Demand
    synapses: Integers
    places: Integers
    before_positive: Integers
    before_negative: Integers


@dataclass(frozen=True, slots=True)
class Placement:
    """An instance that fits.

    Parameters
    ----------
    slices : tuple of Slice
    merged : mapping of str to int
        By population.
    circuits : tuple of ndarray of int64
        By slice, shape (size, merged).
    senders : tuple of Sender
    cells : tuple of tuple of Cell
        By sender.
    addresses : mapping of int to Address
        By position of the sender.
    """

    slices: tuple[Slice, ...]
    merged: Mapping[str, int]
    circuits: tuple[Integers, ...]
    senders: tuple[Sender, ...]
    cells: tuple[tuple[Cell, ...], ...]
    addresses: Mapping[int, Address]


CELLS = 2.0**62


def fan_in(population: str, demands: Sequence[Demand], limit: int) -> Integers:
    """Return the cells that each neuron of a population needs.

    Parameters
    ----------
    population : str
    demands : sequence of Demand
    limit : int
        Number of neurons.

    Returns
    -------
    ndarray of int64, shape (limit,)
    """
    need = np.zeros(limit, dtype=np.int64)
    for item in demands:
        if item.post == population:
            _, indices = item.block.sparse()
            # more cells than any chip has are as many as can be counted
            synapses = np.bincount(indices, minlength=limit)
            wanted = float(item.per_synapse) * synapses + need
            need = np.minimum(wanted, CELLS).astype(np.int64)
    return need


def lay_out_instance(
    slices: Sequence[Slice], program: Program, demands: Sequence[Demand], options: Options
) -> Placement | Crowding:
    """Place neurons on the chip and route what reaches them.

    Parameters
    ----------
    slices : sequence of Slice
        What the instance runs, in the order of the file.
    program : Program
    demands : sequence of Demand
        Of all blocks.
    options : Options

    Returns
    -------
    Placement or Crowding
        Circuits per neuron are the fewest that have the cells, and more where buses ask for it.
    """
    merged: dict[str, int] = {}
    most = int(options.profile.merged_max.value)
    for item in slices:
        size = program.population(item.population).size
        cells = int(np.max(fan_in(item.population, demands, size)[item.start : item.stop], initial=0))
        rows = int(options.profile.rows.value)
        width = 1 << max(0, -(-cells // rows) - 1).bit_length()
        merged[item.population] = max(merged.get(item.population, 1), width)
        if merged[item.population] > most:
            return Crowding("fanin", cells, most * rows, item.population, merged)
    while True:
        found = _attempt(slices, merged, program, demands, options=options)
        if not isinstance(found, tuple):
            return found
        refusal, crowding = found
        if refusal.cause == "label" or 2 * merged[crowding.population] > most:
            return crowding
        wider = {**merged, crowding.population: 2 * merged[crowding.population]}
        if sum(item.size * wider[item.population] for item in slices) > _usable(options):
            return crowding
        merged = wider


def _usable(options: Options) -> int:
    return int(options.profile.circuits.value) - len(options.dead)


def _attempt(
    slices: Sequence[Slice],
    merged: Mapping[str, int],
    program: Program,
    demands: Sequence[Demand],
    *,
    options: Options,
) -> Placement | Crowding | tuple[Refusal, Crowding]:
    placed = place(slices, merged, options)
    if placed is None:
        widest = max(slices, key=lambda item: item.size * merged[item.population])
        need = sum(item.size * merged[item.population] for item in slices)
        return Crowding("circuits", need, _usable(options), widest.population, dict(merged))
    circuits = tuple(placed[number] for number in range(len(slices)))
    senders, cells = _senders(slices, circuits, program, demands, options=options)
    widths = np.concatenate([np.full(len(item), item.shape[1]) for item in circuits])
    addresses = connect(senders, widths, options)
    if isinstance(addresses, Refusal):
        owner = _owner(addresses.target, slices)
        labels = int(options.profile.labels.value)
        need, limit = (addresses.need, addresses.cells)
        if addresses.cause == "label":
            need, limit = labels + 1, labels
        sender = program.populations[addresses.sender.key[0]].name
        return addresses, Crowding(
            addresses.cause, need, limit, owner, dict(merged), sender, addresses.sender.bus
        )
    return Placement(tuple(slices), dict(merged), circuits, senders, cells, addresses)


def _owner(target: int, slices: Sequence[Slice]) -> str:
    for item in slices:
        target -= item.size
        if target < 0:
            break
    return item.population


def _local(slices: Sequence[Slice], program: Program) -> dict[str, Integers]:
    """Return the number of every neuron within the instance, by population; -1 for those elsewhere."""
    numbers: dict[str, Integers] = {}
    begin = 0
    for item in slices:
        size = program.population(item.population).size
        local = numbers.setdefault(item.population, np.full(size, -1, dtype=np.int64))
        local[item.start : item.stop] = np.arange(begin, begin + item.size)
        begin += item.size
    return numbers


def _senders(
    slices: Sequence[Slice],
    circuits: Sequence[Integers],
    program: Program,
    demands: Sequence[Demand],
    *,
    options: Options,
) -> tuple[tuple[Sender, ...], tuple[tuple[Cell, ...], ...]]:
    local = _local(slices, program)
    first = np.concatenate([item[:, 0] for item in circuits])
    senders, cells = [], []
    for number, population in enumerate(program.populations):
        leaving = [item for item in demands if item.block.pre == number and item.post in local]
        if not leaving:
            continue
        here = local.get(population.name)
        sparse = [item.block.sparse() for item in leaving]
        edges = [
            (indptr, local[item.post][indices])
            for item, (indptr, indices) in zip(leaving, sparse, strict=True)
        ]
        for neuron in range(population.size):
            parts = [
                (item, np.arange(start[neuron], start[neuron + 1]), targets)
                for item, (start, targets) in zip(leaving, edges, strict=True)
            ]
            sender, found = _sender((number, neuron), parts)
            if sender is None:
                continue
            if here is not None and here[neuron] >= 0:
                bus = int(bus_of(first[here[neuron] : here[neuron] + 1], options)[0])
                sender = Sender(sender.key, bus, sender.targets, sender.positive, sender.negative)
            senders.append(sender)
            cells.append(found)
    return tuple(senders), tuple(cells)


def _sender(
    key: tuple[int, int], parts: Sequence[tuple[Demand, Integers, Integers]]
) -> tuple[Sender | None, tuple[Cell, ...]]:
    kept = [(item, synapses[targets[synapses] >= 0], targets) for item, synapses, targets in parts]
    kept = [part for part in kept if len(part[1])]
    if not kept:
        return None, ()
    reached = [targets[synapses] for _, synapses, targets in kept]
    unique, inverse = np.unique(np.concatenate(reached), return_inverse=True)
    positive, negative = np.zeros(len(unique), dtype=np.int64), np.zeros(len(unique), dtype=np.int64)
    cells, begin = [], 0
    for item, synapses, _ in kept:
        places = inverse[begin : begin + len(synapses)]
        begin += len(synapses)
        repeat = _occurrence(places)
        up, down = item.rows * item.positive, item.rows * item.negative
        cells.append(
            Cell(item, synapses, places, positive[places] + repeat * up, negative[places] + repeat * down)
        )
        positive += up * np.bincount(places, minlength=len(unique))
        negative += down * np.bincount(places, minlength=len(unique))
    return Sender(key, -1, unique, positive, negative), tuple(cells)


def _occurrence(values: Integers) -> Integers:
    """Return how many equal values stand before each."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    lengths = np.diff(np.concatenate((starts, [len(values)])))
    counted = np.empty(len(values), dtype=np.int64)
    counted[order] = np.arange(len(values)) - np.repeat(starts, lengths)
    return counted
