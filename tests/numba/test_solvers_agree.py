"""The layered sweep and the event queue are two ways to the same result; recordings show what happened."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.observation import Sampling
from netdesc.program import Stage
from netdesc.testing.reference.simulator import simulate
from tests.generate.networks import random_network
from tests.generate.objective import random_loss
from tests.generate.traits import Recipe

FEED_FORWARD = [
    Recipe(
        seed,
        layers=3,
        size=3,
        delay=delay,
        two_currents=two,
        refractory=two,
        mixed_cells=two,
        ratio=ratio,
        gain=1.5,
    )
    for seed, (delay, two, ratio) in enumerate(
        [
            ("zero", False, "shorter"),
            ("uniform", False, "double"),
            ("mixed", False, "equal"),
            ("mixed", True, "shorter"),
            ("uniform", True, "longer"),
            ("zero", False, "near"),
        ]
    )
]


def both(recipe):
    network = random_network(recipe)
    queued = replace(network.program, stages=(Stage((1, 2, 3), True),))
    backend = NumbaBackend({})
    machines = backend.load(network.program, seed=0), backend.load(queued, seed=0)
    return machines, [machine.forward(network.stimulus, seed=0) for machine in machines]


@pytest.mark.parametrize("recipe", FEED_FORWARD)
def test_the_sweep_and_the_queue_find_the_same_spikes(recipe):
    _, (layered, queued) = both(recipe)
    for name, spikes in layered.spikes.items():
        assert spikes.sources.tolist() == queued.spikes[name].sources.tolist()
        assert np.allclose(spikes.times, queued.spikes[name].times, rtol=0, atol=1e-10)


@pytest.mark.parametrize("recipe", FEED_FORWARD)
def test_the_sweep_and_the_queue_have_the_same_gradient(recipe):
    machines, traces = both(recipe)
    layered, queued = (
        machine.adjoint(trace, random_loss(machine, 1)(trace).cotangent)
        for machine, trace in zip(machines, traces, strict=True)
    )
    for key, value in layered.parameters.items():
        assert np.allclose(value, queued.parameters[key], rtol=0, atol=1e-8 * (1e-3 + np.abs(value).max()))
    for name, value in layered.spike_times.items():
        assert np.allclose(value, queued.spike_times[name], rtol=0, atol=1e-8 * (1e-3 + np.abs(value).max()))


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(1, layers=2, readout=True),
        Recipe(2, layers=2, readout=True, loop="cycle", delay="mixed"),
        Recipe(3, readout=True, two_currents=True, refractory=True, delay="uniform"),
        Recipe(
            4, readout=True, loop="self", delay="mixed", mixed_cells=True, refractory=True, millivolts=True
        ),
    ],
)
@pytest.mark.parametrize("variable", ["v", "i"])
def test_recordings_show_the_reference_s_voltages_and_currents(recipe, variable):
    network = random_network(recipe)
    names = [item.name for item in network.program.populations[1:]]
    sampling = tuple(Sampling(name, variable, np.array([0, 2]), 0.7) for name in names)
    program = replace(network.program, sampling=sampling)
    samples = NumbaBackend({}).load(program, seed=0).forward(network.stimulus, seed=0).recordings
    expected = simulate(network.program, network.stimulus)
    for name in names:
        found = samples[f"{name}.{variable}"]
        assert np.allclose(found.times, 0.7 * np.arange(72), rtol=0, atol=1e-9)
        for sample in range(recipe.batch):
            for row, neuron in enumerate((0, 2)):
                both = expected.state(name, neuron, found.times, sample=sample)
                assert np.allclose(found.values[sample, row], both[variable == "i"], rtol=0, atol=1e-8)
