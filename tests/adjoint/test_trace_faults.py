"""Traces and cotangents from which no gradient can come."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.errors import NumericsError
from netdesc.trace import Cotangent
from tests.generate.networks import random_network
from tests.generate.traits import Recipe

KINDS = [Recipe(1), Recipe(2, delay="mixed", refractory=True), Recipe(3, loop="self", refractory=True)]


@pytest.fixture(params=KINDS, ids=["layer", "neurons", "network"])
def case(request):
    network = random_network(request.param)
    machine = NumbaBackend({}).load(network.program, seed=0)
    trace = machine.forward(network.stimulus, seed=0)
    assert len(trace.spikes["layer_1"]) > 1
    return machine, trace


def complaint(machine, trace, slopes=None):
    with pytest.raises(NumericsError) as caught:
        machine.adjoint(trace, Cotangent(slopes or {}))
    return str(caught.value)


def first_replaced(values, value):
    return np.concatenate(([value], values[1:]))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_cotangent_that_is_not_finite_is_refused(case, value):
    machine, trace = case
    slopes = {"layer_1": first_replaced(np.ones(len(trace.spikes["layer_1"])), value)}
    assert complaint(machine, trace, slopes) == "the cotangent of 'layer_1' holds a value that is not finite"


def test_a_cotangent_of_another_length_is_refused(case):
    machine, trace = case
    count = len(trace.spikes["layer_1"])
    assert complaint(machine, trace, {"layer_1": np.ones(count + 1)}) == (
        f"the cotangent of 'layer_1' has shape ({count + 1},); its spikes have ({count},)"
    )


def test_a_cotangent_of_an_unknown_population_is_refused(case):
    assert "names 'nowhere', which has no spikes" in complaint(*case, {"nowhere": np.ones(1)})


def with_residual(trace, name, change):
    """Return a trace with one residual of its layer changed."""
    found = trace.residuals["layer_1"]
    return replace(trace, residuals={"layer_1": {**found, name: change(found[name])}})


def test_a_trace_without_residuals_is_refused(case):
    machine, trace = case
    assert "(current of layer_1, release_current of layer_1)" in complaint(
        machine, replace(trace, residuals=None)
    )
    fewer = {"layer_1": {"current": trace.residuals["layer_1"]["current"]}}
    assert complaint(machine, replace(trace, residuals=fewer)) == (
        "the trace has no residuals of its spikes (release_current of layer_1); the adjoint needs them"
    )


def test_a_current_that_is_not_finite_is_refused(case):
    machine, trace = case
    assert complaint(
        machine, with_residual(trace, "current", lambda values: first_replaced(values, np.nan))
    ) == ("populations.layer_1: the trace holds a spike time or current that is not finite")


def test_a_current_at_a_release_within_the_run_that_is_not_finite_is_refused(case):
    machine, trace = case
    wrong = with_residual(trace, "release_current", lambda values: first_replaced(values, np.nan))
    assert "at the end of a refractory period" in complaint(machine, wrong)


def test_currents_of_another_length_are_refused(case):
    machine, trace = case
    assert "currents of shape" in complaint(
        machine, with_residual(trace, "current", lambda values: values[1:])
    )


def test_a_release_after_the_end_needs_no_current():
    network = random_network(Recipe(3, loop="self", refractory=True))
    program = replace(network.program, duration=float(np.nan_to_num(network.stimulus.times.max())) + 1.0)
    machine = NumbaBackend({}).load(program, seed=0)
    trace = machine.forward(network.stimulus, seed=0)
    open_ends = np.isnan(trace.residuals["layer_1"]["release_current"])
    hold = program.parameters["tau_ref"][-1]
    assert np.array_equal(open_ends, trace.spikes["layer_1"].times + hold > program.duration)
    slopes = {"layer_1": np.ones(len(open_ends))}
    assert all(
        np.isfinite(values).all() for values in machine.adjoint(trace, Cotangent(slopes)).parameters.values()
    )
