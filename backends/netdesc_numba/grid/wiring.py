"""Programs laid out for the kernels of the schemes: synapses in segments, packets by tick.

Order of every sum of arrivals: tick of emission, then source (index in the program), then projection.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.cells import read_cells
from netdesc.adjoint.incoming import merge
from netdesc.dynamics.tick import RESOLUTION, Tick, measure_tick
from netdesc.events import Events, Floats, Integers
from netdesc.program import Block, Program, Stage
from netdesc.steps import LATEST, count_steps, whole_steps

Naturals = NDArray[np.uint64]


class Packets(NamedTuple):
    """Spikes that enter a stage, in order of time within a sample.

    Parameters
    ----------
    ticks, sources : ndarray of int64, shape (k,)
        Tick of emission, and index of the source in the program.
    fractions : ndarray of float64, shape (k,)
        Part of the tick that had passed.
    offsets : ndarray of int64, shape (batch + 1,)
    """

    ticks: Integers
    sources: Integers
    fractions: Floats
    offsets: Integers


class Synapses(NamedTuple):
    """Synapses of a stage in segments: those of one source, delay and projection, by ascending target.

    Parameters
    ----------
    first : ndarray of int64, shape (sources + 1,)
        Segments of each source, by index in the program.
    delay, run : ndarray of int64, shape (segments,)
        Delay in ticks; 1 where the targets follow each other.
    base, receptor : ndarray of uint64, shape (segments,)
        First target; synaptic current. Unsigned numbers as indices let loops be vectorized.
    start : ndarray of uint64, shape (segments + 1,)
        Synapses of each segment.
    target : ndarray of int64, shape (synapses,)
        Counted within the stage.
    weight : ndarray, shape (synapses,)
        In the voltage of the cell, in the precision of the state.
    delays : ndarray of int64
        The delays that occur, descending.
    """

    first: Integers
    delay: Integers
    base: Naturals
    receptor: Naturals
    run: Integers
    start: Naturals
    target: Integers
    weight: NDArray[Any]
    delays: Integers


class Neurons(NamedTuple):
    """Cells of a stage.

    Parameters
    ----------
    gap, reset, start, floor : ndarray, shape (n,)
        In the membrane's frame; smallest slope to divide by. In the precision of the state.
    current : ndarray, shape (receptors, n)
        Initial currents, in the precision of the state.
    hold, subtract, member : ndarray of int64, shape (n,)
        Refractory period in ticks; 1 for a subtractive reset; index in the program.
    tau_m : ndarray of float64, shape (n,)
    tau_s : ndarray of float64, shape (n, 2)
        In ms; the second column repeats the first where there is one current.
    recurrent, holding, uniform : bool
        Whether spikes return into the stage, some neuron is refractory, all have the same time constants.
    """

    gap: NDArray[Any]
    reset: NDArray[Any]
    start: NDArray[Any]
    floor: NDArray[Any]
    current: NDArray[Any]
    hold: Integers
    subtract: Integers
    member: Integers
    tau_m: Floats
    tau_s: Floats
    recurrent: bool
    holding: bool
    uniform: bool


@dataclass(frozen=True, slots=True)
class StageLayout:
    """A stage for the kernels.

    Parameters
    ----------
    stage : Stage
    blocks : tuple of int
        Indices of the projections into it.
    inputs : tuple of int
        Populations outside it that project into it.
    synapses : Synapses
    order : ndarray of int64, shape (synapses,)
        Number of each synapse when those of the blocks follow each other.
    scale : ndarray of float64, shape (synapses,)
        Voltage per unit of weight, with sign; in that numbering.
    neurons : Neurons
    tick : Tick
    """

    stage: Stage
    blocks: tuple[int, ...]
    inputs: tuple[int, ...]
    synapses: Synapses
    order: Integers
    scale: Floats
    neurons: Neurons
    tick: Tick


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid that a program is laid out for.

    Parameters
    ----------
    scheme : str
    timestep : float
        In ms.
    dtype : type
        Precision of the state.
    floor : float
        Smallest slope, relative to the distance from reset to threshold.
    """

    scheme: str
    timestep: float
    dtype: type[np.generic]
    floor: float


def delay_in_ticks(delays: Floats, timestep: float, latest: float = LATEST) -> Integers:
    """Return delays in whole ticks, at least one, the time that a packet takes, and at most ``latest``."""
    return np.maximum(whole_steps(delays, timestep, latest), 1)


def never(program: Program, timestep: float) -> int:
    """Return a number of ticks after which nothing happens in a run, whenever it starts."""
    return round(program.duration / timestep) + 1


def lay_out_stage(program: Program, stage: Stage, grid: Grid, values: Mapping[str, Floats]) -> StageLayout:
    """Lay out a stage.

    Parameters
    ----------
    program : Program
    stage : Stage
    grid : Grid
    values : mapping of str to ndarray
        Weights and delays by the keys of the blocks.

    Returns
    -------
    StageLayout
    """
    chosen = tuple(k for k, block in enumerate(program.blocks) if block.post in stage.populations)
    blocks = [program.blocks[k] for k in chosen]
    inputs = tuple(sorted({block.pre for block in blocks} - set(stage.populations)))
    receptors = max((len(program.populations[p].receptors) for p in stage.populations), default=1)
    neurons, tick = lay_out_neurons(program, stage, grid, receptors)
    resistance = program.parameters["resistance"]
    scale = np.concatenate(
        [
            np.empty(0),
            *(
                block.sign * resistance[program.populations[block.post].start + block.sparse()[1]]
                for block in blocks
            ),
        ]
    )
    weight = np.concatenate([np.empty(0), *(values[block.weight_key] for block in blocks)]) * scale
    synapses, order = lay_out_synapses(program, stage, grid, blocks, weight, values)
    return StageLayout(stage, chosen, inputs, synapses, order, scale, neurons, tick)


