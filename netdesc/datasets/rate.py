"""Features as rates of Poisson spikes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.datasets.latency import with_bias
from netdesc.events import Events, Floats
from netdesc.streams import stream


def rate(
    values: Floats, options: Mapping[str, Any], first_source: int, *, duration: float, seed: int, split: str
) -> Events:
    """Draw spikes of every feature x at the rate ``min_rate + x (max_rate - min_rate)``.

    Parameters
    ----------
    values : ndarray of float64, shape (samples, features)
        Dimensionless, 0 to 1.
    options : mapping
        ``min_rate`` and ``max_rate`` in 1/ms; ``start`` and ``stop`` in ms, ``stop`` None for the end of the
        sample; ``bias``: time in ms of a spike of one more neuron, or None.
    first_source : int
        Program-wide index of the neuron of the first feature.
    duration : float
        Length of a sample in ms.
    seed : int
        Root of the streams. Every sample has its own, keyed by its split and its number there, so that its
        spikes do not depend on the batch it comes in.
    split : str
        What the samples are for.

    Returns
    -------
    Events
        One sample per row.
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
