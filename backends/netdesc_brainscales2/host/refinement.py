"""Measured spikes moved from their stamps to where the host's model has them.

A stamp is the clock edge after a spike. Where the model crosses its threshold within the step of the clock
before a stamp, given all that was measured before, it tells when the spike was, and thus how fast the voltage
rose; a model that is not the chip does so by chance alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import Synapses
from netdesc.adjoint.cells import decay_alike
from netdesc.adjoint.incoming import Stream, merge
from netdesc.dynamics.membrane import Membrane
from netdesc.events import Events, Floats, Integers
from netdesc.gradient import Gradient
from netdesc.threads import run, split
from netdesc.trace import Cotangent
from netdesc_brainscales2.host.crossing_times import refine_samples
from netdesc_brainscales2.host.replay import hold_back

Flags = NDArray[np.bool_]

# Samples from which it is judged whether the model is the chip, and the share of spikes that it must have.
PROBE = 4
SHARE = 0.5
# Slope, relative to the distance from reset to threshold, below which rounding decides about a spike.
SLOPE = 1e-3


@dataclass(frozen=True, slots=True)
class Refined:
    """Spikes where the model has them.

    Parameters
    ----------
    spikes : mapping of str to Events
        Of all populations.
    order : mapping of str to ndarray of int64
        Of spiking populations: which measured spike each of these is.
    reproduced : mapping of str to ndarray of bool
        Of spiking populations: whether the model has it; if not, it is where it was measured.
    """

    spikes: Mapping[str, Events]
    order: Mapping[str, Integers]
    reproduced: Mapping[str, Flags]

    @property
    def share(self) -> float:
        """Share of the spikes that the model has, 0 where there is none."""
        flags = [values for values in self.reproduced.values() if len(values)]
        return float(np.mean(np.concatenate(flags))) if flags else 0.0

    @property
    def count(self) -> int:
        """Number of spikes that the model has."""
        return sum(int(values.sum()) for values in self.reproduced.values())

    def arrange(self, cotangent: Cotangent) -> Cotangent:
        """Return a cotangent with derivatives by spikes in the order of these."""
        moved = {
            name: np.asarray(values)[self.order[name]]
            if name in self.order and np.shape(values) == self.order[name].shape
            else values
            for name, values in cotangent.spikes.items()
        }
        return replace(cotangent, spikes=moved)

    def restore(self, gradient: Gradient) -> Gradient:
        """Return a gradient with derivatives by spikes in the order of the measurement."""
        totals = dict(gradient.spike_times)
        for name, order in self.order.items():
            totals[name] = np.empty(len(order))
            totals[name][order] = gradient.spike_times[name]
        return replace(gradient, spike_times=totals)

    def support(
        self, layout: Layout, currents: Mapping[str, Floats], floor: float
    ) -> tuple[dict[str, Floats], int]:
        """Raise currents at spikes whose slope the model does not know.

        Parameters
        ----------
        layout : Layout
        currents : mapping of str to ndarray
            At the spikes.
        floor : float
            Smallest slope of such a spike, relative to the distance from reset to threshold.

        Returns
        -------
        currents : dict of str to ndarray
        raised : int
            How many were raised.
        """
        values, result, raised = layout.program.parameters, dict(currents), 0
        for name, known in self.reproduced.items():
            cells = layout.program.population(name).start + self.spikes[name].sources
            gap = values["threshold"][cells] - values["rest"][cells]
            swing = values["threshold"][cells] - values["reset"][cells]
            doubtful = ~known | (currents[name] < gap + SLOPE * swing)
            least = np.where(doubtful, gap + floor * swing, -np.inf)
            raised += int(np.sum(currents[name] < least))
            result[name] = np.maximum(currents[name], least)
        return result, raised


@dataclass(frozen=True, slots=True)
class Own:
    """The spikes of a stage, as measured, ascending within a sample.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
    neurons : ndarray of int64, shape (k,)
        Within the stage.
    offsets : ndarray of int64, shape (batch + 1,)
    parts : mapping of int to ndarray of int64
        By population, the positions of its spikes.
    """

    times: Floats
    neurons: Integers
    offsets: Integers
    parts: Mapping[int, Integers]


def gather_own(layout: Layout, index: int, spikes: Mapping[str, Events], batch: int) -> Own:
    """Bring the spikes of a stage's populations together."""
    wiring = layout.wirings[index]
    found = {p: spikes[layout.program.populations[p].name] for p in wiring.stage.populations}
    neurons = np.concatenate([events.sources + wiring.places[p] for p, events in found.items()])
    times = np.concatenate([events.times for events in found.values()])
    samples = np.concatenate([events.samples() for events in found.values()])
    order = np.lexsort((neurons, times, samples))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    ends = np.cumsum([len(events) for events in found.values()])[:-1]
    offsets = np.concatenate(([0], np.cumsum(np.bincount(samples, minlength=batch))))
    return Own(times[order], neurons[order], offsets, dict(zip(found, np.split(place, ends), strict=True)))


