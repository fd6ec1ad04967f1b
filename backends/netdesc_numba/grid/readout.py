"""Read-outs on a grid, forward and backward: the schemes ``published`` and ``exact_exponential``."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.readout import share_after
from netdesc.dynamics.views import copy_rows, fill, row, unowned
from netdesc.events import Floats, Integers
from netdesc.ticks.backward import start_adjoints, step_back
from netdesc.ticks.delivery import deposit
from netdesc.ticks.forward import (
    add_arrivals,
    arriving,
    start_slice,
    step_exact,
    step_published,
    total_current,
)
from netdesc.ticks.meeting import meet
from netdesc.ticks.records import PUBLISHED, Adjoints, Slice
from netdesc_numba.grid.backward import add_gradients
from netdesc_numba.grid.job import Job
from netdesc_numba.grid.packets import Packets, Received, find_ticks


class Found(NamedTuple):
    """What is read of a read-out.

    Parameters
    ----------
    peak : ndarray of float64, shape (batch, n)
        Largest voltage above rest.
    when : ndarray of int64, shape (batch, n)
        First tick at which it is reached.
    share : ndarray of float64, shape (batch, n)
        What packets that arrive in that tick meet of the jump there; see ``share_after``.
    means : ndarray of float64, shape (means, batch, n)
        Means of the voltage above rest.
    """

    peak: Floats
    when: Integers
    share: Floats
    means: Floats


class Drives(NamedTuple):
    """What a loss injects into a read-out.

    Parameters
    ----------
    jump : ndarray, shape (batch, steps + 1, n)
        What lam_v gains at each tick; in the precision of the state.
    when : ndarray of int64, shape (batch, n)
        Tick of the maximum.
    shared : ndarray, shape (batch, n)
        What packets that arrive in that tick meet in addition.
    """

    jump: NDArray[Any]
    when: Integers
    shared: NDArray[Any]


@inlined
def read_start(b: int, weights: Floats, item: Slice, found: Found) -> None:
    """Read the state at the start of a sample."""
    u = row(item.neurons.state, 0)
    for j in range(len(u)):
        found.peak[b, j] = u[j]
        found.when[b, j] = 0
        found.share[b, j] = 0.0
        for q in range(len(weights)):
            found.means[q, b, j] = weights[q, 0] * u[j]


@inlined
def read_tick(
    m: int, b: int, job: Job, weights: Floats, item: Slice, arrived: NDArray[Any], found: Found
) -> None:
    """Read the state after a tick; ``arrived`` is what arrived in it."""
    u, published = row(item.neurons.state, 0), job.scheme == PUBLISHED
    for j in range(len(u)):
        if u[j] > found.peak[b, j]:
            found.peak[b, j] = u[j]
            found.when[b, j] = m
            now = total_current(item.neurons.state, j)
            before = now - arrived[j] if published else now
            after = now if published else now + arrived[j]
            # what arrives at the very end is not delivered
            met = share_after(float(before), float(after), float(u[j]))
            found.share[b, j] = met if m < job.steps else 0.0
    for q in range(len(weights)):
        for j in range(len(u)):
            found.means[q, b, j] += weights[q, m] * u[j]


@kernel
def read_ticks(
    span: tuple[int, int],
    held_job: Job,
    held_packets: Packets,
    held: Slice,
    weights: Floats,
    found: Found,
) -> None:
    """Read a read-out at all ticks.

    Parameters
    ----------
    span : tuple of int
        First sample, and one past the last.
    held_job, held_packets, held
        As in ``run_stage``.
    weights : ndarray of float64, shape (means, steps + 1)
        Of each tick in each mean.
    found : Found
        Results.
    """
    job, packets, item = unowned(held_job), unowned(held_packets), unowned(held)
    cells, first, arrived = item.cells, item.arrivals.first, item.neurons.flag
    lag, n = 1 if job.transport else 0, len(cells.gap)
    for b in range(span[0], span[1]):
        find_ticks(packets.offsets[b], packets.offsets[b + 1], packets.tick, first)
        start_slice(item, job.start)
        read_start(b, weights, item, found)
        for m in range(job.steps + 1):
            if m >= lag:
                deposit(m - lag, first[m - lag], first[m - lag + 1], job.steps, item)
            if m > 0:
                for r in range(len(cells.gain)):
                    coming = arriving(m, r, 0, n, item.buffers, cells)
                    for j in range(len(arrived)):
                        arrived[j] = coming[j] if r == 0 else arrived[j] + coming[j]
                if job.scheme == PUBLISHED:
                    step_published(m, 0, n, cells, item.neurons, item.buffers)
                else:
                    step_exact(0, n, cells, item.neurons)
                read_tick(m, b, job, weights, item, arrived, found)
            if job.scheme != PUBLISHED or m == 0:
                add_arrivals(m, 0, n, cells, item.neurons, item.buffers)


@kernel
def read_ticks_back(
    spans: Integers,
    held_job: Job,
    held: Slice,
    held_adjoints: Adjoints,
    held_received: Received,
    drives: Drives,
    totals: Floats,
) -> None:
    """Take adjoints of a read-out back.

    A voltage that the loss reads at a tick changes lam_v where a spike at that tick would.

    Parameters
    ----------
    spans, held_job, held, held_received, totals
        As in ``run_stage_back``.
    held_adjoints : Adjoints
    drives : Drives
    """
    job, received, item = unowned(held_job), unowned(held_received), unowned(held)
    adjoints, cells, synapses = unowned(held_adjoints), item.cells, item.synapses
    published, values, seen = job.scheme == PUBLISHED, adjoints.values, adjoints.late
    for part in range(len(spans)):
        for b in range(spans[part, 0], spans[part, 1]):
            find_ticks(received.offsets[b], received.offsets[b + 1], received.tick, item.arrivals.first)
            start_adjoints(0, adjoints, item.spikes)
            fill(synapses.gradient, 0)
            fill(synapses.delay_gradient, 0)
            for m in range(job.steps, 0 if job.transport else -1, -1):
                copy_rows(seen, values)
                for j in range(len(cells.gap)):
                    if drives.when[b, j] == m:
                        seen[0, j] = values[0, j] + drives.shared[b, j]
                if published:
                    step_back(values, cells)
                    for j in range(len(cells.gap)):
                        values[0, j] += drives.jump[b, m, j]
                meet(m, seen, values, cells, item.arrivals, synapses, adjoints.products)
                if not published:
                    for j in range(len(cells.gap)):
                        values[0, j] += drives.jump[b, m, j]
                    step_back(values, cells)
            add_gradients(synapses, totals[part])
