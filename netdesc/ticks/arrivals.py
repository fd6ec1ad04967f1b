"""What arrives at one neuron in one tick of the scheme ``off_grid``, in order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, int64
from netdesc.events import Integers
from netdesc.ticks.crossing import Cell
from netdesc.ticks.records import MOST, Arrivals, Cells, Synapses, Workspace

LISTED = 4096
"""Segments of synapses that receive spikes in one tick and are listed for all neurons together."""


@inlined
def make_workspace(neurons: int, arrivals: int) -> Workspace:
    """Make room for slices of at most that many neurons and that many arrivals at one of them in a tick."""
    return Workspace(
        np.empty(arrivals),
        np.empty(arrivals),
        np.empty(arrivals),
        np.empty(arrivals),
        np.empty((arrivals, 4), dtype=np.int64),
        np.zeros(arrivals, dtype=np.int64),
        np.empty(MOST),
        np.empty(MOST),
        np.empty(MOST),
        np.empty(neurons, dtype=np.int64),
        np.empty(neurons, dtype=np.int64),
        np.empty(neurons, dtype=np.int64),
        np.zeros(neurons, dtype=np.int64),
        np.empty((neurons, 4)),
        np.empty((LISTED if arrivals > 1 else 1, 4), dtype=np.int64),
    )


@inlined
def cell_of(j: int, cells: Cells) -> Cell:
    """Return the constants of a neuron as the equations within a tick take them."""
    return (
        cells.tau_m[j],
        cells.tau_s[0, j],
        cells.tau_s[len(cells.tau_s) - 1, j],
        float(cells.gap[j]),
        float(cells.reset[j]),
    )


@inlined
def list_segments(m: int, arrivals: Arrivals, synapses: Synapses, workspace: Workspace) -> int:
    """List the spikes that arrive in a tick, with the segments of synapses at which they do.

    Parameters
    ----------
    m : int
        The tick.
    arrivals, synapses
    workspace : Workspace
        Results: ``near``.

    Returns
    -------
    int
        How many; -1 if there are more than there is room for.
    """
    count = int64(0)
    # delays descend, so that emissions ascend
    for delay in synapses.delays:
        if delay > m:
            continue
        for e in range(arrivals.first[m - delay], arrivals.first[m - delay + 1]):
            source = arrivals.row[e]
            if not (synapses.lags[source] >> (delay & 15)) & 1:
                continue
            for g in range(synapses.first[source], synapses.first[source + 1]):
                if synapses.segments[g].delay != delay:
                    continue
                if count == len(workspace.near):
                    return int64(-1)
                note_segment(count, e, g, synapses, workspace.near)
                count += 1
    return count


@inlined
def note_segment(p: int, e: int, g: int, synapses: Synapses, near: Integers) -> None:
    """Write down a spike received and a segment, with its first target and one past its last."""
    segment = synapses.segments[g]
    low = high = int64(segment.base)
    if segment.run == 1:
        high += segment.size - 1
    else:
        low = synapses.target[segment.target_start]
        high = synapses.target[segment.target_start + segment.size - 1]
    near[p, 0], near[p, 1], near[p, 2], near[p, 3] = e, g, low, high + 1


@inlined
def collect_arrivals(
    j: int, m: int, listed: int, arrivals: Arrivals, synapses: Synapses, workspace: Workspace
) -> int:
    """Collect what arrives at a neuron in a tick, in order of time, then emission, then source.

    Parameters
    ----------
    j, m : int
        Neuron and tick.
    listed : int
        From ``list_segments``.
    arrivals, synapses
    workspace : Workspace
        Results: ``when``, ``weight``, ``receptor`` and ``found``.

    Returns
    -------
    int
        How many; if that is more than there is room for, the rest is missing.
    """
    count = int64(0)
    near = workspace.near
    for p in range(listed):
        if near[p, 2] <= j < near[p, 3]:
            count = collect_at(j, near[p, 0], near[p, 1], count, arrivals, synapses, workspace)
    if listed >= 0:
        return count
    for delay in synapses.delays:
        if delay > m:
            continue
        for e in range(arrivals.first[m - delay], arrivals.first[m - delay + 1]):
            source = arrivals.row[e]
            if (synapses.lags[source] >> (delay & 15)) & 1:
                for g in range(synapses.first[source], synapses.first[source + 1]):
                    if synapses.segments[g].delay == delay:
                        count = collect_at(j, e, g, count, arrivals, synapses, workspace)
    return count


@inlined
def collect_at(
    j: int, e: int, g: int, count: int, arrivals: Arrivals, synapses: Synapses, workspace: Workspace
) -> int:
    """Collect the arrival of a spike at a neuron through a segment, if there is one; return their number."""
    segment = synapses.segments[g]
    k = find_target(j, segment, synapses.target)
    if k < 0:
        return count
    if count < len(workspace.when):
        p = make_place(count, e, segment.delay, arrivals, workspace)
        workspace.when[p] = arrivals.fraction[e]
        workspace.weight[p] = synapses.weight[segment.start + k]
        workspace.receptor[p] = segment.receptor
        workspace.found[p, 0] = e
        workspace.found[p, 1] = segment.delay
        workspace.found[p, 2] = segment.start + k
        workspace.found[p, 3] = segment.gradient + k if segment.gradient >= 0 else -1
    return count + 1


@inlined
def make_place(count: int, e: int, delay: int, arrivals: Arrivals, workspace: Workspace) -> int:
    """Return the place of an arrival among those there are; those behind it move on by one."""
    when, found = workspace.when, workspace.found
    fraction = float(arrivals.fraction[e])
    p = count
    while p > 0 and (
        when[p - 1] > fraction
        or (
            when[p - 1] == fraction
            and found[p - 1, 1] == delay
            and arrivals.row[found[p - 1, 0]] > arrivals.row[e]
        )
    ):
        when[p] = when[p - 1]
        workspace.weight[p] = workspace.weight[p - 1]
        workspace.receptor[p] = workspace.receptor[p - 1]
        for column in range(4):
            found[p, column] = found[p - 1, column]
        p -= 1
    return p


@inlined
def find_target(j: int, segment: Any, targets: NDArray[Any]) -> int:
    """Return which synapse of a segment leads to neuron j, -1 for none."""
    if segment.run == 1:
        k = j - segment.base
        return k if 0 <= k < segment.size else -1
    target = targets[segment.target_start : segment.target_start + segment.size]
    k = np.searchsorted(target, j)
    return k if k < len(target) and target[k] == j else -1  # type: ignore[return-value]
