"""Recorded voltages and currents at spikes and in refractory periods, in every kind of stage."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.observation import Sampling
from tests.generate.networks import random_network
from tests.generate.traits import Recipe

KINDS = {
    "layer": Recipe(1, gain=4.0, batch=1),
    "neurons": Recipe(2, delay="mixed", refractory=True, gain=4.0, batch=1),
    "two currents": Recipe(3, delay="mixed", refractory=True, two_currents=True, gain=4.0, batch=1),
    "network": Recipe(4, loop="self", delay="mixed", refractory=True, gain=4.0, batch=1),
    "cycle of mixed cells": Recipe(
        5, layers=2, loop="cycle", delay="mixed", refractory=True, mixed_cells=True, gain=4.0, batch=1
    ),
}


@pytest.fixture(params=sorted(KINDS))
def network(request):
    return random_network(KINDS[request.param])


def forward(network, every=None):
    program = network.program
    if every is not None:
        neurons = np.arange(program.population("layer_1").size)
        sampling = tuple(Sampling("layer_1", variable, neurons, every) for variable in ("v", "i"))
        program = replace(program, sampling=sampling)
    return NumbaBackend({}).load(program, seed=0).forward(network.stimulus, seed=0)


def test_a_sample_at_the_time_of_a_spike_shows_the_reset_and_the_current_there(network):
    plain = forward(network)
    spikes = plain.spikes["layer_1"]
    assert len(spikes) > 3
    reset = network.program.parameters["reset"][network.program.population("layer_1").start :]
    for k in range(min(len(spikes), 8)):
        # a sampling interval as long as the way to the spike
        samples = forward(network, spikes.times[k]).recordings
        assert samples["layer_1.v"].times[1] == spikes.times[k]
        neuron = spikes.sources[k]
        assert samples["layer_1.v"].values[0, neuron, 1] == reset[neuron]
        current = samples["layer_1.i"].values[0, neuron, 1]
        assert current == pytest.approx(plain.residuals["layer_1"]["current"][k], rel=1e-10)


def test_a_voltage_reaches_the_threshold_just_before_a_spike_and_never_exceeds_it(network):
    plain = forward(network)
    spikes = plain.spikes["layer_1"]
    start = network.program.population("layer_1").start
    threshold = network.program.parameters["threshold"][start:]
    samples = forward(network, 0.003).recordings["layer_1.v"]
    assert np.all(samples.values[0].max(axis=1) <= threshold[: len(samples.neurons)] + 1e-12)
    free = np.full(len(threshold), -np.inf)
    for time, neuron in zip(spikes.times, spikes.sources, strict=True):
        before = int(np.ceil(time / 0.003)) - 1
        # a neuron whose refractory period has just ended rises from its reset within a sample
        if time - free[neuron] > 0.5:
            assert samples.values[0, neuron, before] == pytest.approx(threshold[neuron], abs=0.02)
        free[neuron] = time + network.program.parameters["tau_ref"][start + neuron]


def test_a_voltage_stays_at_its_reset_through_a_refractory_period(network):
    trace = forward(network, 0.05)
    spikes, samples = trace.spikes["layer_1"], trace.recordings["layer_1.v"]
    start = network.program.population("layer_1").start
    values = network.program.parameters
    for time, neuron in zip(spikes.times, spikes.sources, strict=True):
        hold = values["tau_ref"][start + neuron]
        inside = (samples.times >= time) & (samples.times <= time + hold - 1e-9)
        assert np.all(samples.values[0, neuron, inside] == values["reset"][start + neuron])
