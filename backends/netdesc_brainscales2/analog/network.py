"""Forward run of circuits that reach each other: one sample in order of time, spike after spike."""

from __future__ import annotations

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import decay
from netdesc.events import Floats, Integers
from netdesc_brainscales2.analog.crossing import first_crossing
from netdesc_brainscales2.analog.inputs import receive
from netdesc_brainscales2.analog.layer import CLIPPED, LATE, SATURATED, next_event
from netdesc_brainscales2.analog.step import (
    BAR,
    EXC,
    FLAG,
    GAP,
    INH,
    RESET,
    STATES,
    TAU_I,
    TAU_J,
    TAU_REF,
    WAIT,
    U,
    drift,
    hold,
    restart,
    settle,
    step_lanes,
)
from netdesc_brainscales2.analog.step import TAU_M as TAU_MEM
from netdesc_brainscales2.chip.noise import JITTER, THRESHOLD, Keys, noise


@kernel
def foresee(lane: int, span: float, cells: Floats, state: Floats) -> float:
    """Return when a circuit spikes first within an interval if nothing arrives; infinity if it does not."""
    if state[BAR, lane] == np.inf:
        return np.inf
    held = min(state[WAIT, lane], span)
    u, i, j = state[U, lane], state[EXC, lane], state[INH, lane]
    if held > 0.0:
        u = cells[RESET, lane]
        i *= decay(held, cells[TAU_I, lane])
        j *= decay(held, cells[TAU_J, lane])
    s = first_crossing(
        u, i, j, state[BAR, lane], cells[TAU_MEM, lane], cells[TAU_I, lane], cells[TAU_J, lane], span - held
    )
    return held + s if s >= 0.0 else np.inf


@kernel
def fire(
    lane: int,
    span: float,
    cells: Floats,
    state: Floats,
    serial: Integers,
    table: Floats,
    key: np.uint64,
    spread: float,
) -> int:
    """Carry a circuit to its spike, ``span`` ms ahead, and reset it; return 1 where a rail stops it."""
    left = span
    if state[WAIT, lane] > 0.0:
        left -= hold(lane, left, cells, state)
    clipped = drift(lane, left, cells, state) if left > 0.0 else 0
    state[U, lane] = cells[RESET, lane]
    state[WAIT, lane] = cells[TAU_REF, lane]
    serial[lane] += 1
    if spread > 0.0:
        x = noise(table, key, lane, 2 * serial[lane] + THRESHOLD)
        state[BAR, lane] = cells[GAP, lane] * (1.0 + spread * x)
    return clipped


@kernel
def enqueue(count: int, when: Floats, who: Integers, time: float, lane: int) -> tuple[Floats, Integers]:
    """Insert a spike that is on its way into a queue of ``count``, latest first; the arrays may grow."""
    if count == len(when):
        longer, names = np.empty(2 * count), np.empty(2 * count, dtype=np.int64)
        longer[:count] = when
        names[:count] = who
        when, who = longer, names
    k = count
    while k > 0 and when[k - 1] <= time:
        when[k] = when[k - 1]
        who[k] = who[k - 1]
        k -= 1
    when[k] = time
    who[k] = lane
    return when, who


