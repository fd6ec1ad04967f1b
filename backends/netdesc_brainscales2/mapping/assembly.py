"""From instances that fit to the plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netdesc.errors import Diagnostic
from netdesc.events import Integers
from netdesc.program import Program
from netdesc_brainscales2.mapping.crossbar import KINDS, Group
from netdesc_brainscales2.mapping.demand import Demand
from netdesc_brainscales2.mapping.instances import Layout
from netdesc_brainscales2.mapping.plan import Instance, Part, Plan, Route, Sampled, Wiring
from netdesc_brainscales2.options import Options


def assemble(
    program: Program,
    demands: Sequence[Demand],
    layouts: Sequence[Layout],
    options: Options,
    *,
    sampled: tuple[Sampled, ...],
    notes: tuple[Diagnostic, ...],
    scales: Mapping[str, float],
) -> Plan:
    """Put a plan together.

    Parameters
    ----------
    program : Program
    demands : sequence of Demand
        Of all blocks, in the order of the program.
    layouts : sequence of Layout
        In the order in which they run.
    options : Options
    sampled : tuple of Sampled
    notes : tuple of Diagnostic
    scales : mapping of str to float
    """
    return Plan(
        program.name,
        program.duration,
        int(options.profile.columns.value),
        tuple(_parts(layouts)),
        tuple(_routes(program, layouts)),
        _wirings(demands, layouts, options),
        tuple(_instances(program, layouts)),
        sampled,
        notes,
        scales,
    )


def _parts(layouts: Sequence[Layout]) -> list[Part]:
    return [
        Part(item.population, item.start, item.stop, number, circuits.shape[1], circuits)
        for number, layout in enumerate(layouts)
        for item, circuits in zip(layout.slices, layout.circuits, strict=True)
    ]


def _instances(program: Program, layouts: Sequence[Layout]) -> list[Instance]:
    result = []
    for number, layout in enumerate(layouts):
        own = tuple(dict.fromkeys(item.population for item in layout.slices))
        sending = dict.fromkeys(
            program.populations[sender.key[0]].name for sender in layout.senders if sender.bus < 0
        )
        replayed = tuple(name for name in sending if program.population(name).kind != "source")
        result.append(Instance(number, own, replayed))
    return result


def _routes(program: Program, layouts: Sequence[Layout]) -> list[Route]:
    routes = []
    for number, layout in enumerate(layouts):
        # A population that is cut can be replayed and run in one instance, which makes two routes.
        keys = dict.fromkeys((sender.key[0], sender.bus < 0) for sender in layout.senders)
        for population, external in keys:
            item = program.populations[population]
            fields = np.full((3, item.size), -1, dtype=np.int64)
            for position, sender in enumerate(layout.senders):
                if sender.key[0] == population and (sender.bus < 0) == external:
                    address = layout.addresses[position]
                    fields[:, sender.key[1]] = address.group.bus, address.group.first, address.label
            routes.append(Route(item.name, number, external, *fields))
    return routes


def _wirings(demands: Sequence[Demand], layouts: Sequence[Layout], options: Options) -> tuple[Wiring, ...]:
    arrays = {
        item.block.name: np.full((4, item.block.size, item.rows), -1, dtype=np.int64) for item in demands
    }
    instances = {item.block.name: np.full(item.block.size, -1, dtype=np.int64) for item in demands}
    for number, layout in enumerate(layouts):
        # Rows of unequal width: circuits of a neuron are padded, and its width says how many count.
        widths = np.concatenate([np.full(len(item), item.shape[1]) for item in layout.circuits])
        table = np.full((len(widths), int(widths.max())), -1, dtype=np.int64)
        begin = 0
        for circuits in layout.circuits:
            table[begin : begin + len(circuits), : circuits.shape[1]] = circuits
            begin += len(circuits)
        for position, sender in enumerate(layout.senders):
            address = layout.addresses[position]
            for cell in layout.cells[position]:
                item, targets = cell.demand, sender.targets[cell.places]
                array = arrays[item.block.name]
                instances[item.block.name][cell.synapses] = number
                for side, wanted, first in (
                    (0, item.positive, address.positive[cell.places] + cell.before_positive),
                    (1, item.negative, address.negative[cell.places] + cell.before_negative),
                ):
                    if wanted:
                        numbers = first[:, None] + np.arange(item.rows)
                        array[side::2, cell.synapses] = _locate(
                            numbers,
                            address.group,
                            table[targets],
                            widths[targets],
                            inhibitory=side == 1,
                            options=options,
                        )
    return tuple(
        Wiring(
            item.block.name,
            item.rows,
            item.scale,
            item.low,
            item.high,
            array[0],
            array[1],
            array[2],
            array[3],
            instances[item.block.name],
        )
        for item, array in ((item, arrays[item.block.name]) for item in demands)
    )


def _locate(
    numbers: Integers,
    group: Group,
    circuits: Integers,
    widths: Integers,
    *,
    inhibitory: bool,
    options: Options,
) -> Integers:
    """Return rows and circuits of cells, shape (2, k, rows), by their numbers within a group."""
    excitatory = KINDS[group.kind]
    sides = 2 - excitatory if inhibitory else excitatory
    width = widths[:, None]
    pair, rest = np.divmod(numbers, width * sides)
    side = rest // width + (excitatory if inhibitory else 0)
    row = group.bus * int(options.profile.bus_rows.value) + 2 * (group.first + pair) + side
    return np.stack([row, np.take_along_axis(circuits, rest % width, axis=1)])
