"""Samples of states and adjoints as the program orders them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.neuron import OwnEvents
from netdesc.adjoint.readout import sample_readout_adjoint
from netdesc.adjoint.sampling import Samples, sample_adjoint, sample_state
from netdesc.adjoint.wiring import Wiring
from netdesc.events import Events, Floats, Integers
from netdesc.observation import Sampling
from netdesc.trace import Recording

if TYPE_CHECKING:
    from netdesc.adjoint.drive import Drive
    from netdesc.adjoint.stage_spikes import OwnSpikes


def moments(sampling: Sampling, duration: float) -> Floats:
    """Return the times at which a quantity is sampled: 0, every, ... up to the duration, in ms."""
    count = int(np.floor(duration / sampling.every * (1 + 1e-12))) + 1
    times: Floats = np.minimum(np.arange(count) * sampling.every, duration)
    return times


def stage_of(layout: Layout, population: str) -> tuple[int, int]:
    """Return the index of the stage that holds a population, and the population's first neuron there."""
    for index, wiring in enumerate(layout.wirings):
        for p, place in wiring.places.items():
            if layout.program.populations[p].name == population:
                return index, place
    raise KeyError(population)


def all_spikes(layout: Layout, wiring: Wiring, spikes: Mapping[int, Events], batch: int) -> Incoming:
    """Return every spike that reaches a stage, its own included."""
    present = [p for p in wiring.slots if p in spikes]
    if not present:
        return Incoming(np.empty(0), np.empty(0, dtype=np.int64), np.zeros(batch + 1, dtype=np.int64))
    times = np.concatenate([spikes[p].times for p in present])
    slots = np.concatenate([spikes[p].sources + wiring.slots[p] for p in present])
    samples = np.concatenate([spikes[p].samples() for p in present])
    order = np.lexsort((slots, times, samples))
    offsets = np.sum([spikes[p].offsets for p in present], axis=0)
    return Incoming(times[order], slots[order], offsets)


def resets_by(layout: Layout, index: int) -> Floats:
    """Return what a spike subtracts from the voltage of each neuron of a stage, NaN where it sets it."""
    members = [layout.program.populations[p] for p in layout.program.stages[index].populations]
    subtracts = np.concatenate([np.full(item.size, item.subtractive_reset) for item in members])
    nothing = np.full(len(subtracts), np.nan)
    if not subtracts.any():
        return nothing
    cells = layout.cells[index]
    return np.where(subtracts, cells.gap - cells.reset, nothing)


def record_states(
    layout: Layout, spikes: Mapping[int, Events], batch: int, *, stepped: bool = False,
    sampling: tuple[Sampling, ...] | None = None, lags: Mapping[int, Floats] | None = None
) -> dict[str, Recording]:  # fmt: skip
    """Sample voltages and currents from the spikes of a run.

    Parameters
    ----------
    layout : Layout
    spikes : mapping of int to Events
        By population index.
    batch : int
        Number of samples.
    stepped : bool
        Whether voltages overshoot the threshold at spikes, so that a subtractive reset leaves a rest.
    sampling : tuple of Sampling, optional
        What to sample; what the program asks for where this is absent.
    lags : mapping of int to ndarray, optional
        By population index, how long before its time each spike has reset its neuron, in ms.

    Returns
    -------
    dict of str to Recording
        By ``population.variable``.
    """
    result = {}
    for item in layout.program.sampling if sampling is None else sampling:
        if item.variable not in ("v", "i"):
            continue
        index, place = stage_of(layout, item.population)
        wiring, fan = layout.spread(index), layout.fanout(index)
        cells = layout.cells[index]
        own = [
            (e.times, e.sources + wiring.places[p], e.samples())
            for p, e in spikes.items()
            if p in wiring.places
        ]
        columns = (
            np.concatenate([np.empty(0), *(part[0] for part in own)]),
            np.concatenate([np.empty(0, dtype=np.int64), *(part[1] for part in own)]),
            np.concatenate([np.empty(0, dtype=np.int64), *(part[2] for part in own)]),
        )
        events = Events.from_arrays(*columns, batch)
        late = np.concatenate([np.empty(0), *(lags[p] for p in spikes if p in wiring.places and lags)])
        late = late[np.lexsort((columns[1], columns[0], columns[2]))] if len(late) else late
        times = moments(item, layout.program.duration)
        shape = (batch, len(item.neurons), len(times))
        voltage, total = np.empty(shape), np.empty(shape)
        nothing = np.empty((1, 0))
        sample_state(
            batch,
            all_spikes(layout, wiring, spikes, batch),
            fan,
            cells,
            OwnEvents(events.times, events.sources, nothing, events.offsets, nothing[0], late),
            resets_by(layout, index) if stepped else np.full(wiring.size, np.nan),
            float(np.nextafter(layout.program.duration, np.inf)),
            Samples(np.asarray(item.neurons + place), times, voltage, total),
        )
        rest = layout.rest(index)[item.neurons + place][None, :, None]
        values = voltage + rest if item.variable == "v" else total
        result[f"{item.population}.{item.variable}"] = Recording(times, item.neurons, values)
    return result


