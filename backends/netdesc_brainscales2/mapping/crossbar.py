"""Which bus, row select and label each source of events has, and in which cells its synapses lie.

An event on a bus carries a row select and a label. A row select is a pair of rows in each hemisphere; every
synapse there listens to one label, so that sources share rows as long as they reach different circuits. Each
row has one sign. A source whose synapses need several pairs has a group of 2, 4, ... aligned row selects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from netdesc.events import Integers
from netdesc_brainscales2.options import Options

KINDS = (1, 0, 2)
"""Excitatory rows of a pair, by kind of group: mixed, inhibitory, excitatory; the rest are inhibitory."""

MIXED = 0


@dataclass(frozen=True, slots=True)
class Sender:
    """A source of events, and the cells that it needs.

    Parameters
    ----------
    key : tuple of (int, int)
        Population and neuron, for whoever asks.
    bus : int
        Where its events arrive; -1 where any bus will do.
    targets : ndarray of int64, shape (t,)
        Neurons of the instance that it reaches, each once.
    positive, negative : ndarray of int64, shape (t,)
        Cells that it needs in the columns of each.
    """

    key: tuple[int, int]
    bus: int
    targets: Integers
    positive: Integers
    negative: Integers

    @property
    def kind(self) -> int:
        """Kind of rows that suit it best."""
        if not self.negative.any():
            return KINDS.index(2)
        return KINDS.index(0) if not self.positive.any() else MIXED


@dataclass(frozen=True, slots=True)
class Group:
    """Aligned row selects of one bus that the same senders drive.

    Parameters
    ----------
    bus, first, size : int
        Row selects ``first`` to ``first + size - 1``.
    kind : int
        Index into ``KINDS``.
    """

    bus: int
    first: int
    size: int
    kind: int


@dataclass(frozen=True, slots=True)
class Address:
    """Where the events of a sender go, and which cells it was given.

    Parameters
    ----------
    group : Group
    label : int
    positive, negative : ndarray of int64, shape (t,)
        Number of the first cell of each target within the group; the others follow.
    """

    group: Group
    label: int
    positive: Integers
    negative: Integers


@dataclass(frozen=True, slots=True)
class Refusal:
    """A sender for which there was no room.

    Parameters
    ----------
    sender : Sender
    cause : str
        ``label``: rows would be free, labels are not; ``bus``: other buses would have room; ``rows``: no
        bus has any.
    target : int
        The target with the least room.
    cells, need : int
        Cells of that target on the bus, and those that would be taken with the sender's row selects.
    """

    sender: Sender
    cause: str
    target: int
    cells: int
    need: int


@dataclass(slots=True)
class _Bus:
    """Groups of one bus, with what is taken in them by target."""

    number: int
    selects: int
    labels: int
    merged: Integers
    groups: list[Group] = field(default_factory=list)
    senders: list[int] = field(default_factory=list)
    room: Integers = field(init=False)
    taken: list[bool] = field(init=False)
    kinds: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    load: int = 0

    def __post_init__(self) -> None:
        self.room = np.empty((0, 2, len(self.merged)), dtype=np.int64)
        self.taken = [False] * self.selects

    def seat(self, sender: Sender) -> Address | None:
        """Give a sender cells and a label; None where there is no room."""
        number = self._fitting(sender)
        if number is None:
            return None
        group, (need, rooms) = self.groups[number], (self._need(sender), self.room[number])
        begin = self._cells(group)[:, sender.targets] - rooms[:, sender.targets]
        rooms[:, sender.targets] -= need
        self.senders[number] += 1
        self.load += int(need.sum())
        return Address(group, self.senders[number] - 1, begin[0], begin[1])

    def _need(self, sender: Sender) -> Integers:
        return np.stack([sender.positive, sender.negative])

    def _cells(self, group: Group) -> Integers:
        """Return excitatory and inhibitory cells of every target in a group, shape (2, targets)."""
        excitatory = KINDS[group.kind]
        return np.stack([excitatory * group.size * self.merged, (2 - excitatory) * group.size * self.merged])

    def _fitting(self, sender: Sender) -> int | None:
        candidates = self._candidates(sender, full=False)
        for kind in (sender.kind, MIXED):
            alike = candidates[self.kinds[candidates] == kind]
            if len(alike):
                return int(alike[0])
        number = self._open(sender, sender.kind)
        return self._open(sender, MIXED) if number is None and sender.kind != MIXED else number

    def _candidates(self, sender: Sender, *, full: bool) -> Integers:
        """Return the groups with cells for a sender; ``full`` also those that have no label left."""
        if not self.groups:
            return np.empty(0, dtype=np.int64)
        fits = (self.room[:, :, sender.targets] >= self._need(sender)).all(axis=(1, 2))
        if not full:
            fits &= np.array(self.senders) < self.labels
        return np.flatnonzero(fits)

    def _open(self, sender: Sender, kind: int) -> int | None:
        size = self.size_for(sender, kind)
        for first in range(0, self.selects - size + 1, size):
            if not any(self.taken[first : first + size]):
                self.taken[first : first + size] = [True] * size
                group = Group(self.number, first, size, kind)
                self.groups.append(group)
                self.senders.append(0)
                self.room = np.concatenate([self.room, self._cells(group)[None]])
                self.kinds = np.append(self.kinds, kind)
                return len(self.groups) - 1
        return None

    def size_for(self, sender: Sender, kind: int) -> int:
        """Return how many row selects a sender needs, a power of two."""
        merged, excitatory = self.merged[sender.targets], KINDS[kind]
        sizes = [
            np.ceil(need / (merged * rows)) if rows else np.where(need > 0, np.inf, 0.0)
            for need, rows in ((sender.positive, excitatory), (sender.negative, 2 - excitatory))
        ]
        most = max(1.0, float(np.max(sizes)))
        return 1 << int(np.ceil(np.log2(most)))

    def refuse(self, sender: Sender) -> Refusal:
        """Say why a sender found no room."""
        free = self.room.sum(axis=(0, 1)) + 2 * self.merged * self.taken.count(False)
        spare = free[sender.targets] - sender.positive - sender.negative
        target = int(sender.targets[np.argmin(spare)])
        cells = 2 * int(self.merged[target])
        selects = sum(self.taken) + self.size_for(sender, sender.kind)
        cause = "label" if len(self._candidates(sender, full=True)) else "rows"
        return Refusal(sender, cause, target, cells * self.selects, cells * selects)


def connect(senders: Sequence[Sender], merged: Integers, options: Options) -> dict[int, Address] | Refusal:
    """Give every sender a bus, row selects, a label and cells.

    Parameters
    ----------
    senders : sequence of Sender
    merged : ndarray of int64, shape (n,)
        Circuits of every neuron of the instance.
    options : Options

    Returns
    -------
    dict of int to Address, or Refusal
        By the position of the sender; or the first for which there was no room.
    """
    profile = options.profile
    buses = [
        _Bus(number, profile.selects, int(profile.labels.value), merged)
        for number in range(int(profile.buses.value))
    ]
    found: dict[int, Address] = {}
    for position in _order(senders, buses[0]):
        sender = senders[position]
        address = next((item for bus in _choices(sender, buses) if (item := bus.seat(sender))), None)
        if address is None:
            return _refusal(sender, buses)
        found[position] = address
    return found


def _order(senders: Sequence[Sender], bus: _Bus) -> list[int]:
    """Return the order of service.

    Those that need most row selects come first, then those of both signs, since they can use no other rows
    and leave room for the rest, then those without a choice of the bus.
    """
    sizes = [bus.size_for(item, item.kind) for item in senders]
    return sorted(
        range(len(senders)), key=lambda k: (-sizes[k], senders[k].kind != MIXED, senders[k].bus < 0, k)
    )


def _choices(sender: Sender, buses: Sequence[_Bus]) -> Iterator[_Bus]:
    if sender.bus >= 0:
        yield buses[sender.bus]
    else:
        yield from sorted(buses, key=lambda bus: (bus.load, bus.number))


def _refusal(sender: Sender, buses: Sequence[_Bus]) -> Refusal:
    refusals = [bus.refuse(sender) for bus in _choices(sender, buses)]
    first = next((item for item in refusals if item.cause == "label"), refusals[0])
    if (
        sender.bus >= 0
        and first.cause == "rows"
        and any(bus.seat(sender) for bus in buses if bus.number != sender.bus)
    ):
        return Refusal(sender, "bus", first.target, first.cells, first.need)
    return first
