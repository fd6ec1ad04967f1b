"""Packets on their way: the tables of the chips, walked hop by hop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.events import Integers
from netdesc_spinnaker2.mapping.plan import LINKS, Chip, Entry, Site, Tables


@dataclass(frozen=True, slots=True)
class Journey:
    """Where a packet went.

    Parameters
    ----------
    sites : tuple of Site
        Processing elements that received it, in the order of the walk; twice where it came twice.
    links : tuple of (chip, int)
        Links that it used: chip that it left, number of the link.
    misses : tuple of (x, y)
        Chips without an entry for its key; there it was dropped.
    loops : tuple of (x, y)
        Chips that it reached again; there it was dropped.
    strays : tuple of (chip, int)
        Links that lead off the board; there it was dropped.
    """

    sites: tuple[Site, ...]
    links: tuple[tuple[Chip, int], ...]
    misses: tuple[Chip, ...] = ()
    loops: tuple[Chip, ...] = ()
    strays: tuple[tuple[Chip, int], ...] = ()

    @property
    def dropped(self) -> int:
        """Number of branches that ended before a processing element."""
        return len(self.misses) + len(self.loops) + len(self.strays)


class Router:
    """The routers of all chips of a board.

    Parameters
    ----------
    tables : mapping of (x, y) to tuple of Entry
        In order of priority.
    width, height : int
        Chips of the board in x and y.

    Attributes
    ----------
    words : mapping of (x, y) to (ndarray of int64, ndarray of int64)
        Keys and masks of the entries.
    """

    def __init__(self, tables: Tables, width: int, height: int) -> None:
        self.tables = tables
        self.width, self.height = width, height
        self.words: Mapping[Chip, tuple[Integers, Integers]] = {
            chip: (
                np.array([entry.key for entry in entries], dtype=np.int64),
                np.array([entry.mask for entry in entries], dtype=np.int64),
            )
            for chip, entries in tables.items()
        }

    def match(self, key: int, chip: Chip) -> Entry | None:
        """Return the first entry of a chip that matches a key, or None."""
        words = self.words.get(chip)
        if words is None or not len(words[0]):
            return None
        hits = key & words[1] == words[0]
        place = int(np.argmax(hits))
        return self.tables[chip][place] if hits[place] else None

    def resolve(self, key: int, chip: Chip) -> Journey:
        """Follow a packet from the chip that sends it."""
        sites, links, strays = list[Site](), list[tuple[Chip, int]](), list[tuple[Chip, int]]()
        misses, loops = list[Chip](), list[Chip]()
        seen, waiting = {chip}, [chip]
        while waiting:
            at = waiting.pop(0)
            entry = self.match(key, at)
            if entry is None:
                misses.append(at)
                continue
            sites += [Site(*at, pe) for pe in entry.pes]
            for number, (dx, dy) in enumerate(LINKS):
                if not entry.links >> number & 1:
                    continue
                end = (at[0] + dx, at[1] + dy)
                if not (0 <= end[0] < self.width and 0 <= end[1] < self.height):
                    strays.append((at, number))
                    continue
                links.append((at, number))
                if end in seen:
                    loops.append(end)
                    continue
                seen.add(end)
                waiting.append(end)
        return Journey(tuple(sites), tuple(links), tuple(misses), tuple(loops), tuple(strays))
