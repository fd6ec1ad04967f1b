"""Forward run of circuits that reach each other: one sample in order of time, spike after spike."""

from __future__ import annotations

from typing import Any

import numpy as np

from netdesc.adjoint.neuron import store
from netdesc.dynamics.jit import inlined, int64, kernel, shared
from netdesc.dynamics.protocol import NEVER, State, crossing, flow, held, load, voltage
from netdesc.dynamics.views import copy, fill, unowned
from netdesc.events import Floats, Integers
from netdesc_brainscales2.analog.circuit import clip, may_spike
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
    next_event,
    restart,
    start_lanes,
    step_lanes,
    swap,
)
from netdesc_brainscales2.chip.noise import JITTER, Noise, draw

DELIVERY, SPIKE = 3, 4
"""What comes next is a spike of the circuits themselves: at its targets, or when it happens."""

Queue = tuple[int, Floats, Integers]
"""Number of spikes on their way, and when they arrive, latest first, and their circuits."""


@inlined
def hold(x: State, cell: int, span: float, lanes: Lanes, cells: Any) -> tuple[State, float]:
    """Hold a circuit while it is refractory, for at most ``span`` ms; return the state and what is left."""
    if lanes.wait[cell] <= 0.0:
        return x, span
    passed = min(lanes.wait[cell], span)
    lanes.wait[cell] -= passed
    return held(x, cells, cell, passed), span - passed


@shared
def foresee(cell: int, lanes: Lanes, cells: Any) -> float:
    """Return when a circuit spikes first within its interval if nothing arrives; infinity without a spike."""
    x, span = load(lanes.state, cell, cells), lanes.span[cell]
    passed = min(lanes.wait[cell], span)
    if passed > 0.0:
        x = held(x, cells, cell, passed)
    s = crossing(x, cells, cell, span - passed)
    return passed + s if s >= 0.0 else np.inf


@shared
def fire(cell: int, sample: int, lanes: Lanes, experiment: Experiment) -> int:
    """Advance a circuit to its spike at the end of its interval; return 1 where a rail stops it."""
    cells = experiment.cells
    x, left = hold(load(lanes.state, cell, cells), cell, lanes.span[cell], lanes, cells)
    clipped = 0
    if left > 0.0:
        x, clipped = clip(flow(x, cells, cell, left), cells, cell)
    store(lanes.after, cell, restart(x, cell, sample, lanes, experiment))
    return clipped


@shared
def settle(
    cell: int, sample: int, now: float, lanes: Lanes, spikes: Spikes, found: int, experiment: Experiment
) -> tuple[int, int]:
    """Advance a circuit over its interval with all its spikes.

    Parameters
    ----------
    cell, sample : int
    now : float
        Start of the interval in ms.
    lanes : Lanes
        Receives the state at the end.
    spikes : Spikes
        Receives spikes from ``found`` on.
    found : int
        Spikes found so far.
    experiment : Experiment

    Returns
    -------
    found : int
        Spikes found so far; -1 where the capacity did not suffice.
    clipped : int
        1 where a rail stopped the circuit.
    """
    cells, span = experiment.cells, lanes.span[cell]
    clipped = 0
    x, left = hold(load(lanes.state, cell, cells), cell, span, lanes, cells)
    while left > 0.0:
        s = crossing(x, cells, cell, left) if may_spike(x, cells, cell) else NEVER
        if s < 0.0:
            x, clipped = clip(flow(x, cells, cell, left), cells, cell)
            break
        if found == len(spikes.times):
            return -1, 0
        left -= s
        spikes.times[found] = now + (span - left)
        spikes.lanes[found] = cell
        found += 1
        x = restart(flow(x, cells, cell, s), cell, sample, lanes, experiment)
        x, left = hold(x, cell, left, lanes, cells)
    store(lanes.after, cell, x)
    return found, clipped


@inlined
def find_first(size: int, span: float, lanes: Lanes, cells: Any) -> tuple[float, int]:
    """Step all circuits over an interval, or up to the first spike in it.

    Returns
    -------
    span : float
        In ms, shorter where a circuit spikes.
    spiking : int
        That circuit, -1 for none.
    """
    fill(lanes.span, span)
    first, spiking = np.inf, -1
    if step_lanes(size, lanes, cells) > 0:
        for k in range(size):
            if lanes.flag[k] > 0.0:
                s = foresee(k, lanes, cells)
                if s < first:
                    first, spiking = s, k
    if spiking < 0:
        return span, -1
    fill(lanes.span, first)
    step_lanes(size, lanes, cells)
    return first, spiking


