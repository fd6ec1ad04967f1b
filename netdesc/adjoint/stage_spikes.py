"""The spikes of a stage itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import Afferents, merge, part_of
from netdesc.adjoint.cells import residuals_of
from netdesc.adjoint.neuron import OwnEvents
from netdesc.adjoint.wiring import Wiring
from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Floats, Integers
from netdesc.program import PopulationSlice, Program
from netdesc.trace import RELEASE, Cotangent, Trace

CROSSING = "crossing"
"""Residual of a spike that is emitted after its neuron has reached the threshold: when that was, in ms."""


@dataclass(frozen=True, slots=True)
class OwnSpikes:
    """The spikes of a stage, with neurons counted within it.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
    kept : ndarray of float64, shape (residuals, k)
        What the adjoint needs of each.
    neurons : ndarray of int64, shape (k,)
    offsets : ndarray of int64, shape (batch + 1,)
    parts : tuple of (int, ndarray or None)
        Populations of the stage and the positions of their spikes; None where it is all of them.
    lags : ndarray of float64, shape (k,) or (0,)
        How long before its time each spike has reset its neuron, in ms; empty where all are 0.
    """

    times: Floats
    kept: Floats
    neurons: Integers
    offsets: Integers
    parts: tuple[tuple[int, Integers | None], ...]
    lags: Floats

    def events(self, force: Floats) -> OwnEvents:
        """Return them as kernels take them, with dL/dt of each."""
        return OwnEvents(self.times, self.neurons, self.kept, self.offsets, force, self.lags)


def require_residuals(trace: Trace, populations: Iterable[str], names: Iterable[str]) -> None:
    """Refuse a trace without what an adjoint needs of its spikes.

    Raises
    ------
    NumericsError
    """
    found = trace.residuals or {}
    missing = [
        f"{name} of {item}" for item in populations for name in names if name not in found.get(item, {})
    ]
    if missing:
        raise NumericsError(
            f"the trace has no residuals of its spikes ({', '.join(missing)}); the adjoint needs them"
        )


def find_residual(trace: Trace, population: str, name: str) -> Floats:
    """Return a residual of the spikes of a population; see ``require_residuals``."""
    return (trace.residuals or {})[population][name]


def check_trace(program: Program, trace: Trace) -> None:
    """Refuse a trace with numbers from which no gradient can come.

    Raises
    ------
    NumericsError
        If the trace has no residuals, or a number is not finite where it must be; with one diagnostic per
        population.
    """
    spiking = [item for item in program.populations if item.kind == "spiking"]
    for item in spiking:
        require_residuals(trace, [item.name], residuals_of(item))
    faults = [fault for item in spiking for fault in trace_faults(program, item, trace)]
    if faults:
        raise NumericsError(faults)


def trace_faults(program: Program, population: PopulationSlice, trace: Trace) -> Iterator[Diagnostic]:
    """Yield what is wrong with the numbers of a spiking population in a trace that has its residuals."""
    spikes = trace.spikes[population.name]
    found = {name: find_residual(trace, population.name, name) for name in residuals_of(population)}
    for name, values in found.items():
        if np.shape(values) != spikes.times.shape:
            yield Diagnostic(
                f"the trace has {word_of(name)}s of shape {np.shape(values)} for {len(spikes)} spikes",
                population.path,
            )
            return
    at_spike = [values for name, values in found.items() if not name.startswith(RELEASE)]
    if not all(np.isfinite(values).all() for values in (spikes.times, *at_spike)):
        yield Diagnostic("the trace holds a spike time or current that is not finite", population.path)
        return
    # Without a refractory period the array is the very same.
    others = {name: found[name] for name in found if not any(found[name] is item for item in at_spike)}
    releases = [name for name, values in others.items() if not np.isfinite(values).all()]
    if not releases:
        return
    ended = spikes.times + program.parameters["tau_ref"][population.start + spikes.sources] < program.duration
    for name in releases:
        if not np.isfinite(found[name][ended]).all():
            what = word_of(name.removeprefix(f"{RELEASE}_"))
            message = f"the trace holds a {what} that is not finite, at the end of a refractory period"
            yield Diagnostic(message, population.path)


def word_of(name: str) -> str:
    """Return the name of a residual as words."""
    return name.replace("_", " ")


def collect(layout: Layout, index: int, trace: Trace) -> OwnSpikes:
    """Bring the spikes of a stage's populations together.

    Parameters
    ----------
    layout : Layout
    index : int
        Of the stage.
    trace : Trace
        As ``check_trace`` lets it pass.
    """
    places = layout.wirings[index].places
    if len(places) == 1:
        return take_spikes(layout.program, next(iter(places)), trace)
    populations = {p: layout.program.populations[p] for p in places}
    events = {p: trace.spikes[item.name] for p, item in populations.items()}
    afferents = merge([part_of(p, item, places[p]) for p, item in events.items()], trace.batch)
    found = {
        p: [find_residual(trace, item.name, name) for name in residuals_of(item)]
        for p, item in populations.items()
    }
    kept = np.zeros((max(len(rows) for rows in found.values()), len(afferents.times)))
    for p, positions in afferents.parts:
        kept[: len(found[p]), positions] = found[p]
    late = {p: lags_of(trace, item.name) for p, item in populations.items()}
    lags = take(afferents.parts, late, len(afferents.times)) if any(map(len, late.values())) else np.empty(0)
    return OwnSpikes(afferents.times, kept, afferents.slots, afferents.offsets, afferents.parts, lags)


def take_spikes(program: Program, index: int, trace: Trace) -> OwnSpikes:
    """Return the spikes of the only population of a stage."""
    item = program.populations[index]
    events = trace.spikes[item.name]
    rows = [find_residual(trace, item.name, name) for name in residuals_of(item)]
    kept = np.empty((len(rows), len(events.times)))
    for k, values in enumerate(rows):
        kept[k] = values
    parts, lags = ((index, None),), lags_of(trace, item.name)
    return OwnSpikes(events.times, kept, events.sources, events.offsets, parts, lags)


def find_origins(afferents: Afferents, wiring: Wiring) -> Integers:
    """Return which spike of a recurrent layer each afferent is, -1 for others; empty without recurrence."""
    if not wiring.stage.recurrent:
        return np.empty(0, dtype=np.int64)
    origins = np.full(len(afferents.times), -1)
    for population, positions in afferents.parts:
        if population in wiring.places:
            places = slice(None) if positions is None else positions
            origins[places] = np.arange(len(origins[places]))
    return origins


def lags_of(trace: Trace, population: str) -> Floats:
    """Return how long before their times the spikes of a population have reset their neurons, in ms.

    Returns
    -------
    ndarray of float64, shape (k,) or (0,)
        Empty where the trace has no residual ``crossing``: all are 0.
    """
    crossings = (trace.residuals or {}).get(population, {}).get(CROSSING)
    if crossings is None:
        return np.empty(0)
    return np.maximum(trace.spikes[population].times - crossings, 0.0)


def take(parts: tuple[tuple[int, Integers | None], ...], forces: Mapping[int, Floats], count: int) -> Floats:
    """Gather per-population values into the order of a stage, or of its afferents."""
    values = np.empty(count)
    for population, positions in parts:
        values[slice(None) if positions is None else positions] = forces[population]
    return values


def take_counts(
    parts: tuple[tuple[int, Integers | None], ...], program: Program, trace: Trace, cotangent: Cotangent
) -> Floats | None:
    """Gather the derivatives by spike counts of a stage's populations, for each of its spikes.

    Parameters
    ----------
    parts : tuple of (int, ndarray or None)
        Of the stage; see ``OwnSpikes``.
    program : Program
    trace : Trace
    cotangent : Cotangent

    Returns
    -------
    ndarray of float64, shape (spikes,), or None
        None where the cotangent has none of the stage.
    """
    spikes = {k: trace.spikes[program.populations[k].name] for k, _ in parts}
    found = [cotangent.counts.get(program.populations[k].name) for k in spikes]
    if all(force is None for force in found):
        return None
    values = {
        k: np.zeros(len(events)) if force is None else np.asarray(force)[events.samples(), events.sources]
        for (k, events), force in zip(spikes.items(), found, strict=True)
    }
    return take(parts, values, sum(map(len, spikes.values())))
