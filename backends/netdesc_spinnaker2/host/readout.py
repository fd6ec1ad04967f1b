"""What the host reads from the board: spikes and states."""

from __future__ import annotations

import math

import numpy as np

from netdesc.dynamics.tick import PUBLISHED
from netdesc.events import Events, Floats
from netdesc.program import Program
from netdesc.trace import Recording
from netdesc_spinnaker2.board.assembly import Emulation
from netdesc_spinnaker2.board.loading import Out

SPIKES = ("sample", "slice", "tick", "neuron", "fraction", "current", "release", "slope")
"""What is read of every spike; fields of ``Out``."""

SLOPE = "slope"
"""Residual of a spike that the scheme ``published`` divides by."""


def collect(
    parts: list[tuple[Out, int]], emulation: Emulation, program: Program, batch: int
) -> dict[str, tuple[Events, dict[str, Floats]]]:
    """Return the spikes that were read out, and their residuals, by population.

    Parameters
    ----------
    parts : list of (Out, int)
        What was read from each part of the board, and how many spikes that is.
    emulation : Emulation
    program : Program
    batch : int

    Returns
    -------
    dict of str to (Events, dict of str to ndarray)
        Residuals are the currents at each spike and at its release and, in the scheme ``published``, slopes.
    """
    slices = emulation.plan.slices
    sample, where, tick, neuron, fraction, current, release, slope = (
        np.concatenate([getattr(out, name)[:used] for out, used in parts]) for name in SPIKES
    )
    numbers = {population.name: p for p, population in enumerate(program.populations)}
    owner = np.array([numbers[item.population] for item in slices])[where]
    neuron = neuron + np.array([item.start for item in slices], dtype=np.int64)[where]
    time = (tick + fraction.astype(np.float64)) * emulation.options.step
    order = np.lexsort((neuron, time, sample, owner))
    bounds = np.searchsorted(owner[order], np.arange(len(program.populations) + 1))
    residuals = {"current": current, "release_current": release}
    if emulation.options.scheme == PUBLISHED:
        residuals[SLOPE] = slope
    result = {}
    for p, population in enumerate(program.populations):
        if population.kind != "spiking":
            continue
        chosen = order[bounds[p] : bounds[p + 1]]
        offsets = np.concatenate(([0], np.cumsum(np.bincount(sample[chosen], minlength=batch))))
        result[population.name] = (
            Events(time[chosen], neuron[chosen], offsets),
            {name: values[chosen].astype(np.float64) for name, values in residuals.items()},
        )
    return result


def make_out(emulation: Emulation, program: Program, batch: int, room: int) -> Out:
    """Return room for what the host reads from a run."""
    count, step = len(emulation.plan.slices), emulation.options.step
    every, begin = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    neurons, times = 0, 1
    for name in dict.fromkeys(item.population for item in program.sampling):
        ticks = finest_period(program, name, step)
        for item in emulation.plan.slices:
            if item.role == "layer" and item.population == name:
                every[item.index], begin[item.index] = ticks, neurons + item.start
        neurons += program.population(name).size
        times = max(times, emulation.rules.steps // ticks + 1)
    states = np.zeros((batch if neurons else 0, neurons, times, 2), dtype=np.float32)
    sample, where, tick, neuron = np.empty((4, room), np.int64)
    fraction, current, release, slope = np.empty((4, room), np.float32)
    return Out(
        np.zeros(1, np.int64),
        sample,
        where,
        tick,
        neuron,
        fraction,
        current,
        release,
        slope,
        every,
        begin,
        states,
    )


def extend(out: Out, room: int) -> Out:
    """Return the same with that much more room for spikes, and at least twice as much."""
    more = max(room, len(out.tick))
    longer = {
        name: np.concatenate((values, np.empty(more, values.dtype)))
        for name, values in out._asdict().items()
        if name in SPIKES
    }
    return out._replace(**longer)


def finest_period(program: Program, name: str, step: float) -> int:
    """Return the ticks between samples that serve all recordings of a population."""
    return math.gcd(*(period_of(item.every, step) for item in program.sampling if item.population == name))


def period_of(every: float, step: float) -> int:
    """Return an interval in whole ticks, at least one."""
    return max(1, round(every / step))


def read_samples(out: Out, emulation: Emulation, program: Program) -> dict[str, Recording]:
    """Return what was sampled, by ``population.variable``.

    Returns
    -------
    dict of str to Recording
        Voltages and currents at the end of ticks.
    """
    result, step = {}, emulation.options.step
    first = {
        item.population: int(out.begin[item.index])
        for item in emulation.plan.slices
        if item.role == "layer" and item.copy == 0 and item.start == 0
    }
    for item in program.sampling:
        population = program.population(item.population)
        finest = finest_period(program, item.population, step)
        stride = period_of(item.every, step) // finest
        columns = np.arange(0, emulation.rules.steps // finest + 1, stride)
        rows = first[item.population] + item.neurons
        rest = program.parameters["rest"][population.start + item.neurons]
        values = out.states[:, rows][:, :, columns, 0 if item.variable == "v" else 1].astype(np.float64)
        if item.variable == "v":
            values = values + rest[None, :, None]
        result[f"{item.population}.{item.variable}"] = Recording(
            np.asarray(columns * finest * step, dtype=np.float64), item.neurons, values
        )
    return result
