"""Time series as spikes at every change by a threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.datasets.latency import with_bias
from netdesc.events import Events, Floats, Integers

TOLERANCE = 1e-9
"""Fraction of the threshold that a change may lack, so that 0.3 holds three times 0.1."""


def delta(values: Floats, options: Mapping[str, Any], first_source: int) -> Events:
    """Encode time series by two neurons each: one spikes at every rise, the other at every fall.

    The features of a sample are the values of one series after the other, each at equidistant times from
    ``t_early`` to ``t_late`` in ms, and linear between them; there are at least two steps. The reference of
    a series begins at its first value. Where the series has risen by ``threshold`` above the reference, the
    neuron for rises spikes and the reference moves up by ``threshold``; falls in the same way. The times of
    the crossings are exact. ``first_source`` is the neuron for rises of the first series, whose falls have
    the next index; for the rest see `netdesc.datasets.latency.latency`.
    """
    series, threshold = int(options["series"]), float(options["threshold"])
    early, late, bias = float(options["t_early"]), float(options["t_late"]), options.get("bias")
    samples = len(values)
    traces = values.reshape(samples * series, -1)
    grid = np.linspace(early, late, traces.shape[1])
    found = [
        cross(traces[:, step] - traces[:, 0], traces[:, step + 1] - traces[:, 0], level, threshold)
        for step, level in enumerate(follow(traces, threshold))
    ]
    times = [grid[step] + share * (grid[step + 1] - grid[step]) for step, (_, _, share) in enumerate(found)]
    rows = np.concatenate([row for row, _, _ in found])
    falls = np.concatenate([fall for _, fall, _ in found])
    events = Events.from_arrays(
        np.concatenate(times), 2 * (rows % series) + falls + first_source, rows // series, samples
    )
    return with_bias(events, bias, first_source + 2 * series)


def follow(traces: Floats, threshold: float) -> list[tuple[Integers, Integers]]:
    """Return the reference before and after every step, in thresholds above the first value.

    There is one pair of ndarray of int64, shape (rows,), for each of the steps - 1 intervals.
    """
    level, levels = np.zeros(len(traces), dtype=np.int64), []
    for step in range(1, traces.shape[1]):
        height = (traces[:, step] - traces[:, 0]) / threshold
        lowest = np.floor(height + TOLERANCE).astype(np.int64)
        highest = np.ceil(height - TOLERANCE).astype(np.int64)
        after = np.where(lowest > level, lowest, np.where(highest < level, highest, level))
        levels.append((level, after))
        level = after
    return levels


def cross(
    begin: Floats, end: Floats, level: tuple[Integers, Integers], threshold: float
) -> tuple[Integers, Integers, Floats]:
    """Find the crossings of one interval.

    Parameters
    ----------
    begin, end : ndarray of float64, shape (rows,)
        Values at both ends, above the first value of the series.
    level : tuple of ndarray of int64, shape (rows,)
        Reference before and after.
    threshold : float

    Returns
    -------
    rows : ndarray of int64, shape (k,)
    falls : ndarray of int64, shape (k,)
        1 for a fall, 0 for a rise.
    shares : ndarray of float64, shape (k,)
        When within the interval, 0 to 1.
    """
    before, after = level
    counts = np.abs(after - before)
    rows = np.repeat(np.arange(len(before)), counts)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    direction = np.sign(after - before)[rows]
    height = (before[rows] + direction * number) * threshold
    shares = (height - begin[rows]) / (end[rows] - begin[rows])
    return rows, (direction < 0).astype(np.int64), np.minimum(np.maximum(shares, 0.0), 1.0)