def gather_arrivals(
    layout: Layout, index: int, spikes: Mapping[str, Events], own: Own
) -> tuple[Stream, Integers]:
    """Return what arrives at a stage, by slot, and which of its own spikes each is, -1 for others."""
    wiring, fan = layout.spread(index), layout.fanout(index)
    parts = []
    for p, slot in wiring.slots.items():
        population = layout.program.populations[p]
        if fan.start[slot] < fan.start[slot + population.size]:
            events = spikes[population.name]
            parts.append((p, *hold_back(events, slot, fan), events.offsets))
    stream = merge(parts, len(own.offsets) - 1)
    mine = np.full(len(stream.times), -1, dtype=np.int64)
    for p, positions in stream.parts:
        if p in own.parts:
            mine[slice(None) if positions is None else positions] = own.parts[p]
    return stream, mine


def refine_part(
    model: tuple[Stream, Integers, Synapses, Membrane],
    own: Own,
    step: float,
    results: tuple[Floats, Flags],
    first: int,
    last: int,
) -> None:
    """Refine samples ``first`` to ``last - 1`` of a stage."""
    stream, mine, fan, cells = model
    constants = np.stack(
        [
            cells.tau_m,
            cells.tau_s[:, 0],
            cells.tau_s[:, 1],
            cells.tau_ref,
            cells.gap,
            cells.reset,
            cells.start,
            cells.current[:, 0],
            cells.current[:, 1],
        ]
    )
    refine_samples(
        first,
        last,
        stream.times,
        stream.slots,
        stream.offsets,
        mine,
        fan.start,
        fan.target,
        fan.receptor,
        fan.weight,
        constants,
        step,
        not decay_alike(cells),
        own.times,
        own.neurons,
        own.offsets,
        *results,
    )


def sort_spikes(events: Events, times: Floats) -> tuple[Events, Integers]:
    """Return spikes at new times, ascending within a sample, and which each was before."""
    order = np.lexsort((events.sources, times, events.samples()))
    return replace(events, times=times[order], sources=events.sources[order]), order


def send(layout: Layout, spikes: Mapping[str, Events], step: float) -> dict[str, Events]:
    """Return spikes with those of the sources as the host sends them: at the nearest edge of the clock."""
    sources = {item.name for item in layout.program.populations if item.kind == "source"}
    return {
        name: replace(events, times=np.rint(events.times / step) * step) if name in sources else events
        for name, events in spikes.items()
    }


def refine(
    layout: Layout,
    spikes: Mapping[str, Events],
    step: float,
    *,
    relayed: Set[str] = frozenset(),
    threads: int = 1,
) -> Refined:
    """Move measured spikes to where the model crosses its threshold within a step of the clock before them.

    Parameters
    ----------
    layout : Layout
        Of the model, with the weights that the chip had.
    spikes : mapping of str to Events
        As measured, of all populations but read-outs.
    step : float
        Of the clock, in ms.
    relayed : set of str
        Populations whose spikes the host sends on, as it measured them; these stay where they are.
    threads : int
        Results do not depend on it.

    Returns
    -------
    Refined
    """
    program = layout.program
    moved = send(layout, spikes, step)
    order: dict[str, Integers] = {}
    reproduced: dict[str, Flags] = {}
    for index, stage in enumerate(program.stages):
        if program.populations[stage.populations[0]].kind != "spiking":
            continue
        batch = moved[program.populations[stage.populations[0]].name].batch
        own = gather_own(layout, index, moved, batch)
        stream, mine = gather_arrivals(layout, index, moved, own)
        times, flags = own.times.copy(), np.zeros(len(own.times), dtype=np.bool_)
        model = stream, mine, layout.fanout(index), layout.cells[index]
        run(partial(refine_part, model, own, step, (times, flags)), split(batch, threads), threads)
        for p, positions in own.parts.items():
            name = program.populations[p].name
            when = spikes[name].times if name in relayed else times[positions]
            moved[name], order[name] = sort_spikes(spikes[name], when)
            reproduced[name] = flags[positions][order[name]]
    return Refined(moved, order, reproduced)


def model_fits(layout: Layout, spikes: Mapping[str, Events], step: float) -> bool:
    """Tell from the first samples whether the model is the chip, up to its clock.

    Parameters
    ----------
    layout, spikes, step
        As in ``refine``.

    Returns
    -------
    bool
        Whether it has at least half of the spikes where they were measured.
    """
    few = {name: events.head(PROBE) for name, events in spikes.items()}
    return refine(layout, few, step).share >= SHARE
