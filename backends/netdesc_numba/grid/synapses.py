"""Synapses of a stage on the grid, in segments that refer to the projections' own order where they can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.block import PIECE, Block
from netdesc.dynamics.jit import int64, kernel
from netdesc.events import Floats, Indices, Integers, frozen
from netdesc.steps import LATEST, whole_steps
from netdesc.ticks.records import SEGMENT, Synapses
from netdesc.ticks.segments import lags_of, mark_runs

ROWS = 2048
"""Sources whose segments are sorted at once."""

Order = Indices | None
"""Number of each synapse of a projection as they are laid out; None where the order is its own."""


def delay_in_ticks(delays: Floats, timestep: float, lowest: int, latest: float = LATEST) -> Integers:
    """Return delays in whole ticks, at least ``lowest`` and at most ``latest``."""
    return np.maximum(whole_steps(delays, timestep, latest), lowest)


def short_delays(delays: Floats, timestep: float, lowest: int, latest: float) -> Indices:
    """Return ``delay_in_ticks`` in 32 bits, piece by piece."""
    result = np.empty(len(delays), dtype=np.int32)
    for begin in range(0, len(delays), PIECE):
        part = slice(begin, begin + PIECE)
        result[part] = delay_in_ticks(delays[part], timestep, lowest, latest)
    return result


def delays_as_run(delays: Floats, timestep: float, lowest: int) -> Floats:
    """Return delays in whole ticks, in ms: the same array where they are that already."""
    for begin in range(0, len(delays), PIECE):
        part = delays[begin : begin + PIECE]
        if not np.array_equal(delay_in_ticks(part, timestep, lowest) * timestep, part):
            return np.asarray(delay_in_ticks(delays, timestep, lowest) * timestep, dtype=np.float64)
    return delays


def lay_out_synapses(
    blocks: Sequence[Block],
    starts: Sequence[tuple[int, int]],
    ticks: Iterable[Indices],
    rows: int,
    values: Mapping[str, Floats],
    dtype: type[np.generic],
) -> tuple[Synapses, tuple[Order, ...]]:
    """Sort the synapses of a stage into segments.

    One block is laid out after the other, so that memory grows by what is kept and by one block.

    Parameters
    ----------
    blocks : sequence of Block
    starts : sequence of (int, int)
        For each block the row of its first source, and its first target within the stage.
    ticks : iterable of ndarray of int32, shape (k,) or (1,)
        Delays of each block, taken one at a time.
    rows : int
        Number of rows.
    values : mapping of str to ndarray
        Weights and delays by the keys of the blocks.
    dtype : type
        Of weights.

    Returns
    -------
    synapses : Synapses
    orders : tuple of ndarray or None
        For each block; None throughout where no block of the stage is trained.
    """
    trained = any(block.train_weight or block.train_delay for block in blocks)
    parts, sources, orders = [np.empty(0, dtype=SEGMENT)], [np.empty(0, dtype=np.int32)], []
    listed = [not block.dense or len(values[block.delay_key]) > 1 for block in blocks]
    alone = sum(listed) == 1
    weight = np.empty(sum(block.size for block in blocks), dtype=dtype)
    sizes = [block.size * kept for block, kept in zip(blocks, listed, strict=True)]
    target = np.empty(0 if alone else sum(sizes), dtype=np.int32)
    begin = place = 0
    for block, (row, first), delay, size in zip(blocks, starts, ticks, sizes, strict=True):
        segments, source, order = segment_block(block, delay)
        block.write_charges(values[block.weight_key], weight[begin : begin + block.size], order)
        if size and alone:
            target = place_targets(block, first, order)
        elif size:
            write_targets(block, first, order, target[place : place + size])
        segments["target_start"] += place
        place += size
        segments["start"] += begin
        segments["base"] += first
        segments["gradient"] = segments["start"] if block.train_weight or block.train_delay else -1
        parts.append(segments)
        sources.append(source + np.int32(row))
        orders.append(order if trained else None)
        begin += block.size
    none = np.empty(0, dtype=dtype)
    heads, segments = arrange_segments(parts, sources, rows)
    del parts, sources
    delays = np.unique(segments["delay"])[::-1].astype(np.int64)
    lags = lags_of(heads, segments["delay"])
    fixed = frozen(target, np.int32)
    return Synapses(heads, lags, segments, fixed, weight, none, none, delays), tuple(orders)


def arrange_segments(
    parts: list[NDArray[Any]], sources: list[Indices], rows: int
) -> tuple[Integers, NDArray[Any]]:
    """Sort segments by source, then delay, then block.

    Parameters
    ----------
    parts : list of ndarray of SEGMENT
        Segments of each block, by source.
    sources : list of ndarray of int32
        Row of each.
    rows : int
        Number of rows.

    Returns
    -------
    first : ndarray of int64, shape (rows + 1,)
        Segments of each row.
    segments : ndarray of SEGMENT
    """
    first = np.zeros(rows + 1, dtype=np.int64)
    for source in sources:
        first[1:] += np.bincount(source, minlength=rows)
    np.cumsum(first, out=first)
    segments = np.empty(first[-1], dtype=SEGMENT)
    for low in range(0, rows, ROWS):
        high = min(low + ROWS, rows)
        spans = [slice(*np.searchsorted(source, (low, high))) for source in sources]
        chosen = np.concatenate([part[span] for part, span in zip(parts, spans, strict=True)])
        source = np.concatenate([item[span] for item, span in zip(sources, spans, strict=True)])
        number = np.repeat(np.arange(len(spans)), [span.stop - span.start for span in spans])
        order = np.lexsort((number, chosen["delay"], source))
        segments[first[low] : first[high]] = chosen[order]
    return first, segments


def place_targets(block: Block, first: int, order: Order) -> Indices:
    """Return the targets of a block within the stage as they are laid out; its own indices where they can."""
    if order is None and first == 0 and block.indices is not None:
        return block.indices
    target = np.empty(block.size, dtype=np.int32)
    write_targets(block, first, order, target)
    return target


def write_targets(block: Block, first: int, order: Order, target: Indices) -> None:
    """Write the targets of a block within the stage as they are laid out, piece by piece."""
    indices = block.sparse()[1]
    for begin in range(0, block.size, PIECE):
        part = slice(begin, begin + PIECE)
        target[part] = indices[part if order is None else order[part]]
        target[part] += np.int32(first)


def segment_block(block: Block, ticks: Indices) -> tuple[NDArray[Any], Indices, Order]:
    """Return the segments of one block, their sources, and the order of its synapses.

    ``start`` and ``target_start`` count from its first synapse, ``base`` from its first target.
    """
    order: Order = None
    if len(ticks) == 1:
        indices = block.indices
        ends = np.arange(block.n_pre + 1) * block.n_post if block.indptr is None else block.indptr
        source = np.flatnonzero(np.diff(ends)).astype(np.int32)
        head, size = ends[source].astype(np.int32), np.diff(ends)[source].astype(np.int32)
        delay = np.broadcast_to(ticks, len(head))
    else:
        indptr, indices = block.sparse()
        most = np.zeros(int(ticks.max(initial=0)) + 1, dtype=np.int64)
        order = np.empty(block.size, dtype=np.int32)
        count = order_by_delay(indptr, ticks, most, order)
        source, head, size, delay = np.empty((4, count), dtype=np.int32)
        find_segments(indptr, ticks, order, source, head, size, delay)
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
    indptr: Integers, ticks: Indices, order: Indices, source: Indices, head: Indices,
    size: Indices, delay: Indices,
) -> None:  # fmt: skip
    """Find the segments of synapses that ``order_by_delay`` has sorted.

    Parameters
    ----------
    indptr, ticks, order
        As there.
    source, head, size, delay : ndarray of int32, shape (segments,)
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
