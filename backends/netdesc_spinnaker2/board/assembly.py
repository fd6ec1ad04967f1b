"""From a program and its map to the memory of all processing elements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.program import Program
from netdesc.ticks.records import Spikes
from netdesc_spinnaker2.board.memory import ADJOINTS, PROGRESS, STATES, Board, Received, Rules
from netdesc_spinnaker2.board.packets import PACKET, Boxes
from netdesc_spinnaker2.board.router import Router
from netdesc_spinnaker2.board.routes import PortTable, open_ports
from netdesc_spinnaker2.board.slices import Rooms, describe_slices, senders_of
from netdesc_spinnaker2.board.views import Memory
from netdesc_spinnaker2.board.wiring import Template, begins, lay_out_template
from netdesc_spinnaker2.mapping.plan import ROLES, Plan
from netdesc_spinnaker2.options import CHOICES, Options
from netdesc_spinnaker2.programs.loss import LossState

LARGEST_WORK = 2**26
"""Numbers that the record of work may take; beyond that samples are added up."""


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
    losses : LossState
    rules : Rules
    rooms : Rooms
    meters : list
        What the host needs to count the work of this board, once it does; see ``costs.counting``.
    """

    plan: Plan
    options: Options
    training: bool
    template: Template
    table: PortTable
    board: Board
    boxes: Boxes
    losses: LossState
    rules: Rules
    rooms: Rooms
    meters: list[Any] = field(default_factory=list)

    @property
    def memory(self) -> Memory:
        """What the kernels work on."""
        return Memory(self.board, self.rules, self.table.ports, self.boxes, self.losses)

    @property
    def each(self) -> int:
        """Slices of one copy."""
        return len(self.template.weights)


