"""Constants and synapses of a program, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.eventprop.cells import read_cells
from netdesc.events import Floats, Integers
from netdesc.physics.tick import measure_tick
from netdesc.program import Block, Program, Stage
from netdesc_spinnaker2.emulator_memory import SEGMENT
from netdesc_spinnaker2.plan import Slice

FLOOR = 1e-6
"""Smallest slope that an adjoint divides by, relative to the distance from reset to threshold."""


@dataclass(frozen=True, slots=True)
class Template:
    """What all copies of the network have in common.

    Parameters
    ----------
    numbers, taus, hold, first, fan, segments, target, distinct
        See ``emulator_memory.Board``.
    cell, row, distinct_at, delays, depth : ndarray of int64, shape (slices of a copy,)
        See ``emulator_memory.SHEET``.
    weights, gradients : ndarray of int64, shape (slices of a copy,)
        How many there are.
    weight_order, gradient_order : ndarray of int64
        Number of the synapse that each weight and each gradient belongs to, slice after slice, when those of
        the blocks follow each other.
    gradient_weight, gradient_target : ndarray of int64
        Weight and target, counted within the slice, of each gradient.
    uniform, holding : bool
        See ``emulator_memory.Rules``.
    """

    numbers: NDArray[Any]
    taus: Floats
    hold: Integers
    first: Integers
    fan: Integers
    segments: NDArray[Any]
    target: Integers
    distinct: Integers
    cell: Integers
    row: Integers
    distinct_at: Integers
    delays: Integers
    depth: Integers
    weights: Integers
    gradients: Integers
    weight_order: Integers
    gradient_order: Integers
    gradient_weight: Integers
    gradient_target: Integers
    uniform: bool
    holding: bool


@dataclass(frozen=True, slots=True)
class Part:
    """Synapses of one slice.

    Parameters
    ----------
    rows : ndarray of int64
        Number of segments of each row.
    fan, segments, target, distinct
        As in ``emulator_memory.Board``.
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


def lay_out_template(
    program: Program,
    slices: tuple[Slice, ...],
    senders: list[tuple[int, ...]],
    delays: Mapping[str, Integers],
    *,
    scheme: str,
    timestep: float,
    training: bool,
) -> Template:
    """Lay out one copy of a network.

    Parameters
    ----------
    program : Program
    slices : tuple of Slice
        Of the first copy.
    senders : list of tuple of int
        Of each slice, the slices whose spikes it takes in, ascending.
    delays : mapping of str to ndarray of int64
        In ticks, by the keys of the blocks.
    scheme : str
    timestep : float
        In ms.
    training : bool
        Whether there are gradients.

    Returns
    -------
    Template
    """
    parts = [empty_part() for _ in slices]
    for p, population in enumerate(program.populations):
        layers = [item for item in slices if item.role == "layer" and item.population == population.name]
        if layers:
            synapses = gather(program, p, delays)
            for item, chosen in divide(synapses, layers):
                parts[item.index] = lay_out_slice(
                    program, slices, senders[item.index], item, chosen, training
                )
    numbers, taus, hold, cell, uniform = lay_out_cells(program, slices, scheme, timestep)
    target = begins([len(part.target) for part in parts])
    segments = np.concatenate([part.segments for part in parts])
    segments["target_start"] += np.repeat(target, [len(part.segments) for part in parts])
    orders = [part.order for part in parts]
    return Template(
        numbers,
        taus,
        hold,
        np.concatenate(([0], np.cumsum(stack(parts, "rows")))).astype(np.int64),
        stack(parts, "fan"),
        segments,
        stack(parts, "target"),
        stack(parts, "distinct"),
        cell,
        begins([len(part.rows) for part in parts]),
        begins([len(part.distinct) for part in parts]),
        np.array([len(part.distinct) for part in parts], dtype=np.int64),
        slots(slices, parts),
        np.array([len(order) for order in orders], dtype=np.int64),
        np.array([len(part.trained) for part in parts], dtype=np.int64),
        np.concatenate(orders),
        np.concatenate([order[part.trained] for order, part in zip(orders, parts, strict=True)]),
        stack(parts, "trained"),
        stack(parts, "trained_target"),
        uniform,
        bool(np.any(hold > 0)),
    )


def slots(slices: tuple[Slice, ...], parts: list[Part]) -> Integers:
    """Return the slots of the ring buffer of every slice: those that the longest delay of its population needs."""
    longest: dict[str, int] = {}
    for item, part in zip(slices, parts, strict=True):
        longest[item.population] = max(longest.get(item.population, 1), int(part.distinct.max(initial=1)))
    return np.array([longest[item.population] + 1 for item in slices], dtype=np.int64)


def begins(sizes: list[int]) -> Integers:
    """Return where each of a row of stretches begins."""
    return np.cumsum([0, *sizes])[:-1].astype(np.int64)


