"""Constants and synapses of a program, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netdesc.adjoint.cells import read_membranes
from netdesc.dynamics.tick import measure_tick
from netdesc.events import Floats, Integers
from netdesc.program import Program, Stage
from netdesc.steps import whole_steps
from netdesc.ticks.segments import lags_of
from netdesc_spinnaker2.board.synapses import Part, divide, empty_part, gather, lay_out_slice
from netdesc_spinnaker2.mapping.plan import Slice

FLOOR = 1e-6
"""Smallest slope that an adjoint divides by, relative to the distance from reset to threshold."""


@dataclass(frozen=True, slots=True)
class Template:
    """What all copies of the network have in common.

    Parameters
    ----------
    shared : dict of str to ndarray
        What a board takes as it is, by its names in ``memory.Board``.
    columns : dict of str to ndarray of int64, shape (slices of a copy,)
        What a slice takes as it is, by its names in ``memory.SLICE``.
    weights, gradients : ndarray of int64, shape (slices of a copy,)
        How many there are.
    weight_order, gradient_order : ndarray of int64
        Number of the synapse that each weight and each gradient belongs to, slice after slice, when those of
        the blocks follow each other.
    gradient_weight, gradient_target : ndarray of int64
        Weight and target, counted within the slice, of each gradient.
    uniform, holding : bool
        See ``memory.Rules``.
    """

    shared: dict[str, NDArray[Any]]
    columns: dict[str, Integers]
    weights: Integers
    gradients: Integers
    weight_order: Integers
    gradient_order: Integers
    gradient_weight: Integers
    gradient_target: Integers
    uniform: bool
    holding: bool


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
    target = begins([len(part.target) for part in parts])[:-1]
    segments = np.concatenate([part.segments for part in parts])
    segments["target_start"] += np.repeat(target, [len(part.segments) for part in parts])
    orders = [part.order for part in parts]
    distinct = np.array([len(part.distinct) for part in parts], dtype=np.int64)
    first = begins(stack(parts, "rows"))
    return Template(
        {
            "numbers": numbers,
            "taus": taus,
            "hold": hold,
            "first": first,
            "lags": lags_of(first, segments["delay"]),
            "segments": segments,
            **{name: stack(parts, name) for name in ("fan", "target", "distinct")},
        },
        {
            "cell": cell,
            "row": begins([len(part.rows) for part in parts])[:-1],
            "distinct": begins(distinct)[:-1],
            "delays": distinct,
            "depth": slots(slices, parts),
        },
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
    """Return the slots of the ring buffer of every slice, for the longest delay into its population."""
    longest: dict[str, int] = {}
    for item, part in zip(slices, parts, strict=True):
        longest[item.population] = max(longest.get(item.population, 1), int(part.distinct.max(initial=1)))
    return np.array([longest[item.population] + 1 for item in slices], dtype=np.int64)


def begins(sizes: ArrayLike) -> Integers:
    """Return where each of a row of stretches begins, and where the last ends."""
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)


def stack(parts: list[Part], name: str) -> Integers:
    """Concatenate one column of all parts."""
    return np.concatenate([getattr(part, name) for part in parts]).astype(np.int64)


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
    cell[[item.index for item in layers]] = begins([item.size for item in layers])[:-1]
    columns = [read[item.population][:, item.start : item.stop] for item in layers]
    every = np.concatenate([np.empty((13, 0)), *columns], axis=1)
    uniform = all(bool(np.all(rows[10:12] == rows[10:12, :1])) for rows in read.values())
    return every[:10].astype(np.float32), every[10:12].copy(), every[12].astype(np.int64), cell, uniform


def constants(program: Program, p: int, scheme: str, timestep: float) -> Floats:
    """Return the constants of a population: those of ``Board.numbers``, ``taus`` and ``hold``, row by row."""
    cells = read_membranes(program, Stage((p,), False))
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
            tick.gain[0],
            tick.fade[0],
            tick.adjoint_gain[0],
            tau_s[:, 0],
            cells.tau_m,
            tau_s[:, 0],
            whole_steps(cells.tau_ref, timestep, round(program.duration / timestep) + 1),
        ]
    )
