"""Random streams keyed by seed and object, so that adding one object leaves all others unchanged."""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, path: str) -> np.random.Generator:
    """Return the random stream of one object.

    Parameters
    ----------
    seed : int
        Root of all streams of a model.
    path : str
        Dotted path of the object and purpose, for example ``projections.exc.weight``.

    Returns
    -------
    numpy.random.Generator
        Philox, keyed by a hash of seed and path: the same words on every machine, in every process. Draws
        that take logarithms, such as normal ones, may differ in their last bit between C libraries.
    """
    key = hashlib.sha256(f"{seed}\n{path}".encode()).digest()[:16]
    return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))
