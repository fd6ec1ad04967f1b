"""Last voltages of the emulated chip, and what it learns from them."""

from dataclasses import replace

import numpy as np
import pytest
from chip_programs import program
from netdesc_brainscales2.backend import BrainScaleS2Backend
from netdesc_numba.event.machine import EventMachine
from netdesc_numba.options import Options as NumbaOptions

from netdesc.errors import NumericsError
from netdesc.events import Events
from netdesc.observation import Reading
from netdesc.trace import Cotangent

BATCH, HIDDEN = 6, 12
KEY = "output.final"


def draw():
    rng = np.random.default_rng(3)
    times = np.rint(rng.uniform(0.0, 30.0, BATCH * 10) / 0.008) * 0.008
    return Events.from_arrays(times, np.tile(np.arange(5), 2 * BATCH), np.repeat(np.arange(BATCH), 10), BATCH)


def network():
    rng = np.random.default_rng(2)
    links = (("input", "hidden"), ("hidden", "output"))
    weights = {
        links[0]: rng.normal(0.9, 0.8, (5, HIDDEN)),
        links[1]: rng.normal(0.1, 0.3, (HIDDEN, 3)) + np.array([1.2, -0.1, 0.6]),
    }
    made = program({"input": 5, "hidden": HIDDEN, "output": 3}, links, weights)
    return replace(
        made,
        blocks=tuple(replace(block, train_weight=True) for block in made.blocks),
        readings=(Reading("output", "final"),),
    )


def load(made, **options):
    return BrainScaleS2Backend(options).load(made, seed=0)


def solver(made, trace):
    exact = EventMachine(made, NumbaOptions.read({"threads": 1}))
    exact.write(trace.effective_parameters)
    return exact


def pull(trace):
    values = trace.readings[KEY].values
    slopes = np.random.default_rng(7).normal(size=values.shape)
    return Cotangent({}, {KEY: np.where(np.isnan(values), 0.0, slopes)})


def test_the_last_voltage_is_that_of_the_solver_where_a_neuron_is_silent():
    made = network()
    trace = load(made, profile="ideal").forward(draw(), seed=1)
    expected = solver(made, trace).forward(draw(), seed=1).readings[KEY].values
    read = trace.readings[KEY].values
    assert np.array_equal(np.isnan(read), np.isnan(expected))
    assert 0 < np.isnan(read).sum() < read.size
    step = 1.0 / 120.0
    low = -80.0 * step
    held = np.isfinite(read) & (expected > low)
    # half a step of the converter, and what a stamp of 8 us moves
    np.testing.assert_allclose(read[held], expected[held], atol=0.7 * step)


def test_the_gradient_of_last_voltages_is_that_of_the_solver():
    made = network()
    machine = load(made, profile="ideal")
    trace = machine.forward(draw(), seed=1)
    exact = solver(made, trace)
    expected = exact.adjoint(exact.forward(draw(), seed=1), pull(trace))
    gradient = machine.adjoint(trace, pull(trace))
    for key, values in expected.parameters.items():
        assert np.any(values)
        found = gradient.parameters[key]
        assert found @ values / np.sqrt((found @ found) * (values @ values)) > 0.999


def test_last_voltages_cost_one_reading_of_each_neuron_of_the_population():
    made = network()
    trace = load(made, profile="calibrated").forward(draw(), seed=1)
    events = len(trace.spikes["hidden"]) + len(trace.spikes["output"])
    assert trace.costs["bits_read"] == 32 * events + 8 * 3 * BATCH
    assert not trace.recordings


def test_a_reading_is_noisy_unless_noise_is_off():
    made = network()
    quiet, loud = (load(made, profile="calibrated", noise=noise) for noise in (False, True))
    numbers = [
        machine.forward(draw(), seed=seed).readings[KEY].values
        for machine in (quiet, loud)
        for seed in (1, 2)
    ]
    assert np.array_equal(numbers[0], numbers[1], equal_nan=True)
    assert not np.array_equal(numbers[2], numbers[3], equal_nan=True)


def test_means_and_last_voltages_are_read_in_one_run():
    made = network()
    kinds = {"output": "spiking", "other": "readout"}
    links = (("input", "hidden"), ("hidden", "output"), ("hidden", "other"))
    both = program({"input": 5, "hidden": HIDDEN, "output": 3, "other": 2}, links, 0.2, kinds=kinds)
    both = replace(both, readings=(*made.readings, Reading("other", "mean")))
    machine = load(both, profile="ideal")
    trace = machine.forward(draw(), seed=1)
    assert set(trace.readings) == {KEY, "other.mean"}
    gradient = machine.adjoint(trace, Cotangent({}, {"other.mean": np.ones((BATCH, 2))}))
    assert set(gradient.parameters) == set()


def test_a_derivative_by_the_last_voltage_of_a_neuron_that_spikes_is_refused():
    machine = load(network(), profile="ideal")
    trace = machine.forward(draw(), seed=1)
    with pytest.raises(NumericsError, match="only that of a silent neuron"):
        machine.adjoint(trace, Cotangent({}, {KEY: np.ones((BATCH, 3))}))
