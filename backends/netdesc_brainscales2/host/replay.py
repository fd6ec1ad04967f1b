"""The host's model of a run: synaptic currents at measured spikes, from measured spikes alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import Afferents, Incoming, merge
from netdesc.adjoint.fanout import first_delays
from netdesc.adjoint.synapses import (
    BEGIN,
    END,
    PART,
    RECEPTOR,
    Synapses,
    number_at,
    target_of,
    weight_of,
)
from netdesc.dynamics.jit import inlined, int64, kernel, shared
from netdesc.dynamics.lif import decay
from netdesc.dynamics.membrane import Membrane
from netdesc.dynamics.views import copy_rows, fill, unowned
from netdesc.events import Events, Floats, Integers
from netdesc.threads import run, split


class Measured(NamedTuple):
    """Spikes at which currents are asked for, and the currents.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In ms, ascending within a sample. An arrival at such a time is not included.
    neurons : ndarray of int64, shape (k,)
    offsets : ndarray of int64, shape (batch + 1,)
    release : ndarray of float64, shape (k,)
        End of the refractory period after each.
    order : ndarray of int64, shape (k,) or (0,)
        Spikes of each sample in the order of their releases; empty where these are not asked for.
    at_spike, at_release : ndarray of float64, shape (k,)
        Results: total synaptic currents; NaN for a time after the end.
    """

    times: Floats
    neurons: Integers
    offsets: Integers
    release: Floats
    order: Integers
    at_spike: Floats
    at_release: Floats


class Currents(NamedTuple):
    """Synaptic currents of the neurons of a stage.

    Parameters
    ----------
    values, tau_s : ndarray of float64, shape (n, 2)
        Currents, and their time constants in ms.
    since : ndarray of float64, shape (n,)
        Time of these currents in ms.
    """

    values: Floats
    tau_s: Floats
    since: Floats


@inlined
def current_at(cell: int, moment: float, currents: Currents) -> tuple[float, float]:
    """Return both currents of a neuron at a time."""
    span = moment - currents.since[cell]
    i, j = currents.values[cell, 0], currents.values[cell, 1]
    if span <= 0.0:
        return i, j
    # many models have one current alone
    second = j * decay(span, currents.tau_s[cell, 1]) if j != 0.0 else 0.0
    return i * decay(span, currents.tau_s[cell, 0]), second


@inlined
def receive(e: int, incoming: Incoming, fan: Synapses, currents: Currents) -> None:
    """Let a spike arrive at its targets."""
    moment, slot = incoming.times[e], incoming.slots[e]
    for g in range(fan.first[slot], fan.first[slot + 1]):
        part = int64(fan.runs[g, PART])
        receptor = fan.parts[part, RECEPTOR]
        for x in range(fan.runs[g, BEGIN], fan.runs[g, END]):
            number = number_at(x, fan)
            cell = target_of(number, fan)
            currents.values[cell, 0], currents.values[cell, 1] = current_at(cell, moment, currents)
            currents.since[cell] = moment
            currents.values[cell, receptor] += weight_of(number, part, fan)


@kernel
def currents_at(
    first: int,
    last: int,
    incoming: Incoming,
    fan: Synapses,
    cells: Membrane,
    duration: float,
    measured: Measured,
) -> None:
    """Evaluate total synaptic currents of neurons at their spikes and when these are released.

    Parameters
    ----------
    first, last : int
        Range of samples.
    incoming : Incoming
    fan : Synapses
        Their delays are part of the incoming times.
    cells : Membrane
    duration : float
        In ms.
    measured : Measured
        Receives the currents.
    """
    currents = Currents(np.empty_like(cells.current), cells.tau_s, np.empty(len(cells.tau_s)))
    follow_currents((first, last), incoming, fan, cells.current, duration, measured, currents)


@shared
def follow_currents(
    span: tuple[int, int],
    incoming: Incoming,
    fan: Synapses,
    start: Floats,
    duration: float,
    measured: Measured,
    currents: Currents,
) -> None:
    """Follow currents that begin with ``start`` through samples; see ``currents_at``."""
    incoming, fan, measured, currents = (
        unowned(incoming),
        unowned(fan),
        unowned(measured),
        unowned(currents),
    )
    release, order = measured.release, measured.order
    for b in range(span[0], span[1]):
        copy_rows(currents.values, start)
        fill(currents.since, 0.0)
        e, k = incoming.offsets[b], measured.offsets[b]
        end = measured.offsets[b + 1]
        r = k if len(order) > 0 else end
        while k < end or r < end:
            freed = r < end and (k == end or release[order[r]] < measured.times[k])
            q = order[r] if freed else k
            moment = release[q] if freed else measured.times[q]
            r += 1 if freed else 0
            k += 0 if freed else 1
            total = np.nan
            if moment <= duration:
                while e < incoming.offsets[b + 1] and incoming.times[e] < moment:
                    receive(e, incoming, fan, currents)
                    e += 1
                i, j = current_at(measured.neurons[q], moment, currents)
                total = i + j
            if freed:
                measured.at_release[q] = total
            else:
                measured.at_spike[q] = total


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
    later = events.times + first_delays(fan, slots)
    order = np.lexsort((slots, later, events.samples()))
    return later[order], slots[order]


def gather_arrivals(layout: Layout, index: int, spikes: Mapping[str, Events], batch: int) -> Afferents:
    """Return what arrives at a stage, by slot."""
    fan = layout.fanout(index)
    parts = []
    for p, slot in layout.wirings[index].slots.items():
        population = layout.program.populations[p]
        if fan.first[slot] < fan.first[slot + population.size]:
            events = spikes[population.name]
            parts.append((p, *hold_back(events, slot, fan), events.offsets))
    return merge(parts, batch)


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
    """
    program = layout.program
    currents: dict[str, Floats] = {}
    release: dict[str, Floats] = {}
    impossible: dict[str, NDArray[np.bool_]] = {}
    for index, stage in enumerate(program.stages):
        members = [program.populations[p] for p in stage.populations]
        if members[0].kind != "spiking":
            continue
        fan, cells, places = layout.fanout(index), layout.cells[index], layout.wirings[index].places
        incoming = gather_arrivals(layout, index, spikes, batch).arrays
        for population, p in zip(members, stage.populations, strict=True):
            events = spikes[population.name]
            neurons = events.sources + places[p]
            hold = cells.tau_ref[neurons]
            order = order_releases(events, hold)
            found, later = np.empty(len(events)), np.empty(len(events))
            measured = Measured(
                events.times, neurons, events.offsets, events.times + hold, order, found, later
            )
            given = (incoming, fan, cells, program.duration, measured)
            run(lambda *part, given=given: currents_at(*part, *given), split(batch, threads), threads)
            currents[population.name] = found
            release[population.name] = later if len(order) else found
            impossible[population.name] = currents[population.name] <= cells.gap[neurons]
    return Modelled(currents, release, impossible)
