"""Spiking stages on the grid, forward: kernels run over the batch, with room that grows as spikes need it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.budget import SpikeBudget, count_spikes
from netdesc.dynamics.tick import OFF_GRID, PUBLISHED
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program
from netdesc.threads import run, split
from netdesc.ticks.records import BURST, NO_WORKSPACE
from netdesc_numba.grid.forward import run_stage
from netdesc_numba.grid.job import make_slice, make_spikes, make_workspace
from netdesc_numba.grid.packets import Packets, store_of
from netdesc_numba.grid.wiring import Grid, StageLayout
from netdesc_numba.options import Options
from netdesc_numba.spikes import most_spikes, overflow

SLOPE = "slope"
"""Residual of a spike that the scheme ``published`` divides by."""


@dataclass(slots=True)
class StageRunner:
    """Runs spiking stages.

    Parameters
    ----------
    program : Program
    options : Options
    grid : Grid
    guesses : dict of int to float
        Spikes per sample that a stage is expected to have.
    limits : tuple of int
        Spikes that a stage may have.
    """

    program: Program
    options: Options
    grid: Grid
    guesses: dict[int, float] = field(default_factory=dict)
    limits: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.limits = most_spikes(self.program, self.options.max_spikes)

    def run(
        self, index: int, layout: StageLayout, packets: Packets, budget: SpikeBudget
    ) -> tuple[Events, dict[str, Floats]]:
        """Run a stage on all samples.

        Returns
        -------
        events : Events
            In ms, neurons counted within the stage.
        residuals : dict of str to ndarray of float64, shape (k,)
            What is kept of each, by name.

        Raises
        ------
        NumericsError
            If a sample has too many spikes, or they do not fit into memory.
        """
        batch = len(packets.offsets) - 1
        counts = np.zeros(batch, dtype=np.int64)

        def task(first: int, last: int) -> list[list[NDArray[Any]]]:
            return self.run_part(index, (first, last), layout, packets, counts, budget)

        pieces = [
            piece
            for part in run(task, split(batch, self.options.threads), self.options.threads)
            for piece in part
        ]
        # a batch without samples has no pieces
        nothing = [np.empty(0, np.int64), np.empty(0, np.int64), *np.empty((4, 0))]
        columns = [np.concatenate(column) for column in zip(nothing, *pieces, strict=True)]
        self.guesses[index] = max(self.guesses.get(index, 0.0), 1.25 * len(columns[0]) / max(batch, 1))
        fractions, current, release, slope = (column.astype(np.float64) for column in columns[2:])
        residuals = {"current": current, "release_current": release}
        if self.grid.scheme == PUBLISHED:
            residuals[SLOPE] = slope
        times, offsets = (
            (columns[0] + fractions) * self.grid.timestep,
            np.concatenate(([0], np.cumsum(counts))),
        )
        return Events(times, columns[1], offsets), residuals

    def run_part(
        self,
        index: int,
        span: tuple[int, int],
        layout: StageLayout,
        packets: Packets,
        counts: Integers,
        budget: SpikeBudget,
    ) -> list[list[NDArray[Any]]]:
        """Run a part of the batch; columns of spikes, piece by piece."""
        first, last = span
        size = len(layout.cells.gap)
        members = [self.program.populations[p] for p in layout.stage.populations]
        sizes = {item.name: item.size for item in members}
        limit = self.limits[index]
        too_many = f"more than {limit} spikes"
        room = int(self.guesses.get(index, 2.0 * size) * (last - first)) + 64
        arrivals, inside = 64, True if self.grid.scheme == OFF_GRID else None
        pieces: list[list[NDArray[Any]]] = []
        while first < last:
            spikes = make_spikes(room, layout.cells.gap.dtype)
            store = store_of(packets, (first, last), layout.job, room)
            item = make_slice(layout.job, layout.cells, layout.synapses, spikes, store)
            workspace = make_workspace(size, arrivals if inside else 1)
            done, used = run_stage((first, last), inside, layout.job, packets, item, workspace, counts)
            if used == NO_WORKSPACE:
                arrivals *= 2
                continue
            if used < 0 or (done == first and room >= limit):
                what = "a neuron with more than 1024 spikes in a tick" if used == BURST else too_many
                raise overflow(self.program, layout.stage, done, what)
            excess = np.flatnonzero(counts[first:done] > limit)
            if len(excess):
                raise overflow(self.program, layout.stage, first + int(excess[0]), too_many)
            budget.keep(last, count_spikes(spikes.neuron[:used], sizes))
            if done > first:
                tick, neuron, _, *rest = spikes[:-1]
                pieces.append([column[:used] for column in (tick, neuron, *rest)])
            else:
                left = budget.hold(last, count_spikes(spikes.neuron, sizes))
                room = min(2 * room, limit, room + max(left, 1))
            first = done
        return pieces
