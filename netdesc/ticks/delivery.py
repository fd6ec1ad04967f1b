"""Spikes received reach the neurons: their weights are added up by tick of arrival."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.dynamics.jit import inlined
from netdesc.dynamics.tick import factors_until
from netdesc.dynamics.views import fill, stretch
from netdesc.ticks.prefetch import fetch_ahead
from netdesc.ticks.records import Buffers, Cells, Slice, Synapses

SHORT = 4
"""Neighbouring synapses that are added one by one."""


@inlined
def deposit(n: int, begin: int, end: int, left: int, item: Slice) -> tuple[int, int]:
    """Add the weights of spikes received to the buffer, in their order.

    Parameters
    ----------
    n : int
        Tick of emission.
    begin, end : int
        Spikes among ``Slice.arrivals``.
    left : int
        Longest delay with which they arrive before the end of the run.
    item : Slice

    Returns
    -------
    events, in_flight : int
        Synaptic events, and how many of them lie after the end.
    """
    arrivals, synapses, ring, depth = item.arrivals, item.synapses, item.buffers.current, item.buffers.depth
    size, receptors = len(item.cells.gap), len(item.cells.gain)
    weight = synapses.weight
    head = n % depth
    events = in_flight = 0
    for e in range(begin, end):
        fetch_ahead(e, end, arrivals, synapses)
        source = arrivals.row[e]
        for g in range(synapses.first[source], synapses.first[source + 1]):
            segment = synapses.segments[g]
            start, count, delay = segment.start, segment.size, segment.delay
            # no delay is as long as the buffer
            slot = head + delay - (depth if head + delay >= depth else 0)
            at = (slot * receptors + segment.receptor) * size
            if segment.run == 1 and count < SHORT:
                for k in range(count):
                    ring[at + segment.base + k] += weight[start + k]
            elif segment.run == 1:
                add(stretch(ring, at + segment.base, count), stretch(weight, start, count))
            else:
                targets = stretch(synapses.target, segment.target_start, count)
                scatter(stretch(ring, at, size), targets, stretch(weight, start, count))
            events += count
            in_flight += count if delay > left else 0
    return events, in_flight


@inlined
def scatter(to: NDArray[Any], places: NDArray[Any], values: NDArray[Any]) -> None:
    """Add values to the elements of an array at some places, none of them negative."""
    for k in range(len(values)):
        # an index without a sign is not looked at for one
        to[np.uint64(places[k])] += values[k]


@inlined
def add(to: NDArray[Any], values: NDArray[Any]) -> None:
    """Add one array to another of the same length."""
    for k in range(len(to)):
        to[k] += values[k]


@inlined
def land(n: int, begin: int, end: int, left: int, timestep: float, item: Slice) -> tuple[int, int]:
    """Add what spikes received do by the end of their ticks of arrival, in the scheme ``off_grid``.

    Parameters
    ----------
    n, begin, end, left, item
        As in ``deposit``.
    timestep : float
        In ms.

    Returns
    -------
    events, in_flight : int
        As of ``deposit``.
    """
    cells, arrivals, synapses, depth = item.cells, item.arrivals, item.synapses, item.buffers.depth
    head = n % depth
    events = in_flight = 0
    for e in range(begin, end):
        fetch_ahead(e, end, arrivals, synapses)
        fraction = float(arrivals.fraction[e])
        source = arrivals.row[e]
        receptor = -1
        fade = lift = 0.0
        for g in range(synapses.first[source], synapses.first[source + 1]):
            segment = synapses.segments[g]
            delay = segment.delay
            slot = head + delay - (depth if head + delay >= depth else 0)
            events += segment.size
            in_flight += segment.size if delay > left else 0
            if cells.uniform and segment.receptor != receptor:
                receptor = segment.receptor
                _, fade, lift = factors_until(fraction, timestep, cells.tau_m[0], cells.tau_s[receptor, 0])
            if segment.run == 1 and cells.uniform and segment.size >= SHORT:
                land_run(slot, g, fade, lift, cells, synapses, item.buffers)
            else:
                land_each(slot, g, fraction, timestep, (fade, lift), item)
    return events, in_flight


@inlined
def land_run(
    slot: int, g: int, fade: float, lift: float, cells: Cells, synapses: Synapses, buffers: Buffers
) -> None:
    """Add what a spike does to neighbouring targets, which all have the same time constants."""
    segment = synapses.segments[g]
    size, count = len(cells.gap), segment.size
    at = slot * size + segment.base
    current = (slot * len(cells.gain) + segment.receptor) * size + segment.base
    weight = stretch(synapses.weight, segment.start, count)
    ring, lifts = stretch(buffers.current, current, count), stretch(buffers.lift, at, count)
    rises, falls = stretch(buffers.rises, at, count), stretch(buffers.falls, at, count)
    kind = weight.dtype.type
    zero, kept, raised = kind(0), kind(fade), kind(lift)
    for k in range(count):
        w = weight[k]
        ring[k] += w * kept
        lifts[k] += w * raised
    for k in range(count):
        w = weight[k]
        rises[k] += w if w > zero else zero
        falls[k] += w if w < zero else zero


@inlined
def land_each(
    slot: int, g: int, fraction: float, timestep: float, factors: tuple[float, float], item: Slice
) -> None:
    """Add what a spike does to its targets one by one; the factors are those of uniform cells."""
    cells, synapses, buffers = item.cells, item.synapses, item.buffers
    segment = synapses.segments[g]
    size, r = len(cells.gap), segment.receptor
    at, current = slot * size, (slot * len(cells.gain) + r) * size
    kind = synapses.weight.dtype.type
    zero = kind(0)
    fade, lift = factors
    for k in range(segment.size):
        j = segment.base + k if segment.run == 1 else synapses.target[segment.target_start + k]
        if not cells.uniform:
            _, fade, lift = factors_until(fraction, timestep, cells.tau_m[j], cells.tau_s[r, j])
        w = synapses.weight[segment.start + k]
        buffers.current[current + j] += w * kind(fade)
        buffers.lift[at + j] += w * kind(lift)
        buffers.rises[at + j] += w if w > zero else zero
        buffers.falls[at + j] += w if w < zero else zero


@inlined
def clear_buffers(buffers: Buffers) -> None:
    """Forget everything that was to arrive."""
    fill(buffers.current, 0)
    fill(buffers.lift, 0)
    fill(buffers.rises, 0)
    fill(buffers.falls, 0)
