"""The spikes of a stage: how many a sample may have before a run ends with an error, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.errors import NumericsError
from netdesc.events import Events, Floats
from netdesc.program import Program, Stage

PER_TIME_CONSTANT = 100.0
"""Spikes of a neuron within its shortest time constant that no sensible network exceeds on average."""

FEWEST = 100_000
"""Spikes of a sample that are always allowed."""


def most_spikes(program: Program, given: int | None) -> tuple[int, ...]:
    """Return the largest number of spikes that each stage may have in a sample.

    Parameters
    ----------
    program : Program
    given : int or None
        The option ``max_spikes``; None for its default.
    """
    return tuple(_most(program, stage) if given is None else given for stage in program.stages)


def _most(program: Program, stage: Stage) -> int:
    allowed = 0.0
    for item in (program.populations[p] for p in stage.populations):
        span = slice(item.start, item.stop)
        columns = np.column_stack([program.parameters["tau_m"][span], program.parameters["tau_s"][span]])
        # 1 ms where a cell has equations of its own
        shortest = np.fmin.reduce(columns, axis=1)
        shortest = np.where(np.isnan(shortest), 1.0, shortest)
        allowed += float(np.sum(PER_TIME_CONSTANT * program.duration / shortest))
    return int(min(max(FEWEST, allowed), 2.0**62))


def overflow(program: Program, stage: Stage, sample: int, what: str) -> NumericsError:
    """Return the error of a stage that does not stop spiking; ``what`` it has too many of."""
    names = [program.populations[p].name for p in stage.populations]
    message = (
        f"sample {sample} has {what} in {', '.join(names)}; lower the weights, add a refractory period, "
        "or raise backends.numba.max_spikes"
    )
    return NumericsError(message, f"populations.{names[0]}")


def share_spikes(
    program: Program, places: Mapping[int, int], events: Events, columns: Mapping[str, Floats],
    spikes: dict[int, Events], residuals: dict[str, Mapping[str, Floats]],
) -> None:  # fmt: skip
    """Hand the spikes of a stage to its populations.

    Parameters
    ----------
    program : Program
    places : mapping of int to int
        First neuron of each population, counted within the stage.
    events : Events
        Neurons counted within the stage.
    columns : mapping of str to ndarray of float64, shape (spikes,)
        What is kept of each, by name.
    spikes, residuals
        Results: the spikes by population index, and what is kept of them by name.
    """
    for p, place in places.items():
        population = program.populations[p]
        if len(places) == 1:
            spikes[p], residuals[population.name] = events, columns
            return
        end = place + population.size
        keep = (events.sources >= place) & (events.sources < end)
        spikes[p] = events.select(place, end)
        residuals[population.name] = {name: values[keep] for name, values in columns.items()}
