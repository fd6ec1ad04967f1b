"""Synapses of one slice, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Integers
from netdesc.program import Program
from netdesc.ticks.records import SEGMENT
from netdesc.ticks.segments import lay_out_segments
from netdesc_spinnaker2.mapping.plan import Slice


@dataclass(frozen=True, slots=True)
class Part:
    """Synapses of one slice.

    Parameters
    ----------
    rows : ndarray of int64
        Number of segments of each row.
    fan, segments, target, distinct
        As in ``memory.Board``.
    order, trained, trained_target
        As ``weight_order``, ``gradient_weight`` and ``gradient_target`` of ``Template``.
    """

    rows: Integers
    fan: Integers
    segments: NDArray[Any]
    target: Integers
    distinct: Integers
    order: Integers
    trained: Integers
    trained_target: Integers


def empty_part() -> Part:
    """Return the synapses of a slice that has none."""
    none = np.empty(0, dtype=np.int64)
    return Part(none, none, np.empty(0, dtype=SEGMENT), none, none, none, none, none)


def gather(program: Program, post: int, delays: Mapping[str, Integers]) -> dict[str, Integers]:
    """Return the synapses into a population, projection after projection.

    Parameters
    ----------
    program : Program
    post : int
        Index of the population.
    delays : mapping of str to ndarray of int64
        In ticks, by the keys of the blocks.

    Returns
    -------
    dict of str to ndarray of int64
        ``source`` (index in the program), ``target`` (within the population), ``delay``, ``number`` of the
        projection, ``place`` of the synapse when those of all blocks follow each other, ``train``.
    """
    parts, at = [np.empty((6, 0), dtype=np.int64)], 0
    for number, block in enumerate(program.blocks):
        if block.post == post:
            indptr, indices = block.sparse()
            source = np.repeat(np.arange(block.n_pre), np.diff(indptr))
            delay, train = delays[block.delay_key], int(block.train_weight)
            columns = (
                program.populations[block.pre].start + source,
                indices,
                delay,
                number,
                at + np.arange(block.size),
                train,
            )
            parts.append(np.stack([np.broadcast_to(values, block.size) for values in columns]))
        at += block.size
    rows = np.concatenate(parts, axis=1)
    return dict(zip(("source", "target", "delay", "number", "place", "train"), rows, strict=True))


def divide(synapses: dict[str, Integers], layers: list[Slice]) -> list[tuple[Slice, dict[str, Integers]]]:
    """Give every slice of a population its synapses, by source, delay and projection, targets ascending."""
    starts = np.array([item.start for item in layers])
    owner = np.searchsorted(starts, synapses["target"], side="right") - 1
    spans = [
        int(values.max(initial=0)) + 1 for values in (synapses[k] for k in ("source", "delay", "number"))
    ]
    key = ((owner * spans[0] + synapses["source"]) * spans[1] + synapses["delay"]) * spans[2]
    order = np.argsort(key + synapses["number"], kind="stable")
    bounds = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(layers)))))
    return [
        (item, {name: values[order[bounds[k] : bounds[k + 1]]] for name, values in synapses.items()})
        for k, item in enumerate(layers)
    ]


def presynaptic_neurons(program: Program, slices: tuple[Slice, ...], senders: tuple[int, ...]) -> Integers:
    """Return the index in the program of every neuron of some slices, slice after slice."""
    starts = {p.name: p.start for p in program.populations}
    begin = np.array([starts[slices[k].population] + slices[k].start for k in senders], dtype=np.int64)
    size = np.array([slices[k].size for k in senders], dtype=np.int64)
    return np.repeat(begin - np.cumsum(size) + size, size) + np.arange(size.sum())


def lay_out_slice(
    program: Program,
    slices: tuple[Slice, ...],
    senders: tuple[int, ...],
    item: Slice,
    synapses: dict[str, Integers],
    training: bool,
) -> Part:
    """Put the synapses of a slice, in order, into segments."""
    rows_of = presynaptic_neurons(program, slices, senders)
    source, target = synapses["source"], synapses["target"] - item.start
    rows = np.searchsorted(rows_of, source)
    train = synapses["train"] if training else np.zeros(len(source), dtype=np.int64)
    gradient = np.where(train > 0, np.cumsum(train) - 1, -1)
    segments, listed = lay_out_segments(
        rows, synapses["delay"], synapses["number"], np.zeros_like(rows), target, gradient
    )
    trained = np.flatnonzero(train)
    row, size = rows[segments["start"]], segments["size"]
    return Part(
        np.bincount(row, minlength=len(rows_of)).astype(np.int64),
        np.bincount(row, weights=size, minlength=len(rows_of)).astype(np.int64),
        segments,
        listed,
        np.unique(synapses["delay"])[::-1],
        synapses["place"],
        trained,
        target[trained],
    )
