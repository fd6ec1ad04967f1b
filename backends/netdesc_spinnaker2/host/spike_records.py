"""Spikes of a trace, sorted for the board, and derivatives that the host sends to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.tick import split_times
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program
from netdesc.trace import Trace
from netdesc_spinnaker2.board.assembly import Emulation
from netdesc_spinnaker2.board.replay import Records
from netdesc_spinnaker2.host.readout import SLOPE
from netdesc_spinnaker2.programs.loss import Forces


@dataclass(frozen=True, slots=True)
class SortedSpikes:
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

    def within(self, emulation: Emulation) -> Integers:
        """Return the neurons within their slices, where slices of a copy hold the spikes."""
        each = emulation.each
        start = np.array([item.start for item in emulation.plan.slices[:each]])
        holder = np.repeat(np.arange(len(self.first) - 1) % each, np.diff(self.first))
        return np.asarray(self.neuron - start[holder])


def sort_spikes(
    spikes: Mapping[str, Events],
    program: Program,
    holders: Mapping[str, tuple[Integers, Integers]],
    count: int,
    timestep: float,
    *,
    batch: int,
) -> SortedSpikes:
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
    batch : int
        Number of samples.
    """
    nothing = np.empty(0, dtype=np.int64)
    places, keys, times, neurons = [nothing], [nothing], [np.empty(0)], [nothing]
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
    return SortedSpikes(
        place[order], first, ticks, np.concatenate(neurons)[order], fractions.astype(np.float32)
    )


def write_records(ordered: SortedSpikes, trace: Trace, emulation: Emulation, program: Program) -> Records:
    """Return the spikes of a trace and their residuals as the board takes them.

    Parameters
    ----------
    ordered : SortedSpikes
        Of the trace, with slices as holders.
    trace : Trace
        With residuals of all spiking populations.
    emulation : Emulation
    program : Program
    """
    found = trace.residuals or {}

    def column(name: str) -> NDArray[Any]:
        given = [
            found.get(p.name, {}).get(name, np.zeros(len(trace.spikes[p.name])))
            for p in program.populations
            if p.name in trace.spikes
        ]
        return np.concatenate([np.empty(0), *given])[ordered.order].astype(np.float32)

    return Records(
        ordered.first,
        ordered.tick,
        ordered.within(emulation),
        ordered.fraction,
        column("current"),
        column("release_current"),
        column(SLOPE),
    )


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


def sort_forces(ordered: SortedSpikes, values: Floats, is_loss: NDArray[np.bool_]) -> Forces:
    """Put derivatives of a loss into the form that the board takes.

    Parameters
    ----------
    ordered : SortedSpikes
        With the holders to which they go.
    values : ndarray of float64
        dL/dt of all spikes of all populations, in 1/ms.
    is_loss : ndarray of bool, shape (holders,)
        Whether a holder is a loss program, which knows a spike by its neuron; others by its number.
    """
    holders = len(is_loss)
    groups = np.diff(ordered.first)
    group = np.repeat(np.arange(len(groups)), groups)
    number = np.arange(len(ordered.order)) - ordered.first[:-1][group]
    neuron = np.where(is_loss[group % holders], ordered.neuron, number)
    return Forces(
        ordered.first, ordered.tick, neuron, ordered.fraction, values[ordered.order].astype(np.float32)
    )


NO_FORCES = Forces(
    np.zeros(1, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0, np.int64),
    np.zeros(0, np.float32),
    np.zeros(0, np.float32),
)
