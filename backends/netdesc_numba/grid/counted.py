"""Programs and traces with every time counted in ticks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.recording import record_states
from netdesc.dynamics.tick import OFF_GRID, split_times
from netdesc.events import Events, Floats
from netdesc.observation import Sampling
from netdesc.program import PopulationSlice, Program
from netdesc.steps import count_period, count_steps, nearest_steps
from netdesc.trace import Cotangent, Read, Recording, Trace
from netdesc.units import DIMENSIONS
from netdesc_numba.grid.wiring import Grid, shortest_delay

IN_MS = ("tau_m", "tau_s", "tau_ref")

K = TypeVar("K")
Timed = TypeVar("Timed", Read, Recording)


@dataclass(frozen=True, slots=True)
class Counted:
    """A program with every time counted in ticks, and the way of a run there and back.

    Parameters
    ----------
    origin : Program
        In ms.
    grid : Grid
    program : Program
        In ticks.
    """

    origin: Program
    grid: Grid
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "program", count_ticks(self.origin, self.grid))

    def spikes(self, spikes: Mapping[K, Events]) -> dict[K, Events]:
        """Return spikes with their times in ticks, in the resolution of packets."""
        result = {}
        for key, events in spikes.items():
            ticks, fractions = split_times(events.times, self.grid.timestep)
            result[key] = Events(ticks + fractions, events.sources, events.offsets)
        return result

    def trace(self, trace: Trace) -> Trace:
        """Return a trace with its times in ticks, by the keys of the program in ticks."""

        def count(times: Floats) -> Floats:
            return times / self.grid.timestep

        readings = {new: trace.readings[old] for old, new in self.keys() if old in trace.readings}
        return replace(
            trace,
            spikes=self.spikes(trace.spikes),
            readings=convert(readings, count),
            recordings=convert(trace.recordings, count),
        )

    def cotangent(self, cotangent: Cotangent) -> Cotangent:
        """Return a cotangent with its times in ticks, by the keys of the program in ticks."""
        keys, timestep = dict(self.keys()), self.grid.timestep
        return Cotangent(
            {name: np.asarray(values) * timestep for name, values in cotangent.spikes.items()},
            {keys[key]: values for key, values in cotangent.readings.items() if key in keys},
            cotangent.recordings,
            # lam_v is per time, and so is what lowers it
            {name: np.asarray(values) * timestep for name, values in cotangent.counts.items()},
        )

    def sample(
        self, spikes: Mapping[int, Events], batch: int, sampling: tuple[Sampling, ...] | None = None
    ) -> dict[str, Recording]:
        """Sample states in ticks, in closed form from spikes in ms, as the program or ``sampling`` orders."""
        stepped = self.grid.scheme != OFF_GRID
        found = self.spikes(spikes)
        return record_states(Layout(self.program), found, batch, sampling=sampling, stepped=stepped)

    def recordings(self, found: Mapping[str, Recording]) -> dict[str, Recording]:
        """Return recordings in ticks with their times in ms."""
        return convert(found, self.in_ms)

    def readings(self, found: Mapping[str, Read]) -> dict[str, Read]:
        """Return readings in ticks with their times in ms, by the keys of the program in ms."""
        return convert({old: found[new] for old, new in self.keys()}, self.in_ms)

    def in_ms(self, times: Floats) -> Floats:
        """Return times in ticks in ms."""
        return times * self.grid.timestep

    def keys(self) -> Iterator[tuple[str, str]]:
        """Yield the keys of the readings in ms, and in ticks."""
        for old, new in zip(self.origin.readings, self.program.readings, strict=True):
            yield old.key, new.key


def convert(found: Mapping[str, Timed], change: Callable[[Floats], Floats]) -> dict[str, Timed]:
    """Return readings or recordings with other times, where they have any."""
    return {
        key: item if item.times is None else replace(item, times=change(item.times))
        for key, item in found.items()
    }


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
