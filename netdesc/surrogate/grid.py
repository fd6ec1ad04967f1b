"""The grid of samples: what a run left on it, or why it cannot serve."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.program import PopulationSlice, Program
from netdesc.surrogate.kernels import close_steps
from netdesc.trace import Recording, Trace

TOLERANCE = 1e-6
"""Part of a step by which times may miss the grid, or a spike the edge of its bin, for want of digits."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Equidistant times.

    Parameters
    ----------
    origin, step : float
        In ms.
    steps : int
        Number of times: ``origin``, ``origin + step``, ...
    """

    origin: float
    step: float
    steps: int

    @property
    def times(self) -> Floats:
        """All times in ms, shape (steps,)."""
        return self.origin + self.step * np.arange(self.steps, dtype=np.float64)

    def bins(self, times: Floats) -> Integers:
        """Return in which step each time lies; step k lasts from time k up to time k + 1, without it."""
        return np.floor((times - self.origin) / self.step + TOLERANCE).astype(np.int64)

    def nearest(self, times: Floats) -> Integers:
        """Return the step that begins nearest to each time, at an end where none is near."""
        steps = np.rint((times - self.origin) / self.step).astype(np.int64)
        return np.clip(steps, 0, self.steps - 1)

    def fits(self, times: Floats) -> bool:
        """Return whether times are those of the grid."""
        return len(times) == self.steps and bool(
            np.all(np.abs(times - self.times) <= TOLERANCE * self.step * max(1, self.steps))
        )


def find_grid(program: Program, trace: Trace, step: float) -> Grid:
    """Return the grid on which a run was sampled.

    Parameters
    ----------
    program : Program
    trace : Trace
        With ``POPULATION.v`` of every neuron of each spiking population in its samples, all at the same
        times. Of read-outs samples may be there or not; where nothing spikes and nothing is sampled, the
        grid covers the duration.
    step : float
        In ms.

    Raises
    ------
    NumericsError
        With one diagnostic per population whose samples are missing, are not on the grid, or are not finite.
    """
    if not (np.isfinite(step) and step > 0.0):
        raise NumericsError(f"the step is {step} ms; it must be positive")
    sampled = [item for item in program.populations if f"{item.name}.v" in trace.recordings]
    if sampled:
        times = trace.recordings[f"{sampled[0].name}.v"].times
        grid = Grid(float(times[0]) if len(times) else 0.0, step, len(times))
    else:
        grid = Grid(0.0, step, int(np.floor(program.duration / step + TOLERANCE)) + 1)
    faults = [fault for item in program.populations for fault in find_faults(item, trace, grid)]
    if faults:
        raise NumericsError(faults)
    return grid


def find_faults(population: PopulationSlice, trace: Trace, grid: Grid) -> Iterator[Diagnostic]:
    """Yield what keeps the samples of a population from serving."""
    key = f"{population.name}.v"
    if key not in trace.recordings:
        if population.kind == "spiking":
            yield Diagnostic(
                f"{key} is not sampled; a surrogate gradient needs it of every neuron", population.path
            )
        return
    found = trace.recordings[key]
    if not grid.steps or not grid.fits(found.times):
        yield Diagnostic(
            f"{key} is not sampled every {grid.step:g} ms at the {grid.steps} times of the other populations",
            population.path,
        )
    elif population.kind == "spiking" and sorted(found.neurons.tolist()) != list(range(population.size)):
        yield Diagnostic(
            f"{key} is sampled of {len(found.neurons)} neurons; a surrogate gradient needs each "
            f"of the {population.size} once",
            population.path,
        )
    elif population.kind == "spiking" and not np.isfinite(found.values).all():
        yield Diagnostic(f"{key} holds a sample that is not finite", population.path)


def rows(samples: Recording, values: Floats) -> Floats:
    """Return values of samples of a whole population, (batch, n, steps), by step, then by neuron.

    The result has the shape (batch, steps, n), contiguous; it is a copy.
    """
    ordered: Floats = np.empty((values.shape[0], values.shape[2], values.shape[1]))
    ordered[:, :, samples.neurons] = values.transpose(0, 2, 1)
    return ordered


def find_open(events: Events, grid: Grid, hold: Floats, *, reset: bool) -> NDArray[np.uint8]:
    """Return in which steps a voltage follows from the one before.

    A spike sets the voltage to the reset, so that what was before it is forgotten; until the end of the
    refractory period it stays there.

    Parameters
    ----------
    events : Events
        Spikes of the population.
    grid : Grid
    hold : ndarray of float64, shape (n,)
        Refractory period in ms.
    reset : bool
        Whether a spike sets the voltage to a value; False where it subtracts, which forgets nothing.

    Returns
    -------
    ndarray of uint8, shape (batch, steps, n)
        1 where the voltage of the next step follows from that of this one, 0 where it is reset in between.
    """
    result = np.ones((events.batch, grid.steps, len(hold)), dtype=np.uint8)
    if reset:
        first = grid.bins(events.times)
        last = np.maximum(grid.bins(events.times + hold[events.sources]), first + 1)
        close_steps(events.samples(), events.sources, first, last, result)
    return result
