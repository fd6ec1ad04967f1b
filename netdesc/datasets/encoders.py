"""Encoders by name: how many sources each needs, and the spikes that it makes; features as rates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from netdesc.datasets.delta import delta
from netdesc.datasets.latency import latency, logarithmic_latency, receptive_fields, with_bias
from netdesc.description.model import Choice
from netdesc.errors import BackendError, DescriptionError
from netdesc.events import Events, Floats
from netdesc.streams import stream


class Need(NamedTuple):
    """How many sources an encoder needs.

    Parameters
    ----------
    sources : int
    features : int
        Of a sample.
    words : str
        What the sources are made of, for messages.
    """

    sources: int
    features: int
    words: str


class Place(NamedTuple):
    """Where encoded samples go.

    Parameters
    ----------
    first_source : int
        Program-wide index of the first source.
    duration : float
        Length of a sample in ms.
    seed : int
        Root of what an encoder draws.
    """

    first_source: int
    duration: float
    seed: int


def count_sources(features: int, encoder: Choice) -> Need:
    """Return how many sources an encoder needs.

    Parameters
    ----------
    features : int
        Of a sample.
    encoder : Choice

    Raises
    ------
    DescriptionError
        If the features are not as many as the encoder can take.
    """
    options, words, sources = encoder.options, f"{features} features", features
    if encoder.kind == "population":
        neurons = int(options["neurons"])
        sources, words = features * neurons, f"{features} features with {neurons} neurons each"
    elif encoder.kind == "delta":
        series = int(options["series"])
        if features % series or features < 2 * series:
            raise DescriptionError(
                f"expected {series} time series of the same length of at least 2 values, got {features} "
                "features; change series, or the features of the table",
                path="data.encoder.delta.series",
            )
        sources, words = 2 * series, f"{series} time series with 2 neurons each"
    bias = options.get("bias") is not None
    return Need(sources + bias, features, words + (" and a bias neuron" if bias else ""))


def encode(values: Floats, encoder: Choice, place: Place, *, split: str) -> Events:
    """Encode samples as spikes.

    Parameters
    ----------
    values : ndarray of float64, shape (samples, features)
        Dimensionless, 0 to 1.
    encoder : Choice
    place : Place
    split : str
        What the samples are for: samples of two splits are drawn apart.

    Returns
    -------
    Events
        One sample per row.

    Raises
    ------
    BackendError
        If there is no such encoder.
    NumericsError
        If a feature is not finite.
    """
    options, first = encoder.options, place.first_source
    if encoder.kind == "rate":
        return rate(values, options, first, duration=place.duration, seed=place.seed, split=split)
    if encoder.kind not in ENCODERS:
        raise BackendError(f"there is no encoder {encoder.kind}", path="data.encoder")
    return ENCODERS[encoder.kind](values, options, first)


ENCODERS: Mapping[str, Callable[[Floats, Mapping[str, Any], int], Events]] = MappingProxyType(
    {
        "latency": latency,
        "logarithmic_latency": logarithmic_latency,
        "population": receptive_fields,
        "delta": delta,
    }
)
"""Encoders that draw nothing, by the name that they have in the file."""


def rate(
    values: Floats, options: Mapping[str, Any], first_source: int, *, duration: float, seed: int, split: str
) -> Events:
    """Draw spikes of every feature x at the rate ``min_rate + x (max_rate - min_rate)``, both in 1/ms.

    Spikes come from ``start`` to ``stop`` in ms, None for the end of the sample; ``bias`` as in `latency`.

    Parameters
    ----------
    values, options, first_source
        As for `latency`.
    duration : float
        Length of a sample in ms.
    seed : int
        Root of the streams. Every sample has its own, keyed by its split and its number there, so that its
        spikes do not depend on the batch it comes in.
    split : str
        What the samples are for.
    """
    start, stop, bias = float(options["start"]), options["stop"], options.get("bias")
    length = max((duration if stop is None else float(stop)) - start, 0.0)
    low, high = float(options["min_rate"]), float(options["max_rate"])
    expected = (low + values * (high - low)) * length
    times, counts = [np.empty(0)], np.zeros(values.shape, dtype=np.int64)
    for sample, row in enumerate(expected):
        generator = stream(seed, f"data.encoder.{split}.{sample}")
        counts[sample] = generator.poisson(row)
        times.append(start + length * generator.random(int(counts[sample].sum())))
    samples, features = values.shape
    when, samples_of = np.concatenate(times), np.repeat(np.arange(samples), counts.sum(axis=1))
    which = np.repeat(np.tile(np.arange(features), samples), counts.ravel())
    return with_bias(
        Events.from_arrays(when, which + first_source, samples_of, samples), bias, first_source + features
    )
