"""Programs laid out for the kernel that runs on a time grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.program import Block, Program, Reading
from netdesc.steps import count_period, count_steps, nearest_steps
from netdesc.trace import Cotangent, Read, Recording, Trace, require_finite
from netdesc_numba.event.machine import EventMachine, Found, spread_rows
from netdesc_numba.grid.direct import run_grid
from netdesc_numba.options import Options

IN_MS = ("tau_m", "tau_s", "tau_ref")


def count_in_steps(program: Program, timestep: float) -> Program:
    """Return the program with every time counted in steps, delays and refractory periods rounded.

    Whole numbers are exact, so that what coincides on the grid coincides in the arithmetic.
    """
    parameters = {
        key: count_steps(values, timestep) if key in IN_MS else values
        for key, values in program.parameters.items()
    }
    parameters["tau_ref"] = np.round(parameters["tau_ref"])
    blocks = tuple(
        replace(block, delays=round_delays(block.delays, timestep, shortest_delay(program, block)))
        for block in program.blocks
    )
    sampling = tuple(replace(item, every=count_period(item.every, timestep)) for item in program.sampling)
    readings = tuple(replace(item, tau=count_period(item.tau, timestep)) for item in program.readings)
    return replace(
        program,
        duration=float(round(program.duration / timestep)),
        parameters=parameters,
        blocks=blocks,
        sampling=sampling,
        readings=readings,
    )


def shortest_delay(program: Program, block: Block) -> float:
    """Return the shortest delay that a block can have, in steps: 1 on a cycle, 0 elsewhere."""
    cycles = [stage.populations for stage in program.stages if stage.recurrent]
    return 1.0 if any(block.pre in members and block.post in members for members in cycles) else 0.0


def round_delays(delays: Floats, timestep: float, lowest: float) -> Floats:
    """Return delays in whole steps.

    Parameters
    ----------
    delays : ndarray of float64
        In ms.
    timestep : float
        In ms.
    lowest : float
        In steps.

    Returns
    -------
    ndarray of float64
        What was negative or no number stays so, to be refused; a delay beyond ``LATEST`` steps, and so
        beyond any run, becomes that many.
    """
    steps = nearest_steps(np.asarray(delays), timestep)
    return np.where(np.asarray(delays) < 0.0, -1.0, np.where(steps < lowest, lowest, steps))


def pair_readings(program: Program, counted: Program) -> Iterator[tuple[Reading, Reading]]:
    """Yield the readings of two programs that differ in the unit of time."""
    yield from zip(program.readings, counted.readings, strict=True)


def rescale_readings(
    given: Program, wanted: Program, readings: Mapping[str, Read], to: Callable[[Floats], Floats]
) -> dict[str, Read]:
    """Return readings with the keys of another program, and their times in its unit.

    Parameters
    ----------
    given, wanted : Program
        Whose keys the readings have, and are to have.
    readings : mapping of str to Read
    to : callable
        From times in the one unit to times in the other.

    Returns
    -------
    dict of str to Read
        Of the readings that there are.
    """
    result = {}
    for old, new in pair_readings(given, wanted):
        if old.key in readings:
            read = readings[old.key]
            result[new.key] = replace(read, times=None if read.times is None else to(read.times))
    return result


class GridMachine:
    """A program on a time grid, scheme ``exact_exponential``.

    Input spikes move to the nearest step; spikes are on steps. The adjoint is that of continuous time
    for these spikes, with the rounded delays and the currents at the steps.

    Parameters
    ----------
    program : Program
    options : Options
    timestep : float
        In ms.
    """

    def __init__(self, program: Program, options: Options, timestep: float) -> None:
        self.program = program
        self.timestep = timestep
        self.inner = StepMachine(count_in_steps(program, timestep), options)
        self.lowest = {block.delay_key: shortest_delay(program, block) for block in program.blocks}

    def write(self, parameters: Mapping[str, Floats]) -> None:
        """Set weights and delays; see ``netdesc.backend.Machine``.

        Delays are rounded to steps, those on a cycle to at least one.
        """
        self.inner.write(
            {
                key: round_delays(values, self.timestep, self.lowest[key]) if key in self.lowest else values
                for key, values in parameters.items()
            }
        )

    def forward(self, stimulus: Events, *, seed: int) -> Trace:
        """Run the network; see ``netdesc.backend.Machine``. Nothing here is random."""
        steps = nearest_steps(stimulus.times, self.timestep)
        # rounding must not hide that a time lies before 0
        steps = np.where(stimulus.times < 0.0, -1.0, steps)
        trace = self.inner.forward(stimulus.move(steps), seed=seed)
        moved = int(np.sum(np.abs(steps * self.timestep - stimulus.times) > 1e-9 * self.timestep))
        spikes = {name: self.scale(events, self.timestep) for name, events in trace.spikes.items()}
        as_run = {
            key: values * self.timestep if key.endswith(".delay") else values
            for key, values in trace.effective_parameters.items()
        }
        return require_finite(
            replace(
                trace,
                spikes=spikes,
                effective_parameters=as_run,
                recordings=self.in_ms(trace.recordings),
                readings=rescale_readings(self.inner.program, self.program, trace.readings, self.to_ms),
                health={**trace.health, "inputs_moved": moved},
                provenance={
                    **trace.provenance,
                    "solver": f"grid {self.timestep:g} ms, exact_exponential",
                },
            )
        )

    def adjoint(self, trace: Trace, cotangent: Cotangent) -> Gradient:
        """Carry a cotangent back; see ``netdesc.backend.Machine``."""
        spikes = {name: self.scale(events, 1.0 / self.timestep) for name, events in trace.spikes.items()}
        spikes = {name: replace(events, times=np.round(events.times)) for name, events in spikes.items()}
        in_steps = replace(
            trace,
            spikes=spikes,
            recordings={
                key: replace(item, times=self.to_steps(item.times)) for key, item in trace.recordings.items()
            },
            readings=rescale_readings(self.program, self.inner.program, trace.readings, self.to_steps),
        )
        keys = {old.key: new.key for old, new in pair_readings(self.program, self.inner.program)}
        gradient = self.inner.adjoint(
            in_steps,
            Cotangent(
                {name: np.asarray(values) * self.timestep for name, values in cotangent.spikes.items()},
                {keys.get(key, key): values for key, values in cotangent.readings.items()},
                cotangent.recordings,
                # lam_v is per time, and so is what lowers it
                {name: np.asarray(values) * self.timestep for name, values in cotangent.counts.items()},
            ),
        )
        return Gradient(
            {
                key: values / self.timestep if key.endswith(".delay") else values
                for key, values in gradient.parameters.items()
            },
            {name: values / self.timestep for name, values in gradient.spike_times.items()},
            self.in_ms(gradient.recordings),
            gradient.health,
        )

    def to_ms(self, steps: Floats) -> Floats:
        """Return times in ms."""
        return steps * self.timestep

    def to_steps(self, times: Floats) -> Floats:
        """Return times in steps, those that are whole up to rounding errors as whole numbers."""
        steps = times / self.timestep
        whole = np.round(steps)
        return np.where(np.abs(steps - whole) < 1e-6, whole, steps)

    @staticmethod
    def scale(events: Events, factor: float) -> Events:
        """Return events with their times multiplied."""
        return replace(events, times=events.times * factor)

    def in_ms(self, samples: Mapping[str, Recording]) -> dict[str, Recording]:
        """Return samples with their times in ms."""
        return {key: replace(item, times=item.times * self.timestep) for key, item in samples.items()}


class StepMachine(EventMachine):
    """A program whose times are counted in steps."""

    solver = "grid"

    def run_stage(self, index: int, spikes: Mapping[int, Events], batch: int) -> Found:
        """Run a stage on all samples and return its spikes, neurons counted within it."""
        stream = self.layout.emissions(index, spikes, batch)
        cells = self.layout.cells[index]
        wiring, fan = self.layout.spread(index), self.layout.fanout(index)
        members = [self.program.populations[p] for p in wiring.stage.populations]
        # what comes after the end counts as one step later, so that no memory is held for it
        never = round(self.program.duration) + 1
        subtract = np.concatenate([np.full(p.size, int(p.subtractive_reset)) for p in members])
        times, neurons, kept, offsets = self.grow(
            index,
            batch,
            spread_rows(run_grid),
            (
                stream.times.astype(np.int64),
                stream.slots,
                stream.offsets,
                wiring.slots[wiring.stage.populations[0]],
                fan.start,
                fan.target,
                fan.receptor,
                fan.weight,
                np.minimum(fan.delay, never).astype(np.int64),
                cells.tau_m,
                cells.tau_s,
                np.minimum(cells.tau_ref, never).astype(np.int64),
                cells.gap,
                cells.reset,
                subtract,
                cells.start,
                cells.current,
                never - 1,
            ),
            rows=2,
            dtype=np.int64,
        )
        return times.astype(np.float64), neurons, kept, offsets
