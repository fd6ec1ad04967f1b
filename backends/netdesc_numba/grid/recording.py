"""What a run on a grid with packets tells besides its spikes: samples of states, and counts of deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.recording import record_states
from netdesc.events import Events, Floats
from netdesc.program import Program
from netdesc.trace import Recording
from netdesc_numba.grid.direct_machine import count_in_steps
from netdesc_numba.grid.wiring import StageLayout, split_times


def record_ticks(
    program: Program,
    values: Mapping[str, Floats],
    spikes: Mapping[int, Events],
    timestep: float,
    *,
    batch: int,
) -> dict[str, Recording]:
    """Sample voltages and currents in closed form from the spikes of a run.

    Parameters
    ----------
    program : Program
    values : mapping of str to ndarray
        Weights and delays by the keys of the blocks.
    spikes : mapping of int to Events
        By population index.
    timestep : float
        In ms.
    batch : int
        Number of samples.

    Returns
    -------
    dict of str to Recording
        By ``population.variable``.
    """
    if not program.sampling:
        return {}
    counted = count_ticks(program.with_parameters(values), timestep)
    in_ticks = rescale_spikes(spikes, timestep)
    samples = record_states(Layout(counted), in_ticks, batch)
    return {key: replace(item, times=item.times * timestep) for key, item in samples.items()}


def count_ticks(program: Program, timestep: float) -> Program:
    """Return a program with every time counted in ticks, delays whole and at least one.

    Whole ticks are exact numbers, so that what coincides on the grid coincides in the arithmetic.

    Parameters
    ----------
    program : Program
    timestep : float
        In ms.

    Returns
    -------
    Program
    """
    counted = count_in_steps(program, timestep)
    blocks = tuple(replace(block, delays=np.maximum(block.delays, 1.0)) for block in counted.blocks)
    return replace(counted, blocks=blocks)


def rescale_spikes(spikes: Mapping[int, Events], timestep: float) -> dict[int, Events]:
    """Return spikes with their times in ticks, as packets tell them."""
    result = {}
    for p, events in spikes.items():
        ticks, fractions = split_times(events.times, timestep)
        result[p] = Events(ticks + fractions, events.sources, events.offsets)
    return result


def count_arrivals(
    layouts: list[StageLayout],
    program: Program,
    spikes: Mapping[int, Events],
    timestep: float,
    steps: int,
) -> dict[str, int]:
    """Count deliveries, and those due after the end of a run: together, spikes times their synapses.

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

    Returns
    -------
    dict of str to int
    """
    arrivals = in_flight = 0
    for layout in layouts:
        synapses = layout.synapses
        fan = np.diff(synapses.start)
        for p in {program.blocks[k].pre for k in layout.blocks}:
            ticks, _ = split_times(spikes[p].times, timestep)
            sources = spikes[p].sources + program.populations[p].start
            left = steps - ticks
            late = 0
            for delay in synapses.delays:
                per_source = np.bincount(
                    np.searchsorted(synapses.first, np.flatnonzero(synapses.delay == delay), side="right")
                    - 1,
                    weights=fan[synapses.delay == delay],
                    minlength=program.size,
                )
                reached = per_source[sources]
                late += int(reached[left <= delay].sum())
                arrivals += int(reached[left > delay].sum())
            in_flight += late
    return {"arrivals": arrivals, "in_flight": in_flight}