def build(
    program: Program,
    plan: Plan,
    router: Router,
    options: Options,
    delays: Mapping[str, Integers],
    *,
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
    """
    count = len(plan.slices)
    senders = senders_of(plan, count)
    each = sum(item.copy == 0 for item in plan.slices)
    template = lay_out_template(
        program,
        plan.slices[:each],
        senders[:each],
        delays,
        scheme=options.scheme,
        timestep=options.step,
        training=training,
    )
    table = open_ports(plan, router, senders)
    profile = options.profile
    rules = Rules(
        round(program.duration / options.step),
        CHOICES["scheme"].index(options.scheme),
        each,
        training or options.scheme == "off_grid",
        not training,
        CHOICES["overrun"].index(options.overrun),
        int(options.budget.value),
        int(profile.neuron_cycles.value),
        int(profile.synapse_cycles.value),
        int(profile.packet_cycles.value),
        options.step,
        template.uniform,
        template.holding,
    )
    rooms = first_rooms(plan, template, options, rules)
    return furnish(plan, options, template, table, rules, rooms, training)


def first_rooms(plan: Plan, template: Template, options: Options, rules: Rules) -> Rooms:
    """Return the stores as the map has them, and boxes for one packet of every key."""
    inside = options.scheme == "off_grid"
    sent, received, box = (np.zeros(len(plan.slices), dtype=np.int64) for _ in range(3))
    each, rows = len(template.weights), template.columns["row"]
    ends = np.append(rows[1:], len(template.shared["fan"]))
    for s, (item, memory) in enumerate(zip(plan.slices, plan.memory, strict=True)):
        sent[s] = memory.get("stimulus", 0) // (8 if inside else 4)
        sent[s] += memory.get("own_spikes", 0) // (12 if inside else 8)
        received[s] = memory.get("received_spikes", 0) // (8 if inside else 4)
        known = int(ends[s % each] - rows[s % each]) if item.role == "layer" else 0
        received[s] = received[s] if rules.keep else known + 16
        box[s] = 0 if item.role == "optimizer" else known + 4 * item.size + 64
    if rules.overrun != CHOICES["overrun"].index("ignore"):
        box = np.minimum(box, int(options.profile.fifo_depth.value))
    return Rooms(sent, received, box, 64)


def furnish(
    plan: Plan,
    options: Options,
    template: Template,
    table: PortTable,
    rules: Rules,
    rooms: Rooms,
    training: bool,
) -> Emulation:
    """Give every slice its stretch of memory."""
    each, count = len(template.weights), len(plan.slices)
    slices, known = describe_slices(plan, template, table, rules, rooms)
    layers = slices["role"] == ROLES.index("layer")
    neurons = int(slices["size"][slices["role"] != ROLES.index("optimizer")].sum())
    slots = int((slices["depth"] * slices["size"])[layers].sum())
    sent, received = stores(rooms)
    kind = np.float32
    board = Board(
        slices=slices,
        progress=np.zeros(count, PROGRESS),
        known=known,
        **template.shared,
        state=np.zeros(STATES * neurons, kind),
        adjoint=np.zeros(ADJOINTS * neurons, kind),
        marks=np.zeros((3, neurons), np.int64),
        rings=np.zeros((4 if options.scheme == "off_grid" else 1, slots), kind),
        places=np.zeros((2, count * (rules.steps + 3)), np.int64),
        sent=sent,
        received=received,
        weight=np.zeros(int(slices["weight_end"][-1]), kind),
        gradient=np.zeros(int(slices["gradient_end"][-1]), kind),
        **fresh_counts(count, each, rules, 1),
    )
    losses = LossState(
        np.full(neurons, -1, np.int64),
        np.zeros(neurons, kind),
        np.zeros(neurons, kind),
        np.zeros(count, kind),
        np.zeros(count, np.int64),
    )
    return Emulation(
        plan, options, training, template, table, board, boxes_of(rooms, options), losses, rules, rooms
    )


def stores(rooms: Rooms) -> tuple[Spikes, Received]:
    """Return empty stores of spikes."""
    sent, received = int(rooms.sent.sum()), int(rooms.received.sum())
    whole, single = np.int64, np.float32
    return (
        Spikes(*(np.zeros(sent, whole) for _ in range(3)), *(np.zeros(sent, single) for _ in range(5))),
        Received(np.zeros(received, whole), *(np.zeros(received, single) for _ in range(2))),
    )


def boxes_of(rooms: Rooms, options: Options) -> Boxes:
    """Return empty boxes."""
    room = int(rooms.box.sum())
    depth = int(options.profile.fifo_depth.value) if options.overrun == "late" else 0
    return Boxes(
        begins(rooms.box),
        np.zeros((2, len(rooms.box)), np.int64),
        np.zeros((2, room), PACKET),
        np.array([depth]),
    )


def fresh_counts(count: int, each: int, rules: Rules, batch: int) -> dict[str, Any]:
    """Return counts of nothing, by their names in ``Board``."""
    ticks = rules.steps + 2
    samples = max(1, min(batch, LARGEST_WORK // (each * 6 * ticks)))
    return {
        "packets": np.zeros((count, 5, 4), np.int64),
        "events": np.zeros((count, 4), np.int64),
        "busiest": np.zeros((count, 2), np.int64),
        "work": np.zeros((samples, each, 2, ticks, 3), np.int32),
    }


def grow(emulation: Emulation, rooms: Rooms) -> Emulation:
    """Return the emulation with other stores and boxes, all empty."""
    sent, received = stores(rooms)
    slices = emulation.board.slices.copy()
    for name, sizes in (("sent", rooms.sent), ("received", rooms.received)):
        slices[name], slices[f"{name}_end"] = begins(sizes)[:-1], begins(sizes)[1:]
    return replace(
        emulation,
        board=emulation.board._replace(slices=slices, sent=sent, received=received),
        rooms=rooms,
        meters=[],
        boxes=boxes_of(rooms, emulation.options),
    )


def load_weights(emulation: Emulation, weights: Floats) -> None:
    """Write weights into the memory of all layers.

    Parameters
    ----------
    emulation : Emulation
    weights : ndarray of float64, shape (synapses,)
        In the voltage of the cell, all blocks one after the other.
    """
    chosen = weights[emulation.template.weight_order].astype(np.float32)
    emulation.board.weight.reshape(emulation.plan.copies, -1)[:] = chosen
