"""From a network to a plan: partition, place, allocate keys, route, compress, check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from netdesc.errors import Diagnostic, LimitError
from netdesc.events import Floats, Integers
from netdesc.program import PopulationSlice, Program
from netdesc_spinnaker2.mapping import checks, memory, traffic
from netdesc_spinnaker2.mapping.compression import compress
from netdesc_spinnaker2.mapping.keys import allocate
from netdesc_spinnaker2.mapping.network import Network, view_program
from netdesc_spinnaker2.mapping.partition import divide
from netdesc_spinnaker2.mapping.placement import capacity, place
from netdesc_spinnaker2.mapping.plan import Plan, Slice
from netdesc_spinnaker2.mapping.routing import tables
from netdesc_spinnaker2.mapping.traffic import Load
from netdesc_spinnaker2.options import Options


@dataclass(frozen=True, slots=True)
class Part:
    """What one program of one population takes; arrays have one element per slice.

    Parameters
    ----------
    role : str
    population : str
    bounds : ndarray of int64, shape (slices + 1,)
    memory : dict of str to ndarray of int64
        Bytes of SRAM by item.
    recorded : ndarray of int64
        Bytes of DRAM of a sample.
    cycles, packets : ndarray of float64
        In a tick.
    """

    role: str
    population: str
    bounds: Integers
    memory: memory.Items
    recorded: Integers
    cycles: Floats
    packets: Floats

    @property
    def count(self) -> int:
        """Number of slices."""
        return len(self.bounds) - 1


def lay_out_program(program: Program, options: Options, outputs: tuple[str, ...], *, training: bool) -> Plan:
    """Map a program onto the board.

    Parameters
    ----------
    program : Program
    options : Options
    outputs : tuple of str
        Populations that a loss reads.
    training : bool

    Raises
    ------
    LimitError
        With every limit that it exceeds.
    """
    network = view_program(program, options, outputs if training else ())
    return plan(network, replace(options, training=training))


def outputs_of(program: Program) -> tuple[str, ...]:
    """Return the spiking populations from which no projection leaves; a loss usually reads these."""
    sending = {block.pre for block in program.blocks}
    return tuple(
        item.name for p, item in enumerate(program.populations) if item.kind == "spiking" and p not in sending
    )


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
        None where there are too few processing elements; otherwise complete, even if it exceeds other limits.
    faults : tuple of Diagnostic
        Every limit that the network exceeds.
    """
    training = traffic.trains(network, options)
    fans = {
        item.name: traffic.fan(network, item.name, integer=options.weights == "integer")
        for item in network.program.populations
    }
    bounds, reach, loads = divide(network, fans, options)
    parts = [
        part
        for item in network.program.populations
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
        memory=tuple(memory.itemized(part.memory, number) for part, number in order),
        recorded=tuple(int(part.recorded[number]) for part, number in order),
        cycles=tuple(float(part.cycles[number]) for part, number in order),
        packets=tuple(float(part.packets[number]) for part, number in order),
        copies=copies,
        notes=(*notes, *copy_notes),
    )
    faults += [*checks.check_routes(result.tables, options), *checks.check_records(result, options)]
    return result, tuple(faults)


def _parts(
    network: Network, item: PopulationSlice, bounds: Integers, load: Load, options: Options
) -> Iterator[Part]:
    """Yield the programs that a population needs."""
    ticks, profile, training = network.ticks, options.profile, traffic.trains(network, options)
    buffer, store = memory.recording(network, item, bounds)
    none, idle = np.zeros_like(load.neurons), np.zeros(len(load.neurons))
    if item.kind == "source":
        errors = load.errors if training and options.input_errors else idle
        work = (load.spikes + errors) / ticks * profile.packet_cycles.value
        items = {**memory.source(load, options), "recording": buffer}
        yield Part("input", item.name, bounds, items, store, work, errors / ticks)
        return
    items = {**memory.layer(load, options, ticks, training=training), "recording": buffer}
    work = traffic.cycles(load, ticks, profile, training=training)
    packets = traffic.arrivals(load, ticks, training=training)
    yield Part("layer", item.name, bounds, items, store, work, packets)
    if training and item.name in network.losses:
        packets = np.array([item.size * network.spikes[item.name] / ticks])
        work = item.size * profile.neuron_cycles.value + packets * profile.packet_cycles.value
        yield Part(
            "loss", item.name, np.array([0, item.size]), memory.loss(item), np.zeros(1, int), work, packets
        )
    if training and any(block.train_weight for block in network.incoming(item.name)):
        yield Part("optimizer", item.name, bounds, memory.optimizer(load, options), none, idle, idle)


def _part_faults(network: Network, parts: list[Part], options: Options) -> list[Diagnostic]:
    faults = []
    for part in parts:
        item = network.program.population(part.population)
        faults += [
            *checks.check_sram(
                item,
                part.role,
                [memory.itemized(part.memory, number) for number in range(part.count)],
                options,
            ),
            *checks.check_ticks(item, max(part.cycles), options),
            *checks.check_fifo(item, max(part.packets), options),
        ]
    return faults


def _copies(parts: list[Part], options: Options) -> tuple[int, list[Diagnostic], list[Diagnostic]]:
    """Return the number of copies, notes and faults."""
    shared = sum(part.count for part in parts if part.role == "optimizer")
    each = sum(part.count for part in parts) - shared
    available = capacity(options)
    fit = max(0, available - shared) // max(1, each)
    copies = options.copies or max(1, min(options.batch, fit))
    notes = []
    if options.copies is None and copies < options.batch:
        message = (
            f"{copies} of the {options.batch} samples of a batch run in parallel, because each copy needs "
            f"{each} PEs, all share {shared} more, and {available} are available; the others run in turn"
        )
        notes.append(Diagnostic(message, "backends.spinnaker2.batch", "S2-CORES"))
    faults = list(checks.check_cores(copies * each + shared, available, copies, options))
    return copies, notes, faults


def _slices(parts: list[Part], copies: int) -> tuple[tuple[Slice, ...], list[tuple[Part, int]]]:
    """Return all slices, copy after copy, optimizers last; and the part and number of each."""
    order = [
        (part, number, copy)
        for copy in range(copies)
        for part in parts
        if part.role != "optimizer"
        for number in range(part.count)
    ]
    order += [
        (part, number, -1) for part in parts if part.role == "optimizer" for number in range(part.count)
    ]
    slices = tuple(
        Slice(part.role, part.population, int(part.bounds[number]), int(part.bounds[number + 1]), copy, index)
        for index, (part, number, copy) in enumerate(order)
    )
    return slices, [(part, number) for part, number, _ in order]
