"""What a run on a grid returns besides its spikes: samples of states, and counts of deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.recording import record_states
from netdesc.dynamics.tick import OFF_GRID, split_times
from netdesc.events import Events
from netdesc.program import Program
from netdesc.trace import Recording
from netdesc_numba.grid.counted import count_ticks, rescale_spikes
from netdesc_numba.grid.wiring import Grid, StageLayout


def record_ticks(
    program: Program,
    spikes: Mapping[int, Events],
    grid: Grid,
    *,
    batch: int,
) -> dict[str, Recording]:
    """Sample voltages and currents in closed form from the spikes of a run.

    Parameters
    ----------
    program : Program
        With the present weights and delays.
    spikes : mapping of int to Events
        By population index.
    grid : Grid
    batch : int
        Number of samples.

    Returns
    -------
    dict of str to Recording
        By ``population.variable``.
    """
    if not program.sampling:
        return {}
    in_ticks = rescale_spikes(spikes, grid.timestep)
    stepped = grid.scheme != OFF_GRID
    samples = record_states(Layout(count_ticks(program, grid)), in_ticks, batch, stepped=stepped)
    return {key: replace(item, times=item.times * grid.timestep) for key, item in samples.items()}


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
