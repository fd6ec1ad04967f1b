"""Squared distance of the lead of the label's first spike from a margin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.losses.term import Term


def relative_spike_time_mse(
    options: Mapping[str, Any], times: Floats, labels: Integers | None, *, duration: float
) -> Term:
    """Compute ``1/2 sum_{j != label} (t_j - t_label - margin)^2`` over the first spikes.

    A silent neuron counts in the value with t = duration, and has slope 0. Where the label's own neuron is
    silent the whole sample counts as if all neurons spiked at the end of it, with slopes 0: slopes that only
    delay the other neurons would in the end silence them as well.

    Parameters
    ----------
    options : mapping
        ``margin`` in ms.
    times : ndarray of float64, shape (batch, size)
        First spike times in ms; infinity where a neuron is silent.
    labels : ndarray of int64, shape (batch,)
    duration : float
        Length of a sample in ms.

    Returns
    -------
    Term
        Values in ms^2, slopes in ms.

    Raises
    ------
    ValueError
        If there are no labels.
    """
    if labels is None:
        raise ValueError(
            "relative_spike_time_mse needs labels; give the loss a target, or the model a dataset"
        )
    rows = np.arange(len(labels))
    fired = np.isfinite(times)
    heard = fired[rows, labels][:, None]
    clocked = np.where(fired & heard, times, duration)
    distance = clocked - clocked[rows, labels][:, None] - float(options["margin"])
    distance[rows, labels] = 0.0
    values = 0.5 * (distance * distance).sum(axis=1)
    distance[rows, labels] = -distance.sum(axis=1)
    return Term(values, distance * (fired & heard))
