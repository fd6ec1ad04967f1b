"""Where the memory of each slice begins and ends, and which keys it knows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc_spinnaker2.board.memory import SLICE, TRAINED, Rules
from netdesc_spinnaker2.board.packets import KNOWN
from netdesc_spinnaker2.board.routes import PortTable
from netdesc_spinnaker2.board.wiring import Template, begins
from netdesc_spinnaker2.mapping.plan import ROLES, Plan


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the stores and boxes of the slices hold; shape (slices,).

    Parameters
    ----------
    sent, received, box : ndarray of int64
        Spikes sent, spikes received, packets in a box.
    arrivals : int
        At one neuron in a tick.
    """

    sent: Integers
    received: Integers
    box: Integers
    arrivals: int


def senders_of(plan: Plan, count: int) -> list[tuple[int, ...]]:
    """Return, for each slice, the slices that send it spikes, by their flows, ascending."""
    arriving: dict[int, list[int]] = defaultdict(list)
    for number, flow in enumerate(plan.flows):
        if flow.space == "spike":
            for target in flow.targets:
                arriving[target].append(number)

    @cache
    def merge(numbers: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(sender for number in numbers for sender in plan.flows[number].senders))

    return [merge(tuple(arriving[s])) for s in range(count)]


def describe_slices(
    plan: Plan, template: Template, table: PortTable, rules: Rules, rooms: Rooms
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return where the memory of each slice is, and the blocks of keys that all of them know."""
    each, count = len(template.weights), len(plan.slices)
    role = np.array([ROLES.index(item.role) for item in plan.slices], dtype=np.int64)
    size = np.array([item.size for item in plan.slices], dtype=np.int64)
    idle = role == ROLES.index("optimizer")
    number = np.where(idle, 0, np.arange(count) % each)
    shared = {name: np.where(idle, 0, values[number]) for name, values in template.columns.items()}
    known, known_first = known_keys(plan)
    spans = {
        "weight": begins(np.where(idle, 0, template.weights[number])),
        "gradient": begins(np.where(idle, 0, template.gradients[number])),
        "sent": begins(rooms.sent),
        "received": begins(rooms.received),
        "known": known_first,
    }
    columns = {
        "role": role,
        "size": size,
        "copy": [item.copy for item in plan.slices],
        "number": number,
        **shared,
        "state": begins(np.where(idle, 0, size))[:-1],
        "ring": begins(np.where(role == ROLES.index("layer"), shared["depth"] * size, 0))[:-1],
        "place": np.arange(count) * (rules.steps + 3),
        **{name: span[:-1] for name, span in spans.items()},
        **{f"{name}_end": span[1:] for name, span in spans.items()},
        **{f"{kind}_port": first for kind, first in table.first.items()},
        "error_base": bases(plan, "error"),
        "loss_base": bases(plan, "loss"),
    }
    slices = np.zeros(count, dtype=SLICE)
    for name, values in columns.items():
        slices[name] = values
    return slices, known


def bases(plan: Plan, kind: str) -> Integers:
    """Return the first key of a kind that is addressed to each slice, -1 for none."""
    return np.array([keys[kind].base if kind in keys else -1 for keys in plan.keys], dtype=np.int64)


def known_keys(plan: Plan) -> tuple[NDArray[Any], Integers]:
    """Return the blocks of keys that each program knows, by its flows, and where those of each begin."""
    base = bases(plan, "spike")
    size = np.array([item.size for item in plan.slices], dtype=np.int64)
    others = other_keys(plan)
    tables = []
    for s, senders in enumerate(senders_of(plan, len(plan.slices))):
        sources = np.array(senders, dtype=np.int64)
        sending = base[sources] >= 0
        table = np.zeros(int(sending.sum()) + len(others[s]), dtype=KNOWN)
        arriving = table[: int(sending.sum())]
        arriving["base"], arriving["size"] = base[sources[sending]], size[sources[sending]]
        arriving["row"] = (np.cumsum(size[sources]) - size[sources])[sending]
        table[len(arriving) :] = others[s]
        tables.append(table[np.argsort(table["base"], kind="stable")])
    return np.concatenate(tables), begins(np.array([len(table) for table in tables]))


def other_keys(plan: Plan) -> dict[int, list[tuple[int, int, int]]]:
    """Return the blocks of keys of gradients and weights addressed to each slice, and their first rows."""
    found: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for flow in plan.flows:
        if flow.space in ("gradient", "weight"):
            row = 0 if flow.space == "gradient" else TRAINED
            for target in flow.targets:
                found[target] += [(flow.block.base, plan.slices[k].size, row) for k in flow.senders]
    return found
