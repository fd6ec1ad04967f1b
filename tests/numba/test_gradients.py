"""Gradients of the event-driven solver against extrapolated central differences."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.testing.gradcheck import gradcheck
from netdesc.trace import Cotangent
from tests.generate.networks import Network, random_network
from tests.generate.neuron import one_neuron
from tests.generate.objective import random_loss
from tests.generate.traits import Recipe

TOLERANCE = 1e-6
"""Largest deviation, relative to the largest entry of the gradient."""

FAMILIES = {
    "one layer": {},
    "two layers": {"layers": 2},
    "three layers, sparse": {"layers": 3, "density": 0.6},
    "self loop": {"loop": "self"},
    "self loop with delays": {"loop": "self", "delay": "mixed"},
    "self loops of two layers": {"loop": "self", "layers": 2, "delay": "mixed"},
    "recurrent layer": {"loop": "self", "delay": "uniform"},
    "recurrent layers": {"loop": "self", "layers": 2, "delay": "uniform"},
    "cycle": {"loop": "cycle", "layers": 2},
    "cycle with one delay": {"loop": "cycle", "layers": 2, "delay": "uniform"},
    "cycle with delays, sparse": {"loop": "cycle", "layers": 2, "delay": "mixed", "density": 0.6},
    "delays": {"layers": 2, "delay": "mixed"},
    "refractory": {"layers": 2, "refractory": True, "gain": 3.0},
    "refractory cycle with delays": {"loop": "cycle", "layers": 2, "delay": "mixed", "refractory": True},
    "equal time constants": {"layers": 2, "ratio": "equal"},
    "equal time constants, self loop": {"loop": "self", "ratio": "equal", "delay": "mixed"},
    "membrane twice as slow": {"layers": 2, "ratio": "double"},
    "membrane twice as slow, self loop": {"loop": "self", "ratio": "double", "delay": "mixed"},
    "nearly equal time constants": {"layers": 2, "ratio": "near"},
    "membrane faster": {"layers": 2, "ratio": "longer"},
    "several spikes per interval": {"inputs": 1, "gain": 5.0},
    "several spikes per interval, refractory": {"inputs": 1, "gain": 5.0, "refractory": True},
    "two currents": {"layers": 2, "two_currents": True},
    "two currents, cycle with delays": {"loop": "cycle", "two_currents": True, "delay": "mixed"},
    "two equal currents": {"layers": 2, "two_currents": True, "ratio": "equal"},
    "mixed cells": {"layers": 2, "mixed_cells": True},
    "mixed cells, everything": {
        "layers": 2,
        "loop": "cycle",
        "mixed_cells": True,
        "delay": "mixed",
        "two_currents": True,
        "refractory": True,
        "readout": True,
    },
    "rest above the threshold": {"layers": 2, "tonic": True},
    "random start": {"layers": 2, "start": "random"},
    "start above the threshold": {"layers": 2, "start": "above"},
    "millivolts": {"layers": 2, "millivolts": True, "refractory": True},
}


def load(network):
    return NumbaBackend({}).load(network.program, seed=0)


def assert_gradient(network, seed):
    machine = load(network)
    result = gradcheck(machine, network.stimulus, random_loss(machine, seed), limit=8)
    assert result.checked > 0
    assert max((item.deviation, key) for key, item in result.comparisons.items()) <= (TOLERANCE, "")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_the_gradient_agrees_with_differences(family, seed):
    recipe = Recipe(**{"seed": seed, "size": 2, "inputs": 3, "gain": 1.5, "batch": 1, **FAMILIES[family]})
    assert_gradient(random_network(recipe), seed)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("loop", ["none", "self", "cycle"])
def test_the_gradient_of_a_delay_of_zero_agrees_with_one_sided_differences(loop, seed):
    network = random_network(Recipe(seed, size=2, inputs=3, layers=2, loop=loop, gain=1.5, batch=1))
    blocks = tuple(
        replace(block, delays=np.zeros(block.size), train_delay=True) for block in network.program.blocks
    )
    assert_gradient(Network(replace(network.program, blocks=blocks), network.stimulus), seed)


def test_a_batch_has_the_sum_of_the_gradients_of_its_samples():
    network = random_network(Recipe(2, layers=2, loop="cycle", delay="mixed", batch=3))
    machine = load(network)
    trace = machine.forward(network.stimulus, seed=0)
    slopes = {name: np.cos(spikes.times) for name, spikes in trace.spikes.items() if name != "input"}
    whole = machine.adjoint(trace, Cotangent(slopes)).parameters
    parts = []
    for sample in range(3):
        part = {
            name: np.where(trace.spikes[name].samples() == sample, slope, 0.0)
            for name, slope in slopes.items()
        }
        parts.append(machine.adjoint(trace, Cotangent(part)).parameters)
    for key, value in whole.items():
        assert np.allclose(value, sum(part[key] for part in parts), rtol=1e-10, atol=1e-12)


def test_the_gradient_is_linear_in_the_cotangent():
    network = random_network(Recipe(8, layers=2, loop="self", delay="mixed"))
    machine = load(network)
    trace = machine.forward(network.stimulus, seed=0)
    slopes = {name: np.sin(spikes.times) for name, spikes in trace.spikes.items() if name != "input"}
    once = machine.adjoint(trace, Cotangent(slopes)).parameters
    thrice = machine.adjoint(trace, Cotangent({name: 3 * slope for name, slope in slopes.items()})).parameters
    for key, value in once.items():
        assert np.allclose(thrice[key], 3 * value, rtol=1e-12, atol=1e-15)


def test_a_common_shift_of_all_inputs_shifts_every_spike():
    network = random_network(Recipe(1, layers=2, loop="cycle", delay="mixed", refractory=True, batch=1))
    machine = load(network)
    trace = machine.forward(network.stimulus, seed=0)
    for name in ("layer_1", "layer_2"):
        slopes = np.zeros(len(trace.spikes[name]))
        slopes[-1] = 1.0
        gradient = machine.adjoint(trace, Cotangent({name: slopes}))
        assert gradient.spike_times["input"].sum() == pytest.approx(1.0, rel=1e-9)


def test_a_spike_at_the_start_depends_on_nothing():
    network = one_neuron([(1.0, 0.3)], v_init=1.2, delay=1.0)
    machine = load(network)
    trace = machine.forward(network.stimulus, seed=0)
    assert trace.spikes["cell"].times.tolist() == [0.0]
    gradient = machine.adjoint(trace, Cotangent({"cell": np.ones(1)}))
    assert gradient.parameters["input_to_cell_0.weight"].tolist() == [0.0]
    assert gradient.parameters["input_to_cell_0.delay"].tolist() == [0.0]


def test_an_input_after_the_last_spike_has_no_gradient():
    network = one_neuron([(1.0, 9.0), (40.0, 0.1)])
    machine = load(network)
    trace = machine.forward(network.stimulus, seed=0)
    assert trace.spikes["cell"].times[-1] < 40.0
    gradient = machine.adjoint(trace, Cotangent({"cell": np.ones(len(trace.spikes["cell"]))}))
    assert gradient.parameters["input_to_cell_0.weight"][1] == 0.0
    assert gradient.spike_times["input"][1] == 0.0
