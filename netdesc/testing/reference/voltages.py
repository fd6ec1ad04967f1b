"""Readings of voltages by bisection and quadrature, to hold fast ones against."""

from __future__ import annotations

import numpy as np

from netdesc.events import Floats
from netdesc.observation import Reading
from netdesc.testing.reference.arithmetic import doubles
from netdesc.testing.reference.membrane import Cell, State, turns, voltage_after
from netdesc.testing.reference.simulator import ReferenceTrace
from netdesc.trace import Read

PIECE = 1.0
"""Longest interval of the quadrature in ms."""

NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)


def read_voltages(trace: ReferenceTrace) -> dict[str, Read]:
    """Take the readings of a program from a reference run.

    Returns
    -------
    dict of str to Read
        By the keys of ``Program.readings``. Between two events the voltage is monotone between turning
        points, which are bisected; integrals are sums over Gauss's points in pieces of at most 1 ms.
    """
    return {reading.key: read_one(trace, reading) for reading in trace.program.readings}


def read_one(trace: ReferenceTrace, reading: Reading) -> Read:
    """Take one reading of all neurons in all samples."""
    population = trace.program.population(reading.population)
    shape = (len(trace.states), population.size)
    values, times = np.empty(shape), np.empty(shape)
    for sample, states in enumerate(trace.states):
        for neuron in range(population.size):
            index = population.start + neuron
            course, cell = list(states[index]), trace.cells[index]
            if reading.kind == "maximum":
                values[sample, neuron], times[sample, neuron] = highest(cell, course, trace.program.duration)
            else:
                values[sample, neuron] = mean(cell, course, trace.program.duration, reading.tau)
    return Read(values, times if reading.kind == "maximum" else None)


def spans(course: list[State[float]], duration: float) -> list[tuple[State[float], float]]:
    """Return the states after events before the end, each with the time until the next."""
    inside = [state for state in course if state.time < duration]
    ends = [state.time for state in inside[1:]] + [duration]
    return [(state, end - state.time) for state, end in zip(inside, ends, strict=True) if end > state.time]


def highest(cell: Cell[float], course: list[State[float]], duration: float) -> tuple[float, float]:
    """Return the largest voltage of a neuron that does not spike, and when it is first reached, in ms.

    The course has the states after every event; the duration is in ms.
    """
    best, when = course[0].voltage, 0.0
    for state, span in spans(course, duration):
        for knot in turns(cell, state, span, doubles()):
            level = voltage_after(cell, state, knot, doubles())
            if level > best:
                best, when = level, state.time + knot
    return best, when


def mean(cell: Cell[float], course: list[State[float]], duration: float, tau: float) -> float:
    """Return ``1/T int exp(-t/tau) v dt`` of a neuron that does not spike; parameters as in ``highest``."""
    total = 0.0
    for state, span in spans(course, duration):
        count = int(np.ceil(span / PIECE))
        for k in range(count):
            moments: Floats = (k + 0.5 + 0.5 * NODES) * span / count
            levels = np.array([voltage_after(cell, state, s, doubles()) for s in moments.tolist()])
            factors = WEIGHTS * np.exp(-(state.time + moments) / tau)
            total += float(np.sum(factors * levels)) * 0.5 * span / count
    return total / duration
