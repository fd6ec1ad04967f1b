"""Squared distance of spike times from target times, in ms or relative to a time constant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.dynamics.outputs import Term
from netdesc.events import Floats, Integers


def target_times(options: Mapping[str, Any], shape: tuple[int, ...], labels: Integers | None) -> Floats:
    """Lay out the time at which every neuron should spike first.

    Parameters
    ----------
    options : mapping
        ``target``: a time in ms per neuron, None where a neuron is left out of the loss; or, without such
        a list, ``correct`` and ``wrong``: times in ms for the label's neuron and for all others.
    shape : tuple of int
        (batch, size).
    labels : ndarray of int64, shape (batch,), or None
        Needed for ``correct`` and ``wrong``.

    Returns
    -------
    ndarray of float64, shape (batch, size)
        In ms; NaN where a neuron is left out.

    Raises
    ------
    ValueError
        If the list does not fit the population, or labels are missing.
    """
    target = options.get("target")
    if isinstance(target, list | tuple | np.ndarray):
        row = np.array([np.nan if time is None else time for time in target], dtype=np.float64)
        if row.shape != shape[1:]:
            raise ValueError(
                f"target has {row.size} times, but the population has {shape[1]} neurons; "
                "give one time (or null) for each"
            )
        return np.broadcast_to(row, shape)
    if labels is None:
        raise ValueError(
            "spike_time_mse without a time per neuron needs labels; "
            "give it a list of times as target, or the model a dataset"
        )
    goal = np.full(shape, float(options["wrong"]))
    goal[np.arange(shape[0]), labels] = float(options["correct"])
    return goal


def spike_time_mse(
    options: Mapping[str, Any], times: Floats, labels: Integers | None, *, duration: float
) -> Term:
    """Compute ``1/2 sum_j (t_j - target_j)^2`` over the first spikes.

    A silent neuron counts in the value with t = duration, and has slope 0. Options as for `target_times`,
    values in ms^2, slopes in ms.

    Raises
    ------
    ValueError
        If the target does not fit the population, or labels are missing.
    """
    return squared_distance(times, target_times(options, times.shape, labels), duration=duration)


def squared_distance(times: Floats, targets: Floats, *, duration: float) -> Term:
    """Compute ``1/2 sum_jn (t_jn - target_jn)^2``, with t_jn spike n of neuron j, or t_j its first.

    A spike that is absent counts in the value with t = duration, and has slope 0. Spikes after the last
    target of a neuron are not in the loss.

    Parameters
    ----------
    times : ndarray of float64, shape (batch, size) or (batch, size, k)
        In ms; infinity where a neuron has fewer spikes.
    targets : ndarray of float64, of the same shape
        In ms; NaN where there is no target.
    duration : float
        Length of a sample in ms.

    Returns
    -------
    Term
        Values in ms^2, slopes in ms.
    """
    fired = np.isfinite(times)
    distance = np.where(fired, times, duration) - targets
    distance = np.where(np.isnan(targets), 0.0, distance)
    axes = tuple(range(1, times.ndim))
    return Term(0.5 * (distance * distance).sum(axis=axes), distance * fired)


def relative_spike_time_mse(
    options: Mapping[str, Any], times: Floats, labels: Integers | None, *, duration: float
) -> Term:
    """Compute ``1/2 sum_{j != label} (t_j - t_label - margin)^2`` over the first spikes, ``margin`` in ms.

    A silent neuron counts in the value with t = duration, and has slope 0. Where the label's own neuron is
    silent the whole sample counts as if all neurons spiked at the end of it, with slopes 0: slopes that only
    delay the other neurons would in the end silence them as well. Values in ms^2, slopes in ms.

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
