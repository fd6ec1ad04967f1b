"""Squared distance of spike times from target times, in ms or relative to a time constant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.losses.term import Term


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

    A silent neuron counts in the value with t = duration, and has slope 0.

    Parameters
    ----------
    options : mapping
        ``target``: a time in ms per neuron, None where a neuron is left out; or ``correct`` and
        ``wrong``, in ms, for the label's neuron and for the others.
    times : ndarray of float64, shape (batch, size)
        First spike times in ms; infinity where a neuron is silent.
    labels : ndarray of int64, shape (batch,), or None
        Needed for ``correct`` and ``wrong``.
    duration : float
        Length of a sample in ms.

    Returns
    -------
    Term
        Values in ms^2, slopes in ms.

    Raises
    ------
    ValueError
        If the target does not fit the population, or labels are missing.
    """
    goal = target_times(options, times.shape, labels)
    fired = np.isfinite(times)
    distance = np.where(fired, times, duration) - goal
    distance = np.where(np.isnan(goal), 0.0, distance)
    return Term(0.5 * (distance * distance).sum(axis=1), distance * fired)


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
