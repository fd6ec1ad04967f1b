"""Temporal noise: normal numbers that depend on what they are drawn for, not on the order of drawing.

A run has a key. The number for spike k of neuron n in sample b is a hash of key, b, n and k, looked up in a
table of quantiles; so results do not depend on threads, on blocks of samples, or on other neurons.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np

from netdesc.events import Floats
from netdesc.physics.jit import equation
from netdesc.streams import stream

BITS = 12
MASK = (1 << BITS) - 1
THRESHOLD, JITTER = 0, 1


@cache
def quantiles() -> Floats:
    """Return the middles of equally likely parts of the normal distribution, of variance 1.

    Returns
    -------
    ndarray of float64, shape (4096,)
    """
    count = 1 << BITS
    normal = NormalDist()
    values = np.array([normal.inv_cdf((k + 0.5) / count) for k in range(count)])
    values /= values.std()
    values.flags.writeable = False
    return values


def run_key(seed: int, purpose: str) -> np.uint64:
    """Return the key of the noise of a run.

    Parameters
    ----------
    seed : int
        Of the run.
    purpose : str

    Returns
    -------
    numpy.uint64
    """
    return np.uint64(stream(seed, f"brainscales2.noise.{purpose}").integers(2**63))


@equation
def mix(x: np.uint64) -> np.uint64:
    """Return a hash of a word: the finalizer of splitmix64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@equation
def noise(table: Floats, key: np.uint64, sample: int, neuron: int, count: int) -> float:
    """Return a standard normal number.

    Parameters
    ----------
    table : ndarray of float64
        ``quantiles()``.
    key : uint64
        From ``run_key``.
    sample, neuron, count : int
        What it is drawn for.

    Returns
    -------
    float
    """
    word = np.uint64(key) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(sample + 1)
    word = mix(word) + np.uint64(0xD1B54A32D192ED03) * np.uint64(neuron + 1)
    word = mix(word) + np.uint64(0x8CB92BA72F3D8DD7) * np.uint64(count + 1)
    value: float = table[np.int64(mix(word) >> np.uint64(52))]
    return value
