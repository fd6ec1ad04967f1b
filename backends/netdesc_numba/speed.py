"""How long the kernels take, from counts of what they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from netdesc.threads import available
from netdesc.workload import Phase, Spell, Workload
from netdesc_numba.options import Options

NANOSECOND = 1e-9

EFFICIENCY = 0.5
"""What each thread beyond the first adds, as a part of one thread."""

BATCH = 2.7e-3
"""Seconds of a step of training that do not depend on its samples: calls from Python, losses, optimizer."""

GRID_BATCH = 4.2e-3
"""The same on a grid."""

REWIRE = 5e-3
"""Seconds of a step that changes delays on a grid: the synapses are laid out again."""

READ_TICK = 2e-6
"""Seconds of a tick of a batch where read-outs are sampled on a grid."""

PER_TRAINED = 20 * NANOSECOND
"""Of a trained value in a step: its sum over the samples, the optimizer, and writing it to the machine."""

PER_RECORDED = 60 * NANOSECOND
"""Of a recorded value."""

RECORDED_DELIVERY = 75 * NANOSECOND
"""Of a spike at a synapse of a population that is recorded: its states are computed once more."""

LANES = 8.0
"""Neurons of a layer that are computed together."""


class Pair(NamedTuple):
    """Seconds of a piece of work, forward and for its gradient."""

    forward: float
    backward: float


class Rates(NamedTuple):
    """Seconds per piece of work, in nanoseconds.

    Parameters
    ----------
    delivery : Pair
        Of a spike at a synapse.
    spike : Pair
        Of a spike of a neuron.
    arrival : Pair
        Of a spike that enters, whatever the number of its synapses.
    """

    delivery: Pair
    spike: Pair
    arrival: Pair


LAYER = Rates(Pair(1.4, 1.8), Pair(200.0, 110.0), Pair(100.0, 100.0))
WINDOWS = Rates(Pair(95.0, 65.0), Pair(150.0, 100.0), Pair(60.0, 60.0))
NEURONS = Rates(Pair(115.0, 110.0), Pair(150.0, 100.0), Pair(60.0, 60.0))
QUEUE = Rates(Pair(170.0, 280.0), Pair(150.0, 100.0), Pair(60.0, 60.0))
DERIVED = 8.0
"""How much longer cells take whose solution is found numerically."""

DENSE = Rates(Pair(1.0, 3.4), Pair(150.0, 150.0), Pair(60.0, 120.0))
SPARSE = Rates(Pair(5.0, 8.0), Pair(150.0, 150.0), Pair(60.0, 120.0))
OFF_GRID = Rates(Pair(25.0, 22.0), Pair(300.0, 300.0), Pair(60.0, 120.0))
TICK = Pair(1.2, 1.8)
"""Of a neuron in a tick."""

EMPTY_TICK = Pair(1000.0, 500.0)
"""Of a tick of a sample, whatever the number of its neurons, where `GENERAL_TICK` holds."""

GENERAL_TICK = Pair(3.7, 4.0)
"""Of a neuron with two synaptic currents, a refractory period, or parameters of its own."""


def estimate_spell(work: Workload, options: Options) -> Spell:
    """Return the time that work takes; see `netdesc.workload.Timed`."""
    sums = [0.0, 0.0]
    for phase in work.phases:
        found = _event(work, phase) if options.timestep is None else _grid(work, phase, options)
        sums = [total + NANOSECOND * part for total, part in zip(sums, found, strict=True)]
    threads = min(options.threads, available(), work.batch)
    speed = 1.0 + EFFICIENCY * (threads - 1)
    recorded = [phase for phase in work.phases if any(work.groups[k].recorded for k in phase.groups)]
    again = RECORDED_DELIVERY * sum(work.deliveries(phase) for phase in recorded)
    forward = (sums[0] + again + PER_RECORDED * sum(item.recorded for item in work.groups)) / speed
    return Spell(forward, sums[1] / speed, _batch(work, options) + PER_TRAINED * work.trained)


def _batch(work: Workload, options: Options) -> float:
    if options.timestep is None:
        return BATCH
    reads = any(item.kind == "readout" for item in work.groups)
    moves = any(link.moves for link in work.links)
    return GRID_BATCH + REWIRE * moves + READ_TICK * reads * work.duration / options.timestep


def _count(work: Workload, phase: Phase, rates: Rates, deliveries: float) -> Pair:
    counts = (deliveries, work.spikes(phase), work.arrivals(phase))
    return Pair(
        sum(count * rate.forward for count, rate in zip(counts, rates, strict=True)),
        sum(count * rate.backward for count, rate in zip(counts, rates, strict=True)),
    )


def _event(work: Workload, phase: Phase) -> Pair:
    links = work.into(phase)
    loops = [link for link in links if link.pre in phase.groups]
    later = all(link.delay > 0.0 for link in loops)
    rows = phase.uniform and all(link.dense and link.one_delay for link in links)
    if rows and (not phase.recurrent or (len(phase.groups) == 1 and later)):
        size = LANES * -(-work.size(phase) // LANES)
        return _count(work, phase, LAYER, work.arrivals(phase) * size)
    slower = 1.0 if all(work.groups[k].linear for k in phase.groups) else DERIVED
    rates = NEURONS if not phase.recurrent else WINDOWS if later else QUEUE
    found = _count(work, phase, rates, work.deliveries(phase))
    return Pair(slower * found.forward, slower * found.backward)


def _grid(work: Workload, phase: Phase, options: Options) -> Pair:
    links, step = work.into(phase), options.timestep or 1.0
    rates = DENSE if all(link.dense for link in links) else SPARSE
    rates = OFF_GRID if options.scheme == "off_grid" else rates
    found = _count(work, phase, rates, work.deliveries(phase))
    tick, empty = (TICK, Pair(0.0, 0.0)) if phase.uniform else (GENERAL_TICK, EMPTY_TICK)
    ticks, size = max(work.duration / step, 1.0), work.size(phase)
    size *= 1.0 if all(work.groups[k].linear for k in phase.groups) else DERIVED
    return Pair(
        found.forward + ticks * (size * tick.forward + empty.forward),
        found.backward + ticks * (size * tick.backward + empty.backward),
    )


COARSER = (1.0, 0.5, 0.1)
"""Steps of a grid in ms that may be proposed."""


def list_faster(section: Mapping[str, Any], options: Options) -> dict[str, Mapping[str, Any]]:
    """Return settings that may be faster; see `netdesc.workload.Timed`."""
    grid = {"scheme": options.scheme, "precision": options.precision, "transport": options.transport}
    found: dict[str, Mapping[str, Any]] = {}
    if options.timestep is None:
        found["backends.numba.solver.grid.timestep=1 ms"] = {
            **section,
            "solver": {"grid": {"timestep": COARSER[0]}},
        }
    else:
        found["backends.numba.solver=event"] = {**section, "solver": "event"}
        for step in COARSER:
            if step > options.timestep:
                change = {**section, "solver": {"grid": {**grid, "timestep": step}}}
                found[f"backends.numba.solver.grid.timestep={step:g} ms"] = change
    if options.threads < available():
        found[f"backends.numba.threads={available()}"] = {**section, "threads": available()}
    return found
