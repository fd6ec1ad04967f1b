"""What the machine cannot do: every violation with need, limit, source, tag and a fix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from netdesc.errors import Diagnostic
from netdesc.events import Floats
from netdesc.limits import Limit, against, six_digits
from netdesc.program import PopulationSlice, Program
from netdesc_spinnaker2.board.integers import Rounding, bits_of, quantize, range_of, rounding_of, scale_of
from netdesc_spinnaker2.mapping.network import Network, weights_of
from netdesc_spinnaker2.mapping.plan import Chip, Entry, Plan
from netdesc_spinnaker2.mapping.traffic import Bounds, trains
from netdesc_spinnaker2.options import Options
from netdesc_spinnaker2.profile import SECTION

MODELS = frozenset({"LIF", "LI", "IF_curr_exp"})
"""Neuron models of the layer program."""

SOURCES = frozenset({"dataset", "spike_times", "poisson"})
"""Sources of the input program."""


def check_names(network: Network, options: Options) -> Iterator[Diagnostic]:
    """Yield options that name a population which is not there."""
    names = {item.name for item in network.program.populations}
    for option, values in (("slices", options.slices), ("rates", options.rates), ("scales", options.scales)):
        yield from SECTION.absent(option, values, names, "population")


def check_models(network: Network, options: Options) -> Iterator[Diagnostic]:
    """Yield populations that the programs cannot run."""
    for item in network.program.populations:
        if item.kind == "source":
            if item.model not in SOURCES:
                yield _model(item, f"has no source {item.model}; use {', '.join(sorted(SOURCES))}")
            continue
        if item.model not in MODELS:
            yield _model(item, f"has no cell {item.model}; use {', '.join(sorted(MODELS))}")
        limit = options.profile.synaptic_currents
        if len(item.receptors) > limit.value:
            yield _model(
                item,
                f"synaptic currents: {against(len(item.receptors), limit)}. Give both "
                "receptors one time constant, so that they merge",
            )
        if item.kind == "spiking" and item.subtractive_reset and options.scheme != "off_grid":
            yield _model(
                item,
                f"{options.scheme} resets to a value; set reset: to_value, or "
                "scheme: off_grid, where both resets are the same",
            )
        yield from _levels(item, network.program, options)


def _levels(item: PopulationSlice, program: Program, options: Options) -> Iterator[Diagnostic]:
    if item.kind == "spiking" and options.scheme == "published":
        here = slice(item.start, item.stop)
        levels = {name: program.parameters[name][here] for name in ("rest", "reset", "tau_ref")}
        wrong = [
            f"{name} {six_digits(float(values[np.argmax(np.abs(values))]))}"
            for name, values in levels.items()
            if np.any(values != 0.0)
        ]
        if wrong:
            yield _model(
                item,
                "scheme published has rest, reset and refractory period 0, this has "
                f"{', '.join(wrong)}, constant currents included; set them to 0, or another scheme",
            )


def _model(item: PopulationSlice, message: str) -> Diagnostic:
    part = "source" if item.kind == "source" else "neuron"
    return Diagnostic(f"SpiNNaker2: {message}", f"{item.path}.{part}", "S2-MODEL")


def check_atoms(network: Network, bounds: Bounds, options: Options) -> Iterator[Diagnostic]:
    """Yield populations with slices of too many neurons."""
    limit = options.profile.neurons_per_slice
    for item in network.program.populations:
        need = int(np.max(np.diff(bounds[item.name])))
        if need > limit.value:
            message = (
                f"a slice of {item.name} {against(need, limit)} neurons; set slices: "
                f"{{{item.name}: {limit.value:g}}} or less"
            )
            yield Diagnostic(message, item.path, "S2-ATOMS")
        elif item.name in network.losses and trains(network, options) and item.size > limit.value:
            message = (
                f"the loss of {item.name} {against(item.size, limit)} neurons, all on one "
                "processing element; make the population smaller"
            )
            yield Diagnostic(message, item.path, "S2-ATOMS")


def check_sram(
    item: PopulationSlice, role: str, memory: Sequence[Mapping[str, int]], options: Options
) -> Iterator[Diagnostic]:
    """Yield the largest slice of a population if it does not fit into the SRAM.

    Parameters
    ----------
    item : PopulationSlice
    role : str
        Which of its programs.
    memory : sequence of mapping of str to int
        Bytes by item of all slices; ``recording`` is reported as ``S2-RECORD`` where all else fits.
    options : Options
    """
    limit = options.profile.data_sram
    worst = max(memory, key=lambda items: sum(items.values()))
    need = sum(worst.values())
    if need <= limit.value:
        return
    text = f"{role} {item.name} {against(need, limit)}: {listed(worst)}"
    if need - worst.get("recording", 0) <= limit.value:
        yield Diagnostic(f"{text}; record fewer neurons or variables", f"record.{item.name}", "S2-RECORD")
    else:
        yield Diagnostic(f"{text}; {_smaller(item, options)}", item.path, "S2-SRAM")


def _smaller(item: PopulationSlice, options: Options) -> str:
    fixed = options.slices.get(item.name)
    if fixed is not None and fixed > 1:
        return f"set slices: {{{item.name}: N}} with N below {fixed}, or leave it out for a search"
    return (
        "smaller slices do not help; use fewer synapses per neuron, integer weights, a shorter sample, "
        "lower rates, or no training"
    )


def listed(items: Mapping[str, int]) -> str:
    """Return bytes by item as text."""
    return ", ".join(f"{name} {value}" for name, value in items.items())


def check_weights(network: Network, options: Options) -> tuple[list[Diagnostic], list[Diagnostic]]:
    """Return faults and notes of integer weights.

    Returns
    -------
    faults, notes : list of Diagnostic
        A fault where weights saturate or a whole projection becomes zero; otherwise a note of what rounding
        does to the projection.
    """
    faults, notes = list[Diagnostic](), list[Diagnostic]()
    if options.weights != "integer":
        return faults, notes
    for block in network.program.blocks:
        post, weights = network.target(block).name, weights_of(block)
        scale, limit = scale_of(network, post, options), range_of(network, post, options)
        found = rounding_of(weights, scale, limit.value, stochastic=options.rounding == "stochastic")
        fault = _beyond(weights, post, found, scale, limit)
        if fault:
            faults.append(Diagnostic(fault, f"{block.path}.weight", "S2-WEIGHT"))
        else:
            message = (
                f"rounded to words of 1/{six_digits(scale)} ({options.rounding}), by {found.rms:.3g} rms and "
                f"at most {found.largest:.3g}; {found.zeroed} of {block.size} weights become 0"
            )
            notes.append(Diagnostic(message, f"{block.path}.weight", "S2-WEIGHT"))
    return faults, notes


def _beyond(weights: Floats, post: str, found: Rounding, scale: float, limit: Limit) -> str:
    if found.saturated:
        need = int(np.max(np.abs(quantize(weights, scale))))
        return (
            f"{against(need, limit)}; {found.saturated} of {len(weights)} weights saturate at the scale "
            f"{six_digits(scale)}; set scales: {{{post}: {scale * limit.value / need:.4g}}} or less"
        )
    if found.zeroed and found.zeroed == int(np.sum(weights != 0.0)):
        return (
            f"all {found.zeroed} weights become 0 at the scale {six_digits(scale)}: the largest is "
            f"{six_digits(float(np.max(np.abs(weights))))}, {against(limit.value, limit)} for the "
            f"largest into {post}; bring the weights of its projections closer, use rounding: "
            "stochastic, or weights: float"
        )
    return ""


def check_delays(network: Network, options: Options) -> Iterator[Diagnostic]:
    """Yield projections with delays that a synapse cannot hold."""
    profile = options.profile
    for block in network.program.blocks:
        limit = profile.delay_float
        if options.weights == "integer":
            four = bits_of(network, network.target(block).name, options) == 4
            limit = profile.delay_four_bit if four else profile.delay_seven_bit
        need = int(np.max(network.delays[block.name], initial=1))
        if need > limit.value:
            message = (
                f"{against(need, limit)}; set delays of at most {limit.value * network.tick:g} ms, a longer "
                "tick, or weights: float"
            )
            yield Diagnostic(message, f"{block.path}.delay", "S2-DELAY")


def check_ticks(item: PopulationSlice, cycles: float, options: Options) -> Iterator[Diagnostic]:
    """Yield a population whose busiest slice takes longer than a tick."""
    limit = options.budget
    relief = "smaller slices, input_errors: false, " if item.kind == "source" else "smaller slices, "
    if cycles > limit.value:
        message = (
            f"its busiest slice {against(cycles, limit)}, with {_tagged(options, 'synapse_cycles')}, "
            f"{_tagged(options, 'neuron_cycles')}; use {relief}lower rates or a longer tick"
        )
        yield Diagnostic(message, item.path, "S2-TICK")


def check_fifo(item: PopulationSlice, packets: float, options: Options) -> Iterator[Diagnostic]:
    """Yield a population into one of whose slices more packets come in a tick than the FIFO holds."""
    limit = options.profile.fifo_depth
    if packets > limit.value:
        fix = "input_errors: false" if item.kind == "source" else "fewer sources"
        message = (
            f"a tick at the expected rates {against(packets, limit)}; use {fix}, lower rates or "
            "a shorter tick"
        )
        yield Diagnostic(message, item.path, "S2-FIFO")


def check_cores(slices: int, available: int, copies: int, options: Options) -> Iterator[Diagnostic]:
    """Yield a fault where the board has too few processing elements."""
    if slices > available:
        usable, boards = options.profile.pes_usable, len(options.board)
        source = f"{boards} chips of {usable.value:g}, less dead ones, {usable.source}"
        limit = Limit(available, "PEs", source, usable.tag)
        fix = "use fewer copies" if copies > 1 else "use a smaller network"
        message = f"{copies} copies and what serves them: {against(slices, limit)}; {fix}"
        yield Diagnostic(message, "backends.spinnaker2", "S2-CORES")


def check_routes(tables: Mapping[Chip, Sequence[Entry]], options: Options) -> Iterator[Diagnostic]:
    """Yield chips with too many entries in their routing table."""
    limit = options.profile.table_entries
    for (x, y), entries in tables.items():
        if len(entries) > limit.value:
            message = (
                f"the routing table of chip {x},{y} {against(len(entries), limit)} entries; use "
                "larger slices or fewer copies"
            )
            yield Diagnostic(message, "backends.spinnaker2", "S2-ROUTE")


def check_records(plan: Plan, options: Options) -> Iterator[Diagnostic]:
    """Yield chips whose DRAM cannot hold the recordings of a sample."""
    limit, chips = options.profile.dram, dict[Chip, int]()
    for site, size in zip(plan.sites, plan.recorded, strict=True):
        chips[site.chip] = chips.get(site.chip, 0) + size
    for (x, y), need in sorted(chips.items()):
        if need > limit.value:
            message = (
                f"the recordings of a sample on chip {x},{y}: {against(need, limit)}; record "
                "fewer neurons, less often, or a shorter sample"
            )
            yield Diagnostic(message, "record", "S2-RECORD")


def _tagged(options: Options, name: str) -> str:
    limit: Limit = getattr(options.profile, name)
    return f"{name} {six_digits(limit.value)} ({limit.tag})"
