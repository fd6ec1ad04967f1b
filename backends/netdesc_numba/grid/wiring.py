"""Programs laid out for the kernels of the grid: every stage is one slice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.cells import read_membranes
from netdesc.block import Block, join_charges
from netdesc.dynamics.tick import SCHEMES, measure_tick, split_times
from netdesc.events import Events, Floats
from netdesc.program import Program, Stage
from netdesc.steps import whole_steps
from netdesc.ticks.records import Cells, Synapses
from netdesc_numba.grid.job import Job
from netdesc_numba.grid.synapses import Order, lay_out_synapses, short_delays
from netdesc_numba.options import Options


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid that a program is laid out for.

    Parameters
    ----------
    scheme : str
    timestep : float
        In ms.
    steps : int
        Ticks of a run.
    dtype : type
        Precision of the state.
    floor : float
        Smallest slope, relative to the distance from reset to threshold.
    transport : bool
        Whether every synapse has at least one tick of delay.
    """

    scheme: str
    timestep: float
    steps: int
    dtype: type[np.generic]
    floor: float
    transport: bool

    @classmethod
    def of(cls, program: Program, options: Options) -> Grid:
        """Return the grid of a program; options have a time step and a scheme."""
        step = float(options.timestep or 0.0)
        dtype = np.float32 if options.precision == "float32" else np.float64
        steps, floor = round(program.duration / step), options.denominator_floor
        return cls(options.scheme, step, steps, dtype, floor, options.transport)


@dataclass(frozen=True, slots=True)
class StageLayout:
    """A stage for the kernels.

    Parameters
    ----------
    stage : Stage
    places : mapping of int to int
        First neuron of each population of the stage, counted within it.
    blocks : tuple of int
        Indices of the projections into it.
    inputs : tuple of int
        Populations outside it that project into it.
    cells : Cells
    synapses : Synapses
    job : Job
    orders : tuple of ndarray of int32, shape (k,), or None
        For each block the number of its synapses as they are laid out, None where it is their own, and where
        it is not kept since nothing in the stage is trained.
    sizes : tuple of int
        Number of synapses of each block.
    trains_delays : bool
        Whether a gradient of delays is asked for.
    fans : tuple of (int, ndarray of float64, shape (n,))
        Delays in ticks, each with how many synapses of the stage leave every neuron of the program with it.
    """

    stage: Stage
    places: Mapping[int, int]
    blocks: tuple[int, ...]
    inputs: tuple[int, ...]
    cells: Cells
    synapses: Synapses
    job: Job
    orders: tuple[Order, ...]
    sizes: tuple[int, ...]
    trains_delays: bool
    fans: tuple[tuple[int, Floats], ...]

    @property
    def count(self) -> int:
        """Number of synapses."""
        return sum(self.sizes)


def shortest_delay(program: Program, block: Block, grid: Grid) -> int:
    """Return the shortest delay of a block in ticks: 1 with transport or on a cycle, 0 elsewhere."""
    cycles = [stage.populations for stage in program.stages if stage.recurrent]
    looped = any(block.pre in members and block.post in members for members in cycles)
    return 1 if grid.transport or looped else 0


def lay_out_stage(program: Program, stage: Stage, grid: Grid, values: Mapping[str, Floats]) -> StageLayout:
    """Lay out a stage.

    Parameters
    ----------
    program : Program
    stage : Stage
    grid : Grid
    values : mapping of str to ndarray
        Weights and delays by the keys of the blocks.
    """
    chosen = tuple(k for k, block in enumerate(program.blocks) if block.post in stage.populations)
    blocks = [program.blocks[k] for k in chosen]
    inputs = tuple(sorted({block.pre for block in blocks} - set(stage.populations)))
    ends = np.cumsum([program.populations[p].size for p in stage.populations])
    places = dict(zip(stage.populations, [0, *ends.tolist()], strict=False))
    ticks = (
        short_delays(
            np.asarray(values[block.delay_key]),
            grid.timestep,
            shortest_delay(program, block, grid),
            grid.steps + 1,
        )
        for block in blocks
    )
    starts = [(program.populations[block.pre].start, places[block.post]) for block in blocks]
    synapses, orders = lay_out_synapses(blocks, starts, ticks, program.size, values, grid.dtype)
    cells, start = lay_out_cells(program, stage, grid)
    members = [program.populations[p] for p in stage.populations]
    job = Job(
        start,
        np.concatenate([np.arange(p.start, p.stop) for p in members]),
        SCHEMES.index(grid.scheme),
        grid.steps,
        grid.timestep,
        any(block.pre in stage.populations for block in blocks),
        grid.transport,
    )
    trains_delays = any(block.train_delay for block in blocks)
    sizes = tuple(block.size for block in blocks)
    fans = tuple(count_fans(synapses, program.size))
    return StageLayout(
        stage, places, chosen, inputs, cells, synapses, job, orders, sizes, trains_delays, fans
    )


