"""Forward sweep of circuits that do not reach each other, several samples side by side."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers
from netdesc_brainscales2.analog.burst import settle_lanes
from netdesc_brainscales2.analog.inputs import receive
from netdesc_brainscales2.analog.lanes import ROWS, WIDTH
from netdesc_brainscales2.analog.stamps import put_in_order
from netdesc_brainscales2.analog.step import FLAG, STATES, U, restart, step_lanes
from netdesc_brainscales2.chip.noise import Keys

# Circuits times samples that are carried side by side: they fit the first cache.
LANES = 384
CLIPPED, SATURATED, LATE = range(3)


@kernel
def next_event(e: int, stop: int, times: Floats, p: int, grid: Floats, duration: float) -> tuple[float, int]:
    """Return the time of the next event and its kind: 0 end, 1 sample, 2 arrival."""
    arrives = times[e] if e < stop else np.inf
    moment = grid[p] if p < len(grid) else np.inf
    if moment <= arrives:
        return (moment, 1) if moment <= duration else (duration, 0)
    return (arrives, 2) if arrives < duration else (duration, 0)


@kernel
def sweep_block(
    first: int,
    count: int,
    size: int,
    times: Floats,
    rows: Integers,
    offsets: Integers,
    weights: Floats,
    cells: Floats,
    duration: float,
    grid: Floats,
    spread: float,
    table: Floats,
    keys: Keys,
    work: Floats,
    care: Floats,
    lane: Integers,
    serial: Integers,
    found_times: Floats,
    found_lanes: Integers,
    samples: Floats,
    tallies: Integers,
) -> int:
    """Simulate ``count`` samples side by side; see ``sweep_circuits``.

    Returns
    -------
    int
        Spikes found; -1 where the capacity did not suffice.
    """
    lanes = count * size
    state, after = work[:STATES], work[STATES : 2 * STATES]
    span = work[2 * STATES]
    restart(lanes, first, size, cells, state, serial, table, keys, spread)
    now = np.zeros(count)
    then = np.empty(count)
    kind = np.zeros(count, dtype=np.int64)
    e = offsets[first : first + count].copy()
    p = np.zeros(count, dtype=np.int64)
    found = 0
    running = count
    while running > 0:
        running = 0
        busy = False
        for s in range(count):
            then[s], kind[s] = next_event(e[s], offsets[first + s + 1], times, p[s], grid, duration)
            busy = busy or then[s] > now[s]
            running += 1 if kind[s] > 0 else 0
            length = then[s] - now[s]
            for k in range(size):
                span[s * size + k] = length
        if busy:
            if step_lanes(lanes, span, cells, state, after) > 0:
                flagged = 0
                for k in range(lanes):
                    lane[flagged] = k
                    flagged += 1 if after[FLAG, k] > 0.0 else 0
                found, clipped = settle_lanes(
                    flagged,
                    lane,
                    first,
                    size,
                    now,
                    span,
                    cells,
                    state,
                    after,
                    serial,
                    table,
                    keys,
                    spread,
                    care,
                    found_times,
                    found_lanes,
                    found,
                )
                if found < 0:
                    return -1
                tallies[CLIPPED] += clipped
            for row in range(4):
                for k in range(lanes):
                    state[row, k] = after[row, k]
        for s in range(count):
            now[s] = then[s]
            if kind[s] == 2:
                tallies[SATURATED] += receive(s * size, rows[e[s]], weights, cells, state)
                e[s] += 1
            elif kind[s] == 1:
                for k in range(size):
                    samples[first + s, k, p[s]] = state[U, s * size + k]
                p[s] += 1
    for s in range(count):
        tallies[LATE] += offsets[first + s + 1] - e[s]
    return found


@kernel
def hand_out(
    first: int,
    count: int,
    size: int,
    found: int,
    found_times: Floats,
    found_lanes: Integers,
    used: int,
    out_times: Floats,
    out_neurons: Integers,
    counts: Integers,
) -> int:
    """Sort the spikes of a block by sample and time, and return how many spikes there are now."""
    place = np.zeros(count, dtype=np.int64)
    for k in range(found):
        place[found_lanes[k] // size] += 1
    total = used
    for s in range(count):
        counts[first + s] = place[s]
        place[s] = total
        total += counts[first + s]
    for k in range(found):
        s = found_lanes[k] // size
        out_times[place[s]] = found_times[k]
        out_neurons[place[s]] = found_lanes[k] - s * size
        place[s] += 1
    for s in range(count):
        put_in_order(place[s] - counts[first + s], place[s], out_times, out_neurons)
    return total


@kernel
def sweep_circuits(
    first: int,
    last: int,
    times: Floats,
    rows: Integers,
    offsets: Integers,
    weights: Floats,
    cells: Floats,
    duration: float,
    grid: Floats,
    spread: float,
    table: Floats,
    keys: Keys,
    out_times: Floats,
    out_neurons: Integers,
    samples: Floats,
    tallies: Integers,
    counts: Integers,
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of circuits that do not reach each other.

    Parameters
    ----------
    first, last : int
        Range of samples.
    times : ndarray of float64, shape (k,)
        Arrivals in ms, ascending within a sample.
    rows : ndarray of int64, shape (k,)
        Row of ``weights`` that each arrival adds to the currents.
    offsets : ndarray of int64, shape (batch + 1,)
    weights : ndarray of float64, shape (rows, n)
        Voltages, signed.
    cells : ndarray of float64, shape (PARAMETERS, n)
    duration : float
        In ms.
    grid : ndarray of float64, shape (m,)
        When voltages are sampled.
    spread : float
        Relative noise of thresholds.
    table, keys
        Of noise: quantiles, and the key of each sample.
    out_times, out_neurons : ndarray, shape (capacity,)
        Results: spikes, sample after sample, ascending in time, ties by neuron.
    samples : ndarray of float64, shape (batch, n, m)
        Result: voltages above rest.
    tallies : ndarray of int64, shape (3,)
        Added to: rails met, arrivals saturated, arrivals due after the end.
    counts : ndarray of int64, shape (batch,)
        Results: spikes per sample.

    Returns
    -------
    sample : int
        The first sample that is not done: ``last``, or one for which the capacity did not suffice.
    used : int
        Spikes of the samples that are done.
    """
    size = weights.shape[1]
    block = max(1, LANES // max(size, 1))
    capacity = len(out_times)
    found_times = np.empty(capacity)
    found_lanes = np.empty(capacity, dtype=np.int64)
    tiled = np.empty((cells.shape[0], block * size))
    for row in range(cells.shape[0]):
        for s in range(block):
            for k in range(size):
                tiled[row, s * size + k] = cells[row, k]
    work = np.empty((2 * STATES + 1, block * size))
    care = np.empty((ROWS, block * size + WIDTH))
    lane = np.empty(block * size, dtype=np.int64)
    serial = np.empty(block * size, dtype=np.int64)
    before = np.empty_like(tallies)
    used = 0
    for b in range(first, last, block):
        count = min(block, last - b)
        before[:] = tallies
        found = sweep_block(
            b,
            count,
            size,
            times,
            rows,
            offsets,
            weights,
            tiled,
            duration,
            grid,
            spread,
            table,
            keys,
            work,
            care,
            lane,
            serial,
            found_times[: capacity - used],
            found_lanes,
            samples,
            tallies,
        )
        if found < 0:
            tallies[:] = before
            return b, used
        used = hand_out(b, count, size, found, found_times, found_lanes, used, out_times, out_neurons, counts)
    return last, used
