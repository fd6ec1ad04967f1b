"""Forward run of a stage, tick by tick."""

from __future__ import annotations

from netdesc.dynamics.jit import inlined, kernel
from netdesc.dynamics.views import row, unowned
from netdesc.events import Integers
from netdesc.ticks.delivery import deposit, land
from netdesc.ticks.forward import add_arrivals, count_reaches, fire, start_slice, step_on_grid
from netdesc.ticks.off_grid import step_off_grid
from netdesc.ticks.records import EXACT, NO_ROOM, Slice, Workspace
from netdesc_numba.grid.job import Job
from netdesc_numba.grid.packets import (
    Packets,
    append_packets,
    append_spikes,
    find_ticks,
    sort_rows,
)


@inlined
def first_tick(job: Job, used: int, item: Slice) -> int:
    """Let neurons that start above the threshold spike, and add what arrives at once; as ``step_on_grid``."""
    cells, neurons, n = item.cells, item.neurons, len(item.cells.gap)
    if job.scheme == EXACT and count_reaches(row(neurons.state, 0), cells.gap) > 0:
        used = fire(0, used, (0, n), job.scheme, cells, neurons, item.spikes)
    if not job.transport:
        add_arrivals(0, 0, n, cells, neurons, item.buffers)
    return used


@kernel
def run_stage(
    span: tuple[int, int],
    inside: bool | None,
    held_job: Job,
    held_packets: Packets,
    held: Slice,
    held_workspace: Workspace,
    counts: Integers,
) -> tuple[int, int]:
    """Simulate a stage.

    Parameters
    ----------
    span : tuple of int
        First sample, and one past the last.
    inside : bool or None
        True in ``off_grid``; None in the other schemes, for which other code is compiled.
    held_job, held_packets
    held : Slice
        ``spikes`` is the result: in order of time, ties by neuron, sample after sample. ``arrivals`` is from
        ``store_of``.
    held_workspace : Workspace
    counts : ndarray of int64, shape (batch,)
        Result: spikes per sample.

    Returns
    -------
    sample : int
        The first sample that is not done: one past the last, or the one for which there was no room.
    used : int
        Spikes of the samples that are done; ``NO_WORKSPACE`` or ``BURST`` (see ``netdesc.ticks.records``).
    """
    used = 0
    job, packets, item = unowned(held_job), unowned(held_packets), unowned(held)
    workspace, store = unowned(held_workspace), item.arrivals
    lag = 1 if job.transport else 0
    for b in range(span[0], span[1]):
        done = used
        start_slice(item, job.start)
        e, end = packets.offsets[b], packets.offsets[b + 1]
        filled = split = 0
        store.first[0] = 0
        if not job.recurrent:
            find_ticks(e, end, packets.tick, store.first)
        for m in range(job.steps + (1 if inside is None else 0)):
            fresh = used
            if job.recurrent and not job.transport:
                # own spikes of the tick before, then what arrives at once
                if m > 0:
                    if inside is None:
                        deposit(m - 1, split, filled, job.steps, item)
                    else:
                        land(m - 1, split, filled, job.steps, job.timestep, item)
                e, split = append_packets(m, e, end, packets, filled, store)
                filled = store.first[m + 1] = split
            if m >= lag:
                if inside is None:
                    deposit(m - lag, store.first[m - lag], store.first[m - lag + 1], job.steps, item)
                else:
                    land(
                        m - lag, store.first[m - lag], store.first[m - lag + 1], job.steps, job.timestep, item
                    )
            if inside is not None:
                used = step_off_grid(m, used, job.timestep, item, workspace)
            elif m == 0:
                used = first_tick(job, used, item)
            else:
                used = step_on_grid(m, used, job.scheme, item)
            if used < 0:
                return b, done if used == NO_ROOM else used
            if job.recurrent:
                if job.transport:
                    e, filled = append_packets(m, e, end, packets, filled, store)
                    split = store.first[m]
                filled = append_spikes(fresh, used, item.spikes, job.member, filled, store)
                sort_rows(split, filled, store)
                store.first[m + 1] = filled
        counts[b] = used - done
    return span[1], used
