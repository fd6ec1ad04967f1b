"""Colours that people with any colour vision can tell apart."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

# Okabe and Ito, "Color Universal Design" (2008), without yellow, which is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")

# Muted scheme of Paul Tol, "Colour Schemes" (2021): no colour of the palette above.
SUBSTRATES = ("#332288", "#882255", "#117733", "#999933", "#CC6677", "#44AA99", "#AA4499")
"""Colours of substrates, for charts that show several of them."""

NEUTRAL = "#555555"
"""Colour of what belongs to no population, such as weights."""


def population_colours(run: object) -> dict[str, str]:
    """Return the colour of every population of a run, the same in every picture.

    Parameters
    ----------
    run : Trace, Gradient or Results
        The resolved file in its provenance, where there is one, gives the order of the populations;
        otherwise spikes come first, then recordings.
    """
    provenance: Mapping[str, str] = getattr(run, "provenance", {})
    listed = (yaml.safe_load(provenance.get("resolved", "")) or {}).get("populations") or {}
    recorded = [key.rpartition(".")[0] for key in getattr(run, "recordings", {})]
    names = dict.fromkeys([*listed, *getattr(run, "spikes", {}), *recorded])
    return {name: colour(number) for number, name in enumerate(names)}


def shades(base: str, count: int) -> list[str]:
    """Return shades of a hexadecimal colour: the colour itself, then ever lighter, down to 30 % of it."""
    parts = [int(base[place : place + 2], 16) for place in (1, 3, 5)]
    mixed = [1.0 - 0.7 * number / max(count - 1, 1) for number in range(count)]
    return ["#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts) for share in mixed]


def colour(index: int) -> str:
    """Return a colour, hexadecimal, by its place from 0 in the palette, which repeats."""
    return COLOURS[index % len(COLOURS)]