def reweight(layout: StageLayout, program: Program, values: Mapping[str, Floats]) -> StageLayout:
    """Return a layout with other weights, the delays as they were."""
    weight = np.concatenate([np.empty(0), *(values[program.blocks[k].weight_key] for k in layout.blocks)])
    weight = (weight * layout.scale)[layout.order].astype(layout.synapses.weight.dtype)
    return replace(layout, synapses=layout.synapses._replace(weight=weight))


def lay_out_neurons(program: Program, stage: Stage, grid: Grid, receptors: int) -> tuple[Neurons, Tick]:
    """Lay out the cells of a stage and what a tick does to them."""
    cells = read_cells(program, stage)
    members = [program.populations[p] for p in stage.populations]
    hold = whole_steps(cells.tau_ref, grid.timestep, never(program, grid.timestep))

    def rounded(values: Floats) -> NDArray[Any]:
        return np.ascontiguousarray(values, dtype=grid.dtype)

    neurons = Neurons(
        rounded(cells.gap),
        rounded(cells.reset),
        rounded(cells.start),
        rounded(grid.floor * (cells.gap - cells.reset)),
        rounded(cells.current.T[:receptors]),
        hold,
        np.concatenate([np.full(p.size, int(p.subtractive_reset)) for p in members]),
        np.concatenate([np.arange(p.start, p.stop) for p in members]),
        np.ascontiguousarray(cells.tau_m),
        np.ascontiguousarray(cells.tau_s),
        any(b.pre in stage.populations and b.post in stage.populations for b in program.blocks),
        bool(hold.any()),
        bool(np.all(cells.tau_m == cells.tau_m[0]) and np.all(cells.tau_s == cells.tau_s[0])),
    )
    return neurons, measure_tick(
        grid.scheme, grid.timestep, cells.tau_m, cells.tau_s[:, :receptors], grid.dtype
    )


def lay_out_synapses(
    program: Program,
    stage: Stage,
    grid: Grid,
    blocks: list[Block],
    weight: Floats,
    values: Mapping[str, Floats],
) -> tuple[Synapses, Integers]:
    """Sort the synapses of a stage into segments, and tell the number of each."""
    places = np.concatenate(([0], np.cumsum([program.populations[p].size for p in stage.populations])))
    place = {p: int(places[k]) for k, p in enumerate(stage.populations)}
    columns: list[list[Integers]] = [[np.empty(0, dtype=np.int64)] for _ in range(5)]
    for number, block in enumerate(blocks):
        indptr, indices = block.sparse()
        source = program.populations[block.pre].start + np.repeat(np.arange(block.n_pre), np.diff(indptr))
        delay = delay_in_ticks(
            np.asarray(values[block.delay_key]), grid.timestep, never(program, grid.timestep)
        )
        for column, part in zip(
            columns,
            (
                source,
                np.broadcast_to(delay, source.shape),
                np.full(source.shape, number),
                place[block.post] + indices,
                np.full(source.shape, block.receptor),
            ),
            strict=True,
        ):
            column.append(part)
    joined = [np.concatenate(column) for column in columns]
    order = np.lexsort((joined[3], joined[2], joined[1], joined[0])).astype(np.int64)
    source, ticks, group, target, receptor = (column[order] for column in joined)
    change = np.ones(len(order), dtype=bool)
    change[1:] = np.any([np.diff(c) != 0 for c in (source, ticks, group)], axis=0)
    head = np.flatnonzero(change)
    start = np.append(head, len(order)).astype(np.int64)
    run = target[start[1:] - 1] - target[head] == np.diff(start) - 1
    first = np.searchsorted(source[head], np.arange(program.size + 1)).astype(np.int64)
    return Synapses(
        first,
        ticks[head],
        target[head].astype(np.uint64),
        receptor[head].astype(np.uint64),
        run.astype(np.int64),
        start.astype(np.uint64),
        target,
        weight[order].astype(grid.dtype),
        np.unique(ticks)[::-1].copy(),
    ), order


def collect_packets(
    layout: StageLayout, program: Program, spikes: Mapping[int, Events], timestep: float, *, batch: int
) -> Packets:
    """Collect the spikes that enter a stage.

    Parameters
    ----------
    layout : StageLayout
    program : Program
    spikes : mapping of int to Events
        By population index, at the times that packets can tell.
    timestep : float
        In ms.
    batch : int
        Number of samples.

    Returns
    -------
    Packets
    """
    stream = merge(
        [
            (p, spikes[p].times, spikes[p].sources + program.populations[p].start, spikes[p].offsets)
            for p in layout.inputs
        ],
        batch,
    )
    ticks, fractions = split_times(stream.times, timestep)
    return Packets(ticks, np.ascontiguousarray(stream.slots), fractions, stream.offsets)


def split_times(times: Floats, timestep: float) -> tuple[Integers, Floats]:
    """Return tick and fraction of times in ms.

    Parameters
    ----------
    times : ndarray of float64
        In ms.
    timestep : float
        In ms.

    Returns
    -------
    ticks : ndarray of int64
    fractions : ndarray of float64
        Multiples of ``1 / RESOLUTION``.
    """
    parts = np.floor(np.minimum(count_steps(times, timestep), LATEST) * RESOLUTION + 0.5)
    ticks = np.floor(parts / RESOLUTION)
    return ticks.astype(np.int64), parts / RESOLUTION - ticks
