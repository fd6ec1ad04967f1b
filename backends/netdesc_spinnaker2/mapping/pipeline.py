"""From a network to a plan: partition, place, allocate keys, route, compress, check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.errors import Diagnostic, LimitError
from netdesc.events import Floats, Integers
from netdesc_spinnaker2.mapping import checks, memory, traffic
from netdesc_spinnaker2.mapping.compression import compress
from netdesc_spinnaker2.mapping.keys import allocate
from netdesc_spinnaker2.mapping.partition import divide
from netdesc_spinnaker2.mapping.placement import capacity, place
from netdesc_spinnaker2.mapping.plan import Network, Plan, Population, Slice
from netdesc_spinnaker2.mapping.routing import tables
from netdesc_spinnaker2.mapping.traffic import Load
from netdesc_spinnaker2.options import Options


@dataclass(frozen=True, slots=True)
class Part:
    """What one program of one population takes, slice by slice.

    Parameters
    ----------
    role : str
    population : str
    bounds : ndarray of int64, shape (slices + 1,)
    memory : tuple of mapping of str to int
        Bytes of SRAM by item.
    recorded : tuple of int
        Bytes of DRAM of a sample.
    cycles, packets : tuple of float
        In a tick.
    """

    role: str
    population: str
    bounds: Integers
    memory: tuple[Mapping[str, int], ...]
    recorded: tuple[int, ...]
    cycles: tuple[float, ...]
    packets: tuple[float, ...]


def plan(network: Network, options: Options) -> Plan:
    """Lay a network out on the board.

    Raises
    ------
    LimitError
        With every limit that the network exceeds.
    """
    result, faults = lay_out(network, options)
    if result is None or faults:
        raise LimitError(faults)
    return result


def lay_out(network: Network, options: Options) -> tuple[Plan | None, tuple[Diagnostic, ...]]:
    """Lay a network out on the board as far as that is possible.

    Returns
    -------
    plan : Plan or None
        None where there are too few processing elements; otherwise complete, even if it exceeds other
        limits.
    faults : tuple of Diagnostic
        Every limit that the network exceeds.
    """
    training = traffic.trains(network, options)
    fans = {
        item.name: traffic.fan(network, item.name, integer=options.weights == "integer")
        for item in network.populations
    }
    bounds, reach, loads = divide(network, fans, options)
    parts = [
        part
        for item in network.populations
        for part in _parts(network, item, bounds[item.name], loads[item.name], options)
    ]
    weight_faults, notes = checks.check_weights(network, options)
    faults = [
        *checks.check_names(network, options),
        *checks.check_models(network, options),
        *checks.check_atoms(network, bounds, options),
        *_part_faults(network, parts, options),
        *weight_faults,
        *checks.check_delays(network, options),
    ]
    copies, copy_notes, copy_faults = _copies(parts, options)
    faults += copy_faults
    slices, order = _slices(parts, copies)
    sites = place(slices, options) if not copy_faults else None
    if sites is None:
        return None, tuple(faults)
    keys, flows = allocate(network, slices, reach, training=training, input_errors=options.input_errors)
    raw = tables(flows, sites)
    result = Plan(
        network,
        slices,
        sites,
        keys,
        flows,
        compress(raw),
        uncompressed={chip: len(entries) for chip, entries in raw.items()},
        memory=tuple(part.memory[number] for part, number in order),
        recorded=tuple(part.recorded[number] for part, number in order),
        cycles=tuple(part.cycles[number] for part, number in order),
        packets=tuple(part.packets[number] for part, number in order),
        copies=copies,
        notes=(*network.notes, *notes, *copy_notes),
    )
    faults += [*checks.check_routes(result.tables, options), *checks.check_records(result, options)]
    return result, tuple(faults)


def _parts(network: Network, item: Population, bounds: Integers, load: Load, options: Options) -> list[Part]:
    """Return the programs that a population needs."""
    ticks, profile, training = network.ticks, options.profile, traffic.trains(network, options)
    buffer, store = memory.recording(network, item, bounds)
    idle = np.zeros(len(load.neurons))
    if item.kind == "source":
        errors = load.errors if training and options.input_errors else idle
        work = (load.spikes + errors) / ticks * profile.packet_cycles.value
        return [
            _part(
                "input",
                item.name,
                bounds,
                {**memory.source(load, options), "recording": buffer},
                (store, work, errors / ticks),
            )
        ]
    items = memory.layer(load, options, ticks, training=training)
    result = [
        _part(
            "layer",
            item.name,
            bounds,
            {**items, "recording": buffer},
            (
                store,
                traffic.cycles(load, ticks, profile, training=training),
                traffic.arrivals(load, ticks, training=training),
            ),
        )
    ]
    if training and item.loss:
        packets = np.array([item.size * item.spikes / ticks])
        work = item.size * profile.neuron_cycles.value + packets * profile.packet_cycles.value
        result.append(
            _part(
                "loss",
                item.name,
                np.array([0, item.size]),
                memory.loss(item),
                (np.zeros(1, dtype=np.int64), work, packets),
            )
        )
    if training and any(link.train for link in network.incoming(item.name)):
        result.append(
            _part(
                "optimizer",
                item.name,
                bounds,
                memory.optimizer(load, options),
                (np.zeros_like(load.neurons), idle, idle),
            )
        )
    return result


def _part(
    role: str, name: str, bounds: Integers, items: memory.Items, costs: tuple[Integers, Floats, Floats]
) -> Part:
    count = len(bounds) - 1
    return Part(
        role,
        name,
        bounds,
        tuple(memory.itemized(items, number) for number in range(count)),
        tuple(costs[0].tolist()),
        tuple(costs[1].tolist()),
        tuple(costs[2].tolist()),
    )


def _part_faults(network: Network, parts: list[Part], options: Options) -> list[Diagnostic]:
    faults = []
    for part in parts:
        item = network.population(part.population)
        faults += [
            *checks.check_sram(item, part.role, part.memory, options),
            *checks.check_ticks(item, max(part.cycles), options),
            *checks.check_fifo(item, max(part.packets), options),
        ]
    return faults


def _copies(parts: list[Part], options: Options) -> tuple[int, list[Diagnostic], list[Diagnostic]]:
    """Return the number of copies, notes and faults."""
    shared = sum(len(part.memory) for part in parts if part.role == "optimizer")
    each = sum(len(part.memory) for part in parts) - shared
    available = capacity(options)
    fit = max(0, available - shared) // max(1, each)
    copies = options.copies or max(1, min(options.batch, fit))
    notes = []
    if options.copies is None and copies < options.batch:
        notes.append(
            Diagnostic(
                f"{copies} of the {options.batch} samples of a batch run in parallel, because each copy "
                f"needs {each} PEs, "
                f"all share {shared} more, and {available} are available; the others run in turn",
                "backends.spinnaker2.batch",
                "S2-CORES",
            )
        )
    faults = list(checks.check_cores(copies * each + shared, available, copies, options))
    return copies, notes, faults


def _slices(parts: list[Part], copies: int) -> tuple[tuple[Slice, ...], list[tuple[Part, int]]]:
    """Return all slices, copy after copy, optimizers last; and the part and number of each."""
    order = [
        (part, number, copy)
        for copy in range(copies)
        for part in parts
        if part.role != "optimizer"
        for number in range(len(part.memory))
    ]
    order += [
        (part, number, -1) for part in parts if part.role == "optimizer" for number in range(len(part.memory))
    ]
    slices = tuple(
        Slice(part.role, part.population, int(part.bounds[number]), int(part.bounds[number + 1]), copy, index)
        for index, (part, number, copy) in enumerate(order)
    )
    return slices, [(part, number) for part, number, _ in order]
