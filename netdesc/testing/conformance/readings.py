"""Readings of voltages."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest

from netdesc.errors import NumericsError
from netdesc.events import Events, Floats
from netdesc.gradient import Gradient
from netdesc.program import Program
from netdesc.testing.conformance.oracle import Loss, differentiate, differentiate_stimulus
from netdesc.testing.conformance.subject import Bench, Subject, demand
from netdesc.testing.reference.simulator import ReferenceTrace, simulate
from netdesc.testing.reference.voltages import read_voltages
from netdesc.trace import Cotangent, Trace


class ReadingChecks(Subject):
    """What losses read of voltages, and its gradient, agree with the reference."""

    def test_a_trace_has_every_reading(self, read: str) -> None:
        """One finite value per sample and neuron; a maximum lies within the run, and a mean has no time."""
        bench = self.bench(read)
        trace = bench.forward()
        for reading in bench.program.readings:
            demand(reading.key in trace.readings, f"readings lack {reading.key}")
            found = trace.readings[reading.key]
            shape = (trace.batch, bench.program.population(reading.population).size)
            demand(found.values.shape == shape, f"{reading.key} has shape {found.values.shape}, not {shape}")
            demand(bool(np.isfinite(found.values).all()), f"{reading.key} is not finite")
            if reading.kind != "maximum" or found.times is None:
                demand(reading.kind != "maximum", f"{reading.key} has no times")
                continue
            inside = (found.times >= 0.0) & (found.times <= bench.program.duration)
            demand(found.times.shape == shape and bool(inside.all()), f"{reading.key} has times elsewhere")

    def test_readings_agree_with_the_reference(self, read: str) -> None:
        """Maxima and means deviate by no more than the tolerance, relative to the largest."""
        bench = self.bench(read)
        trace = bench.forward()
        program = bench.program.with_parameters(trace.effective_parameters)
        for key, wanted in read_voltages(simulate(program, bench.stimulus)).items():
            found = trace.readings[key]
            off = float(np.abs(found.values - wanted.values).max())
            allowed = self.tolerance.voltage * float(np.abs(wanted.values).max())
            demand(off <= allowed, f"{key} deviates by {off:g}; the tolerance is {allowed:g}")
            if wanted.times is not None and found.times is not None:
                late = float(np.abs(found.times - wanted.times).max())
                demand(
                    late <= self.tolerance.reading_time,
                    f"{key} is read {late:g} ms off; the tolerance is {self.tolerance.reading_time:g} ms",
                )

    def test_gradients_by_readings_agree_with_the_exact_one(self, read: str) -> None:
        """Cosine and norm per array of parameters, against differences of the reference."""
        bench, trace, gradient = self.read_back(read)
        program = bench.program.with_parameters(trace.effective_parameters)
        for key, exact in differentiate(program, bench.stimulus, self.loss(trace)).items():
            self.demand_alike(key, gradient.parameters[key], exact, read=True)

    def test_the_gradient_of_the_stimulus_by_readings_agrees_with_the_exact_one(self, read: str) -> None:
        """Cosine and norm of dL/dt of the input spikes, against differences of the reference."""
        bench, trace, gradient = self.read_back(read)
        program = bench.program.with_parameters(trace.effective_parameters)
        for name, exact in differentiate_stimulus(program, bench.stimulus, self.loss(trace)).items():
            self.demand_alike(f"spike_times of {name}", gradient.spike_times[name], exact, read=True)

    def test_derivatives_by_readings_that_are_not_finite_are_refused(self, read: str) -> None:
        """NaN raises NumericsError; it does not become a number."""
        bench = self.trained(read)
        trace = bench.forward()
        slopes = {
            item.key: np.full_like(trace.readings[item.key].values, np.nan) for item in bench.program.readings
        }
        with pytest.raises(NumericsError):
            bench.machine.adjoint(trace, Cotangent({}, slopes))

    def read_back(self, read: str) -> tuple[Bench, Trace, Gradient]:
        """Run a network and carry the derivative of a sum of its readings back."""
        bench = self.trained(read)
        trace = bench.forward()
        slopes = {item.key: factors(trace.readings[item.key].values) for item in bench.program.readings}
        return bench, trace, bench.machine.adjoint(trace, Cotangent({}, slopes))

    def loss(self, trace: Trace) -> Loss:
        """Return the loss of these checks, with the times at which a device that samples took its maxima."""
        moments = {key: read.times for key, read in trace.readings.items() if read.times is not None}
        return partial(loss_of, moments=moments if type(self).sampled else {})


def factors(values: Floats) -> Floats:
    """Return the factor of every sample and neuron in the loss of these checks."""
    samples, neurons = np.indices(values.shape)
    result: Floats = 1.5 + np.sin(12.9898 * neurons + 37.719 * samples)
    return result


def loss_of(program: Program, stimulus: Events, moments: Mapping[str, Floats]) -> float:
    """Return the loss of these checks: a sum of readings, each with its factor.

    Parameters
    ----------
    program : Program
    stimulus : Events
    moments : mapping of str to ndarray of float64, shape (batch, n)
        By reading, times in ms at which a voltage is taken in place of the maximum. The two have different
        derivatives: what moves all spikes together changes the voltage beside a maximum, but not the maximum.
    """
    course = simulate(program, stimulus)
    values = {key: read.values for key, read in read_voltages(course).items()}
    values |= {
        item.key: voltages_at(course, item.population, moments[item.key])
        for item in program.readings
        if item.key in moments
    }
    return sum(float(np.sum(factors(value) * value)) for value in values.values())


def voltages_at(course: ReferenceTrace, population: str, moments: Floats) -> Floats:
    """Return the voltage of every sample and neuron of a population at a time of its own."""
    result = np.empty(moments.shape)
    for sample, neuron in np.ndindex(*moments.shape):
        when = moments[sample, neuron : neuron + 1]
        result[sample, neuron] = course.state(population, neuron, when, sample=sample)[0][0]
    return result
