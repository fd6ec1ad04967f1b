"""The Yin-Yang set: points of a disc, told apart by the parts of the Yin-Yang sign."""

from __future__ import annotations

from math import sqrt

import numpy as np

from netdesc.datasets.records import Table

RADIUS = 0.5
"""Radius of the sign, which fills the unit square."""

DOT_RADIUS = 0.1
"""Radius of the two dots."""

YANG, YIN, DOT = 0, 1, 2


def classify(x: float, y: float) -> int:
    """Return the part of the sign that a point of the disc, with coordinates from 0 to 1, lies in.

    It is 0 for yang, 1 for yin, 2 for one of the dots, as the published generator counts them.
    """
    right = sqrt((x - 1.5 * RADIUS) ** 2 + (y - RADIUS) ** 2)
    left = sqrt((x - 0.5 * RADIUS) ** 2 + (y - RADIUS) ** 2)
    if right < DOT_RADIUS or left < DOT_RADIUS:
        return DOT
    in_left_lobe = DOT_RADIUS < left <= 0.5 * RADIUS
    above_right_lobe = y > RADIUS and right > 0.5 * RADIUS
    return YIN if right <= DOT_RADIUS or in_left_lobe or above_right_lobe else YANG


def draw_point(random: np.random.RandomState, wanted: int) -> tuple[float, float]:
    """Draw points, with coordinates from 0 to 1, until one lies in the part of the sign that is wanted."""
    while True:
        x = random.random_sample() * 2.0 * RADIUS
        y = random.random_sample() * 2.0 * RADIUS
        inside = sqrt((x - RADIUS) ** 2 + (y - RADIUS) ** 2) <= RADIUS
        if inside and classify(x, y) == wanted:
            return x, y


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
    Kriener, Göltz and Petrovici (2022), The Yin-Yang dataset.
    """
    random = np.random.RandomState(seed)
    labels = np.empty(samples, dtype=np.int64)
    points = np.empty((samples, 2))
    for sample in range(samples):
        labels[sample] = random.randint(3)
        points[sample] = draw_point(random, int(labels[sample]))
    return Table(np.hstack((points, 1.0 - points)), labels)
