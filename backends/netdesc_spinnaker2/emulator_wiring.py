"""Constants and synapses of a program, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.eventprop.cells import read_cells
from netdesc.events import Floats, Integers
from netdesc.physics.tick import measure_tick
from netdesc.program import Block, Program, Stage
from netdesc_spinnaker2.emulator_memory import Cells, Wiring
from netdesc_spinnaker2.plan import Slice

FLOOR = 1e-6
"""Smallest slope that an adjoint divides by, relative to the distance from reset to threshold."""


@dataclass(frozen=True, slots=True)
class Template:
    """What all copies of the network have in common.

    Parameters
    ----------
    cells : Cells
    wiring : Wiring
    cell, row, distinct, delays, depth : ndarray of int64, shape (slices of a copy,)
        See ``emulator_memory.Sheet``.
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

    cells: Cells
    wiring: Wiring
    cell: Integers
    row: Integers
    distinct: Integers
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
    rows, fan, delay, run, base, start, size, gain, target_start, target, distinct
        As in ``emulator_memory.Wiring``; ``rows`` is the number of segments of each row.
    order, trained, trained_target
        As ``weight_order``, ``gradient_weight`` and ``gradient_target`` of ``Template``.
    """

    rows: Integers
    fan: Integers
    delay: Integers
    run: np.ndarray
    base: Integers
    start: Integers
    size: Integers
    gain: Integers
    target_start: Integers
    target: Integers
    distinct: Integers
    order: Integers
    trained: Integers
    trained_target: Integers


def lay_out_template(
    program: Program, slices: tuple[Slice, ...], senders: list[tuple[int, ...]], delays: Mapping[str, Integers],
    *, scheme: str, timestep: float, training: bool,
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
                parts[item.index] = lay_out_slice(program, slices, senders[item.index], item, chosen, training)
    cells, cell, uniform = lay_out_cells(program, slices, scheme, timestep)
    sizes = [len(part.order) for part in parts]
    trained = [len(part.trained) for part in parts]
    segments = [len(part.delay) for part in parts]
    row = np.cumsum([0, *(len(part.rows) for part in parts)])
    target = np.cumsum([0, *(len(part.target) for part in parts)])
    rows = np.concatenate([part.rows for part in parts])
    wiring = Wiring(
        np.concatenate(([0], np.cumsum(rows))).astype(np.int64), stack(parts, "fan"), stack(parts, "delay"),
        np.concatenate([part.run for part in parts]), stack(parts, "base"), stack(parts, "start"),
        stack(parts, "size"), stack(parts, "gain"),
        stack(parts, "target_start") + np.repeat(target[:-1], segments), stack(parts, "target"),
        stack(parts, "distinct"))
    orders = [part.order for part in parts]
    return Template(
        cells, wiring, cell, row[:-1].astype(np.int64),
        np.cumsum([0, *(len(part.distinct) for part in parts)])[:-1].astype(np.int64),
        np.array([len(part.distinct) for part in parts], dtype=np.int64),
        np.array([max(2, int(part.distinct.max(initial=1)) + 1) for part in parts], dtype=np.int64),
        np.array(sizes, dtype=np.int64), np.array(trained, dtype=np.int64), np.concatenate(orders),
        np.concatenate([order[part.trained] for order, part in zip(orders, parts, strict=True)]),
        stack(parts, "trained"), stack(parts, "trained_target"), uniform, bool(np.any(cells.hold > 0)))


def stack(parts: list[Part], name: str) -> Integers:
    """Concatenate one column of all parts."""
    return np.concatenate([getattr(part, name) for part in parts]).astype(np.int64)


def empty_part() -> Part:
    """Return the synapses of a slice that has none."""
    none = np.empty(0, dtype=np.int64)
    return Part(none, none, none, np.empty(0, dtype=np.bool_), *(none for _ in range(10)))


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
        for name in ("source", "target", "delay", "number", "place", "train")}
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
    return {"source": source, "target": indices, "delay": np.broadcast_to(delay, source.shape),
            "train": np.full(len(source), int(block.train_weight))}


def divide(
    synapses: dict[str, Integers], layers: list[Slice]
) -> list[tuple[Slice, dict[str, Integers]]]:
    """Give every slice of a population its synapses, by source, delay and projection, targets ascending."""
    starts = np.array([item.start for item in layers])
    owner = np.searchsorted(starts, synapses["target"], side="right") - 1
    spans = [int(values.max(initial=0)) + 1 for values in (synapses[k] for k in ("source", "delay", "number"))]
    key = ((owner * spans[0] + synapses["source"]) * spans[1] + synapses["delay"]) * spans[2]
    order = np.argsort(key + synapses["number"], kind="stable")
    bounds = np.concatenate(([0], np.cumsum(np.bincount(owner, minlength=len(layers)))))
    return [(item, {name: values[order[bounds[k]:bounds[k + 1]]] for name, values in synapses.items()})
            for k, item in enumerate(layers)]


def lay_out_slice(
    program: Program, slices: tuple[Slice, ...], senders: tuple[int, ...], item: Slice,
    synapses: dict[str, Integers], training: bool,
) -> Part:
    """Put the synapses of a slice, in order, into segments."""
    starts = {p.name: p.start for p in program.populations}
    rows_of = np.concatenate([np.empty(0, dtype=np.int64), *(
        starts[slices[k].population] + np.arange(slices[k].start, slices[k].stop) for k in senders)])
    source, target = synapses["source"], synapses["target"] - item.start
    count = len(source)
    change = np.ones(count, dtype=np.bool_)
    change[1:] = (np.diff(source) != 0) | (np.diff(synapses["delay"]) != 0) | (np.diff(synapses["number"]) != 0)
    head = np.flatnonzero(change)
    size = np.diff(np.append(head, count))
    run = target[head + size - 1] - target[head] == size - 1 if count else np.empty(0, dtype=np.bool_)
    row = np.searchsorted(rows_of, source[head])
    trained = np.flatnonzero(synapses["train"]) if training else np.empty(0, dtype=np.int64)
    gain = np.full(len(head), -1, dtype=np.int64)
    before = np.concatenate(([0], np.cumsum(synapses["train"])))
    if training:
        gain = np.where(synapses["train"][head] > 0, before[head], -1)
    loose = ~np.repeat(run, size)
    return Part(
        np.bincount(row, minlength=len(rows_of)).astype(np.int64),
        np.bincount(row, weights=size, minlength=len(rows_of)).astype(np.int64), synapses["delay"][head], run,
        target[head], head, size, gain,
        np.concatenate(([0], np.cumsum(np.where(run, 0, size))))[:-1].astype(np.int64), target[loose],
        np.unique(synapses["delay"])[::-1], synapses["place"], trained, target[trained])


def lay_out_cells(
    program: Program, slices: tuple[Slice, ...], scheme: str, timestep: float
) -> tuple[Cells, Integers, bool]:
    """Return the constants of all layers, where those of each slice begin, and whether they are uniform."""
    columns = list[list[np.ndarray]]()
    begin, cell, uniform = 0, np.zeros(len(slices), dtype=np.int64), True
    numbers = {population.name: p for p, population in enumerate(program.populations)}
    read = dict[str, list[np.ndarray]]()
    for item in slices:
        if item.role != "layer":
            continue
        if item.population not in read:
            read[item.population], same = constants(program, numbers[item.population], scheme, timestep)
            uniform &= same
        cell[item.index] = begin
        begin += item.size
        columns.append([values[item.start:item.stop] for values in read[item.population]])
    kinds = (*(np.float32,) * 10, np.float64, np.float64, np.int64)
    cells = Cells(*(np.concatenate([np.empty(0), *(column[k] for column in columns)]).astype(kind)
                    for k, kind in enumerate(kinds)))
    return cells, cell, uniform


def constants(program: Program, p: int, scheme: str, timestep: float) -> tuple[list[np.ndarray], bool]:
    """Return the constants of a population in the order of ``Cells``, and whether its time constants agree."""
    cells = read_cells(program, Stage((p,), False))
    tau_s: Floats = cells.tau_s[:, :1]
    tick = measure_tick(scheme, timestep, cells.tau_m, tau_s, np.float32)
    hold = np.round(cells.tau_ref / timestep)
    same = bool(np.all(cells.tau_m == cells.tau_m[0]) and np.all(tau_s == tau_s[0]))
    with np.errstate(invalid="ignore"):
        floor = FLOOR * (cells.gap - cells.reset)
    return [cells.gap, cells.reset, cells.start, cells.current[:, 0], floor, tick.leak, tick.rise[0], tick.fade[0],
            tick.pull[0], tau_s[:, 0], cells.tau_m, tau_s[:, 0], hold], same
