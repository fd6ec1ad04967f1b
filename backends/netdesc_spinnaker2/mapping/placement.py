"""Slices on processing elements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice, takewhile

from netdesc_spinnaker2.mapping.plan import Site, Slice
from netdesc_spinnaker2.options import Options


def capacity(options: Options) -> int:
    """Return the number of processing elements that can be used on the whole board."""
    return sum(len(options.working(chip)) for chip in options.board)


def place(slices: Sequence[Slice], options: Options) -> tuple[Site, ...] | None:
    """Give every slice a processing element.

    Parameters
    ----------
    slices : sequence of Slice
        Copy after copy, what serves all copies last.
    options : Options
        Its dead processing elements are skipped.

    Returns
    -------
    tuple of Site or None
        Aligned with ``slices``; None where there are too few. Chips are filled in a snake, so that
        neighbours in the order are neighbours on the board. A copy that does not fit into the rest of a chip
        but into one chip starts a new one while there is room to spare. What serves all copies goes
        to the free places that are nearest to their middle.
    """
    # row by row, every second row backwards
    snake = sorted(options.board, key=lambda chip: (chip[1], chip[0] if chip[1] % 2 == 0 else -chip[0]))
    chips = {chip: options.working(chip) for chip in snake}
    spare = sum(map(len, chips.values())) - len(slices)
    if spare < 0:
        return None
    free = [Site(x, y, pe) for (x, y), pes in chips.items() for pe in pes]
    sites: list[Site] = []
    skipped: list[Site] = []
    at = 0
    for group in Counter(item.copy for item in slices if item.copy >= 0).values():
        rest = _rest(free, at)
        if rest < group <= _rest(free, at + rest) and rest <= spare:
            skipped += free[at : at + rest]
            at, spare = at + rest, spare - rest
        sites += free[at : at + group]
        at += group
    shared = len(slices) - len(sites)
    around = sites or free
    x, y = (sum(places) / len(around) for places in zip(*(site.chip for site in around), strict=True))
    left = sorted(
        [*skipped, *free[at:]], key=lambda site: (abs(site.x - x) + abs(site.y - y), site.y, site.x, site.pe)
    )
    return (*sites, *left[:shared])


def _rest(free: Sequence[Site], at: int) -> int:
    """Return how many places are left on the chip of the next free place."""
    return sum(1 for _ in takewhile(lambda site: site.chip == free[at].chip, islice(free, at, None)))
