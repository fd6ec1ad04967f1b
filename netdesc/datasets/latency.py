"""The latency encoder: the larger a feature, the later its one spike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.events import Events, Floats


def count_latency_inputs(features: int, options: Mapping[str, Any]) -> int:
    """Return how many sources the encoder needs.

    Parameters
    ----------
    features : int
        Number of features of a sample.
    options : mapping
        ``bias``: None where there is no bias neuron.

    Returns
    -------
    int
    """
    return features + (options.get("bias") is not None)


def latency(values: Floats, options: Mapping[str, Any], first_source: int) -> Events:
    """Encode every feature x as one spike at ``t_early + x (t_late - t_early)``.

    Parameters
    ----------
    values : ndarray of float64, shape (samples, features)
        Dimensionless, 0 to 1.
    options : mapping
        ``t_early`` and ``t_late`` in ms; ``bias``: time in ms of a spike of one more neuron, after
        those of the features, or None.
    first_source : int
        Program-wide index of the neuron of the first feature.

    Returns
    -------
    Events
        One sample per row.

    Raises
    ------
    NumericsError
        If a time is not finite.
    """
    early, late, bias = float(options["t_early"]), float(options["t_late"]), options.get("bias")
    times = early + values * (late - early)
    if bias is not None:
        times = np.hstack((times, np.full((len(times), 1), float(bias))))
    samples, sources = np.indices(times.shape)
    return Events.from_arrays(times.ravel(), sources.ravel() + first_source, samples.ravel(), len(times))
