"""Adjoint run of a stage, tick by tick.

The gradient of a weight is a sum from the last tick to the first, within a sample.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.views import fill, stretch, unowned
from netdesc.events import Floats, Integers
from netdesc.ticks.backward import begin_late, start_adjoints, step_exact_back, step_published_back
from netdesc.ticks.off_grid_backward import step_off_grid_back
from netdesc.ticks.records import PUBLISHED, Adjoints, Slice, Spikes, Synapses, Workspace
from netdesc_numba.grid.job import Job
from netdesc_numba.grid.packets import Received, find_ticks


@inlined
def spikes_of(begin: int, end: int, own: Spikes) -> Spikes:
    """Return the spikes of a sample."""
    size = end - begin
    return Spikes(
        stretch(own.tick, begin, size),
        stretch(own.neuron, begin, size),
        stretch(own.previous, begin, size),
        stretch(own.fraction, begin, size),
        stretch(own.current, begin, size),
        stretch(own.release, begin, size),
        stretch(own.slope, begin, size),
        stretch(own.force, begin, size),
    )


@inlined
def add_gradients(synapses: Synapses, totals: Floats) -> None:
    """Add the gradients of a sample to those of the weights and, where there are any, of the delays."""
    for q in range(len(synapses.gradient)):
        totals[0, q] += synapses.gradient[q]
    for q in range(len(synapses.delay_gradient)):
        totals[1, q] += synapses.delay_gradient[q]


@inlined
def step_on_grid_back(
    m: int, begin: int, end: int, late: bool, job: Job, item: Slice, adjoints: Adjoints
) -> tuple[int, int]:
    """Run a stage back through a tick of ``published`` or ``exact_exponential``; see ``begin_late``."""
    published = job.scheme == PUBLISHED
    if published:
        events, grazing = step_published_back(m, begin, end, item, adjoints)
    else:
        events, grazing = step_exact_back(m, begin, end, item, adjoints)
    if late:
        begin_late(adjoints, item.cells, not published)
    return events, grazing


class Room(NamedTuple):
    """Room for the adjoint run of a stage, and where it begins.

    Parameters
    ----------
    adjoints : Adjoints
    workspace : Workspace
    sent : ndarray of int64, shape (ticks + 1,)
    lates : ndarray, shape (batch, n) or (0, n)
        What lam_v of silent neurons begins with.
    """

    adjoints: Adjoints
    workspace: Workspace
    sent: Integers
    lates: NDArray[Any]


def most_arrivals(received: Received, synapses: Synapses) -> int:
    """Return a number of arrivals at one neuron in one tick that is never exceeded."""
    segments = int(np.diff(synapses.first).max(initial=0))
    samples = np.repeat(np.arange(len(received.offsets) - 1), np.diff(received.offsets))
    head = np.ones(len(samples), dtype=np.bool_)
    head[1:] = (np.diff(samples) != 0) | (np.diff(received.tick) != 0)
    most = int(np.diff(np.append(np.flatnonzero(head), len(samples))).max(initial=0))
    return most * segments * len(synapses.delays) + 1


@kernel
def run_stage_back(
    spans: Integers,
    inside: bool | None,
    held_job: Job,
    held: Slice,
    held_room: Room,
    held_received: Received,
    offsets: Integers,
    totals: Floats,
) -> int:
    """Take adjoints of a stage back.

    Parameters
    ----------
    spans : ndarray of int64, shape (parts, 2)
        First sample of each part of the batch, and one past the last.
    inside, held_job
        As in ``run_stage``.
    held : Slice
        With all spikes of the stage. ``force`` in: dL/dt of each through what lies outside the stage, in
        1/ms. Out: the total.
    held_room : Room
    held_received : Received
        dL/d(arrival) through this stage is added.
    offsets : ndarray of int64, shape (batch + 1,)
        Of the spikes.
    totals : ndarray of float64, shape (parts, 1 or 2, synapses)
        Gradients of weights and, with a second row, of delays, in the order of the synapses, are added
        sample after sample.

    Returns
    -------
    int
        Number of spikes whose slope was raised to the floor.
    """
    job, received, whole = unowned(held_job), unowned(held_received), unowned(held)
    adjoints, workspace = unowned(held_room.adjoints), unowned(held_room.workspace)
    sent, lates, first = unowned(held_room.sent), unowned(held_room.lates), whole.arrivals.first
    grazing = 0
    last = job.steps - (0 if inside is None else 1)
    for part in range(len(spans)):
        for b in range(spans[part, 0], spans[part, 1]):
            begin = offsets[b]
            spikes = spikes_of(begin, offsets[b + 1], whole.spikes)
            find_ticks(received.offsets[b], received.offsets[b + 1], received.tick, first)
            find_ticks(0, len(spikes.tick), spikes.tick, sent)
            item = Slice(whole.cells, whole.neurons, spikes, whole.arrivals, whole.synapses, whole.buffers)
            start_adjoints(len(spikes.tick), adjoints, spikes)
            fill(item.synapses.gradient, 0)
            fill(item.synapses.delay_gradient, 0)
            late = len(lates) > 0
            if late:
                for j in range(len(adjoints.kept)):
                    adjoints.kept[j] = lates[b, j]
                if inside is not None:
                    begin_late(adjoints, item.cells, False)
            for m in range(last, 0 if inside is None and job.transport else -1, -1):
                if job.recurrent:
                    for k in range(sent[m], sent[m + 1]):
                        spikes.force[k] = received.gradient[received.place[begin + k]]
                if inside is None:
                    late = late and m == job.steps
                    _, raised = step_on_grid_back(m, sent[m], sent[m + 1], late, job, item, adjoints)
                else:
                    _, raised = step_off_grid_back(
                        m, sent[m], sent[m + 1], job.timestep, item, adjoints, workspace
                    )
                grazing += raised
            add_gradients(item.synapses, totals[part])
    return grazing
