"""From a program and its map to the memory of all processing elements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Integers
from netdesc.program import Program
from netdesc_spinnaker2.emulator_memory import (
    TRAINED,
    Board,
    Counts,
    Known,
    Own,
    Received,
    Rules,
    Sheet,
    State,
    Synaptic,
)
from netdesc_spinnaker2.emulator_routes import PortTable, open_ports
from netdesc_spinnaker2.emulator_wiring import Template, lay_out_template
from netdesc_spinnaker2.learning import Verdicts
from netdesc_spinnaker2.options import CHOICES, Options
from netdesc_spinnaker2.packets import Boxes
from netdesc_spinnaker2.plan import ROLES, Plan, Slice
from netdesc_spinnaker2.router import Router

LARGEST_WORK = 2**26
"""Numbers that the record of work may take; beyond that samples are added up."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the stores and boxes of the slices hold; shape (slices,).

    Parameters
    ----------
    own, received, box : ndarray of int64
        Own spikes, spikes received, packets in a box.
    arrivals : int
        At one neuron in a tick.
    """

    own: Integers
    received: Integers
    box: Integers
    arrivals: int


@dataclass(frozen=True, slots=True)
class Emulation:
    """A board with a network on it.

    Parameters
    ----------
    plan : Plan
    options : Options
    training : bool
        Whether it can run backward.
    template : Template
    table : PortTable
    board : Board
    boxes : Boxes
    verdicts : Verdicts
    rules : Rules
    rooms : Rooms
    """

    plan: Plan
    options: Options
    training: bool
    template: Template
    table: PortTable
    board: Board
    boxes: Boxes
    verdicts: Verdicts
    rules: Rules
    rooms: Rooms

    @property
    def each(self) -> int:
        """Slices of one copy."""
        return len(self.template.cell)


def senders_of(plan: Plan, count: int) -> list[tuple[int, ...]]:
    """Return, for each slice, what it listens to: slices that send it spikes, by their flows, ascending."""
    found: dict[int, list[int]] = defaultdict(list)
    for flow in plan.flows:
        if flow.space == "spike":
            for target in flow.targets:
                found[target] += flow.senders
    return [tuple(sorted(found[s])) for s in range(count)]


def build(
    program: Program, plan: Plan, router: Router, options: Options, delays: Mapping[str, Integers], *,
    training: bool,
) -> Emulation:
    """Load a network onto an emulated board, its weights still 0.

    Parameters
    ----------
    program : Program
    plan : Plan
    router : Router
        With the tables that are in the routers.
    options : Options
    delays : mapping of str to ndarray of int64
        In ticks, by the keys of the blocks.
    training : bool

    Returns
    -------
    Emulation
    """
    count = len(plan.slices)
    senders = senders_of(plan, count)
    each = sum(item.copy == 0 for item in plan.slices)
    template = lay_out_template(program, plan.slices[:each], senders[:each], delays, scheme=options.scheme,
                                timestep=options.step, training=training)
    table = open_ports(plan, router, senders)
    profile = options.profile
    budget = options.clock_rate * options.step * 1e-3
    rules = Rules(
        round(program.duration / options.step), CHOICES["scheme"].index(options.scheme),
        training or options.scheme == "off_grid", CHOICES["overrun"].index(options.overrun), int(budget),
        int(profile.neuron_cycles.value), int(profile.synapse_cycles.value), int(profile.packet_cycles.value),
        options.step, template.uniform, template.holding)
    rooms = first_rooms(plan, template, options, rules)
    return furnish(plan, options, template, table, rules, rooms, training)


def first_rooms(plan: Plan, template: Template, options: Options, rules: Rules) -> Rooms:
    """Return the stores as the map has them, and boxes for one packet of every key."""
    inside = options.scheme == "off_grid"
    own, received, box = (np.zeros(len(plan.slices), dtype=np.int64) for _ in range(3))
    each, rows = len(template.cell), template.row
    ends = np.append(rows[1:], len(template.wiring.fan))
    for s, (item, memory) in enumerate(zip(plan.slices, plan.memory, strict=True)):
        own[s] = memory.get("stimulus", 0) // (8 if inside else 4)
        own[s] += memory.get("own_spikes", 0) // (12 if inside else 8)
        received[s] = memory.get("received_spikes", 0) // (8 if inside else 4)
        known = int(ends[s % each] - rows[s % each]) if item.role == "layer" else 0
        received[s] = received[s] if rules.keep else known + 16
        box[s] = 0 if item.role == "optimizer" else known + 4 * item.size + 64
    if rules.overrun != CHOICES["overrun"].index("ignore"):
        box = np.minimum(box, int(options.profile.fifo_depth.value))
    return Rooms(own, received, box, 64)


def furnish(
    plan: Plan, options: Options, template: Template, table: PortTable, rules: Rules, rooms: Rooms,
    training: bool,
) -> Emulation:
    """Give every slice its stretch of memory."""
    each, count = len(template.cell), len(plan.slices)
    role = np.array([ROLES.index(item.role) for item in plan.slices], dtype=np.int64)
    number = np.where(role == ROLES.index("optimizer"), 0, np.arange(count) % each)
    idle = role == ROLES.index("optimizer")
    size = np.array([item.size for item in plan.slices], dtype=np.int64)
    depth = np.where(idle, 0, template.depth[number])
    layers = role == ROLES.index("layer")
    known, known_first = known_keys(plan)
    sheet = Sheet(
        role, size, np.array([item.copy for item in plan.slices], dtype=np.int64), number, template.cell[number],
        template.row[number], template.distinct[number], np.where(idle, 0, template.delays[number]),
        begins(np.where(idle, 0, size))[:-1], begins(np.where(layers, depth * size, 0))[:-1], depth,
        np.arange(count, dtype=np.int64) * (rules.steps + 3),
        begins(np.where(idle, 0, template.weights[number])),
        begins(np.where(idle, 0, template.gradients[number])), begins(rooms.own), begins(rooms.received),
        known_first, table.spike, table.error, table.loss, table.gradient, table.weight,
        bases(plan, "error"), bases(plan, "loss"))
    neurons = int(np.where(idle, 0, size).sum())
    rings = int(np.where(layers, depth * size, 0).sum())
    inside = rings if options.scheme == "off_grid" else 0
    kind = np.float32
    state = State(
        *(np.zeros(neurons, kind) for _ in range(5)), *(np.zeros(neurons, np.int64) for _ in range(3)),
        np.zeros(rings, kind), *(np.zeros(inside, kind) for _ in range(3)),
        *(np.zeros(count * (rules.steps + 3), np.int64) for _ in range(2)),
        *(np.zeros(count, np.int64) for _ in range(3)))
    board = Board(
        sheet, known, template.cells, template.wiring, state, *stores(rooms),
        Synaptic(np.zeros(int(sheet.weight[-1]), kind), np.zeros(int(sheet.gradient[-1]), kind)),
        fresh_counts(count, each, rules, 1))
    verdicts = Verdicts(np.full(neurons, -1, np.int64), np.zeros(neurons, kind), np.zeros(neurons, kind),
                        np.zeros(count, kind), np.zeros(count, np.int64))
    return Emulation(plan, options, training, template, table, board, boxes_of(rooms, options), verdicts, rules,
                     rooms)


def begins(sizes: NDArray[Any]) -> Integers:
    """Return where each of a row of stretches begins, and where the last ends."""
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)


def stores(rooms: Rooms) -> tuple[Own, Received]:
    """Return empty stores of spikes."""
    own, received = int(rooms.own.sum()), int(rooms.received.sum())
    return (Own(*(np.zeros(own, np.int64) for _ in range(3)), *(np.zeros(own, np.float32) for _ in range(5))),
            Received(*(np.zeros(received, np.int64) for _ in range(2)),
                     *(np.zeros(received, np.float32) for _ in range(2))))


def boxes_of(rooms: Rooms, options: Options) -> Boxes:
    """Return empty boxes."""
    room = int(rooms.box.sum())
    depth = int(options.profile.fifo_depth.value) if options.overrun == "late" else 0
    return Boxes(begins(rooms.box), np.zeros((2, len(rooms.box)), np.int64), np.zeros((2, room), np.int64),
                 np.zeros((2, room), np.float32), np.zeros((2, room), np.float32), np.array([depth]))


def fresh_counts(count: int, each: int, rules: Rules, batch: int) -> Counts:
    """Return counts of nothing."""
    ticks = rules.steps + 2
    samples = max(1, min(batch, LARGEST_WORK // (each * 6 * ticks)))
    return Counts(np.zeros((count, 5, 4), np.int64), np.zeros((count, 4), np.int64),
                  np.zeros((count, 2), np.int64), np.zeros((samples, each, 2, ticks, 3), np.int32))


def bases(plan: Plan, kind: str) -> Integers:
    """Return the first key of a kind that is addressed to each slice, -1 for none."""
    blocks = [getattr(keys, kind) for keys in plan.keys]
    return np.array([-1 if block is None else block.base for block in blocks], dtype=np.int64)


def known_keys(plan: Plan) -> tuple[Known, Integers]:
    """Return the blocks of keys that each program knows, by its flows, and where those of each begin."""
    rows: list[list[tuple[int, int, int]]] = [[] for _ in plan.slices]
    senders = senders_of(plan, len(plan.slices))
    for s, sources in enumerate(senders):
        at = 0
        for k in sources:
            block = plan.keys[k].spike
            if block is not None:
                rows[s].append((block.base, plan.slices[k].size, at))
            at += plan.slices[k].size
    for flow in plan.flows:
        if flow.space == "gradient":
            for target in flow.targets:
                rows[target] += [(flow.block.base, plan.slices[k].size, 0) for k in flow.senders]
        if flow.space == "weight":
            for target in flow.targets:
                rows[target] += [(flow.block.base, plan.slices[k].size, TRAINED) for k in flow.senders]
    every = np.array([entry for part in rows for entry in sorted(part)], dtype=np.int64).reshape(-1, 3)
    return (Known(*(np.ascontiguousarray(every[:, k]) for k in range(3))),
            begins(np.array([len(part) for part in rows])))


def grow(emulation: Emulation, rooms: Rooms) -> Emulation:
    """Return the emulation with other stores and boxes, all empty."""
    board, sheet = emulation.board, emulation.board.sheet
    own, received = stores(rooms)
    sheet = sheet._replace(own=begins(rooms.own), received=begins(rooms.received))
    return replace(emulation, board=board._replace(sheet=sheet, own=own, received=received), rooms=rooms,
                   boxes=boxes_of(rooms, emulation.options))


def load_weights(emulation: Emulation, weights: Floats) -> None:
    """Write weights into the memory of all layers.

    Parameters
    ----------
    emulation : Emulation
    weights : ndarray of float64, shape (synapses,)
        In the voltage of the cell, all blocks one after the other.
    """
    chosen = weights[emulation.template.weight_order].astype(np.float32)
    emulation.board.synaptic.weight.reshape(emulation.plan.copies, -1)[:] = chosen


def layer_slices(plan: Plan, each: int) -> list[Slice]:
    """Return the layers of the first copy."""
    return [item for item in plan.slices[:each] if item.role == "layer"]
