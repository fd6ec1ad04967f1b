"""Synapses onto a slice, sorted into segments."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Indices, Integers
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
    run = mark_runs(target, head, size)
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


def mark_runs(
    target: Integers | Indices, head: Integers | Indices, size: Integers | Indices
) -> NDArray[np.bool_]:
    """Return in which segments the targets follow each other.

    Parameters
    ----------
    target : ndarray of integers, shape (synapses,)
        Ascending within a segment; a target may be there several times.
    head, size : ndarray of integers, shape (segments,)
        First synapse and number of synapses of each.
    """
    if not len(head):
        return np.empty(0, dtype=np.bool_)
    run = np.asarray(target[head + size - 1] - target[head] == size - 1)
    # a target that is passed over and another that comes twice leave the distance as it is
    again = np.flatnonzero(target[1:] == target[:-1])
    segment = np.searchsorted(head, again, side="right") - 1
    run[segment[again + 1 < head[segment] + size[segment]]] = False
    return run


def lags_of(first: Integers, delays: Integers) -> NDArray[Any]:
    """Return which delays, modulo 16, the segments of each row have, as bits; see ``records.Synapses``."""
    bits = np.zeros(len(first) - 1, dtype=np.uint16)
    rows = np.repeat(np.arange(len(bits)), np.diff(first))
    np.bitwise_or.at(bits, rows, np.left_shift(1, delays % 16).astype(np.uint16))
    return bits