def count_fans(synapses: Synapses, size: int) -> Iterator[tuple[int, Floats]]:
    """Yield the delays of a stage, each with how many synapses leave every neuron of the program with it."""
    segments, delays = synapses.segments, synapses.delays
    source = np.repeat(np.arange(size), np.diff(synapses.first))
    place = source + size * (len(delays) - 1 - np.searchsorted(delays[::-1], segments["delay"]))
    counts = np.asarray(np.bincount(place, segments["size"], size * len(delays)), dtype=np.float64)
    yield from zip(delays.tolist(), counts.reshape(-1, size), strict=True)


def reweight(layout: StageLayout, program: Program, grid: Grid, values: Mapping[str, Floats]) -> StageLayout:
    """Return a layout with other weights, the delays as they were."""
    synapses, blocks = layout.synapses, [program.blocks[k] for k in layout.blocks]
    ordered = zip(blocks, layout.orders, strict=True)
    if any(order is None and len(values[block.delay_key]) > 1 for block, order in ordered):
        return lay_out_stage(program, layout.stage, grid, values)
    weight = join_charges(blocks, values, synapses.weight.dtype.type, layout.orders)
    return replace(layout, synapses=synapses._replace(weight=weight))


def lay_out_cells(program: Program, stage: Stage, grid: Grid) -> tuple[Cells, NDArray[Any]]:
    """Lay out the cells of a stage with what a tick does to them, and their state at the start."""
    cells = read_membranes(program, stage)
    members = [program.populations[p] for p in stage.populations]
    receptors = max((len(item.receptors) for item in members), default=1)
    hold = whole_steps(cells.tau_ref, grid.timestep, grid.steps + 1)
    tau_s = cells.tau_s[:, :receptors]
    tick = measure_tick(grid.scheme, grid.timestep, cells.tau_m, tau_s, grid.dtype)
    subtract = np.concatenate([np.full(p.size, int(p.subtractive_reset)) for p in members])

    uniform = bool(np.all(cells.tau_m == cells.tau_m[0]) and np.all(cells.tau_s == cells.tau_s[0]))

    def rounded(values: Floats) -> NDArray[Any]:
        return np.ascontiguousarray(values, dtype=grid.dtype)

    laid_out = Cells(
        rounded(cells.gap),
        rounded(cells.reset),
        rounded(grid.floor * (cells.gap - cells.reset)),
        *tick,
        rounded(tau_s.T),
        hold,
        subtract if subtract.any() else np.empty(0, dtype=np.int64),
        np.ascontiguousarray(cells.tau_m),
        np.ascontiguousarray(tau_s.T),
        uniform,
        uniform and bool(np.all(cells.gap == cells.gap[0])),
        bool(hold.any()),
    )
    return laid_out, rounded(np.concatenate((cells.start[None], cells.current.T[:receptors])))


def count_arrivals(
    layouts: list[StageLayout],
    program: Program,
    spikes: Mapping[int, Events],
    timestep: float,
    steps: int,
) -> dict[str, int]:
    """Count deliveries, and those that lie after the end of a run: together, spikes times their synapses.

    Parameters
    ----------
    layouts : list of StageLayout
    program : Program
    spikes : mapping of int to Events
        By population index.
    timestep : float
        In ms.
    steps : int
        Ticks of a run.
    """
    arrivals = in_flight = 0
    for layout in layouts:
        for p in {program.blocks[k].pre for k in layout.blocks}:
            ticks, _ = split_times(spikes[p].times, timestep)
            sources = spikes[p].sources + program.populations[p].start
            left = steps - ticks
            for delay, fan in layout.fans:
                reached, late = fan[sources], left <= delay
                missed = int(reached[late].sum()) if late.any() else 0
                in_flight += missed
                arrivals += int(reached.sum()) - missed
    return {"arrivals": arrivals, "in_flight": in_flight}
