"""The synapses of a stage laid out by source, without copies of what the projections keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from netdesc.adjoint.synapses import (
    BEGIN,
    COLUMNS,
    DELAY_AT,
    DELAY_STEP,
    END,
    PART,
    RECEPTOR,
    WEIGHT_AT,
    WEIGHT_STEP,
    Synapses,
    delay_at,
    number_at,
    target_of,
)
from netdesc.adjoint.wiring import Wiring
from netdesc.block import Block
from netdesc.dynamics.jit import int64, kernel
from netdesc.dynamics.order import find_order
from netdesc.errors import LimitError
from netdesc.events import Floats, Indices, Integers, frozen

MOST = 2**31
"""Synapses that numbers of 32 bits do not tell apart any more."""


def is_plain(block: Block) -> bool:
    """Return whether the charges of a block are its weights."""
    return block.weight_of is None and bool(np.all(block.charge == 1.0))


def lay_out(wiring: Wiring, blocks: Sequence[Block], values: Mapping[str, Floats]) -> Synapses:
    """Sort the synapses of a stage by slot and delay.

    Parameters
    ----------
    wiring : Wiring
    blocks : sequence of Block
        Those that end in the stage.
    values : mapping of str to ndarray
        Weights and delays by the keys of the blocks.

    Returns
    -------
    Synapses
        Its arrays are read-only, and the program's own where they can be.

    Raises
    ------
    LimitError
        If there are too many for numbers of 32 bits.
    """
    if wiring.offsets[-1] >= MOST:
        raise LimitError(
            f"{wiring.offsets[-1]} synapses end in populations that are simulated together, more than "
            f"{MOST - 1}; use fewer synapses",
            blocks[0].path,
        )
    parts = np.zeros((len(blocks), COLUMNS), dtype=np.int64)
    parts[:, RECEPTOR] = [block.receptor for block in blocks]
    delays = [drop_repeats(values[block.delay_key]) for block in blocks]
    place_values([len(item) for item in delays], wiring.offsets, parts[:, DELAY_AT : DELAY_STEP + 1])
    delay = frozen(delays[0] if len(delays) == 1 else np.concatenate([np.empty(0), *delays]), np.float64)
    target = join_targets(wiring, blocks)
    rows = [
        np.arange(block.n_pre + 1) * block.n_post if block.indptr is None else block.indptr
        for block in blocks
    ]
    drawn = bool(parts[:, DELAY_STEP].any())
    first, runs = list_runs(wiring, blocks, rows, None if drawn else delay[parts[:, DELAY_AT]])
    order = np.zeros(1, dtype=np.int32)
    if drawn:
        order = np.empty(len(target), dtype=np.int32)
        for k, indptr in enumerate(rows):
            begins = frozen(indptr + wiring.offsets[k], np.int64)
            order_by_delay(begins, delay, parts[k, DELAY_AT], parts[k, DELAY_STEP], order)
    fan = Synapses(
        frozen(first, np.int64),
        frozen(runs, np.int32),
        frozen(order, np.int32),
        target,
        frozen(np.empty(0), np.float64),
        delay,
        frozen(parts, np.int64),
    )
    fan = merge_runs(fan) if drawn and len(blocks) > 1 else fan
    return reweight(fan, wiring, blocks, values)


def reweight(
    fan: Synapses, wiring: Wiring, blocks: Sequence[Block], values: Mapping[str, Floats]
) -> Synapses:
    """Return the synapses of a stage with other weights; see ``lay_out``."""
    parts = fan.parts.copy()
    weights = [values[block.weight_key] for block in blocks]
    alike = [shares_charge(block, item) for block, item in zip(blocks, weights, strict=True)]
    sizes = [1 if one else block.size for block, one in zip(blocks, alike, strict=True)]
    place_values(sizes, wiring.offsets, parts[:, WEIGHT_AT : WEIGHT_STEP + 1])
    if len(blocks) == 1 and not alike[0] and is_plain(blocks[0]):
        weight = weights[0]
    else:
        weight, at = np.empty(sum(sizes)), 0
        for block, own, one, size in zip(blocks, weights, alike, sizes, strict=True):
            if one:
                weight[at] = own[0] * block.charge[0]
            else:
                block.write_charges(own, weight[at : at + size])
            at += size
    return fan._replace(weight=frozen(weight, np.float64), parts=frozen(parts, np.int64))


def drop_repeats(values: Floats) -> Floats:
    """Return one number where an array repeats one that is stored once, otherwise the array."""
    return values[:1] if values.strides == (0,) else values


def shares_charge(block: Block, weights: Floats) -> bool:
    """Return whether all synapses of a block have one charge, as far as that is plain to see."""
    one = len(drop_repeats(weights)) == 1 and block.size > 0
    return one and bool(np.all(block.charge == block.charge[0]))


def place_values(sizes: Sequence[int], offsets: Integers, where: Integers) -> None:
    """Note where the values of projections are that follow each other.

    Parameters
    ----------
    sizes : sequence of int
        How many values each projection has: 1 for all synapses, or one for each.
    offsets : ndarray of int64, shape (projections + 1,)
        First synapse of each.
    where : ndarray of int64, shape (projections, 2)
        Result: see ``Synapses.parts``.
    """
    at = 0
    for k, size in enumerate(sizes):
        where[k] = (at, 0) if size == 1 else (at - offsets[k], 1)
        at += size


def join_targets(wiring: Wiring, blocks: Sequence[Block]) -> Indices:
    """Return the targets of all synapses within the stage; a block's own indices where they can be."""
    places = [wiring.places[block.post] for block in blocks]
    if len(blocks) == 1 and places[0] == 0 and blocks[0].indices is not None:
        return blocks[0].indices
    target = np.empty(wiring.offsets[-1], dtype=np.int32)
    for block, place, begin, end in zip(blocks, places, wiring.offsets[:-1], wiring.offsets[1:], strict=True):
        mine = target[begin:end]
        if block.indices is None:
            mine.reshape(block.n_pre, block.n_post)[:] = np.arange(place, place + block.n_post)
        else:
            np.add(block.indices, np.int32(place), out=mine)
    return frozen(target, np.int32)


