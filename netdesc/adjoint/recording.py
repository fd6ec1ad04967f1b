"""Samples of states and adjoints as the program orders them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.arrivals import Afferents, merge, part_of
from netdesc.adjoint.neuron import OwnEvents
from netdesc.adjoint.readout import sample_readout_adjoint
from netdesc.adjoint.sampling import Samples, sample_adjoint, sample_state
from netdesc.adjoint.stage_spikes import take
from netdesc.events import Events, Floats
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


def collect(spikes: Mapping[int, Events], places: Mapping[int, int], batch: int) -> Afferents:
    """Return the spikes of populations together, the neurons of each counted from its place on."""
    return merge([part_of(p, spikes[p], place) for p, place in places.items() if p in spikes], batch)


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
        wiring, fan = layout.wirings[index], layout.fanout(index)
        cells = layout.cells[index]
        own = collect(spikes, wiring.places, batch)
        late = take(own.parts, lags, len(own.times)) if lags else np.empty(0)
        times = moments(item, layout.program.duration)
        shape = (batch, len(item.neurons), len(times))
        voltage, total = np.empty(shape), np.empty(shape)
        nothing = np.empty((1, 0))
        sample_state(
            batch,
            collect(spikes, wiring.slots, batch).arrays,
            fan,
            cells,
            OwnEvents(own.times, own.slots, nothing, own.offsets, nothing[0], late),
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
        Per read-out what the loss injects; its adjoints are 0 without.
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
        lam_v, lam_i = np.zeros((2, batch, len(chosen), len(times)))
        samples, cells = Samples(chosen, times, lam_v, lam_i), layout.cells[index]
        if index in owns:
            events = owns[index][0].events(owns[index][1])
            sample_adjoint(batch, cells, events, floor, layout.program.duration, samples)
        elif (drive := drives[index]) is not None:
            sample_readout_adjoint(cells, layout.program.duration, drive, samples)
        values = lam_v if sampling.variable == "lam_v" else lam_i
        result[f"{sampling.population}.{sampling.variable}"] = Recording(times, sampling.neurons, values)
    return result
