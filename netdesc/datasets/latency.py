"""Encoders with at most one spike per feature, or per neuron with a receptive field, timed by the value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from netdesc.errors import NumericsError
from netdesc.events import Events, Floats

CHUNK = 2048
"""Samples that are sorted at once, so that only the spikes of all samples are held."""


def latency(values: Floats, options: Mapping[str, Any], first_source: int) -> Events:
    """Encode every feature x as one spike at ``t_early + x (t_late - t_early)``.

    Parameters
    ----------
    values : ndarray of float64, shape (samples, features)
        Dimensionless, 0 to 1.
    options : mapping
        ``t_early`` and ``t_late`` in ms; ``first``: ``small`` (as above), or ``large``, where 1 - x stands
        in the place of x; ``threshold``: features below it make no spike, or None; ``bias``: time in ms of
        a spike of one more neuron, after those of the features, or None.
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
    early, late, threshold = float(options["t_early"]), float(options["t_late"]), options.get("threshold")
    falling = options.get("first", "small") == "large"

    def find_times(rows: Floats) -> Floats:
        times: Floats = early + (1.0 - rows if falling else rows) * (late - early)
        return times if threshold is None else np.where(rows < float(threshold), np.inf, times)

    return place(values, find_times, options.get("bias"), first_source)


def logarithmic_latency(values: Floats, options: Mapping[str, Any], first_source: int) -> Events:
    """Encode every feature x above a threshold as one spike at ``t_early + tau log(x / (x - threshold))``.

    That is when a leaky membrane with time constant tau, driven by a constant current x, reaches the
    threshold. Times are in ms; spikes after ``t_late`` are left out. For the rest see `latency`.

    Notes
    -----
    Cramer et al. (2022), Surrogate gradients for analog neuromorphic computing.
    """
    threshold, tau = float(options["threshold"]), float(options["tau"])
    early, late = float(options["t_early"]), float(options["t_late"])

    def find_times(rows: Floats) -> Floats:
        excess = rows - threshold
        seen = excess > 0.0
        times = np.full(rows.shape, np.inf)
        times[seen] = early + tau * np.log(rows[seen] / excess[seen])
        times[times > late] = np.inf
        return times

    return place(values, find_times, options.get("bias"), first_source)


def place(
    values: Floats, find_times: Callable[[Floats], Floats], bias: float | None, first_source: int
) -> Events:
    """Put the spikes of all features in order.

    Parameters
    ----------
    values, first_source
        As for `latency`.
    find_times : callable
        From rows of features to times in ms, infinity where there is no spike.
    bias : float or None
        Time of the spike of one more neuron, in ms.
    """
    if not np.isfinite(values).all():
        raise NumericsError("a feature of the dataset is not finite; every feature must be a number")
    times, sources, counts = [np.empty(0)], [np.empty(0, dtype=np.int64)], [np.zeros(1, dtype=np.int64)]
    for start in range(0, len(values), CHUNK):
        rows = find_times(values[start : start + CHUNK])
        if bias is not None:
            rows = np.hstack((rows, np.full((len(rows), 1), float(bias))))
        order = np.argsort(rows, axis=1, kind="stable")
        rows = np.take_along_axis(rows, order, axis=1)
        kept = rows < np.inf
        times.append(rows[kept])
        sources.append(order[kept] + first_source)
        counts.append(kept.sum(axis=1))
    return Events(np.concatenate(times), np.concatenate(sources), np.cumsum(np.concatenate(counts)))


def with_bias(events: Events, bias: float | None, source: int) -> Events:
    """Add the spike of a bias neuron, None for none, in ms to every sample; ``source`` is its index."""
    if bias is None:
        return events
    batch = events.batch
    return Events.from_arrays(
        np.concatenate((events.times, np.full(batch, float(bias)))),
        np.concatenate((events.sources, np.full(batch, source, dtype=np.int64))),
        np.concatenate((events.samples(), np.arange(batch))),
        batch,
    )


def receptive_fields(values: Floats, options: Mapping[str, Any], first_source: int) -> Events:
    """Encode every feature x by n neurons, neuron j with the activation ``a = exp(-(x - c_j)^2 / (2 s^2))``.

    The centres ``c_j = j / (n - 1)`` are evenly spaced from 0 to 1, and ``s`` is ``width`` times their
    distance; n, at least 2, is the option ``neurons``. A neuron spikes at
    ``t_early + (1 - a) (t_late - t_early)`` in ms: the nearer, the earlier; activations below ``threshold``
    make no spike. Neuron j of feature f has the index f n + j after ``first_source``. For the rest see
    `latency`.

    Notes
    -----
    Bohte, Kok and La Poutré (2002), Error-backpropagation in temporally encoded networks of spiking neurons.
    """
    early, late, threshold = float(options["t_early"]), float(options["t_late"]), float(options["threshold"])
    centres = np.linspace(0.0, 1.0, int(options["neurons"]))
    spread = float(options["width"]) * (centres[1] - centres[0])

    def find_times(rows: Floats) -> Floats:
        distance = (rows[:, :, None] - centres) / spread
        activation = np.exp(-0.5 * distance * distance).reshape(len(rows), -1)
        times = early + (1.0 - activation) * (late - early)
        return np.where(activation < threshold, np.inf, times)

    return place(values, find_times, options.get("bias"), first_source)
