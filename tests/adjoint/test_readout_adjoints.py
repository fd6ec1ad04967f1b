"""What the adjoints of read-outs mean, what a trace of samples is good for, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.adjoint.host import adjoint
from netdesc.adjoint.readings import mean_weights, read_samples
from netdesc.errors import NumericsError
from netdesc.observation import Sampling
from netdesc.trace import Cotangent, Recording
from tests.generate.networks import random_network
from tests.generate.traits import Recipe


def readout(every=None, variables=("v",), **recipe):
    """Return a random network that ends in a read-out of 3 neurons."""
    network = random_network(Recipe(**{"seed": 2, "readout": True, "readings": True, "gain": 1.5, **recipe}))
    sampling = (
        ()
        if every is None
        else tuple(Sampling("output", variable, np.arange(3), every) for variable in variables)
    )
    return replace(network.program, sampling=sampling), network.stimulus


def load(program):
    return NumbaBackend({"threads": 1}).load(program, seed=0)


def pulls(trace):
    return {key: np.cos(1.0 + read.values) for key, read in trace.readings.items()}


def score(trace):
    return sum(float(np.sum(np.sin(1.0 + read.values))) for read in trace.readings.values())


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"two_currents": True, "delay": "mixed", "mixed_cells": True},
        {"ratio": "equal", "millivolts": True},
    ],
)
@pytest.mark.parametrize(
    ("variable", "start", "constant"), [("lam_v", "v_init", "tau_m"), ("lam_i", "i_init", "tau_s")]
)
def test_adjoints_at_the_start_are_derivatives_by_the_initial_state(recipe, variable, start, constant):
    program, stimulus = readout(10.0, (variable,), batch=1, **recipe)
    machine = load(program)
    trace = machine.forward(stimulus, seed=0)
    gradient = machine.adjoint(trace, Cotangent({}, pulls(trace)))
    found = gradient.recordings[f"output.{variable}"].values[0, :, 0]
    first = program.population("output").start
    for neuron in range(3):
        place = (first + neuron, 0)[: program.parameters[start].ndim]
        ends = []
        for shift in (1e-4, -1e-4):
            values = program.parameters[start].copy()
            values[place] += shift
            moved = replace(program, parameters={**program.parameters, start: values}, sampling=())
            ends.append(score(load(moved).forward(stimulus, seed=0)))
        slope = (ends[0] - ends[1]) / 2e-4
        tau = program.parameters[constant][place]
        assert found[neuron] == pytest.approx(-slope / tau, rel=1e-5, abs=1e-9)


def test_the_membrane_s_adjoint_jumps_at_the_maximum_by_the_cotangent_over_tau():
    program, stimulus = readout(0.01, ("lam_v",), batch=1)
    machine = load(program)
    trace = machine.forward(stimulus, seed=0)
    gradient = machine.adjoint(trace, Cotangent({}, {"output.maximum": np.ones((1, 3))}))
    lam_v = gradient.recordings["output.lam_v"]
    for neuron, time in enumerate(trace.readings["output.maximum"].times[0]):
        assert np.all(lam_v.values[0, neuron, lam_v.times >= time] == 0.0)
        before = lam_v.times < time
        expected = -np.exp(-(time - lam_v.times[before]) / 20.0) / 20.0
        np.testing.assert_allclose(lam_v.values[0, neuron, before], expected, rtol=1e-12)


@pytest.mark.parametrize("recipe", [{}, {"delay": "mixed", "density": 0.6}])
def test_derivatives_by_samples_are_those_of_the_samples(recipe):
    program, stimulus = readout(0.7, **recipe)
    factors = np.random.default_rng(1).normal(size=(2, 3, 72))

    def loss(key, values):
        trace = load(program.with_parameters({key: values})).forward(stimulus, seed=0)
        return float(np.sum(factors * trace.recordings["output.v"].values))

    machine = load(program)
    trace = machine.forward(stimulus, seed=0)
    gradient = machine.adjoint(trace, Cotangent({}, recordings={"output.v": factors}))
    for key, values in program.trainable().items():
        step = 1e-6
        for k in range(min(4, len(values))):
            move = np.eye(len(values))[k] * step
            slope = (loss(key, values + move) - loss(key, values - move)) / (2 * step)
            assert gradient.parameters[key][k] == pytest.approx(slope, rel=1e-4, abs=1e-5)


def test_a_device_that_samples_has_nearly_the_readings_of_continuous_time():
    program, stimulus = readout(0.01)
    trace = load(program).forward(stimulus, seed=0)
    sampled = read_samples(program, trace.recordings)
    assert list(sampled) == [reading.key for reading in program.readings]
    for key, read in trace.readings.items():
        np.testing.assert_allclose(sampled[key].values, read.values, rtol=1e-3, atol=1e-4)


def test_the_adjoint_on_the_host_takes_readings_of_samples():
    program, stimulus = readout(0.001)
    machine = load(program)
    trace = machine.forward(stimulus, seed=0)
    reads = read_samples(program, trace.recordings)
    slopes = pulls(trace)
    exact = machine.adjoint(trace, Cotangent({}, slopes)).parameters
    found = adjoint(program, replace(trace, readings=reads), Cotangent({}, slopes)).parameters
    for key in exact:
        if key.startswith("layer_1_to_output"):
            np.testing.assert_allclose(found[key], exact[key], rtol=0.02, atol=1e-3)


def test_a_sampled_maximum_is_at_its_first_time_and_neurons_may_come_in_any_order():
    program, _ = readout()
    values = np.array([[[0.0, 3.0, 1.0, 3.0], [1.0, 1.0, 1.0, 1.0], [2.0, 0.0, 5.0, 0.0]]])
    samples = Recording(np.array([0.0, 10.0, 30.0, 50.0]), np.array([2, 0, 1]), values)
    reads = read_samples(program, {"output.v": samples})
    assert reads["output.maximum"].values.tolist() == [[1.0, 5.0, 3.0]]
    assert reads["output.maximum"].times.tolist() == [[0.0, 30.0, 10.0]]
    assert reads["output.mean"].values[0, 0] == pytest.approx(1.0)


def test_the_weights_of_a_mean_integrate_a_line_exactly():
    times = np.array([0.0, 1.0, 4.0, 10.0])
    assert mean_weights(times, 10.0, np.inf) @ times == pytest.approx(5.0)


def test_missing_samples_are_named_for_every_reading():
    program, _ = readout()
    with pytest.raises(NumericsError, match=r"output\.v is not sampled") as caught:
        read_samples(program, {})
    assert len(caught.value.diagnostics) == 3


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"readings": {"output.median": np.zeros((2, 3))}}, "output.median, which the trace does not have"),
        ({"readings": {"output.maximum": np.zeros((2, 4))}}, r"shape \(2, 4\); it needs \(2, 3\)"),
        ({"readings": {"output.mean": np.full((2, 3), np.nan)}}, "not finite"),
        ({"recordings": {"layer_1.v": np.zeros((2, 3, 5))}}, "only voltages of read-outs"),
        ({"recordings": {"output.v": np.zeros((2, 3, 5))}}, "which the trace does not have"),
        ({"counts": {"output": np.zeros((2, 3))}}, "which never spikes"),
        ({"counts": {"layer_1": np.zeros((2, 1))}}, "shape"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"solver": {"grid": {"timestep": 0.5, "scheme": "published"}}}])
def test_a_cotangent_that_does_not_fit_is_refused(change, told, options):
    program, stimulus = readout()
    machine = NumbaBackend({"threads": 1, **options}).load(program, seed=0)
    trace = machine.forward(stimulus, seed=0)
    with pytest.raises(NumericsError, match=told):
        machine.adjoint(trace, Cotangent({}, **change))


def test_a_count_lowers_the_membrane_s_adjoint_at_its_spikes_and_nothing_else():
    network = random_network(Recipe(1, size=2, batch=1))
    program = replace(network.program, sampling=(Sampling("layer_1", "lam_v", np.arange(2), 0.005),))
    machine = load(program)
    trace = machine.forward(network.stimulus, seed=0)
    gradient = machine.adjoint(trace, Cotangent({}, counts={"layer_1": np.array([[0.3, 0.0]])}))
    spikes = trace.spikes["layer_1"]
    last = spikes.times[spikes.sources == 0][-1]
    times, lam_v = gradient.recordings["layer_1.lam_v"].times, gradient.recordings["layer_1.lam_v"].values[0]
    just_before = np.flatnonzero(times < last)[-1]
    assert lam_v[0, just_before] == pytest.approx(-0.3 * np.exp((times[just_before] - last) / 20.0))
    assert not lam_v[1].any()
    # the heuristic is no derivative by the time of the last spike
    slope = gradient.spike_times["layer_1"][np.flatnonzero(spikes.times == last)[0]]
    assert slope == pytest.approx(0.0, abs=1e-12)


def test_a_count_above_its_target_lowers_the_weights_that_excite():
    network = random_network(Recipe(1, size=2, batch=2))
    machine = load(network.program)
    trace = machine.forward(network.stimulus, seed=0)
    gradient = machine.adjoint(trace, Cotangent({}, counts={"layer_1": np.ones((2, 2))}))
    assert gradient.parameters["input_to_layer_1.weight"].sum() > 0.0


@pytest.mark.parametrize(
    "options",
    [{"solver": {"grid": {"timestep": 0.01}}}, {"solver": {"grid": {"timestep": 0.01, "transport": True}}}],
)
def test_counts_do_the_same_on_a_fine_grid(options):
    network = random_network(Recipe(4, size=2, batch=1, gain=1.0, delay="uniform"))
    program = replace(
        network.program, blocks=tuple(replace(block, train_delay=False) for block in network.program.blocks)
    )
    slopes = []
    for backend in (NumbaBackend({"threads": 1}), NumbaBackend({"threads": 1, **options})):
        machine = backend.load(program, seed=0)
        trace = machine.forward(network.stimulus, seed=0)
        slopes.append(machine.adjoint(trace, Cotangent({}, counts={"layer_1": np.ones((1, 2))})).parameters)
    for key, values in slopes[0].items():
        np.testing.assert_allclose(slopes[1][key], values, rtol=0.05, atol=0.02 * np.abs(values).max())
