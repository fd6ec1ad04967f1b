"""The spikes of a stage itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.errors import NumericsError
from netdesc.eventprop.layout import Layout
from netdesc.events import Floats, Integers
from netdesc.trace import Trace


@dataclass(frozen=True, slots=True)
class OwnSpikes:
    """The spikes of a stage, with neurons counted within it.

    Parameters
    ----------
    times, currents, release : ndarray of float64, shape (k,)
    neurons : ndarray of int64, shape (k,)
    offsets : ndarray of int64, shape (batch + 1,)
    parts : tuple of (int, ndarray or None)
        Populations of the stage and the positions of their spikes; None where it is all of them.
    """

    times: Floats
    neurons: Integers
    currents: Floats
    release: Floats
    offsets: Integers
    parts: tuple[tuple[int, Integers | None], ...]


def collect(layout: Layout, index: int, trace: Trace) -> OwnSpikes:
    """Bring the spikes of a stage's populations together.

    Parameters
    ----------
    layout : Layout
    index : int
        Of the stage.
    trace : Trace

    Returns
    -------
    OwnSpikes

    Raises
    ------
    NumericsError
        If the trace has no currents.
    """
    if trace.currents is None or trace.release_currents is None:
        raise NumericsError("the trace has no synaptic currents at its spikes; the adjoint needs them")
    wiring = layout.wirings[index]
    members = [p for p in wiring.stage.populations if layout.program.populations[p].kind == "spiking"]
    names = [layout.program.populations[p].name for p in members]
    spikes = [trace.spikes[name] for name in names]
    if len(members) == 1:
        events = spikes[0]
        return OwnSpikes(
            events.times,
            events.sources,
            trace.currents[names[0]],
            trace.release_currents[names[0]],
            events.offsets,
            ((members[0], None),),
        )
    neurons = np.concatenate([e.sources + wiring.places[p] for p, e in zip(members, spikes, strict=True)])
    times = np.concatenate([e.times for e in spikes])
    samples = np.concatenate([e.samples() for e in spikes])
    order = np.lexsort((neurons, times, samples))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    bounds = np.cumsum([0] + [len(e) for e in spikes])
    parts = tuple((p, place[a:b]) for p, a, b in zip(members, bounds[:-1], bounds[1:], strict=True))
    return OwnSpikes(
        times[order],
        neurons[order],
        np.concatenate([trace.currents[n] for n in names])[order],
        np.concatenate([trace.release_currents[n] for n in names])[order],
        np.sum([e.offsets for e in spikes], axis=0),
        parts,
    )


def take(parts: tuple[tuple[int, Integers | None], ...], forces: Mapping[int, Floats], count: int) -> Floats:
    """Gather per-population values into the order of a stage or stream."""
    values = np.empty(count)
    for population, positions in parts:
        values[slice(None) if positions is None else positions] = forces[population]
    return values
