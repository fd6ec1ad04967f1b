"""Forward sweep of circuits that do not reach each other, several samples side by side."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.dynamics.protocol import find_code, load, voltage
from netdesc.dynamics.views import copy, unowned
from netdesc_brainscales2.analog.burst import Flagged, make_flagged, settle_lanes
from netdesc_brainscales2.analog.inputs import receive
from netdesc_brainscales2.analog.lanes import (
    ARRIVAL,
    CLIPPED,
    END,
    LATE,
    SAMPLE,
    SATURATED,
    Experiment,
    Lanes,
    Results,
    Spikes,
    make_lanes,
    next_event,
    start_lanes,
    step_lanes,
    swap,
)
from netdesc_brainscales2.analog.stamps import put_in_order

LANES = 384
"""Circuits times samples that run side by side: they fit the first cache."""


class Workspace(NamedTuple):
    """Memory of a sweep."""

    lanes: Lanes
    flagged: Flagged
    spikes: Spikes


def samples_together(size: int) -> int:
    """Return how many samples of so many circuits run side by side."""
    return max(1, LANES // max(size, 1))


def make_workspace(room: int, cells: Any) -> Workspace:
    """Make room for all lanes, and for so many spikes."""
    n, width = len(cells.start), find_code(type(cells)).width
    spikes = Spikes(np.empty(room), np.empty(room, dtype=np.int64))
    return Workspace(make_lanes(n, cells), make_flagged(n, width), spikes)


@inlined
def list_flagged(count: int, lanes: Lanes, flagged: Flagged) -> int:
    """List the flagged ones of the first lanes, and return how many they are."""
    found = 0
    for k in range(count):
        flagged.lane[found] = k
        found += 1 if lanes.flag[k] > 0.0 else 0
    return found


@shared
def sweep_block(
    first: int, count: int, experiment: Experiment, workspace: Workspace, spikes: Spikes, results: Results
) -> int:
    """Simulate ``count`` samples side by side; return the number of spikes, -1 where they do not fit."""
    experiment, results, spikes = unowned(experiment), unowned(results), unowned(spikes)
    lanes, flagged = unowned(workspace.lanes), unowned(workspace.flagged)
    cells, weights, incoming = experiment.cells, experiment.weights, experiment.incoming
    size = weights.shape[1]
    start_lanes(first, count, lanes, experiment)
    now = np.zeros(count)
    then = np.empty(count)
    kind = np.zeros(count, dtype=np.int64)
    e = incoming.offsets[first : first + count].copy()
    p = np.zeros(count, dtype=np.int64)
    found = 0
    running = count
    while running > 0:
        running = 0
        busy = False
        for s in range(count):
            then[s], kind[s] = next_event(e[s], incoming.offsets[first + s + 1], p[s], experiment)
            busy = busy or then[s] > now[s]
            running += 1 if kind[s] != END else 0
            length = then[s] - now[s]
            for k in range(size):
                lanes.span[s * size + k] = length
        if busy:
            if step_lanes(count * size, lanes, cells) > 0:
                several = list_flagged(count * size, lanes, flagged)
                found, clipped = settle_lanes(several, first, now, lanes, flagged, spikes, found, experiment)
                if found < 0:
                    return -1
                results.tallies[CLIPPED] += clipped
            lanes = swap(lanes)
        for s in range(count):
            now[s] = then[s]
            if kind[s] == ARRIVAL:
                row = incoming.slots[e[s]]
                results.tallies[SATURATED] += receive(row, s * size, weights, lanes.state, cells)
                e[s] += 1
            elif kind[s] == SAMPLE:
                for k in range(size):
                    x = load(lanes.state, s * size + k, cells)
                    results.voltages[first + s, k, p[s]] = voltage(x, cells, s * size + k)
                p[s] += 1
    for s in range(count):
        results.tallies[LATE] += incoming.offsets[first + s + 1] - e[s]
    return found


@shared
def sort_block(
    first: int, count: int, size: int, found: int, used: int, spikes: Spikes, results: Results
) -> int:
    """Append the spikes of a block by sample and time to the results; return how many these are now."""
    place = np.zeros(count, dtype=np.int64)
    for k in range(found):
        place[spikes.lanes[k] // size] += 1
    total = used
    for s in range(count):
        results.counts[first + s] = place[s]
        place[s] = total
        total += results.counts[first + s]
    for k in range(found):
        s = spikes.lanes[k] // size
        results.times[place[s]] = spikes.times[k]
        results.neurons[place[s]] = spikes.lanes[k] - s * size
        place[s] += 1
    for s in range(count):
        put_in_order(place[s] - results.counts[first + s], place[s], results.times, results.neurons)
    return total


@kernel
def sweep_circuits(
    first: int, last: int, experiment: Experiment, workspace: Workspace, results: Results
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of circuits that do not reach each other.

    Parameters
    ----------
    first, last : int
        Range of samples.
    experiment : Experiment
    workspace : Workspace
        Overwritten.
    results : Results

    Returns
    -------
    sample : int
        The first sample that is not done: ``last``, or one for which the capacity did not suffice.
    used : int
        Spikes of the samples that are done.
    """
    size = experiment.weights.shape[1]
    block = max(1, LANES // max(size, 1))
    capacity = len(results.times)
    before = np.empty_like(results.tallies)
    used = 0
    for b in range(first, last, block):
        count = min(block, last - b)
        copy(before, results.tallies)
        spikes = Spikes(workspace.spikes.times[: capacity - used], workspace.spikes.lanes)
        found = sweep_block(b, count, experiment, workspace, spikes, results)
        if found < 0:
            copy(results.tallies, before)
            return b, used
        used = sort_block(b, count, size, found, used, spikes, results)
    return last, used
