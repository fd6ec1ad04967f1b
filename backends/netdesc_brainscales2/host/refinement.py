"""Measured spikes moved from their stamps to where the host's model has them.

A stamp is the clock edge after a spike. Where the model crosses its threshold within the step of the clock
before a stamp, given all that was measured before, it shows when the spike was, and thus how fast the voltage
rose; a model that is not the chip does so by chance alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import merge, part_of
from netdesc.adjoint.cells import decay_alike
from netdesc.adjoint.synapses import RECEPTOR
from netdesc.dynamics.membrane import Membrane
from netdesc.events import Events, Floats, Integers, frozen
from netdesc.gradient import Gradient
from netdesc.threads import run, split
from netdesc.trace import Cotangent
from netdesc_brainscales2.analog.circuit import Circuits, make_circuits
from netdesc_brainscales2.host.crossing_times import Stamped, refine_samples
from netdesc_brainscales2.host.replay import gather_arrivals

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


def model_circuits(cells: Membrane) -> Circuits:
    """Return the neurons of the model as circuits that neither saturate nor meet a rail."""
    current = cells.current
    if decay_alike(cells):
        current = np.column_stack([current.sum(axis=1), np.zeros(len(current))])
    return make_circuits(
        cells.tau_m,
        cells.tau_s,
        tau_ref=cells.tau_ref,
        levels=(cells.gap, cells.reset),
        start=np.column_stack([cells.start, current]),
    )


def find_times(
    layout: Layout, index: int, spikes: Mapping[str, Events], step: float, threads: int
) -> dict[int, tuple[Floats, Flags]]:
    """Return when the model has the spikes of a stage's populations, and whether it has them."""
    wiring, fan, cells = layout.wirings[index], layout.fanout(index), layout.cells[index]
    found = {p: spikes[layout.program.populations[p].name] for p in wiring.stage.populations}
    batch = next(iter(found.values())).batch
    measured = merge([part_of(p, events, wiring.places[p]) for p, events in found.items()], batch)
    places = {p: np.arange(len(measured.times)) if place is None else place for p, place in measured.parts}
    arrivals = gather_arrivals(layout, index, spikes, batch)
    inner = np.full(len(arrivals.times), -1, dtype=np.int64)
    for p, place in arrivals.parts:
        if p in places:
            inner[slice(None) if place is None else place] = places[p]
    if decay_alike(cells):
        parts = fan.parts.copy()
        parts[:, RECEPTOR] = 0
        fan = fan._replace(parts=frozen(parts, np.int64))
    times, flags = measured.times.copy(), np.zeros(len(measured.times), dtype=np.bool_)
    stamped = Stamped(measured.times, measured.slots, measured.offsets, step, times, flags)
    circuits = model_circuits(cells)

    def refine_part(first: int, last: int) -> None:
        refine_samples(first, last, arrivals.arrays, inner, fan, stamped, circuits)

    run(refine_part, split(batch, threads), threads)
    return {p: (times[place], flags[place]) for p, place in places.items()}


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
    """
    program = layout.program
    moved = send(layout, spikes, step)
    order: dict[str, Integers] = {}
    reproduced: dict[str, Flags] = {}
    for index, stage in enumerate(program.stages):
        if program.populations[stage.populations[0]].kind != "spiking":
            continue
        for p, (times, flags) in find_times(layout, index, moved, step, threads).items():
            name = program.populations[p].name
            when = spikes[name].times if name in relayed else times
            moved[name], order[name] = sort_spikes(spikes[name], when)
            reproduced[name] = flags[order[name]]
    return Refined(moved, order, reproduced)


def model_fits(layout: Layout, spikes: Mapping[str, Events], step: float) -> bool:
    """Return from the first samples whether the model is the chip, up to its clock.

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
