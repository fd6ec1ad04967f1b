"""One file of samples divided into training, validation and test samples, by the seed alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.errors import DescriptionError
from netdesc.events import Integers
from netdesc.streams import stream

HELD = ("validation", "test")
"""Splits that are taken out of the training samples."""


def divide(
    count: int, shares: Mapping[str, float], seed: int, *, classes: Integers | None, path: str
) -> dict[str, Integers]:
    """Draw which samples are for training, validation and test.

    Parameters
    ----------
    count : int
        Number of samples.
    shares : mapping of str to float
        Fractions of ``validation``, ``test`` and ``train``; all that remain are for training where there is
        no ``train``.
    seed : int
        Root of the stream; the division depends on nothing else but number and classes of the samples.
    classes : ndarray of int64, shape (count,), or None
        Class of every sample; each split then has as equal a fraction of every class as possible.
    path : str
        Dotted path of the dataset, for messages.

    Returns
    -------
    dict of str to ndarray of int64
        Indices of the samples of each split that is not empty, ascending.

    Raises
    ------
    DescriptionError
        If a split that is asked for, or training, has no samples.
    """
    order = stream(seed, "data.split").permutation(count)
    if classes is not None:
        order = order[np.argsort(even_places(classes[order]), kind="stable")]
    sizes = {name: round(shares.get(name, 0.0) * count) for name in HELD}
    rest = count - sum(sizes.values())
    train = min(round(shares["train"] * count), rest) if "train" in shares else rest
    for name, size in {**sizes, "train": train}.items():
        if size < 1 and (name == "train" or shares.get(name, 0.0) > 0.0):
            raise DescriptionError(
                f"expected samples for {name}, got none of {count} by the fractions; "
                "raise its fraction, lower the others, or use more samples",
                path=path,
            )
    splits, start = {}, 0
    for name, size in {**sizes, "train": train}.items():
        if size:
            splits[name] = np.sort(order[start : start + size])
        start += size
    return splits


def even_places(classes: Integers) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the place of every sample in a row in which each class is spread evenly, shape (n,).

    It is from 0 to 1: (rank within the class + 1/2) / size of the class.
    """
    order = np.argsort(classes, kind="stable")
    sizes = np.bincount(classes)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    places = np.empty(len(classes))
    places[order] = (np.arange(len(classes)) - starts[classes[order]] + 0.5) / sizes[classes[order]]
    return places