@kernel
def run_sample(
    b: int,
    begin: int,
    stop: int,
    times: Floats,
    rows: Integers,
    base: int,
    weights: Floats,
    cells: Floats,
    duration: float,
    grid: Floats,
    spread: float,
    jitter: float,
    table: Floats,
    keys: Keys,
    work: Floats,
    serial: Integers,
    found_times: Floats,
    found_lanes: Integers,
    samples: Floats,
    tallies: Integers,
) -> int:
    """Simulate one sample and return its spikes, -1 where the capacity did not suffice."""
    size = weights.shape[1]
    state, after, span = work[:STATES], work[STATES : 2 * STATES], work[2 * STATES]
    restart(size, b, size, cells, state, serial, table, keys, spread)
    key = keys[b]
    when, who = np.empty(16), np.empty(16, dtype=np.int64)
    waiting = 0
    now = 0.0
    e, p, found = begin, 0, 0
    kind = 1
    while kind > 0:
        then, kind = next_event(e, stop, times, p, grid, duration)
        if waiting > 0 and when[waiting - 1] < then:
            then, kind = when[waiting - 1], 3
        first, spiking = np.inf, -1
        if then > now:
            span[:size] = then - now
            if step_lanes(size, span, cells, state, after) > 0:
                for k in range(size):
                    if after[FLAG, k] > 0.0:
                        s = foresee(k, then - now, cells, state)
                        if s < first:
                            first, spiking = s, k
            if spiking >= 0:
                span[:size] = first
                step_lanes(size, span, cells, state, after)
                kind = 4
                then = now + first
            for k in range(size):
                if k == spiking:
                    if found == len(found_times):
                        return -1
                    tallies[CLIPPED] += fire(k, first, cells, state, serial, table, key, spread)
                    found_times[found] = then
                    found_lanes[found] = k
                    found += 1
                    after[0:4, k] = state[0:4, k]
                elif after[FLAG, k] > 0.0:
                    before = found
                    found, clipped = settle(
                        k,
                        k,
                        now,
                        span[k],
                        cells,
                        state,
                        serial,
                        table,
                        key,
                        spread,
                        found_times,
                        found_lanes,
                        found,
                    )
                    if found < 0:
                        return -1
                    tallies[CLIPPED] += clipped
                    after[0:4, k] = state[0:4, k]
                    for q in range(before, found):
                        waiting, when, who = send(
                            q, jitter, cells, serial, table, key, found_times, found_lanes, waiting, when, who
                        )
            for row in range(4):
                for k in range(size):
                    state[row, k] = after[row, k]
            now = then
        if kind == 4:
            waiting, when, who = send(
                last_of(spiking, found, found_lanes),
                jitter,
                cells,
                serial,
                table,
                key,
                found_times,
                found_lanes,
                waiting,
                when,
                who,
            )
        elif kind == 3:
            waiting -= 1
            tallies[SATURATED] += receive(0, base + who[waiting], weights, cells, state)
        elif kind == 2:
            tallies[SATURATED] += receive(0, rows[e], weights, cells, state)
            e += 1
        elif kind == 1:
            for k in range(size):
                samples[b, k, p] = state[U, k]
            p += 1
    tallies[LATE] += stop - e + waiting
    return found


@kernel
def last_of(lane: int, found: int, found_lanes: Integers) -> int:
    """Return the last spike of a circuit."""
    q = found - 1
    while found_lanes[q] != lane:
        q -= 1
    return q


@kernel
def send(
    q: int,
    jitter: float,
    cells: Floats,
    serial: Integers,
    table: Floats,
    key: np.uint64,
    found_times: Floats,
    found_lanes: Integers,
    waiting: int,
    when: Floats,
    who: Integers,
) -> tuple[int, Floats, Integers]:
    """Send spike q on its way; jitter can hold it back, not bring it forward."""
    lane = found_lanes[q]
    if jitter > 0.0:
        x = noise(table, key, lane, 2 * serial[lane] + JITTER)
        found_times[q] += jitter * cells[TAU_I, lane] * max(x, 0.0)
    when, who = enqueue(waiting, when, who, found_times[q], lane)
    return waiting + 1, when, who


@kernel
def run_circuits(
    first: int,
    last: int,
    times: Floats,
    rows: Integers,
    offsets: Integers,
    base: int,
    weights: Floats,
    cells: Floats,
    duration: float,
    grid: Floats,
    spread: float,
    jitter: float,
    table: Floats,
    keys: Keys,
    out_times: Floats,
    out_neurons: Integers,
    samples: Floats,
    tallies: Integers,
    counts: Integers,
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of circuits that reach each other.

    Parameters are those of ``sweep_circuits``, and

    Parameters
    ----------
    base : int
        Row of ``weights`` of the first circuit's own spikes.
    jitter : float
        Of spike times, in units of the excitatory time constant.

    Returns
    -------
    sample : int
        The first sample that is not done: ``last``, or one for which the capacity did not suffice.
    used : int
        Spikes of the samples that are done.
    """
    size = weights.shape[1]
    work = np.empty((2 * STATES + 1, size))
    serial = np.empty(size, dtype=np.int64)
    before = np.empty_like(tallies)
    used = 0
    for b in range(first, last):
        before[:] = tallies
        found = run_sample(
            b,
            offsets[b],
            offsets[b + 1],
            times,
            rows,
            base,
            weights,
            cells,
            duration,
            grid,
            spread,
            jitter,
            table,
            keys,
            work,
            serial,
            out_times[used:],
            out_neurons[used:],
            samples,
            tallies,
        )
        if found < 0:
            tallies[:] = before
            return b, used
        counts[b] = found
        used += found
    return last, used
