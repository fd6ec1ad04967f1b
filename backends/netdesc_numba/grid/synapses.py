"""Synapses of a stage on the grid, in segments that refer to the projections' own order where they can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.block import Block, join_charges
from netdesc.dynamics.jit import int64, kernel
from netdesc.events import Floats, Indices, Integers, frozen
from netdesc.steps import LATEST, whole_steps
from netdesc.ticks.records import SEGMENT, Synapses
from netdesc.ticks.segments import lags_of, mark_runs

Order = Indices | None
"""Number of each synapse of a projection as they are laid out; None where the order is its own."""


def delay_in_ticks(delays: Floats, timestep: float, lowest: int, latest: float = LATEST) -> Integers:
    """Return delays in whole ticks, at least ``lowest`` and at most ``latest``."""
    return np.maximum(whole_steps(delays, timestep, latest), lowest)


def lay_out_synapses(
    blocks: Sequence[Block],
    starts: Sequence[tuple[int, int]],
    ticks: Sequence[Integers],
    rows: int,
    dtype: type[np.generic],
) -> tuple[Synapses, tuple[Order, ...]]:
    """Sort the synapses of a stage into segments.

    Parameters
    ----------
    blocks : sequence of Block
    starts : sequence of (int, int)
        For each block the row of its first source, and its first target within the stage.
    ticks : sequence of ndarray of int64, shape (k,) or (1,)
        Delays of each block.
    rows : int
        Number of rows.
    dtype : type
        Of weights.

    Returns
    -------
    synapses : Synapses
        Without weights.
    orders : tuple of ndarray or None
        For each block.
    """
    parts, sources, orders = [np.empty(0, dtype=SEGMENT)], [np.empty(0, dtype=np.int64)], []
    targets: list[Indices] = []
    begin = listed = 0
    for block, (row, place), delay in zip(blocks, starts, ticks, strict=True):
        segments, source, order = segment_block(block, delay)
        kept = not block.dense or len(delay) > 1
        if kept:
            targets.append(place_targets(block, place, order))
            segments["target_start"] += listed
            listed += block.size
        segments["start"] += begin
        segments["base"] += place
        segments["gradient"] = segments["start"] if block.train_weight or block.train_delay else -1
        parts.append(segments)
        sources.append(source + row)
        orders.append(order)
        begin += block.size
    segments, source = np.concatenate(parts), np.concatenate(sources)
    number = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    arranged = np.lexsort((number, segments["delay"], source))
    segments, source = segments[arranged], source[arranged]
    first = np.searchsorted(source, np.arange(rows + 1)).astype(np.int64)
    none = np.empty(0, dtype=dtype)
    joined = targets[0] if len(targets) == 1 else np.concatenate([np.empty(0, np.int32), *targets])
    return Synapses(
        first,
        lags_of(first, segments["delay"]),
        segments,
        frozen(joined, np.int32),
        none,
        none,
        none,
        np.unique(segments["delay"])[::-1].astype(np.int64),
    ), tuple(orders)


def place_targets(block: Block, place: int, order: Order) -> Indices:
    """Return the targets of a block within the stage as they are laid out; its own indices where they can."""
    indices = block.sparse()[1]
    if order is not None:
        indices = indices[order]
    return frozen(indices + np.int32(place) if place else indices, np.int32)


def segment_block(block: Block, ticks: Integers) -> tuple[NDArray[Any], Integers, Order]:
    """Return the segments of one block, their sources, and the order of its synapses.

    ``start`` and ``target_start`` count from its first synapse, ``base`` from its first target.
    """
    order: Order = None
    if len(ticks) == 1:
        indices = block.indices
        ends = np.arange(block.n_pre + 1) * block.n_post if block.indptr is None else block.indptr
        source = np.flatnonzero(np.diff(ends))
        head, size = ends[source], np.diff(ends)[source]
        delay = np.broadcast_to(ticks, len(head))
    else:
        indptr, indices = block.sparse()
        short = ticks.astype(np.int32)
        most = np.zeros(int(short.max(initial=0)) + 1, dtype=np.int64)
        order = np.empty(block.size, dtype=np.int32)
        count = order_by_delay(indptr, short, most, order)
        source, head, size, delay = np.empty((4, count), dtype=np.int64)
        find_segments(indptr, short, order, source, head, size, delay)
        indices = indices[order]
    segments = np.zeros(len(head), dtype=SEGMENT)
    columns = {"delay": delay, "start": head, "size": size, "target_start": head, "receptor": block.receptor}
    for name, values in columns.items():
        segments[name] = values
    if indices is None:
        segments["run"] = 1
    else:
        segments["base"] = indices[head] if len(head) else 0
        segments["run"] = mark_runs(indices, head, size)
    return segments, source, order


@kernel
def order_by_delay(indptr: Integers, ticks: Indices, most: Integers, order: Indices) -> int:
    """Sort the synapses of each source by delay, otherwise as they are.

    Parameters
    ----------
    indptr : ndarray of int64, shape (n_pre + 1,)
    ticks : ndarray of int32, shape (k,)
    most : ndarray of int64, shape (longest delay + 1,)
        Zeros; overwritten.
    order : ndarray of int32, shape (k,)
        Result: number of each synapse.

    Returns
    -------
    int
        How many segments of one source and delay there are.
    """
    count = int64(0)
    for row in range(len(indptr) - 1):
        low, high = len(most), int64(-1)
        for q in range(indptr[row], indptr[row + 1]):
            delay = int64(ticks[q])
            count += 1 if most[delay] == 0 else 0
            most[delay] += 1
            low, high = min(low, delay), max(high, delay)
        place = indptr[row]
        for delay in range(low, high + 1):
            place, most[delay] = place + most[delay], place
        for q in range(indptr[row], indptr[row + 1]):
            delay = int64(ticks[q])
            order[most[delay]] = q
            most[delay] += 1
        for delay in range(low, high + 1):
            most[delay] = 0
    return count


@kernel
def find_segments(
    indptr: Integers, ticks: Indices, order: Indices, source: Integers, head: Integers,
    size: Integers, delay: Integers,
) -> None:  # fmt: skip
    """Find the segments of synapses that ``order_by_delay`` has sorted.

    Parameters
    ----------
    indptr, ticks, order
        As there.
    source, head, size, delay : ndarray of int64, shape (segments,)
        Results: source, first synapse, number of synapses and delay of each.
    """
    count = int64(-1)
    for row in range(len(indptr) - 1):
        last = int64(-1)
        for q in range(indptr[row], indptr[row + 1]):
            now = int64(ticks[order[q]])
            if now != last:
                count += 1
                source[count], head[count], size[count], delay[count] = row, q, 0, now
                last = now
            size[count] += 1


def lay_out_weights(
    blocks: Sequence[Block], values: Mapping[str, Floats], orders: Sequence[Order], dtype: type[np.generic]
) -> NDArray[Any]:
    """Return the charges of the synapses of a stage as they are laid out."""
    weight: NDArray[Any] = join_charges(blocks, values, dtype)
    begin = 0
    for block, order in zip(blocks, orders, strict=True):
        if order is not None:
            weight[begin : begin + block.size] = weight[begin : begin + block.size][order]
        begin += block.size
    return weight


def restore_order(values: Floats, orders: Sequence[Order], sizes: Sequence[int]) -> Floats:
    """Bring values of synapses, shape (..., k), from the order in which they are laid out to their own."""
    if all(order is None for order in orders):
        return values
    result, begin = values.copy(), 0
    for order, size in zip(orders, sizes, strict=True):
        if order is not None:
            result[..., begin + order.astype(np.int64)] = values[..., begin : begin + size]
        begin += size
    return result
