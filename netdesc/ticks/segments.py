"""Synapses onto a slice, sorted into segments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc.ticks.records import SEGMENT


def lay_out_segments(
    row: Integers,
    delay: Integers,
    number: Integers,
    receptor: Integers,
    target: Integers,
    gradient: Integers,
) -> tuple[NDArray[Any], Integers]:
    """Sort synapses into segments.

    Parameters
    ----------
    row, delay, number, receptor, target : ndarray of int64, shape (synapses,)
        Row, delay in ticks, projection, synaptic current and target of each synapse; in order of row, delay,
        projection and target.
    gradient : ndarray of int64, shape (synapses,)
        Place of its gradient, -1 for none; the same for all synapses of a projection or ascending.

    Returns
    -------
    segments : ndarray of SEGMENT
    target : ndarray of int64
        Targets of the segments that are no runs.
    """
    count = len(row)
    change = np.ones(count, dtype=np.bool_)
    change[1:] = (np.diff(row) != 0) | (np.diff(delay) != 0) | (np.diff(number) != 0)
    head = np.flatnonzero(change)
    size = np.diff(np.append(head, count))
    run = target[head + size - 1] - target[head] == size - 1 if count else np.empty(0, dtype=np.bool_)
    segments = np.zeros(len(head), dtype=SEGMENT)
    columns = {
        "delay": delay[head],
        "run": run,
        "receptor": receptor[head],
        "base": target[head],
        "start": head,
        "size": size,
        "gradient": gradient[head],
        "target_start": np.concatenate(([0], np.cumsum(np.where(run, 0, size))))[:-1],
    }
    for name, column in columns.items():
        segments[name] = column
    return segments, target[~np.repeat(run, size)]


def lags_of(first: Integers, delays: Integers) -> NDArray[Any]:
    """Return which delays, modulo 16, the segments of each row have, as bits; see ``records.Synapses``."""
    bits = np.zeros(len(first) - 1, dtype=np.uint16)
    rows = np.repeat(np.arange(len(bits)), np.diff(first))
    np.bitwise_or.at(bits, rows, np.left_shift(1, delays % 16).astype(np.uint16))
    return bits
