"""What a loss of voltages injects into the adjoints of a read-out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from netdesc.adjoint.readings import mean_weights
from netdesc.errors import Diagnostic, NumericsError
from netdesc.events import Floats, all_finite
from netdesc.observation import Reading
from netdesc.program import PopulationSlice, Program
from netdesc.trace import Cotangent, Trace


class Drive(NamedTuple):
    """What lam_v of every neuron of a read-out gains, going backward.

    Parameters
    ----------
    moments : ndarray of float64, shape (m,)
        Times of jumps common to all neurons in ms, ascending.
    jumps : ndarray of float64, shape (batch, n, m)
        Jumps there, ``-c / tau_m`` for c = dL/dv.
    peak_time, peak_jump, peak_voltage : ndarray of float64, shape (batch, n)
        Time, jump and voltage above rest of the maximum; jumps are 0 where the loss does not read it.
    rates : ndarray of float64, shape (means,)
        Of the weights of means, in 1/ms.
    means : ndarray of float64, shape (means, batch, n)
        dL/dmean.
    """

    moments: Floats
    jumps: Floats
    peak_time: Floats
    peak_jump: Floats
    peak_voltage: Floats
    rates: Floats
    means: Floats

    @property
    def sampled(self) -> bool:
        """Whether there are jumps at common times."""
        return len(self.moments) > 0


def check_cotangent(program: Program, trace: Trace, cotangent: Cotangent) -> None:
    """Refuse derivatives with respect to readings, samples and counts that do not fit.

    Raises
    ------
    NumericsError
        With one diagnostic per fault.
    """
    faults = [
        *reading_faults(program, trace, cotangent),
        *sample_faults(program, trace, cotangent),
        *count_faults(program, trace, cotangent),
    ]
    if faults:
        raise NumericsError(faults)


def reading_faults(program: Program, trace: Trace, cotangent: Cotangent) -> Iterator[Diagnostic]:
    """Yield what is wrong with derivatives by readings."""
    known = {reading.key: reading for reading in program.readings}
    for key, values in cotangent.readings.items():
        if key not in known or key not in trace.readings:
            yield Diagnostic(f"the cotangent names the reading {key}, which the trace does not have")
            continue
        population, read = program.population(known[key].population), trace.readings[key]
        shape = (trace.batch, population.size)
        yield from value_faults(f"the cotangent of {key}", values, shape, population)
        if known[key].kind != "final":
            yield from value_faults(f"the reading {key}", read.values, shape, population)
        if known[key].kind != "maximum":
            continue
        if read.times is None:
            yield Diagnostic(f"the reading {key} has no times; the adjoint needs them", population.path)
        else:
            yield from value_faults(f"times of {key}", read.times, shape, population)
            if np.any((read.times < 0.0) | (read.times > program.duration)):
                yield Diagnostic(f"the reading {key} has a time outside of the run", population.path)


def sample_faults(program: Program, trace: Trace, cotangent: Cotangent) -> Iterator[Diagnostic]:
    """Yield what is wrong with derivatives by sampled voltages."""
    readouts = {f"{item.name}.v": item for item in program.populations if item.kind == "readout"}
    for key, values in cotangent.recordings.items():
        if key not in readouts:
            yield Diagnostic(
                f"the cotangent has derivatives by samples of {key}; only voltages of "
                "read-outs, which do not spike, have an exact gradient"
            )
        elif key not in trace.recordings:
            yield Diagnostic(f"the cotangent names samples of {key}, which the trace does not have")
        else:
            shape = trace.recordings[key].values.shape
            yield from value_faults(f"the cotangent of {key}", values, shape, readouts[key])


def count_faults(program: Program, trace: Trace, cotangent: Cotangent) -> Iterator[Diagnostic]:
    """Yield what is wrong with derivatives by spike counts."""
    spiking = {item.name: item for item in program.populations if item.kind == "spiking"}
    for name, values in cotangent.counts.items():
        if name not in spiking:
            yield Diagnostic(f"the cotangent has derivatives by spike counts of {name!r}, which never spikes")
        else:
            shape = (trace.batch, spiking[name].size)
            yield from value_faults(f"the cotangent of counts of {name}", values, shape, spiking[name])


def value_faults(
    name: str, values: Floats, shape: tuple[int, ...], population: PopulationSlice
) -> Iterator[Diagnostic]:
    """Yield what is wrong with shape and values of an array."""
    if np.shape(values) != shape:
        yield Diagnostic(f"{name} has shape {np.shape(values)}; it needs {shape}", population.path)
    elif not all_finite(values):
        yield Diagnostic(f"{name} holds a value that is not finite", population.path)


def drive_readout(
    program: Program,
    population: PopulationSlice,
    trace: Trace,
    cotangent: Cotangent,
    *,
    grid: Floats | None = None,
) -> Drive | None:
    """Collect what a loss injects into a read-out.

    Parameters
    ----------
    program : Program
    population : PopulationSlice
        The read-out.
    trace : Trace
    cotangent : Cotangent
        As ``check_cotangent`` lets it pass.
    grid : ndarray of float64, optional
        Times at which a mean was sampled, by the trapezoidal rule; it is an integral over continuous time
        where this is absent.

    Returns
    -------
    Drive or None
        None where the loss does not look at this read-out.
    """
    mine = [
        item
        for item in program.readings
        if item.population == population.name and item.key in cotangent.readings
    ]
    tau_m = program.parameters["tau_m"][population.start : population.stop]
    shape = (trace.batch, population.size)
    parts: list[tuple[Floats, Floats]] = []
    key = f"{population.name}.v"
    if key in cotangent.recordings:
        spread = np.zeros((*shape, len(trace.recordings[key].times)))
        for place, neuron in enumerate(trace.recordings[key].neurons.tolist()):
            spread[:, neuron] += cotangent.recordings[key][:, place]
        parts.append((trace.recordings[key].times, spread))
    means = [item for item in mine if item.kind == "mean"]
    if grid is not None:
        parts += [
            (grid, cotangent.readings[item.key][:, :, None] * mean_weights(grid, program.duration, item.tau))
            for item in means
        ]
        means = []
    if not mine and not parts:
        return None
    moments, jumps = join(parts, shape)
    maxima = [item for item in mine if item.kind == "maximum"]
    return Drive(
        moments,
        -jumps / tau_m[:, None],
        *read_peak(program, population, trace, cotangent, maxima=maxima),
        np.array([1.0 / item.tau for item in means]),
        np.array([cotangent.readings[item.key] for item in means], dtype=np.float64).reshape(
            len(means), *shape
        ),
    )


def read_peak(
    program: Program,
    population: PopulationSlice,
    trace: Trace,
    cotangent: Cotangent,
    *,
    maxima: list[Reading],
) -> tuple[Floats, Floats, Floats]:
    """Return times, jumps and voltages above rest of the maxima of a read-out."""
    shape = (trace.batch, population.size)
    if not maxima:
        return np.zeros(shape), np.zeros(shape), np.zeros(shape)
    span = slice(population.start, population.stop)
    read = trace.readings[maxima[0].key]
    times = np.zeros(shape) if read.times is None else np.array(read.times, dtype=np.float64)
    jumps = -np.asarray(cotangent.readings[maxima[0].key]) / program.parameters["tau_m"][span]
    # the state at the start depends on nothing
    jumps = np.where(times > 0.0, jumps, 0.0)
    return times, jumps, np.ascontiguousarray(read.values - program.parameters["rest"][span])


def join(parts: list[tuple[Floats, Floats]], shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Bring values at several series of times together.

    Parameters
    ----------
    parts : list of (times, values)
        Shapes (steps,) and (batch, n, steps).
    shape : tuple of int
        (batch, n).

    Returns
    -------
    times : ndarray of float64, shape (m,)
        Ascending, each once.
    values : ndarray of float64, shape (batch, n, m)
    """
    times = np.unique(np.concatenate([np.empty(0), *(part[0] for part in parts)]))
    values = np.zeros((*shape, len(times)))
    for moments, part in parts:
        values[:, :, np.searchsorted(times, moments)] += part
    return times, values
