"""Programs and traces with every time counted in ticks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from netdesc.dynamics.tick import split_times
from netdesc.events import Events, Floats
from netdesc.observation import Reading
from netdesc.program import PopulationSlice, Program
from netdesc.steps import count_period, count_steps, nearest_steps
from netdesc.trace import Cotangent, Read, Recording, Trace
from netdesc.units import DIMENSIONS
from netdesc_numba.grid.wiring import Grid, shortest_delay

IN_MS = ("tau_m", "tau_s", "tau_ref")


def count_ticks(program: Program, grid: Grid) -> Program:
    """Return a program with every time counted in ticks, delays and refractory periods whole.

    Whole ticks are exact numbers, so that what coincides on the grid coincides in the arithmetic.
    """
    step = grid.timestep
    parameters = {
        key: count_steps(values, step) if key in IN_MS else values
        for key, values in program.parameters.items()
    }
    parameters["tau_ref"] = np.round(parameters["tau_ref"])
    blocks = tuple(
        replace(
            block,
            delays=np.maximum(
                nearest_steps(np.asarray(block.delays), step), shortest_delay(program, block, grid)
            ),
        )
        for block in program.blocks
    )
    sampling = tuple(replace(item, every=count_period(item.every, step)) for item in program.sampling)
    readings = tuple(replace(item, tau=count_period(item.tau, step)) for item in program.readings)
    populations = tuple(count_cell(item, step) for item in program.populations)
    return replace(
        program,
        duration=float(grid.steps),
        populations=populations,
        parameters=parameters,
        blocks=blocks,
        sampling=sampling,
        readings=readings,
    )


def count_cell(population: PopulationSlice, step: float) -> PopulationSlice:
    """Return a population whose cell is given by equations with its parameters counted in ticks."""
    cell = population.equations
    if cell is None:
        return population
    units = {name: item.unit for name, item in cell.parameters.items()}
    values = {
        name: item / step ** DIMENSIONS[units[name]].exponents[0] if name in units else item
        for name, item in population.values.items()
    }
    if cell.refractory:
        values[cell.refractory] = np.round(values[cell.refractory])
    return replace(population, values=values)


def pair_readings(program: Program, counted: Program) -> Iterator[tuple[Reading, Reading]]:
    """Yield the readings of a program, and those with their times counted in ticks."""
    yield from zip(program.readings, counted.readings, strict=True)


def rescale_spikes(spikes: Mapping[int, Events], timestep: float) -> dict[int, Events]:
    """Return spikes with their times in ticks, in the resolution of packets."""
    result = {}
    for p, events in spikes.items():
        ticks, fractions = split_times(events.times, timestep)
        result[p] = Events(ticks + fractions, events.sources, events.offsets)
    return result


def count_trace(program: Program, counted: Program, trace: Trace, grid: Grid) -> Trace:
    """Return a trace with its times in ticks, by the keys of the program that is counted in ticks."""
    indices = {k: trace.spikes[p.name] for k, p in enumerate(program.populations) if p.name in trace.spikes}
    spikes = {
        program.populations[k].name: events for k, events in rescale_spikes(indices, grid.timestep).items()
    }
    readings = {
        new.key: Read(
            trace.readings[old.key].values, count_times(trace.readings[old.key].times, grid.timestep)
        )
        for old, new in pair_readings(program, counted)
        if old.key in trace.readings
    }
    recordings = {
        key: Recording(item.times / grid.timestep, item.neurons, item.values)
        for key, item in trace.recordings.items()
    }
    return replace(trace, spikes=spikes, readings=readings, recordings=recordings)


def count_times(times: Floats | None, timestep: float) -> Floats | None:
    """Return times in ticks, None for None."""
    return None if times is None else times / timestep


def count_cotangent(program: Program, counted: Program, cotangent: Cotangent, timestep: float) -> Cotangent:
    """Return a cotangent with its times in ticks, by the keys of the program that is counted in ticks."""
    keys = {old.key: new.key for old, new in pair_readings(program, counted)}
    return Cotangent(
        {name: np.asarray(values) * timestep for name, values in cotangent.spikes.items()},
        {keys[key]: values for key, values in cotangent.readings.items() if key in keys},
        cotangent.recordings,
        # lam_v is per time, and so is what lowers it
        {name: np.asarray(values) * timestep for name, values in cotangent.counts.items()},
    )