def list_runs(
    wiring: Wiring, blocks: Sequence[Block], rows: Sequence[Integers], delays: Floats | None
) -> tuple[Integers, Indices]:
    """Return one run for every source of each projection, by slot, then by delay, then by target.

    Parameters
    ----------
    wiring : Wiring
    blocks : sequence of Block
    rows : sequence of ndarray of int64, shape (n_pre + 1,)
        First synapse of each source, for each block.
    delays : ndarray of float64, shape (blocks,), or None
        Of each block; None where not all have one, and runs are sorted by block.

    Returns
    -------
    first : ndarray of int64, shape (slots + 1,)
    runs : ndarray of int32, shape (runs, 3)
        See ``Synapses``.
    """
    slots, runs = [np.empty(0, dtype=np.int64)], [np.empty((0, 3), dtype=np.int32)]
    rank = np.arange(len(blocks))
    if delays is not None:
        places = np.array([wiring.places[block.post] for block in blocks])
        rank = np.argsort(np.lexsort((rank, places, delays)))
    for k, (block, indptr) in enumerate(zip(blocks, rows, strict=True)):
        source = np.flatnonzero(np.diff(indptr))
        made = np.empty((len(source), 3), dtype=np.int32)
        made[:, BEGIN] = indptr[source] + wiring.offsets[k]
        made[:, END] = indptr[source + 1] + wiring.offsets[k]
        made[:, PART] = k
        slots.append(source + wiring.slots[block.pre])
        runs.append(made)
    slot, joined = np.concatenate(slots), np.concatenate(runs)
    if len(blocks) > 1:
        joined = joined[np.lexsort((rank[joined[:, PART]], slot))]
    first = np.zeros(wiring.entries + 1, dtype=np.int64)
    np.cumsum(np.bincount(slot, minlength=wiring.entries), out=first[1:])
    return first, joined


@kernel
def order_by_delay(begins: Integers, delay: Floats, at: int, step: int, order: Indices) -> None:
    """Sort the synapses of each source by delay, otherwise as they are.

    Parameters
    ----------
    begins : ndarray of int64, shape (n_pre + 1,)
        First synapse of each source.
    delay : ndarray of float64
    at, step : int
        See ``Synapses.parts``.
    order : ndarray of int32, shape (synapses,)
        Result: number of the synapse at each place.
    """
    for row in range(len(begins) - 1):
        begin, end = begins[row], begins[row + 1]
        if step == 0:
            for q in range(begin, end):
                order[q] = q
        else:
            found = find_order(delay[at + begin : at + end])
            for k in range(end - begin):
                order[begin + k] = begin + found[k]


def merge_runs(fan: Synapses) -> Synapses:
    """Return synapses of several projections in runs that are sorted by delay."""
    first, none = np.empty_like(fan.first), np.empty((0, 3), dtype=np.int32)
    heads = np.empty(int(np.diff(fan.first).max(initial=0)), dtype=np.int64)
    runs = np.empty((split_runs(fan, heads, first, none), 3), dtype=np.int32)
    split_runs(fan, heads, first, runs)
    return fan._replace(first=frozen(first, np.int64), runs=frozen(runs, np.int32))


@kernel
def split_runs(fan: Synapses, heads: Integers, first: Integers, runs: Indices) -> int:
    """Split runs where the delays of another run of the same slot lie in between.

    Parameters
    ----------
    fan : Synapses
        Its runs are sorted each by itself.
    heads : ndarray of int64, shape (most runs of a slot,)
        Overwritten.
    first : ndarray of int64, shape (slots + 1,)
        Result: see ``Synapses``.
    runs : ndarray of int32, shape (runs, 3)
        Result; with 0 rows they are only counted.

    Returns
    -------
    int
        Number of runs.
    """
    count = int64(0)
    for slot in range(len(fan.first) - 1):
        a, b = fan.first[slot], fan.first[slot + 1]
        first[slot] = count
        last = int64(-1)
        for g in range(a, b):
            heads[g - a] = fan.runs[g, BEGIN]
        while True:
            best, when, cell = int64(-1), 0.0, int64(0)
            for g in range(a, b):
                q = heads[g - a]
                if q < fan.runs[g, END]:
                    t, to = delay_at(q, fan.runs[g, PART], fan), target_of(number_at(q, fan), fan)
                    if best < 0 or t < when or (t == when and to < cell):
                        best, when, cell = g, t, to
            if best < 0:
                break
            q = heads[best - a]
            heads[best - a] = q + 1
            if best != last:
                last = best
                if count < len(runs):
                    runs[count, BEGIN], runs[count, PART] = q, fan.runs[best, PART]
                count += 1
            if count <= len(runs):
                runs[count - 1, END] = q + 1
    first[len(fan.first) - 1] = count
    return count


def first_delays(fan: Synapses, slots: Integers) -> Floats:
    """Return the shortest delay of what leaves slots, in ms; 0 where nothing does."""
    result = np.zeros(len(slots))
    reaches = np.flatnonzero(fan.first[slots] < fan.first[slots + 1])
    place, _, part = fan.runs[fan.first[slots[reaches]]].T.astype(np.int64)
    number = fan.order[place] if len(fan.order) > 1 else place
    result[reaches] = fan.delay[fan.parts[part, DELAY_AT] + fan.parts[part, DELAY_STEP] * number]
    return result
