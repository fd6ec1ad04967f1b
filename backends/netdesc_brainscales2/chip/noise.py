"""Temporal noise: normal numbers that depend on what they are drawn for, not on the order of drawing.

Every sample of a run has a key, from the seed of the run, the population and the identity of the sample.
The number for spike k of neuron n is a hash of that key, n and k, looked up in a table of quantiles; so
results do not depend on threads, on how a batch is split, or on other neurons.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.events import Floats, Integers
from netdesc.streams import stream

Keys = NDArray[np.uint64]

BITS = 12
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


def sample_keys(seed: int, purpose: str, identities: Integers) -> Keys:
    """Return the keys of the noise of samples.

    Parameters
    ----------
    seed : int
        Of the run.
    purpose : str
    identities : ndarray of int64, shape (batch,)
        Of the samples, see ``netdesc.events.Events``.

    Returns
    -------
    ndarray of uint64, shape (batch,)
    """
    root = np.uint64(stream(seed, f"brainscales2.noise.{purpose}").integers(2**63))
    numbers = np.asarray(identities).astype(np.uint64) + np.uint64(1)
    return root + np.uint64(0x9E3779B97F4A7C15) * numbers


@inlined
def mix(x: np.uint64) -> np.uint64:
    """Return a hash of a word: the finalizer of splitmix64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


class Noise(NamedTuple):
    """Temporal noise of a stage in a run.

    Parameters
    ----------
    table : ndarray of float64
        ``quantiles()``.
    keys : ndarray of uint64, shape (batch,)
        Of the samples, from ``sample_keys``.
    threshold : float
        Standard deviation of a threshold from spike to spike, relative to threshold - rest.
    jitter : ndarray of float64, shape (n,)
        Standard deviation of the spike times of each circuit in ms.
    """

    table: Floats
    keys: Keys
    threshold: float
    jitter: Floats


@inlined
def draw(noise: Noise, sample: int, neuron: int, number: int) -> float:
    """Return a standard normal number; sample, neuron and number are what it is drawn for."""
    word = mix(np.uint64(noise.keys[sample])) + np.uint64(0xD1B54A32D192ED03) * np.uint64(neuron + 1)
    word = mix(word) + np.uint64(0x8CB92BA72F3D8DD7) * np.uint64(number + 1)
    value: float = noise.table[np.int64(mix(word) >> np.uint64(52))]
    return value
