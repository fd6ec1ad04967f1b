"""Colours that people with any colour vision can tell apart."""

from __future__ import annotations

# Okabe and Ito, "Color Universal Design" (2008), without yellow, which is faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")


def colour(index: int) -> str:
    """Return a colour by its place in the palette.

    Parameters
    ----------
    index : int
        Any number from 0; the palette repeats.

    Returns
    -------
    str
        Hexadecimal, for example ``#0072B2``.
    """
    return COLOURS[index % len(COLOURS)]