def stack(parts: list[Part], name: str) -> Integers:
    """Concatenate one column of all parts."""
    return np.concatenate([getattr(part, name) for part in parts]).astype(np.int64)


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
    columns: dict[str, list[Integers]] = {
        name: [np.empty(0, dtype=np.int64)]
        for name in ("source", "target", "delay", "number", "place", "train")
    }
    at = 0
    for number, block in enumerate(program.blocks):
        if block.post == post:
            for name, values in columns_of(program, block, delays[block.delay_key]).items():
                columns[name].append(values)
            columns["number"].append(np.full(block.size, number))
            columns["place"].append(at + np.arange(block.size))
        at += block.size
    return {name: np.concatenate(values) for name, values in columns.items()}


def columns_of(program: Program, block: Block, delay: Integers) -> dict[str, Integers]:
    """Return source, target, delay and whether it is trained, of every synapse of a block."""
    indptr, indices = block.sparse()
    source = program.populations[block.pre].start + np.repeat(np.arange(block.n_pre), np.diff(indptr))
    return {
        "source": source,
        "target": indices,
        "delay": np.broadcast_to(delay, source.shape),
        "train": np.full(len(source), int(block.train_weight)),
    }


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


def lay_out_slice(
    program: Program,
    slices: tuple[Slice, ...],
    senders: tuple[int, ...],
    item: Slice,
    synapses: dict[str, Integers],
    training: bool,
) -> Part:
    """Put the synapses of a slice, in order, into segments."""
    starts = {p.name: p.start for p in program.populations}
    rows_of = np.concatenate(
        [
            np.empty(0, dtype=np.int64),
            *(starts[slices[k].population] + np.arange(slices[k].start, slices[k].stop) for k in senders),
        ]
    )
    source, target = synapses["source"], synapses["target"] - item.start
    count = len(source)
    change = np.ones(count, dtype=np.bool_)
    change[1:] = (
        (np.diff(source) != 0) | (np.diff(synapses["delay"]) != 0) | (np.diff(synapses["number"]) != 0)
    )
    head = np.flatnonzero(change)
    size = np.diff(np.append(head, count))
    run = target[head + size - 1] - target[head] == size - 1 if count else np.empty(0, dtype=np.bool_)
    row = np.searchsorted(rows_of, source[head])
    trained = np.flatnonzero(synapses["train"]) if training else np.empty(0, dtype=np.int64)
    gain = np.full(len(head), -1, dtype=np.int64)
    before = np.concatenate(([0], np.cumsum(synapses["train"])))
    if training:
        gain = np.where(synapses["train"][head] > 0, before[head], -1)
    segments = np.zeros(len(head), dtype=SEGMENT)
    starts_at = np.concatenate(([0], np.cumsum(np.where(run, 0, size))))[:-1]
    for name, column in (
        ("delay", synapses["delay"][head]),
        ("run", run),
        ("base", target[head]),
        ("start", head),
        ("size", size),
        ("gain", gain),
        ("target_start", starts_at),
    ):
        segments[name] = column
    return Part(
        np.bincount(row, minlength=len(rows_of)).astype(np.int64),
        np.bincount(row, weights=size, minlength=len(rows_of)).astype(np.int64),
        segments,
        target[~np.repeat(run, size)],
        np.unique(synapses["delay"])[::-1],
        synapses["place"],
        trained,
        target[trained],
    )


def lay_out_cells(
    program: Program, slices: tuple[Slice, ...], scheme: str, timestep: float
) -> tuple[NDArray[Any], Floats, Integers, Integers, bool]:
    """Return numbers, time constants and refractory periods of all layers, their starts, uniformity."""
    numbers = {population.name: p for p, population in enumerate(program.populations)}
    layers = [item for item in slices if item.role == "layer"]
    read = {
        name: constants(program, numbers[name], scheme, timestep)
        for name in dict.fromkeys(item.population for item in layers)
    }
    cell = np.zeros(len(slices), dtype=np.int64)
    cell[[item.index for item in layers]] = begins([item.size for item in layers])
    columns = [read[item.population][:, item.start : item.stop] for item in layers]
    every = np.concatenate([np.empty((13, 0)), *columns], axis=1)
    uniform = all(bool(np.all(rows[10:12] == rows[10:12, :1])) for rows in read.values())
    return every[:10].astype(np.float32), every[10:12].copy(), every[12].astype(np.int64), cell, uniform


def constants(program: Program, p: int, scheme: str, timestep: float) -> Floats:
    """Return the constants of a population: those of ``Board.numbers``, ``taus`` and ``hold``, row by row."""
    cells = read_cells(program, Stage((p,), False))
    tau_s: Floats = cells.tau_s[:, :1]
    tick = measure_tick(scheme, timestep, cells.tau_m, tau_s, np.float32)
    return np.stack(
        [
            cells.gap,
            cells.reset,
            cells.start,
            cells.current[:, 0],
            FLOOR * (cells.gap - cells.reset),
            tick.leak,
            tick.rise[0],
            tick.fade[0],
            tick.pull[0],
            tau_s[:, 0],
            cells.tau_m,
            tau_s[:, 0],
            np.round(cells.tau_ref / timestep),
        ]
    )
