"""Every key that a program may send, taken through the routing tables once, when a board is loaded."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from netdesc.events import Integers
from netdesc_spinnaker2.board.packets import GRADIENT, Ports
from netdesc_spinnaker2.board.router import Journey, Router
from netdesc_spinnaker2.mapping.keys import SPACE_SHIFT
from netdesc_spinnaker2.mapping.plan import ROLES, SPACES, Chip, KeyBlock, Plan, Slice

NOWHERE = -1

WITH_BOXES = frozenset(ROLES) - {"optimizer"}
"""Programs that take packets during a sample; an optimizer works between samples."""


@dataclass(slots=True)
class Resolver:
    """The tables of a plan, asked for whole blocks of keys.

    Parameters
    ----------
    plan : Plan
    router : Router
        Its tables decide; they need not be those of the plan.
    journeys : list of Journey
        All that were found.
    takers : list of frozenset of str
        Programs that take packets of the kind of each.
    """

    plan: Plan
    router: Router
    journeys: list[Journey] = field(default_factory=list)
    takers: list[frozenset[str]] = field(default_factory=list)
    known: dict[tuple[int, Chip], Integers] = field(default_factory=dict)

    def resolve(self, block: KeyBlock, size: int, chip: Chip) -> Integers:
        """Follow the packets with the first keys of a block.

        Parameters
        ----------
        block : KeyBlock
        size : int
            How many keys.
        chip : (x, y)
            Where they are sent.

        Returns
        -------
        ndarray of int64, shape (size,)
            Numbers of journeys.
        """
        found = self.known.get((block.base, chip))
        if found is None or len(found) < size:
            first = self.router.resolve(block.base, chip)
            if self.uniform(block, chip, first):
                found = np.full(block.size, self.add(first, block), dtype=np.int64)
            else:
                found = np.array(
                    [self.add(self.router.resolve(block.base + k, chip), block) for k in range(size)],
                    dtype=np.int64,
                )
            self.known[block.base, chip] = found
        return found[:size]

    def add(self, journey: Journey, block: KeyBlock) -> int:
        """Keep the journey of keys of a block and return its number."""
        self.journeys.append(journey)
        between = block.base >> SPACE_SHIFT >= GRADIENT
        self.takers.append(frozenset(ROLES) if between else WITH_BOXES)
        return len(self.journeys) - 1

    def uniform(self, block: KeyBlock, start: Chip, journey: Journey) -> bool:
        """Return whether all keys of a block meet the same entries as its first."""
        chips = {
            start,
            *(site.chip for site in journey.sites),
            *(chip for chip, _ in journey.links),
            *journey.misses,
            *journey.loops,
        }
        return all(self.covered(block, chip) for chip in chips)

    def covered(self, block: KeyBlock, chip: Chip) -> bool:
        """Return whether the first entry of a chip that matches some key of a block matches all of them."""
        if chip not in self.router.words:
            return True
        keys, masks = self.router.words[chip]
        touched = np.flatnonzero((keys ^ block.base) & masks & block.mask == 0)
        return not len(touched) or int(masks[touched[0]]) & ~block.mask & 0xFFFFFFFF == 0


@dataclass(frozen=True, slots=True)
class PortTable:
    """Ports of all slices.

    Parameters
    ----------
    ports : Ports
    first : dict of str to ndarray of int64, shape (slices,)
        First port of each slice by kind, -1 where it has none.
    journeys : tuple of Journey
    crossing : bool
        Whether a packet leaves its copy of the network, other than to or from an optimizer.
    """

    ports: Ports
    first: dict[str, Integers]
    journeys: tuple[Journey, ...]
    crossing: bool


def open_ports(plan: Plan, router: Router, senders: list[tuple[int, ...]]) -> PortTable:
    """Give every program a port for each key that it sends.

    Parameters
    ----------
    plan : Plan
    router : Router
    senders : list of tuple of int
        Of each slice, the slices whose spikes it takes in, ascending.

    Returns
    -------
    PortTable
        Ports of spikes, gradients and weights are in order of the neurons of the slice, those of errors in
        order of the rows that it knows, those of a loss in order of the neurons of the population.
    """
    resolver = Resolver(plan, router)
    keys, journeys = list[Integers](), list[Integers]()
    first = {kind: np.full(len(plan.slices), -1, dtype=np.int64) for kind in SPACES}
    count = 0
    for s, item in enumerate(plan.slices):
        for kind, blocks in addressed(plan, item, senders[s]).items():
            if all(block is None for block, _ in blocks):
                continue
            first[kind][s] = count
            for block, size in blocks:
                if block is None:
                    keys.append(np.full(size, -1, dtype=np.int64))
                    journeys.append(np.full(size, NOWHERE, dtype=np.int64))
                else:
                    keys.append(block.base + np.arange(size, dtype=np.int64))
                    journeys.append(resolver.resolve(block, size, plan.sites[s].chip))
                count += size
    occupants = plan.occupants()
    targets = [
        [
            occupants[site]
            for site in journey.sites
            if site in occupants and plan.slices[occupants[site]].role in takers
        ]
        for journey, takers in zip(resolver.journeys, resolver.takers, strict=True)
    ]
    lost = [
        journey.dropped + len(journey.sites) - len(found)
        for journey, found in zip(resolver.journeys, targets, strict=True)
    ]
    ports = Ports(
        join(keys),
        join(journeys),
        np.cumsum([0, *map(len, targets)], dtype=np.int64),
        np.array([target for found in targets for target in found], dtype=np.int64),
        np.array(lost, dtype=np.int64),
    )
    return PortTable(ports, first, tuple(resolver.journeys), crosses(plan, first, ports))


def join(parts: list[Integers]) -> Integers:
    """Concatenate arrays, of which there may be none."""
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])


def addressed(
    plan: Plan, item: Slice, senders: tuple[int, ...]
) -> dict[str, list[tuple[KeyBlock | None, int]]]:
    """Return, by kind, the blocks of keys that a slice sends and how many keys of each.

    Returns
    -------
    dict of str to list of (KeyBlock or None, int)
        None where a source wants no error packets.
    """
    keys = plan.keys[item.index]
    if item.role == "optimizer":
        return {"weight": [(keys.get("weight"), item.size)]}
    if item.role == "loss":
        return {"loss": [(plan.keys[k].get("loss"), plan.slices[k].size) for k in senders]}
    result: dict[str, list[tuple[KeyBlock | None, int]]] = {"spike": [(keys.get("spike"), item.size)]}
    if item.role == "layer":
        result["error"] = [(plan.keys[k].get("error"), plan.slices[k].size) for k in senders]
        result["gradient"] = [(keys.get("gradient"), item.size)]
    return result


def crosses(plan: Plan, first: dict[str, Integers], ports: Ports) -> bool:
    """Return whether a packet between programs of copies reaches another copy."""
    copy = np.array([item.copy for item in plan.slices], dtype=np.int64)
    starts = sorted(
        (int(at), s) for kind in ("spike", "error", "loss") for s, at in enumerate(first[kind]) if at >= 0
    )
    every = np.sort(np.concatenate([values[values >= 0] for values in first.values()]))
    seen = set[tuple[int, int]]()
    for at, s in starts:
        place = int(np.searchsorted(every, at, side="right"))
        end = int(every[place]) if place < len(every) else len(ports.key)
        for journey in np.unique(ports.journey[at:end]).tolist():
            if journey == NOWHERE or (journey, int(copy[s])) in seen:
                continue
            seen.add((journey, int(copy[s])))
            found = copy[ports.target[ports.first[journey] : ports.first[journey + 1]]]
            if np.any(found != copy[s]):
                return True
    return False
