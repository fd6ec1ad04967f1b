"""From instances that fit to the plan."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from netdesc.events import Integers
from netdesc.program import Program
from netdesc_brainscales2.mapping.crossbar import KINDS, Group
from netdesc_brainscales2.mapping.demand import Demand
from netdesc_brainscales2.mapping.instances import Placement
from netdesc_brainscales2.mapping.plan import Instance, Part, Route, Wiring
from netdesc_brainscales2.options import Options


def list_parts(placements: Sequence[Placement]) -> list[Part]:
    """Return the neurons of all instances, in order of instance, then of the file."""
    return [
        Part(item.population, item.start, item.stop, number, circuits.shape[1], circuits)
        for number, placement in enumerate(placements)
        for item, circuits in zip(placement.slices, placement.circuits, strict=True)
    ]


def list_instances(program: Program, placements: Sequence[Placement]) -> list[Instance]:
    """Return the execution instances in the order in which they run."""
    result = []
    for number, placement in enumerate(placements):
        running = tuple(dict.fromkeys(item.population for item in placement.slices))
        sending = dict.fromkeys(
            program.populations[sender.key[0]].name for sender in placement.senders if sender.bus < 0
        )
        replayed = tuple(name for name in sending if program.population(name).kind != "source")
        result.append(Instance(number, running, replayed))
    return result


def list_routes(program: Program, placements: Sequence[Placement]) -> list[Route]:
    """Return how the events of every population travel within every instance."""
    routes = []
    for number, placement in enumerate(placements):
        # A population that is cut can be replayed and run in one instance, which makes two routes.
        keys = dict.fromkeys((sender.key[0], sender.bus < 0) for sender in placement.senders)
        for population, external in keys:
            item = program.populations[population]
            fields = np.full((3, item.size), -1, dtype=np.int64)
            for position, sender in enumerate(placement.senders):
                if sender.key[0] == population and (sender.bus < 0) == external:
                    address = placement.addresses[position]
                    fields[:, sender.key[1]] = address.group.bus, address.group.first, address.label
            routes.append(Route(item.name, number, external, *fields))
    return routes


def list_wirings(
    demands: Sequence[Demand], placements: Sequence[Placement], options: Options
) -> list[Wiring]:
    """Return where the synapses of all blocks lie, in the order of the program."""
    arrays = {
        item.block.name: np.full((4, item.block.size, item.rows), -1, dtype=np.int64) for item in demands
    }
    instances = {item.block.name: np.full(item.block.size, -1, dtype=np.int64) for item in demands}
    for number, placement in enumerate(placements):
        # Rows of unequal width: circuits of a neuron are padded, and its width says how many count.
        widths = np.concatenate([np.full(len(item), item.shape[1]) for item in placement.circuits])
        table = np.full((len(widths), int(widths.max())), -1, dtype=np.int64)
        begin = 0
        for circuits in placement.circuits:
            table[begin : begin + len(circuits), : circuits.shape[1]] = circuits
            begin += len(circuits)
        for position, sender in enumerate(placement.senders):
            address = placement.addresses[position]
            for cell in placement.cells[position]:
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
    return [
        Wiring(item, cells[0], cells[1], cells[2], cells[3], instances[item.block.name])
        for item, cells in zip(demands, arrays.values(), strict=True)
    ]


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
