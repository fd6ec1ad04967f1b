"""Multicast trees over the chips, and the tables they make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from netdesc_spinnaker2.mapping.plan import LINKS, Chip, Entry, Flow, Site

_LINK = {step: number for number, step in enumerate(LINKS)}
Tree = Mapping[Chip, int]
"""Links over which a packet leaves each chip, as a set of bits."""


def tables(flows: Sequence[Flow], sites: Sequence[Site]) -> dict[Chip, list[Entry]]:
    """Return one entry per flow and chip that it touches, before compression.

    Parameters
    ----------
    flows : sequence of Flow
    sites : sequence of Site
        Of the slices.

    Returns
    -------
    dict of (x, y) to list of Entry
        Entries of a chip match disjoint keys and are ordered by key.
    """
    result: dict[Chip, list[Entry]] = defaultdict(list)
    ends: dict[tuple[int, ...], dict[Chip, tuple[int, ...]]] = {}
    grown: dict[tuple[Chip, tuple[Chip, ...]], Tree] = {}
    for flow in flows:
        if flow.targets not in ends:
            ends[flow.targets] = _ends(flow.targets, sites)
        pes = ends[flow.targets]
        links: dict[Chip, int] = defaultdict(int)
        for start in {sites[sender].chip for sender in flow.senders}:
            wanted = (start, tuple(pes))
            if wanted not in grown:
                grown[wanted] = tree(start, pes)
            for chip, bits in grown[wanted].items():
                links[chip] |= bits
        for chip in {**links, **pes}:
            result[chip].append(
                Entry(flow.block.base, flow.block.mask, links.get(chip, 0), pes.get(chip, ()))
            )
    return {chip: sorted(entries, key=lambda entry: entry.key) for chip, entries in sorted(result.items())}


def tree(start: Chip, ends: Iterable[Chip]) -> Tree:
    """Return the multicast tree from one chip to others.

    Returns
    -------
    mapping of (x, y) to int
        Union of the shortest paths that go diagonally first, then straight. Every beginning of such a path is
        the path to where it ends, so the union has no second way to any chip. Seen from one end, the next
        link depends on the chip alone, so paths from several chips to one end make a tree, too.
    """
    links: dict[Chip, int] = defaultdict(int)
    links[start] |= 0
    for end in ends:
        at = start
        while at != end:
            link = next_link(at, end)
            links[at] |= 1 << link
            at = (at[0] + LINKS[link][0], at[1] + LINKS[link][1])
            links[at] |= 0
    return dict(links)


def next_link(at: Chip, end: Chip) -> int:
    """Return the first link of the path between two different chips."""
    dx, dy = _sign(end[0] - at[0]), _sign(end[1] - at[1])
    if dx * dy < 0:
        # There is no link towards north-west or south-east: x first.
        dy = 0
    return _LINK[dx, dy]


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def _ends(targets: Iterable[int], sites: Sequence[Site]) -> dict[Chip, tuple[int, ...]]:
    pes: dict[Chip, list[int]] = defaultdict(list)
    for target in targets:
        pes[sites[target].chip].append(sites[target].pe)
    return {chip: tuple(sorted(numbers)) for chip, numbers in sorted(pes.items())}
