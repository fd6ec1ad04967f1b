"""Readings of a run: what losses see of the membranes of read-outs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.final_voltages import FINAL
from netdesc.adjoint.wiring import LAYER
from netdesc.events import Events
from netdesc.observation import Reading
from netdesc.threads import run, split
from netdesc.trace import Read
from netdesc_numba.event.readout import Readings, Span, read_layer, read_neurons


def read_readouts(
    layout: Layout, spikes: Mapping[int, Events], batch: int, *, threads: int
) -> dict[str, Read]:
    """Take all readings of a program over continuous time.

    Parameters
    ----------
    layout : Layout
        With the parameters of the run.
    spikes : mapping of int to Events
        By population index.
    batch : int
        Number of samples.
    threads : int
        Number of threads; results do not depend on it.

    Returns
    -------
    dict of str to Read
        By the keys of ``Program.readings``.
    """
    result: dict[str, Read] = {}
    program = layout.program
    for index, stage in enumerate(program.stages):
        name = program.populations[stage.populations[0]].name
        readings = [item for item in program.readings if item.population == name and item.kind != FINAL]
        if readings:
            result |= read_stage(layout, index, readings, (spikes, batch), threads=threads)
    return {reading.key: result[reading.key] for reading in program.readings if reading.key in result}


def read_stage(
    layout: Layout,
    index: int,
    readings: list[Reading],
    given: tuple[Mapping[int, Events], int],
    *,
    threads: int,
) -> dict[str, Read]:
    """Take the readings of one read-out; see ``read_readouts``."""
    batch = given[1]
    means = [item for item in readings if item.kind == "mean"]
    shape = (batch, layout.wirings[index].size)
    peak, when, sums = np.empty(shape), np.empty(shape), np.empty((len(means), *shape))
    wiring, cells, duration = layout.wirings[index], layout.cells[index], layout.program.duration
    span = Span(duration, np.array([1.0 / item.tau for item in means]))
    incoming, out = layout.afferents(index, *given).arrays, Readings(peak, when, sums)
    threads = layout.count_threads(index, incoming, threads)
    parts = split(batch, threads)
    if wiring.kind == LAYER:
        layer = layout.layer(index)
        if len(means) == len(readings):
            out = Readings(peak[:0], when[:0], sums)
        run(lambda first, last: read_layer(first, last, incoming, layer, span, out), parts, threads)
    else:
        fan = layout.fanout(index)
        run(lambda first, last: read_neurons(first, last, incoming, fan, cells, span, out), parts, threads)
    rest = layout.rest(index)
    result = {item.key: Read(sums[k] + rest * mean_of_one(item, duration)) for k, item in enumerate(means)}
    result |= {item.key: Read(peak + rest, when) for item in readings if item.kind == "maximum"}
    return result


def mean_of_one(reading: Reading, duration: float) -> float:
    """Return the mean of a voltage of 1, which the resting voltage is multiplied with."""
    if np.isinf(reading.tau):
        return 1.0
    return float(-np.expm1(-duration / reading.tau) * reading.tau / duration)