@shared
def send(q: int, sample: int, queue: Queue, lanes: Lanes, spikes: Spikes, noise: Noise) -> Queue:
    """Return the queue with spike q; jitter can hold it back, not bring it forward."""
    count, when, who = queue
    lane = spikes.lanes[q]
    if noise.jitter[lane] > 0.0:
        x = draw(noise, sample, lane, 2 * lanes.serial[lane] + JITTER)
        spikes.times[q] += noise.jitter[lane] * max(x, 0.0)
    if count == len(when):
        when, who = np.append(when, np.empty(count)), np.append(who, np.empty(count, dtype=np.int64))
    k = count
    while k > 0 and when[k - 1] <= spikes.times[q]:
        when[k] = when[k - 1]
        who[k] = who[k - 1]
        k -= 1
    when[k] = spikes.times[q]
    who[k] = lane
    return count + 1, when, who


@shared
def run_sample(b: int, experiment: Experiment, lanes: Lanes, spikes: Spikes, results: Results) -> int:
    """Simulate one sample; return the number of its spikes, -1 where they do not fit."""
    experiment, results, spikes, lanes = (
        unowned(experiment),
        unowned(results),
        unowned(spikes),
        unowned(lanes),
    )
    cells, weights, incoming, noise = (
        experiment.cells,
        experiment.weights,
        experiment.incoming,
        experiment.noise,
    )
    size, tallies = weights.shape[1], results.tallies
    start_lanes(b, 1, lanes, experiment)
    queue = (int64(0), np.empty(16), np.empty(16, dtype=np.int64))
    now = 0.0
    e, end = incoming.offsets[b], incoming.offsets[b + 1]
    p = found = 0
    kind = SAMPLE
    while kind != END:
        then, kind = next_event(e, end, p, experiment)
        waiting, when, who = queue
        if waiting > 0 and when[waiting - 1] < then:
            then, kind = when[waiting - 1], DELIVERY
        if then > now:
            span, spiking = find_first(size, then - now, lanes, cells)
            if spiking >= 0:
                then, kind = now + span, SPIKE
            before, latest = found, -1
            for k in range(size):
                if k == spiking:
                    if found == len(spikes.times):
                        return -1
                    tallies[CLIPPED] += fire(k, b, lanes, experiment)
                    spikes.times[found] = then
                    spikes.lanes[found] = k
                    latest = found
                    found += 1
                elif lanes.flag[k] > 0.0:
                    found, clipped = settle(k, b, now, lanes, spikes, found, experiment)
                    if found < 0:
                        return -1
                    tallies[CLIPPED] += clipped
            for q in range(before, found):
                if q != latest:
                    queue = send(q, b, queue, lanes, spikes, noise)
            if latest >= 0:
                queue = send(latest, b, queue, lanes, spikes, noise)
            lanes = swap(lanes)
            now = then
        if kind == DELIVERY:
            waiting, when, who = queue
            queue = (waiting - 1, when, who)
            tallies[SATURATED] += receive(experiment.base + who[waiting - 1], 0, weights, lanes.state, cells)
        elif kind == ARRIVAL:
            tallies[SATURATED] += receive(incoming.slots[e], 0, weights, lanes.state, cells)
            e += 1
        elif kind == SAMPLE:
            for k in range(size):
                results.voltages[b, k, p] = voltage(load(lanes.state, k, cells), cells, k)
            p += 1
    tallies[LATE] += end - e + queue[0]
    return found


@kernel
def run_circuits(
    first: int, last: int, experiment: Experiment, lanes: Lanes, results: Results
) -> tuple[int, int]:
    """Simulate samples ``first`` to ``last - 1`` of circuits that reach each other; as ``sweep_circuits``."""
    before = np.empty_like(results.tallies)
    used = 0
    for b in range(first, last):
        copy(before, results.tallies)
        spikes = Spikes(results.times[used:], results.neurons[used:])
        found = run_sample(b, experiment, lanes, spikes, results)
        if found < 0:
            copy(results.tallies, before)
            return b, used
        results.counts[b] = found
        used += found
    return last, used
