"""Smaller routing tables that route every key in use as before.

Two steps, each of which relies on the order of entries, the first match deciding:

* `aggregate` makes an optimal table of prefixes with the longest prefix first (Draves, King, Venkatachary and
  Zill, "Constructing optimal IP routing tables", INFOCOM 1999). Keys that are not in use are free to go
  anywhere.
* `cover` merges entries of one route into one ternary entry where no key in use changes its way (after the
  ordered covering of Mundy, Heathcote and Garside, "On-chip order-exploiting routing table minimization for
  a multicast supercomputer network", HPSR 2016).

There are no default routes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdesc_spinnaker2.mapping.keys import SPACE_SHIFT
from netdesc_spinnaker2.mapping.plan import Chip, Entry

_FULL = 0xFFFFFFFF
_LARGEST = 1 << 22
_ATTEMPTS = 300
Route = tuple[int, tuple[int, ...]]
Words = NDArray[np.int64]


def compress(tables: Mapping[Chip, Sequence[Entry]]) -> dict[Chip, tuple[Entry, ...]]:
    """Compress the table of every chip.

    Parameters
    ----------
    tables : mapping of (x, y) to sequence of Entry
        Entries of a chip match disjoint blocks of keys, each a prefix.

    Returns
    -------
    dict of (x, y) to tuple of Entry
        In order of priority, fewest open bits first; routes every key that had an entry as before.
    """
    return {chip: tuple(cover(aggregate(entries), entries)) for chip, entries in tables.items()}


@dataclass(frozen=True, slots=True)
class _Tree:
    """Entries below one prefix, halved at the first bit in which their keys differ.

    ``routes`` are those that an entry at this prefix may have in an optimal table.
    """

    key: int
    mask: int
    routes: frozenset[int]
    halves: tuple[_Tree, ...] = ()


def aggregate(entries: Sequence[Entry]) -> list[Entry]:
    """Return an optimal table of prefixes for disjoint prefixes; kinds of packets are never mixed.

    Parameters
    ----------
    entries : sequence of Entry
        Disjoint prefixes.

    Returns
    -------
    list of Entry
        Longest prefix first.
    """
    routes = list(dict.fromkeys((entry.links, entry.pes) for entry in entries))
    number = {route: place for place, route in enumerate(routes)}
    kinds: dict[int, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.key):
        kinds[entry.key >> SPACE_SHIFT].append(entry)
    result: list[Entry] = []
    for _, group in sorted(kinds.items()):
        leaves = [_Tree(item.key, item.mask, frozenset((number[item.links, item.pes],))) for item in group]
        _emit(_grow(leaves), None, routes, result)
    return sorted(result, key=lambda entry: (_open_bits(entry.mask), entry.key, entry.mask))


def _grow(leaves: Sequence[_Tree]) -> _Tree:
    if len(leaves) == 1:
        return leaves[0]
    # Leaves are sorted, so the first and the last differ in the highest bit in which any two do.
    bit = (leaves[0].key ^ leaves[-1].key).bit_length() - 1
    mask = _FULL & ~((1 << (bit + 1)) - 1)
    middle = bisect_left(leaves, 1, key=lambda leaf: leaf.key >> bit & 1)
    low, high = _grow(leaves[:middle]), _grow(leaves[middle:])
    routes = (low.routes & high.routes) or (low.routes | high.routes)
    return _Tree(leaves[0].key & mask, mask, routes, (low, high))


def _emit(tree: _Tree, inherited: int | None, routes: Sequence[Route], result: list[Entry]) -> None:
    if inherited is None or inherited not in tree.routes:
        inherited = min(tree.routes)
        result.append(Entry(tree.key, tree.mask, *routes[inherited]))
    for half in tree.halves:
        _emit(half, inherited, routes, result)


def _open_bits(mask: int) -> int:
    return 32 - mask.bit_count()


def cover(table: Sequence[Entry], blocks: Sequence[Entry]) -> list[Entry]:
    """Merge entries of one route into ternary entries where that leaves every key in use on its way.

    Parameters
    ----------
    table : sequence of Entry
        In order of priority, fewest open bits first.
    blocks : sequence of Entry
        Blocks of keys in use, disjoint, with their routes. No entry of the table splits a block.

    Returns
    -------
    list of Entry
        In order of priority; the table itself where it is too large to be searched. The search tries all
        entries of a route at once, then pairs, and ends after a fixed number of attempts.
    """
    work, attempts = list(table), 0
    if len(work) * len(blocks) > _LARGEST:
        return work
    bases = np.array([block.key for block in blocks], dtype=np.int64)
    groups: dict[Route, list[Entry]] = defaultdict(list)
    for entry in table:
        groups[entry.links, entry.pes].append(entry)
    for group in groups.values():
        for merging in _proposals(group):
            if attempts == _ATTEMPTS:
                return work
            if all(entry in work for entry in merging):
                attempts += 1
                work = _replaced(work, merging, bases) or work
    return work


def _proposals(group: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Yield what may be merged: all entries of a route, then parts of them that differ in one bit only."""
    if len(group) > 1:
        yield group
    for place, first in enumerate(group):
        for second in group[place + 1 :]:
            if first.mask == second.mask and (first.key ^ second.key).bit_count() == 1:
                yield first, second


def _replaced(table: list[Entry], group: Sequence[Entry], bases: Words) -> list[Entry] | None:
    """Return the table with one entry in place of a group, or None if a key in use would change its way."""
    new = union(group)
    if new.key >> SPACE_SHIFT != group[-1].key >> SPACE_SHIFT or new.mask >> SPACE_SHIFT != 7:
        return None
    rest = [entry for entry in table if entry not in group]
    place = sum(_open_bits(entry.mask) <= _open_bits(new.mask) for entry in rest)
    changed = [*rest[:place], new, *rest[place:]]
    return changed if _same(table, changed, bases[bases & new.mask == new.key]) else None


def _same(before: Sequence[Entry], after: Sequence[Entry], keys: Words) -> bool:
    """Return whether two tables route the same keys in the same way; keys outside cannot have changed."""
    return all(
        (one.links, one.pes) == (two.links, two.pes)
        for one, two in zip(_matches(before, keys), _matches(after, keys), strict=True)
    )


def _matches(table: Sequence[Entry], keys: Words) -> list[Entry]:
    masks = np.array([entry.mask for entry in table], dtype=np.int64)
    wanted = np.array([entry.key for entry in table], dtype=np.int64)
    first = np.argmax(keys[:, None] & masks[None, :] == wanted[None, :], axis=1)
    return [table[place] for place in first.tolist()]


def union(entries: Sequence[Entry]) -> Entry:
    """Return the narrowest ternary entry that matches all keys of entries of one route.

    Parameters
    ----------
    entries : sequence of Entry
        At least one, all of one route.
    """
    first, mask = entries[0], _FULL
    for entry in entries:
        mask &= entry.mask & ~(entry.key ^ first.key)
    return Entry(first.key & mask, mask & _FULL, first.links, first.pes)
