"""The Yin-Yang set: points of a disc, told apart by the parts of the Yin-Yang sign."""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.datasets.records import Table

RADIUS = 0.5
"""Radius of the sign, which fills the unit square."""

DOT_RADIUS = 0.1
"""Radius of the two dots."""

YANG, YIN, DOT, NO_LABEL = 0, 1, 2, 3


def classify(x: Any, y: Any) -> Any:
    """Return the parts of the sign that points lie in.

    Parameters
    ----------
    x, y : ndarray of shape (points,)
        From 0 to 1.

    Returns
    -------
    ndarray of shape (points,)
        0 for yang, 1 for yin, 2 for one of the dots, as the published generator counts them; 3 outside of
        the disc.
    """
    up = (y - RADIUS) ** 2
    right = np.sqrt((x - 1.5 * RADIUS) ** 2 + up)
    left = np.sqrt((x - 0.5 * RADIUS) ** 2 + up)
    yin = (right <= DOT_RADIUS) | ((left > DOT_RADIUS) & (left <= 0.5 * RADIUS))
    yin |= (y > RADIUS) & (right > 0.5 * RADIUS)
    part = np.where((right < DOT_RADIUS) | (left < DOT_RADIUS), DOT, np.where(yin, YIN, YANG))
    return np.where(np.sqrt((x - RADIUS) ** 2 + up) <= RADIUS, part, NO_LABEL)


WORDS = 32
"""Words of the generator that a sample takes on average, a little more than are needed."""

BLOCK = 4096
"""Samples for which words are drawn at once."""


def yin_yang(samples: int, seed: int) -> Table:
    """Draw a Yin-Yang set.

    Parameters
    ----------
    samples : int
        Number of points.
    seed : int
        Of NumPy's ``RandomState``, so that the points are those of the published generator.

    Returns
    -------
    Table
        Four features x, y, 1 - x, 1 - y, and labels 0 (yang), 1 (yin), 2 (dot).

    Notes
    -----
    Kriener, Göltz and Petrovici (2022), The Yin-Yang dataset. Its generator draws a label by ``randint(3)``
    and then pairs of numbers until such a point has that label. Here the words of 32 bits behind
    all these draws are drawn at once, for most of the time was spent in calls: a label takes the two lowest
    bits of the first word in which they are no 3, a number takes two words.
    """
    source = np.random.RandomState(seed)._bit_generator
    words = np.empty(0, dtype=np.uint64)
    found: list[int] = []
    points = [np.empty((0, 2))]
    while len(found) < samples:
        missing = samples - len(found)
        words = np.concatenate((words, source.random_raw(WORDS * min(missing, BLOCK) + 100)))
        high, rest = words[:-1] >> np.uint64(5), words[1:] >> np.uint64(6)
        numbers = (high * 67108864.0 + rest) / 9007199254740992.0 * 2.0 * RADIUS
        low = (words[:-3] & np.uint64(3)).astype(np.uint8).tobytes()
        parts = classify(numbers[:-2], numbers[2:]).astype(np.uint8).tobytes()
        labels, places, used = _follow(low, parts, missing)
        found += labels
        points.append(np.column_stack((numbers[places], numbers[[place + 2 for place in places]])))
        words = words[used:]
    drawn = np.concatenate(points)
    return Table(np.hstack((drawn, 1.0 - drawn)), np.array(found, dtype=np.int64))


def _follow(low: bytes, parts: bytes, samples: int) -> tuple[list[int], list[int], int]:
    """Go through the words as the published generator does, as far as they suffice.

    Parameters
    ----------
    low, parts : bytes
        For each word its two lowest bits, and the part of the point that begins with it.
    samples : int
        How many to draw at most.

    Returns
    -------
    labels, places : list of int
        The label of each sample and the first word of its point.
    used : int
        Words used for them.
    """
    labels: list[int] = []
    places: list[int] = []
    used, end = 0, len(parts)
    while len(labels) < samples:
        at = used
        while at < end and low[at] == NO_LABEL:
            at += 1
        label, at = low[at] if at < end else NO_LABEL, at + 1
        while at < end and parts[at] != label:
            at += 4
        if at >= end:
            break
        labels.append(label)
        places.append(at)
        used = at + 4
    return labels, places, used
