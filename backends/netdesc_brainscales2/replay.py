"""The host's model of a run: synaptic currents at measured spikes, from measured spikes alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdesc.eventprop.layout import Layout
from netdesc.eventprop.stream import merge
from netdesc.eventprop.wiring import Fanout
from netdesc.events import Events, Floats, Integers
from netdesc.physics.jit import kernel
from netdesc.physics.lif import decay


@kernel
def currents_at(
    times: Floats, slots: Integers, offsets: Integers, fan_start: Integers, fan_target: Integers,
    fan_receptor: Integers, fan_weight: Floats, tau_s: Floats, start: Floats, duration: float,
    when: Floats, neurons: Integers, spans: Integers, result: Floats,
) -> None:
    """Evaluate total synaptic currents of neurons at given times.

    Parameters
    ----------
    times, slots, offsets : ndarray
        Arrivals by slot, ascending within a sample.
    fan_start, fan_target, fan_receptor, fan_weight : ndarray
        Synapses sorted by slot.
    tau_s, start : ndarray of float64, shape (n, 2)
        Time constants, and currents at 0.
    duration : float
        In ms.
    when, neurons, spans : ndarray
        Times and neurons that are asked for, ascending within a sample, and the offsets of the samples. An
        arrival at such a time is not included.
    result : ndarray of float64
        Result; NaN for a time after the end.
    """
    n = len(tau_s)
    current = np.empty((n, 2))
    last = np.empty(n)
    for b in range(len(offsets) - 1):
        current[:] = start
        last[:] = 0.0
        e = offsets[b]
        for k in range(spans[b], spans[b + 1]):
            if when[k] > duration:
                result[k] = np.nan
                continue
            while e < offsets[b + 1] and times[e] < when[k]:
                for q in range(fan_start[slots[e]], fan_start[slots[e] + 1]):
                    cell, side = fan_target[q], fan_receptor[q]
                    span = times[e] - last[cell]
                    if span > 0.0:
                        current[cell, 0] *= decay(span, tau_s[cell, 0])
                        current[cell, 1] *= decay(span, tau_s[cell, 1])
                        last[cell] = times[e]
                    current[cell, side] += fan_weight[q]
                e += 1
            cell = neurons[k]
            span = when[k] - last[cell]
            result[k] = current[cell, 0] * decay(span, tau_s[cell, 0]) + current[cell, 1] * decay(
                span, tau_s[cell, 1])


@dataclass(frozen=True, slots=True)
class Modelled:
    """Currents that the model has at measured spikes.

    Parameters
    ----------
    currents, release : mapping of str to ndarray
        As in ``Trace``.
    impossible : mapping of str to ndarray of bool
        Spikes at which the model's voltage does not rise.
    """

    currents: Mapping[str, Floats]
    release: Mapping[str, Floats]
    impossible: Mapping[str, NDArray[np.bool_]]

    @property
    def unmodelled(self) -> int:
        """Spikes that the model would not produce."""
        return sum(int(flags.sum()) for flags in self.impossible.values())


def hold_back(events: Events, slot: int, fan: Fanout) -> tuple[Floats, Integers]:
    """Return when spikes arrive, and their slots: all spikes of a source are held back by one time."""
    slots = events.sources + slot
    if not fan.delay.any():
        return events.times, slots
    reaches = fan.start[slots] < fan.start[slots + 1]
    delays = np.where(reaches, fan.delay[np.minimum(fan.start[slots], len(fan.delay) - 1)], 0.0)
    later = events.times + delays
    order = np.lexsort((slots, later, events.samples()))
    return later[order], slots[order]


def replay(layout: Layout, spikes: Mapping[str, Events], batch: int) -> Modelled:
    """Run measured spikes through the model.

    Parameters
    ----------
    layout : Layout
        Of the model, with the weights that the chip had.
    spikes : mapping of str to Events
        Of all populations but read-outs.
    batch : int

    Returns
    -------
    Modelled
    """
    program = layout.program
    currents: dict[str, Floats] = {}
    release: dict[str, Floats] = {}
    impossible: dict[str, NDArray[np.bool_]] = {}
    for index, stage in enumerate(program.stages):
        members = [program.populations[p] for p in stage.populations]
        if members[0].kind != "spiking":
            continue
        wiring, fan, cells = layout.spread(index), layout.fanout(index), layout.cells[index]
        parts = []
        for p in wiring.slots:
            events, slot = spikes[program.populations[p].name], wiring.slots[p]
            parts.append((p, *hold_back(events, slot, fan), events.offsets))
        stream = merge(parts, batch)
        model = (stream.times, stream.slots, stream.offsets, fan.start, fan.target, fan.receptor, fan.weight,
                 cells.tau_s, cells.current, program.duration)
        for population, p in zip(members, stage.populations, strict=True):
            events, place = spikes[population.name], wiring.places[p]
            found = np.empty(len(events))
            neurons = events.sources + place
            currents_at(*model, events.times, neurons, events.offsets, found)
            currents[population.name] = found
            hold = cells.tau_ref[neurons]
            if np.any(hold > 0.0):
                later = np.empty(len(events))
                order = np.lexsort((events.times + hold, events.samples()))
                currents_at(*model, (events.times + hold)[order], neurons[order], events.offsets, later)
                found = np.empty(len(events))
                found[order] = later
            release[population.name] = found
            impossible[population.name] = currents[population.name] <= cells.gap[neurons]
    return Modelled(currents, release, impossible)
