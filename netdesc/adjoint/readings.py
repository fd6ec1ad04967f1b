"""Readings of voltages: from samples, and the weights of a mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Floats
from netdesc.observation import Reading
from netdesc.program import Program
from netdesc.trace import Read, Recording


def mean_weights(times: Floats, duration: float, tau: float) -> Floats:
    """Return the factors of samples in a mean: ``exp(-t/tau) / T`` by the trapezoidal rule.

    Parameters
    ----------
    times : ndarray of float64, shape (steps,)
        In ms, ascending.
    duration : float
        T, in ms.
    tau : float
        In ms; infinity where every time counts the same.

    Returns
    -------
    ndarray of float64, shape (steps,)
    """
    gaps = np.diff(times)
    widths = np.zeros(len(times))
    widths[:-1] += 0.5 * gaps
    widths[1:] += 0.5 * gaps
    weights: Floats = widths * np.exp(-times / tau) / duration
    return weights


def read_samples(program: Program, samples: Mapping[str, Recording]) -> dict[str, Read]:
    """Take the readings of a program from sampled voltages, for devices that see nothing else.

    Parameters
    ----------
    program : Program
    samples : mapping of str to Recording
        With ``POPULATION.v`` of every neuron of each population that a reading is of.

    Returns
    -------
    dict of str to Read
        By the keys of ``Program.readings``. A maximum is the largest sample, at its first time; a mean is
        the integral by the trapezoidal rule.

    Raises
    ------
    NumericsError
        If samples are missing or not finite, with one diagnostic per reading.
    """
    faults = [fault for reading in program.readings for fault in sample_faults(program, reading, samples)]
    if faults:
        raise NumericsError(faults)
    return {
        reading.key: read(reading, samples[f"{reading.population}.v"], program.duration)
        for reading in program.readings
    }


def sample_faults(
    program: Program, reading: Reading, samples: Mapping[str, Recording]
) -> Iterator[Diagnostic]:
    """Yield what keeps a reading from being taken from samples."""
    population = program.population(reading.population)
    key = f"{reading.population}.v"
    if key not in samples:
        yield Diagnostic(f"{key} is not sampled; a {reading.kind} needs it of every neuron", population.path)
        return
    found = samples[key]
    if sorted(found.neurons.tolist()) != list(range(population.size)):
        yield Diagnostic(
            f"{key} is sampled of {len(found.neurons)} neurons; a {reading.kind} needs each of "
            f"the {population.size} once",
            population.path,
        )
    elif not len(found.times) or np.any(np.diff(found.times) <= 0.0):
        yield Diagnostic(f"{key} has no samples in ascending order of time", population.path)
    elif not np.isfinite(found.values).all():
        yield Diagnostic(f"{key} holds a sample that is not finite", population.path)


def read(reading: Reading, samples: Recording, duration: float) -> Read:
    """Take one reading from samples of all neurons."""
    values = samples.values[:, np.argsort(samples.neurons), :]
    if reading.kind == "mean":
        weighted = np.ascontiguousarray(values) * mean_weights(samples.times, duration, reading.tau)
        return Read(weighted.sum(axis=2))
    first = values.argmax(axis=2)
    return Read(np.take_along_axis(values, first[:, :, None], axis=2)[:, :, 0], samples.times[first])
