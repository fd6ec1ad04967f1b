"""What arrives at one neuron in one tick of the scheme ``off_grid``, in order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.ticks.crossing import Cell
from netdesc.ticks.records import MOST, Arrivals, Cells, Synapses, Workspace


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
def collect_arrivals(j: int, m: int, arrivals: Arrivals, synapses: Synapses, workspace: Workspace) -> int:
    """Collect what arrives at a neuron in a tick, in order of time, then emission, then source.

    Parameters
    ----------
    j, m : int
        Neuron and tick.
    arrivals, synapses
    workspace : Workspace
        Results: ``when``, ``weight``, ``receptor`` and ``found``.

    Returns
    -------
    int
        How many; if that is more than there is room for, the rest is missing.
    """
    count = 0
    # delays descend, so that emissions ascend
    for delay in synapses.delays:
        if delay > m:
            continue
        for e in range(arrivals.first[m - delay], arrivals.first[m - delay + 1]):
            source = arrivals.row[e]
            if not (synapses.lags[source] >> (delay & 15)) & 1:
                continue
            for g in range(synapses.first[source], synapses.first[source + 1]):
                segment = synapses.segments[g]
                if segment.delay != delay:
                    continue
                k = find_target(j, segment, synapses.target)
                if k < 0:
                    continue
                if count < len(workspace.when):
                    p = make_place(count, e, delay, arrivals, workspace)
                    workspace.when[p] = arrivals.fraction[e]
                    workspace.weight[p] = synapses.weight[segment.start + k]
                    workspace.receptor[p] = segment.receptor
                    workspace.found[p, 0] = e
                    workspace.found[p, 1] = delay
                    workspace.found[p, 2] = segment.start + k
                    workspace.found[p, 3] = segment.gradient + k if segment.gradient >= 0 else -1
                count += 1
    return count


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