def record_adjoints(
    layout: Layout,
    floor: float,
    owns: Mapping[int, tuple[OwnSpikes, Floats]],
    drives: Mapping[int, Drive | None],
    batch: int,
) -> dict[str, Recording]:
    """Sample the adjoints of a backward run.

    Parameters
    ----------
    layout : Layout
    floor : float
        Smallest slope, relative to the distance from reset to threshold.
    owns : mapping of int to (OwnSpikes, ndarray)
        Per spiking stage its spikes and their total dL/dt.
    drives : mapping of int to Drive or None
        Per read-out what the loss injects.
    batch : int
        Number of samples.

    Returns
    -------
    dict of str to Recording
        By ``population.variable``.
    """
    result = {}
    for sampling in layout.program.sampling:
        if sampling.variable not in ("lam_v", "lam_i"):
            continue
        index, place = stage_of(layout, sampling.population)
        times = moments(sampling, layout.program.duration)
        chosen = np.asarray(sampling.neurons + place)
        if index in owns:
            lam_v, lam_i = spiking_adjoint(layout, index, *owns[index], floor, (chosen, times))
        else:
            shape = (batch, len(chosen), len(times))
            lam_v, lam_i = readout_adjoint(layout, index, drives[index], (chosen, times), shape)
        values = lam_v if sampling.variable == "lam_v" else lam_i
        result[f"{sampling.population}.{sampling.variable}"] = Recording(times, sampling.neurons, values)
    return result


def spiking_adjoint(
    layout: Layout,
    index: int,
    own: OwnSpikes,
    force: Floats,
    floor: float,
    where: tuple[Integers, Floats],
) -> tuple[Floats, Floats]:
    """Sample the adjoints of a stage of spiking neurons.

    Parameters
    ----------
    layout : Layout
    index : int
        Of the stage.
    own : OwnSpikes
    force : ndarray of float64
        Total dL/dt of each spike.
    floor : float
        See ``record_adjoints``.
    where : pair of ndarray
        Neurons within the stage, and times in ms.

    Returns
    -------
    lam_v, lam_i : ndarray of float64, shape (batch, neurons, times)
    """
    cells = layout.cells[index]
    shape = (len(own.offsets) - 1, len(where[0]), len(where[1]))
    lam_v, lam_i = np.empty(shape), np.empty(shape)
    events = own.events(force)
    samples = Samples(*where, lam_v, lam_i)
    sample_adjoint(shape[0], cells, events, floor, layout.program.duration, samples)
    return lam_v, lam_i


def readout_adjoint(
    layout: Layout,
    index: int,
    drive: Drive | None,
    where: tuple[Integers, Floats],
    shape: tuple[int, int, int],
) -> tuple[Floats, Floats]:
    """Sample the adjoints of a read-out; they are 0 where the loss does not look at it.

    Parameters
    ----------
    layout : Layout
    index : int
        Of the stage.
    drive : Drive or None
    where : pair of ndarray
        Neurons within the stage, and times in ms.
    shape : tuple of int
        (batch, neurons, times).

    Returns
    -------
    lam_v, lam_i : ndarray of float64, shape (batch, neurons, times)
    """
    lam_v, lam_i = np.zeros(shape), np.zeros(shape)
    if drive is not None:
        cells = layout.cells[index]
        sample_readout_adjoint(cells, layout.program.duration, drive, Samples(*where, lam_v, lam_i))
    return lam_v, lam_i
