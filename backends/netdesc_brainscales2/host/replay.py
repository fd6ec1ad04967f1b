"""The host's model of a run: synaptic currents at measured spikes, from measured spikes alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import Synapses
from netdesc.adjoint.incoming import Stream, merge
from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import decay
from netdesc.dynamics.membrane import Membrane
from netdesc.events import Events, Floats, Integers
from netdesc.threads import run, split


@kernel
def currents_at(
    first: int,
    last: int,
    times: Floats,
    slots: Integers,
    offsets: Integers,
    fan_start: Integers,
    fan_target: Integers,
    fan_receptor: Integers,
    fan_weight: Floats,
    tau_s: Floats,
    start: Floats,
    duration: float,
    two: bool,
    when: Floats,
    neurons: Integers,
    spans: Integers,
    release: Floats,
    order: Integers,
    result: Floats,
    later: Floats,
) -> None:
    """Evaluate total synaptic currents of neurons at their spikes and when these are released.

    Parameters
    ----------
    first, last : int
        Range of samples.
    times, slots, offsets : ndarray
        Arrivals by slot, ascending within a sample.
    fan_start, fan_target, fan_receptor, fan_weight : ndarray
        Synapses sorted by slot.
    tau_s, start : ndarray of float64, shape (n, 2)
        Time constants, and currents at 0.
    duration : float
        In ms.
    two : bool
        Whether there are synapses or currents of the second receptor.
    when, neurons, spans : ndarray
        Spikes, ascending within a sample, and the offsets of the samples. An arrival at such a time is not
        included.
    release : ndarray of float64, shape (len(when),)
        End of the refractory period after each.
    order : ndarray of int64, shape (len(when),) or (0,)
        Spikes of each sample in the order of their releases; empty where these are not asked for.
    result, later : ndarray of float64
        Results; NaN for a time after the end.
    """
    n = len(tau_s)
    current = np.empty((n, 2))
    since = np.empty(n)
    for b in range(first, last):
        current[:] = start
        since[:] = 0.0
        e, k = offsets[b], spans[b]
        stop = spans[b + 1]
        r = spans[b] if len(order) > 0 else stop
        while k < stop or r < stop:
            freed = r < stop and (k == stop or release[order[r]] < when[k])
            q = order[r] if freed else k
            moment = release[q] if freed else when[q]
            if freed:
                r += 1
            else:
                k += 1
            found = np.nan
            if moment <= duration:
                while e < offsets[b + 1] and times[e] < moment:
                    for x in range(fan_start[slots[e]], fan_start[slots[e] + 1]):
                        cell = fan_target[x]
                        span = times[e] - since[cell]
                        if span > 0.0:
                            current[cell, 0] *= decay(span, tau_s[cell, 0])
                            if two:
                                current[cell, 1] *= decay(span, tau_s[cell, 1])
                            since[cell] = times[e]
                        current[cell, fan_receptor[x]] += fan_weight[x]
                    e += 1
                cell = neurons[q]
                span = moment - since[cell]
                found = current[cell, 0] * decay(span, tau_s[cell, 0])
                if two:
                    found += current[cell, 1] * decay(span, tau_s[cell, 1])
            if freed:
                later[q] = found
            else:
                result[q] = found


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


def hold_back(events: Events, slot: int, fan: Synapses) -> tuple[Floats, Integers]:
    """Return when spikes arrive, and their slots: all spikes of a source are held back by one time."""
    slots = events.sources + slot
    if not fan.delay.any():
        return events.times, slots
    reaches = fan.start[slots] < fan.start[slots + 1]
    delays = np.where(reaches, fan.delay[np.minimum(fan.start[slots], len(fan.delay) - 1)], 0.0)
    later = events.times + delays
    order = np.lexsort((slots, later, events.samples()))
    return later[order], slots[order]


@dataclass(frozen=True, slots=True)
class Asked:
    """Spikes at which currents are asked for, and where these go; fields as in ``currents_at``."""

    when: Floats
    neurons: Integers
    spans: Integers
    release: Floats
    order: Integers
    result: Floats
    later: Floats


def evaluate_part(
    model: tuple[Stream, Synapses, Membrane], duration: float, asked: Asked, first: int, last: int
) -> None:
    """Evaluate currents in samples ``first`` to ``last - 1``."""
    stream, fan, cells = model
    two = bool(np.any(fan.receptor > 0) or np.any(cells.current[:, 1]))
    currents_at(
        first,
        last,
        stream.times,
        stream.slots,
        stream.offsets,
        fan.start,
        fan.target,
        fan.receptor,
        fan.weight,
        cells.tau_s,
        cells.current,
        duration,
        two,
        asked.when,
        asked.neurons,
        asked.spans,
        asked.release,
        asked.order,
        asked.result,
        asked.later,
    )


def order_releases(events: Events, hold: Floats) -> Integers:
    """Return spikes by sample and by the end of their refractory periods; nothing where there are none."""
    if not np.any(hold > 0.0):
        return np.empty(0, dtype=np.int64)
    if np.all(hold == hold[0]):
        return np.arange(len(events))
    return np.lexsort((events.times + hold, events.samples()))


def replay(layout: Layout, spikes: Mapping[str, Events], batch: int, *, threads: int = 1) -> Modelled:
    """Run measured spikes through the model.

    Parameters
    ----------
    layout : Layout
        Of the model, with the weights that the chip had.
    spikes : mapping of str to Events
        Of all populations but read-outs.
    batch : int
    threads : int
        Results do not depend on it.

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
            slot = wiring.slots[p]
            if fan.start[slot] == fan.start[slot + program.populations[p].size]:
                continue
            events = spikes[program.populations[p].name]
            parts.append((p, *hold_back(events, slot, fan), events.offsets))
        model = merge(parts, batch), fan, cells
        for population, p in zip(members, stage.populations, strict=True):
            events, place = spikes[population.name], wiring.places[p]
            neurons = events.sources + place
            hold = cells.tau_ref[neurons]
            order = order_releases(events, hold)
            found, later = np.empty(len(events)), np.empty(len(events))
            asked = Asked(events.times, neurons, events.offsets, events.times + hold, order, found, later)
            run(partial(evaluate_part, model, program.duration, asked), split(batch, threads), threads)
            currents[population.name] = found
            release[population.name] = later if len(order) else found
            impossible[population.name] = currents[population.name] <= cells.gap[neurons]
    return Modelled(currents, release, impossible)
