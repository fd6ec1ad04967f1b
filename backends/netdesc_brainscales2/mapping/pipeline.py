"""From a program to the plan of the chip, or to everything that does not fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from netdesc.errors import Diagnostic, LimitError
from netdesc.limits import Limit, against
from netdesc.program import Program
from netdesc_brainscales2.mapping.assembly import list_instances, list_parts, list_routes, list_wirings
from netdesc_brainscales2.mapping.checks import (
    check_delays,
    check_names,
    check_ranges,
    check_signs,
    check_words,
    note_refractory,
)
from netdesc_brainscales2.mapping.demand import Ambition, ambitions, demand_of, scale_of
from netdesc_brainscales2.mapping.instances import Crowding
from netdesc_brainscales2.mapping.partition import Partition
from netdesc_brainscales2.mapping.plan import Plan
from netdesc_brainscales2.options import Options
from netdesc_brainscales2.readout.observation import check_parity, check_rates, sample


def map_program(program: Program, options: Options, dead: frozenset[int] = frozenset()) -> Plan:
    """Lay a program out on the chip.

    Parameters
    ----------
    program : Program
    options : Options
    dead : frozenset of int
        Circuits to leave out, besides those of the options.

    Returns
    -------
    Plan
        The same for the same program and options, on every machine.

    Raises
    ------
    LimitError
        With everything that does not fit.
    """
    plan, faults = lay_out(program, replace(options, dead=options.dead | dead))
    if plan is None or faults:
        raise LimitError([*faults])
    return plan


def lay_out(program: Program, options: Options) -> tuple[Plan | None, tuple[Diagnostic, ...]]:
    """Return the plan of a program, or None, and all faults."""
    neurons = [item for item in program.populations if item.kind != "source"]
    faults = [*check_names(program, options), *check_delays(program, options)]
    for item in neurons:
        faults += check_ranges(item, program, options)
    sampled, unseen = sample(program, options)
    partition, ambition = _fit(program, options)
    faults += [*unseen, *check_signs(partition.demands, program)]
    words, notes = check_words(partition.demands)
    faults += words
    if partition.crowding is not None and not partition.complete:
        return None, (*faults, crowded(partition.crowding, program, options))
    notes += [note for item in neurons for note in note_refractory(item, program, options)]
    notes += _choices(program, partition, ambition, options)
    scales = {item.name: scale_of(item, program, ambition, options) for item in neurons}
    plan = Plan(
        program.name,
        program.duration,
        int(options.profile.columns.value),
        tuple(list_parts(partition.placements)),
        tuple(list_routes(program, partition.placements)),
        tuple(list_wirings(partition.demands, partition.placements, options)),
        tuple(list_instances(program, partition.placements)),
        sampled,
        tuple(notes),
        scales,
    )
    faults += [*check_rates(program, plan, options), *check_parity(plan, options)]
    return plan, tuple(faults)


def _fit(program: Program, options: Options) -> tuple[Partition, Ambition]:
    """Try one instance with ever coarser weights, then several with the finest."""
    tries = ambitions(options)
    for ambition in tries:
        single = _partition(program, ambition, replace(options, instances=1))
        if single.complete:
            return single, ambition
    if options.instances == 1:
        return single, tries[-1]
    for ambition in tries:
        several = _partition(program, ambition, options)
        if several.complete and len(several.placements) <= (options.instances or len(several.placements)):
            return several, ambition
    if several.complete:
        several = replace(
            several,
            complete=False,
            crowding=Crowding("instances", len(several.placements), options.instances or 0, "", {}),
        )
    return several, tries[-1]


def _partition(program: Program, ambition: Ambition, options: Options) -> Partition:
    demands = [demand_of(block, program, ambition, options) for block in program.blocks]
    partition = Partition(program, demands, options)
    partition.run()
    return partition


def _choices(
    program: Program, partition: Partition, ambition: Ambition, options: Options
) -> Iterator[Diagnostic]:
    """Yield notes on what was given up so that the network fits."""
    finest = ambitions(options)[0]
    if ambition != finest and program.blocks:
        given = [
            f"{ambition.steps:g} instead of {finest.steps:g} steps for a weight of one threshold distance"
            if ambition.steps != finest.steps
            else "",
            f"room for weights of {ambition.headroom:g} instead of {finest.headroom:g} times the largest"
            if ambition.headroom != finest.headroom
            else "",
        ]
        message = f"so that the rows suffice: {' and '.join(filter(None, given))}"
        yield Diagnostic(message, "backends.brainscales2", "B2-WEIGHT")
    if len(partition.placements) > 1:
        message = (
            f"the network runs in {len(partition.placements)} execution instances one after the other, with "
            f"spikes replayed between them; every sample takes {len(partition.placements)} times as long"
        )
        yield Diagnostic(message, "backends.brainscales2", "B2-NEURONS")


def crowded(crowding: Crowding, program: Program, options: Options) -> Diagnostic:
    """Return the diagnostic for neurons that do not fit.

    Returns
    -------
    Diagnostic
        Codes ``B2-NEURONS``, ``B2-FANIN``, ``B2-PADI``, ``B2-ROUTE``, ``B2-LABEL`` or ``B2-DELAY``.
    """
    profile, path = options.profile, f"populations.{crowding.population}"
    if crowding.kind == "delays":
        message = (
            "delays between neurons need execution instances; backends.brainscales2.instances "
            "allows one. Set delay: 0 ms, or leave instances out"
        )
        return Diagnostic(message, "backends.brainscales2.instances", "B2-DELAY")
    if crowding.kind == "instances":
        limit = Limit(crowding.limit, "execution instances", "backends.brainscales2.instances", "A")
        message = f"the network {against(crowding.need, limit)}; use fewer neurons or inputs, or allow more"
        return Diagnostic(message, "backends.brainscales2.instances", "B2-NEURONS")
    if crowding.kind == "fanin":
        source = f"{profile.rows.value:g} per circuit, at most {profile.merged_max.value:g} merged"
        limit = replace(profile.rows, value=crowding.limit, unit="rows", source=source)
        message = (
            f"one neuron {against(crowding.need, limit)}; use fewer inputs, smaller weights, "
            f"or scales: {{{crowding.population}: N}} with a smaller N"
        )
        return Diagnostic(message, path, "B2-FANIN")
    if crowding.kind == "circuits":
        return _circuits_fault(crowding, program, options)
    return _route_fault(crowding, options)


def _circuits_fault(crowding: Crowding, program: Program, options: Options) -> Diagnostic:
    limit = replace(options.profile.circuits, value=crowding.limit, unit="circuits")
    parts = ", ".join(
        f"{name} {program.population(name).size} x {width}" for name, width in crowding.merged.items()
    )
    wide = any(width > 1 for width in crowding.merged.values())
    shape = " or their shapes leave gaps" if crowding.need <= crowding.limit else ""
    loop = any(stage.recurrent for stage in program.stages)
    fix = "use fewer neurons"
    fix += ", fewer inputs, so that fewer circuits merge" if wide else ""
    fix += (
        ", or leave instances out, so that it runs in several"
        if options.instances
        else "; a loop cannot be cut into execution instances"
        if loop
        else ""
    )
    code = (
        "B2-FANIN"
        if wide and sum(program.population(name).size for name in crowding.merged) <= crowding.limit
        else "B2-NEURONS"
    )
    message = f"neurons times merged circuits ({parts}) {against(crowding.need, limit)}{shape}; {fix}"
    return Diagnostic(message, f"populations.{crowding.population}", code)


def _route_fault(crowding: Crowding, options: Options) -> Diagnostic:
    profile, path = options.profile, f"populations.{crowding.population}"
    bus = f"bus {crowding.bus}" if crowding.bus >= 0 else "every bus"
    merged = crowding.merged.get(crowding.population, 1)
    if crowding.kind == "label":
        message = (
            f"sources of {crowding.sender} that share rows on {bus}: distinguishing them "
            f"{against(crowding.need, replace(profile.labels, unit='labels'))}; use fewer sources with "
            "common rows, or fewer neurons in all"
        )
        return Diagnostic(message, path, "B2-LABEL")
    limit = replace(
        profile.bus_rows,
        value=crowding.limit,
        unit="rows",
        source=f"{profile.bus_rows.value:g} per bus and circuit, {merged} merged",
    )
    text = (
        f"on {bus}, which events of {crowding.sender} reach, a neuron of {crowding.population} "
        f"{against(crowding.need, limit)}"
    )
    if crowding.kind == "bus":
        message = (
            f"{text}, while other buses have room; output k of the columns reaches bus k only. Set "
            f"backends.brainscales2.places for {crowding.sender} or for others, so that its neurons spread "
            "over the columns"
        )
        return Diagnostic(message, path, "B2-ROUTE")
    message = (
        f"{text}; use fewer inputs or smaller weights, or scales: {{{crowding.population}: N}} "
        "with a smaller N"
    )
    return Diagnostic(message, path, "B2-PADI")
