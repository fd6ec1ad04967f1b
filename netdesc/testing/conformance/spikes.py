"""Comparison of spikes."""

from __future__ import annotations

import numpy as np

from netdesc.events import Events, Integers
from netdesc.program import Program
from netdesc.trace import Trace


def unmatched(found: list[float], expected: list[float], tolerance: float) -> int:
    """Count spikes of two trains, ascending times in ms, that have no partner within a tolerance in ms."""
    i = j = lonely = 0
    while i < len(found) and j < len(expected):
        if abs(found[i] - expected[j]) <= tolerance:
            i, j = i + 1, j + 1
        elif found[i] < expected[j]:
            i, lonely = i + 1, lonely + 1
        else:
            j, lonely = j + 1, lonely + 1
    return lonely + len(found) - i + len(expected) - j


def compare(found: Events, expected: Events, size: int, tolerance: float) -> tuple[int, str]:
    """Compare the spikes of a population of ``size`` neurons within a tolerance in ms.

    Returns
    -------
    lonely : int
        Spikes without a partner.
    fault : str
        The first train that differs, empty where none does.
    """
    lonely, fault = 0, ""
    pairs = zip(found.lists(size), expected.lists(size), strict=True)
    for sample, (mine, theirs) in enumerate(pairs):
        for neuron, (times, others) in enumerate(zip(mine, theirs, strict=True)):
            count = unmatched(times, others, tolerance)
            if count and not fault:
                fault = f"sample {sample}, neuron {neuron}: spikes at {times} ms, expected {others} ms"
            lonely += count
    return lonely, fault


def one_sample(events: Events, sample: int) -> Events:
    """Return a batch of one sample of a batch, with its identity."""
    return events.take(np.array([sample]))


def silence(batch: int) -> Events:
    """Return a batch without spikes."""
    return Events.from_lists([[]] * batch)


def spiking(program: Program) -> list[tuple[str, int]]:
    """Return name and size of every population that spikes by itself."""
    return [(item.name, item.size) for item in program.populations if item.kind == "spiking"]


def first_difference(found: Trace, expected: Trace, program: Program, tolerance: float) -> str:
    """Tell the first train of spikes that differs between two runs, empty where none does."""
    for name, size in spiking(program):
        fault = compare(found.spikes[name], expected.spikes[name], size, tolerance)[1]
        if fault:
            return f"{name}, {fault}"
    return ""


def ordinals(spikes: Events) -> Integers:
    """Return the number of every spike among those of its neuron and sample.

    Returns
    -------
    ndarray of int64, shape (k,)
        From 0.
    """
    result = np.zeros(len(spikes), dtype=np.int64)
    seen: dict[tuple[int, int], int] = {}
    for k, owner in enumerate(zip(spikes.samples().tolist(), spikes.sources.tolist(), strict=True)):
        result[k] = seen.get(owner, 0)
        seen[owner] = int(result[k]) + 1
    return result
