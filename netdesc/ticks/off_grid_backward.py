"""A tick of the scheme ``off_grid``, backward.

Neurons that spike or are released in the tick come after all others, one by one.
"""

from __future__ import annotations

from netdesc.dynamics.jit import inlined, int64
from netdesc.dynamics.views import row
from netdesc.ticks.arrivals import cell_of, collect_arrivals, list_segments
from netdesc.ticks.backward import step_back
from netdesc.ticks.crossing import FREE, cross_tick_back
from netdesc.ticks.meeting import meet_within
from netdesc.ticks.records import Adjoints, Cells, Slice, Spikes, Workspace


@inlined
def find_specials(
    m: int, begin: int, end: int, cells: Cells, spikes: Spikes, adjoints: Adjoints, workspace: Workspace
) -> int:
    """List the neurons that spike or are released in a tick, and take its spikes off their chains.

    Parameters
    ----------
    m : int
        The tick.
    begin, end : int
        Its spikes.
    cells, spikes
    adjoints : Adjoints
        ``latest`` is moved to the last spike before this tick.
    workspace : Workspace
        Results: ``special``, ``latest``, ``released`` and ``marked``.

    Returns
    -------
    int
        How many.
    """
    latest, hold = adjoints.latest, cells.hold
    count = 0
    for k in range(begin, end):
        j = spikes.neuron[k]
        if workspace.marked[j] == 0:
            workspace.marked[j] = 1
            workspace.special[count], workspace.latest[count], workspace.released[count] = j, latest[j], -1
            count += 1
    for p in range(count):
        k = workspace.latest[p]
        while k >= 0 and spikes.tick[k] == m:
            k = spikes.previous[k]
        latest[workspace.special[p]] = k
    if not cells.holding:
        return count
    for p in range(count):
        j = workspace.special[p]
        k = latest[j]
        if k >= 0 and hold[j] > 0 and spikes.tick[k] + hold[j] == m:
            workspace.released[p] = k
    for j in range(len(latest)):
        k = latest[j]
        if workspace.marked[j] == 0 and k >= 0 and hold[j] > 0 and spikes.tick[k] + hold[j] == m:
            workspace.marked[j] = 1
            workspace.special[count], workspace.latest[count], workspace.released[count] = j, -1, k
            count += 1
    return count


@inlined
def step_off_grid_back(
    m: int, begin: int, end: int, timestep: float, item: Slice, adjoints: Adjoints, workspace: Workspace
) -> tuple[int, int]:
    """Run a slice back through a tick of the scheme ``off_grid``.

    Parameters
    ----------
    m, begin, end, item, adjoints
        As in ``step_published_back``.
    timestep : float
        In ms.
    workspace : Workspace

    Returns
    -------
    events, grazing : int
        As of ``step_published_back``; -1 for ``events`` where the workspace is too small.
    """
    cells, values, quiet = item.cells, adjoints.values, adjoints.late
    specials = find_specials(m, begin, end, cells, item.spikes, adjoints, workspace)
    for r in range(len(values)):
        others, mine = row(quiet, r), row(values, r)
        for j in range(len(mine)):
            others[j] = 0 if workspace.marked[j] == 1 else mine[j]
    for p in range(specials):
        workspace.marked[workspace.special[p]] = 0
    events = meet_within(m, timestep, quiet, cells, item.arrivals, item.synapses, adjoints.products)
    grazing = 0
    listed = list_segments(m, item.arrivals, item.synapses, workspace) if specials > 0 else int64(0)
    for p in range(specials):
        raised = cross_back(m, p, listed, timestep, item, adjoints, workspace)
        if raised < 0:
            return -1, 0
        grazing += raised
    step_back(values, cells)
    for p in range(specials):
        for r in range(len(values)):
            values[r, workspace.special[p]] = workspace.result[p, r]
    return events, grazing


@inlined
def cross_back(
    m: int, p: int, listed: int, timestep: float, item: Slice, adjoints: Adjoints, workspace: Workspace
) -> int:
    """Take the adjoint of one special neuron back through a tick.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor; -1 where the workspace is too small.
    """
    cells, spikes, result = item.cells, item.spikes, workspace.result[p]
    j, released = workspace.special[p], workspace.released[p]
    count = collect_arrivals(j, m, listed, item.arrivals, item.synapses, workspace)
    if count > len(workspace.when):
        return -1
    hits = list_spikes(p, j, spikes, adjoints, workspace)
    for r in range(len(adjoints.values)):
        result[r] = adjoints.values[r, j]
    if len(adjoints.values) == 2:
        result[2] = 0.0
    result[3] = adjoints.kept[j]
    at = float(spikes.fraction[released]) if released >= 0 else FREE
    current = float(spikes.release[released]) if released >= 0 else 0.0
    grazing = cross_tick_back(
        (at, current),
        (count, hits),
        timestep,
        cell_of(j, cells),
        cells.hold[j] > 0,
        float(cells.floor[j]),
        workspace,
        result,
    )
    adjoints.kept[j] = result[3]
    add_gradients(count, item, workspace)
    k = workspace.latest[p]
    for x in range(hits - 1, -1, -1):
        spikes.force[k] = workspace.force[x]
        k = spikes.previous[k]
    return grazing


@inlined
def list_spikes(p: int, j: int, spikes: Spikes, adjoints: Adjoints, workspace: Workspace) -> int:
    """List the spikes of a special neuron in a tick in order of time; return how many they are."""
    hits = 0
    k = workspace.latest[p]
    while k > adjoints.latest[j]:
        hits += 1
        k = spikes.previous[k]
    k = workspace.latest[p]
    for x in range(hits - 1, -1, -1):
        workspace.at[x] = spikes.fraction[k]
        workspace.current[x] = spikes.current[k]
        workspace.force[x] = spikes.force[k]
        k = spikes.previous[k]
    return hits


@inlined
def add_gradients(count: int, item: Slice, workspace: Workspace) -> None:
    """Add dL/d(arrival), dL/dw and dL/d(delay) of the arrivals at a special neuron."""
    arrivals, synapses = item.arrivals, item.synapses
    kind = synapses.weight.dtype.type
    for x in range(count):
        e, q = workspace.found[x, 0], workspace.found[x, 3]
        arrivals.gradient[e] += kind(workspace.gradient[x])
        if q >= 0:
            synapses.gradient[q] += kind(workspace.weight_gradient[x])
            if len(synapses.delay_gradient) > 0:
                synapses.delay_gradient[q] += kind(workspace.gradient[x])
