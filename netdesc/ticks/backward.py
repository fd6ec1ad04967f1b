"""A tick of the schemes ``published`` and ``exact_exponential``, backward."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.lif_adjoint import slope_after, spike_jump
from netdesc.dynamics.tick import adjoint_current_before, adjoint_voltage_before
from netdesc.dynamics.views import copy_rows, fill, row
from netdesc.ticks.meeting import meet
from netdesc.ticks.records import Adjoints, Cells, Slice, Spikes


@inlined
def start_adjoints(count: int, adjoints: Adjoints, spikes: Spikes) -> None:
    """Start a slice for a backward run over ``count`` spikes."""
    for r in range(len(adjoints.values)):
        fill(row(adjoints.values, r), 0)
    fill(adjoints.kept, 0)
    chain(count, spikes, adjoints.latest)


@inlined
def chain(count: int, spikes: Spikes, latest: NDArray[Any]) -> None:
    """Find for every spike the one of the same neuron before it, -1 for none, and the last of each neuron."""
    fill(latest, -1)
    for k in range(count):
        j = spikes.neuron[k]
        spikes.previous[k] = latest[j]
        latest[j] = k


@inlined
def step_back(values: NDArray[Any], cells: Cells) -> None:
    """Take the adjoints back over a tick, without spikes; lam_i first, with the later lam_v."""
    lam_v = row(values, 0)
    for r in range(len(cells.gain)):
        lam_i, fade, gain = row(values, 1 + r), row(cells.fade, r), row(cells.adjoint_gain, r)
        for j in range(len(lam_v)):
            lam_i[j] = adjoint_current_before(lam_i[j], lam_v[j], fade[j], gain[j])
    for j in range(len(lam_v)):
        lam_v[j] = adjoint_voltage_before(lam_v[j], cells.leak[j])


@inlined
def begin_late(adjoints: Adjoints, cells: Cells, late: bool) -> None:
    """Let lam_v of silent neurons begin with what a loss of their last voltage makes it.

    Parameters
    ----------
    adjoints : Adjoints
        ``kept`` has it, and is cleared.
    cells : Cells
    late : bool
        Whether the adjoints have been taken back over the last tick already, from its end.
    """
    lam_v, lam_i = row(adjoints.values, 0), row(adjoints.values, 1)
    for j in range(len(lam_v)):
        begun = adjoints.kept[j]
        if late:
            lam_i[j] += cells.adjoint_gain[0, j] * begun
            lam_v[j] += cells.leak[j] * begun
        else:
            lam_v[j] += begun
        adjoints.kept[j] = 0


@inlined
def step_published_back(m: int, begin: int, end: int, item: Slice, adjoints: Adjoints) -> tuple[int, int]:
    """Run a slice back through a tick of the scheme ``published``.

    Parameters
    ----------
    m : int
        The tick.
    begin, end : int
        Its spikes.
    item : Slice
    adjoints : Adjoints

    Returns
    -------
    events, grazing : int
        Synaptic events, and spikes whose slope was raised to the floor.
    """
    cells, spikes, values, late = item.cells, item.spikes, adjoints.values, adjoints.late
    lam_v, late_v = row(values, 0), row(late, 0)
    grazing = 0
    # dL/d(arrival) is read at one tick, dL/dw at the one before it
    copy_rows(late, values)
    step_back(values, cells)
    for k in range(begin, end):
        j = spikes.neuron[k]
        returned = (cells.gap[j] - cells.reset[j]) * late_v[j]
        gained, raised = spike_jump(returned + spikes.force[k], spikes.slope[k], cells.floor[j])
        lam_v[j] += gained
        grazing += 1 if raised else 0
        spikes.force[k] += returned
    return meet(m, late, values, cells, item.arrivals, item.synapses, adjoints.products), grazing


@inlined
def step_exact_back(m: int, begin: int, end: int, item: Slice, adjoints: Adjoints) -> tuple[int, int]:
    """Run a slice back through a tick of the scheme ``exact_exponential``; as ``step_published_back``.

    In a tick, arrivals are undone first, then spikes, then releases.
    """
    values, cells = adjoints.values, item.cells
    events = meet(m, values, values, cells, item.arrivals, item.synapses, adjoints.products)
    grazing = undo_spikes(begin, end, cells, item.spikes, adjoints)
    if cells.holding:
        undo_releases(m, cells, item.spikes, adjoints)
    step_back(values, cells)
    return events, grazing


@inlined
def undo_spikes(begin: int, end: int, cells: Cells, spikes: Spikes, adjoints: Adjoints) -> int:
    """Undo the spikes of a tick; return how many slopes were raised to the floor."""
    lam_v, kept, grazing = row(adjoints.values, 0), adjoints.kept, 0
    for k in range(begin, end):
        j = spikes.neuron[k]
        if cells.hold[j] == 0:
            kept[j] = slope_after(spikes.current[k], cells.reset[j]) * lam_v[j]
        spikes.force[k] += kept[j]
        lam_v[j], raised = spike_jump(spikes.force[k], spikes.slope[k], cells.floor[j])
        grazing += 1 if raised else 0
        kept[j] = 0
        adjoints.latest[j] = spikes.previous[k]
    return grazing


@inlined
def undo_releases(m: int, cells: Cells, spikes: Spikes, adjoints: Adjoints) -> None:
    """Undo the releases at the end of a tick."""
    lam_v = row(adjoints.values, 0)
    for j in range(len(lam_v)):
        k = adjoints.latest[j]
        if k >= 0 and cells.hold[j] > 0 and spikes.tick[k] + cells.hold[j] == m:
            adjoints.kept[j] = slope_after(spikes.release[k], cells.reset[j]) * lam_v[j]
            lam_v[j] = 0
