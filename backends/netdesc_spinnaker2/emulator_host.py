"""What the host puts on the board and reads from it: stimuli, spikes, derivatives, counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.errors import NumericsError
from netdesc.events import Events, Floats, Integers
from netdesc.physics.tick import OFF_GRID, RESOLUTION
from netdesc.program import Program
from netdesc.trace import Samples
from netdesc_spinnaker2.emulator_board import Emulation
from netdesc_spinnaker2.emulator_run import Out, Stimulus
from netdesc_spinnaker2.learning import Told


def split_times(times: Floats, timestep: float) -> tuple[Integers, Floats]:
    """Return tick and fraction of times in ms, in the resolution of a payload."""
    parts = np.floor(times / timestep * RESOLUTION + 0.5)
    ticks = np.floor(parts / RESOLUTION)
    return ticks.astype(np.int64), parts / RESOLUTION - ticks


def round_stimulus(
    program: Program, stimulus: Events, scheme: str, timestep: float
) -> tuple[dict[str, Events], int]:
    """Move input spikes to times that packets can tell.

    Parameters
    ----------
    program : Program
    stimulus : Events
        By program-wide index.
    scheme : str
    timestep : float
        In ms.

    Returns
    -------
    spikes : dict of str to Events
        Of the sources, by population.
    moved : int
        How many moved by more than noise.

    Raises
    ------
    NumericsError
        If a spike is before 0, not finite, or not one of a source.
    """
    check_stimulus(program, stimulus)
    result, moved = {}, 0
    for population in program.populations:
        if population.kind != "source":
            continue
        events = stimulus.select(population.start, population.stop)
        ticks, fractions = split_times(events.times, timestep)
        exact = ticks + fractions if scheme == OFF_GRID else np.rint(events.times / timestep)
        moved += int(np.sum(np.abs(exact * timestep - events.times) > 1e-6 * timestep))
        result[population.name] = Events.from_arrays(
            exact * timestep, events.sources, events.samples(), events.batch
        )
    return result, moved


def check_stimulus(program: Program, stimulus: Events) -> None:
    """Raise NumericsError for a stimulus that cannot be loaded."""
    if len(stimulus) and not (np.isfinite(stimulus.times).all() and stimulus.times.min() >= 0.0):
        raise NumericsError("a spike of the stimulus is before 0 ms or not finite; shift it into the sample")
    source = np.zeros(program.size + 1, dtype=np.bool_)
    for population in program.populations:
        source[population.start : population.stop] = population.kind == "source"
    if not source[np.clip(stimulus.sources, -1, program.size)].all():
        raise NumericsError("the stimulus names a neuron that is not a source")


@dataclass(frozen=True, slots=True)
class Ledger:
    """Spikes of a trace, sorted by sample, then by what holds them, then by time.

    Parameters
    ----------
    order : ndarray of int64, shape (k,)
        Place of each in the spikes of all populations, one after the other.
    first : ndarray of int64, shape (batch * holders + 1,)
        First spike of each sample and holder.
    tick, neuron : ndarray of int64, shape (k,)
        Neuron within its population.
    fraction : ndarray of float32, shape (k,)
    """

    order: Integers
    first: Integers
    tick: Integers
    neuron: Integers
    fraction: NDArray[Any]


def enter(
    spikes: Mapping[str, Events],
    program: Program,
    holders: Mapping[str, tuple[Integers, Integers]],
    count: int,
    timestep: float,
) -> Ledger:
    """Sort the spikes of a trace by holder.

    Parameters
    ----------
    spikes : mapping of str to Events
    program : Program
    holders : mapping of str to (starts, numbers)
        First neuron of each holder of a population, ascending, and its number; spikes of other populations
        are left out.
    count : int
        Number of holders.
    timestep : float
        In ms.

    Returns
    -------
    Ledger
    """
    batch = next(iter(spikes.values())).batch
    places, keys, times, neurons = [], [], [], []
    at = 0
    for population in program.populations:
        if population.name not in spikes:
            continue
        events = spikes[population.name]
        if population.name in holders:
            starts, numbers = holders[population.name]
            holder = numbers[np.searchsorted(starts, events.sources, side="right") - 1]
            places.append(at + np.arange(len(events)))
            keys.append(events.samples() * count + holder)
            times.append(events.times)
            neurons.append(events.sources)
        at += len(events)
    key, place = np.concatenate(keys), np.concatenate(places)
    order = np.argsort(key, kind="stable")
    ticks, fractions = split_times(np.concatenate(times)[order], timestep)
    first = np.concatenate(([0], np.cumsum(np.bincount(key, minlength=batch * count)))).astype(np.int64)
    return Ledger(place[order], first, ticks, np.concatenate(neurons)[order], fractions.astype(np.float32))


def slice_holders(emulation: Emulation, roles: tuple[str, ...]) -> dict[str, tuple[Integers, Integers]]:
    """Return starts and numbers of the slices of the first copy with these roles, by population."""
    found: dict[str, list[tuple[int, int]]] = {}
    for item in emulation.plan.slices[: emulation.each]:
        if item.role in roles:
            found.setdefault(item.population, []).append((item.start, item.index))
    return {
        name: (np.array([start for start, _ in rows]), np.array([number for _, number in rows]))
        for name, rows in found.items()
    }


def lay_out_stimulus(
    emulation: Emulation, program: Program, sources: Mapping[str, Events], labels: Integers | None
) -> Stimulus:
    """Sort input spikes by sample and slice.

    Parameters
    ----------
    emulation : Emulation
    program : Program
    sources : mapping of str to Events
        From ``round_stimulus``.
    labels : ndarray of int64, shape (batch,), or None

    Returns
    -------
    Stimulus
    """
    each, batch = emulation.each, next(iter(sources.values())).batch
    ledger = enter(sources, program, slice_holders(emulation, ("input",)), each, emulation.options.step)
    start = np.array([item.start for item in emulation.plan.slices[:each]])
    holder = np.repeat(np.tile(np.arange(each), batch), np.diff(ledger.first))
    marks = (
        np.zeros(batch, dtype=np.int64) if labels is None else np.ascontiguousarray(labels, dtype=np.int64)
    )
    return Stimulus(
        ledger.first,
        ledger.tick,
        ledger.neuron - start[holder],
        ledger.fraction,
        np.ascontiguousarray(emulation.board.sheet["number"]),
        np.array([each]),
        marks,
    )


def collect(
    parts: list[tuple[Out, int]], emulation: Emulation, program: Program, batch: int
) -> dict[str, tuple[Events, Floats, Floats]]:
    """Return the spikes that were read out, by population, with currents at each and at its release.

    Parameters
    ----------
    parts : list of (Out, int)
        What was read from each part of the board, and how many spikes that is.
    emulation : Emulation
    program : Program
    batch : int

    Returns
    -------
    dict of str to (Events, ndarray, ndarray)
    """
    slices = emulation.plan.slices
    sample, where, tick, neuron, fraction, current, release = (
        np.concatenate([getattr(out, name)[:used] for out, used in parts])
        for name in ("sample", "slice", "tick", "neuron", "fraction", "current", "release")
    )
    numbers = {population.name: p for p, population in enumerate(program.populations)}
    owner = np.array([numbers[item.population] for item in slices])[where]
    neuron = neuron + np.array([item.start for item in slices], dtype=np.int64)[where]
    time = (tick + fraction.astype(np.float64)) * emulation.options.step
    order = np.lexsort((neuron, time, sample, owner))
    bounds = np.searchsorted(owner[order], np.arange(len(program.populations) + 1))
    result = {}
    for p, population in enumerate(program.populations):
        if population.kind != "spiking":
            continue
        chosen = order[bounds[p] : bounds[p + 1]]
        offsets = np.concatenate(([0], np.cumsum(np.bincount(sample[chosen], minlength=batch))))
        result[population.name] = (
            Events(time[chosen], neuron[chosen], offsets),
            current[chosen].astype(np.float64),
            release[chosen].astype(np.float64),
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
    return Out(  # type: ignore[call-arg]
        np.zeros(1, np.int64),
        *(np.empty(room, np.int64) for _ in range(4)),
        *(np.empty(room, np.float32) for _ in range(4)),
        every,
        begin,
        states,
    )


def finest_period(program: Program, name: str, step: float) -> int:
    """Return the ticks between samples that serve all recordings of a population."""
    return math.gcd(*(period_of(item.every, step) for item in program.sampling if item.population == name))


def period_of(every: float, step: float) -> int:
    """Return an interval in whole ticks, at least one."""
    return max(1, round(every / step))


def read_samples(out: Out, emulation: Emulation, program: Program) -> dict[str, Samples]:
    """Return what was sampled, by ``population.variable``.

    Parameters
    ----------
    out : Out
    emulation : Emulation
    program : Program

    Returns
    -------
    dict of str to Samples
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
        result[f"{item.population}.{item.variable}"] = Samples(columns * finest * step, item.neurons, values)  # type: ignore[arg-type]
    return result


def tell(ledger: Ledger, values: Floats, listening: NDArray[np.bool_]) -> Told:
    """Put derivatives of a loss into the form that the board takes.

    Parameters
    ----------
    ledger : Ledger
        With the holders to whom they are told.
    values : ndarray of float64
        dL/dt of all spikes of all populations, in 1/ms.
    listening : ndarray of bool, shape (holders,)
        Whether a holder is a loss program, which knows a spike by its neuron; others by its number.

    Returns
    -------
    Told
    """
    holders = len(listening)
    groups = np.diff(ledger.first)
    group = np.repeat(np.arange(len(groups)), groups)
    number = np.arange(len(ledger.order)) - ledger.first[:-1][group]
    neuron = np.where(listening[group % holders], ledger.neuron, number)
    return Told(ledger.first, ledger.tick, neuron, ledger.fraction, values[ledger.order].astype(np.float32))


NO_TOLD = Told(
    np.zeros(1, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0, np.float32),
    np.zeros(0, np.float32),
)
