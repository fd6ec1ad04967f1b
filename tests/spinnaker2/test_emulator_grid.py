"""The chip computes what the grid of the numba backend computes in the same arithmetic."""

import numpy as np
import pytest
from emulated import SCHEMES, STEP_EQUAL, chip, deviation, grid, run, tick_network

from netdesc.events import Events
from tests.generate.traits import Recipe

RECIPES = {
    "feed-forward": Recipe(1, layers=2, size=5, gain=1.5),
    "feed-forward with delays": Recipe(2, layers=3, size=4, gain=1.5, delay="mixed"),
    "recurrent": Recipe(3, layers=2, size=5, gain=1.5, delay="mixed", loop="self"),
    "cycle, sparse": Recipe(4, layers=2, size=5, gain=1.5, delay="uniform", loop="cycle", density=0.6),
    "several samples": Recipe(5, size=5, batch=3),
    "read-out": Recipe(6, layers=2, size=4, readout=True),
}
"""What every scheme runs."""

RICHER = {
    "cells that differ": Recipe(11, layers=2, size=5, gain=1.5, mixed_cells=True),
    "refractory": Recipe(12, size=5, gain=3.0, refractory=True, loop="self"),
    "rest above the threshold": Recipe(13, size=4, tonic=True),
    "millivolts": Recipe(14, layers=2, size=4, millivolts=True, delay="mixed"),
    "equal time constants": Recipe(15, size=5, gain=1.5, ratio="equal"),
    "start anywhere": Recipe(16, size=5, start="random"),
}
"""What ``published`` does not offer."""

CASES = [
    pytest.param(recipe, scheme, id=f"{name}-{scheme}")
    for choice, schemes in ((RECIPES, SCHEMES), (RICHER, SCHEMES[1:]))
    for name, recipe in choice.items()
    for scheme in schemes
]


@pytest.mark.parametrize(("recipe", "scheme"), CASES)
def test_spikes_are_those_of_the_grid(recipe, scheme):
    network = tick_network(recipe, scheme)
    expected = grid(network.program, scheme).forward(network.stimulus, seed=0)
    found = chip(network.program, scheme).forward(network.stimulus, seed=0)
    assert set(found.spikes) == set(expected.spikes)
    spiking = [item.name for item in network.program.populations if item.kind == "spiking"]
    assert any(len(expected.spikes[name]) for name in spiking)
    for name, events in expected.spikes.items():
        assert found.spikes[name].offsets.tolist() == events.offsets.tolist()
        assert found.spikes[name].sources.tolist() == events.sources.tolist()
        assert np.abs(found.spikes[name].times - events.times).max(initial=0.0) <= STEP_EQUAL


@pytest.mark.parametrize(("recipe", "scheme"), CASES)
def test_gradients_are_those_of_the_grid_up_to_float32(recipe, scheme):
    network = tick_network(recipe, scheme)
    _, expected = run(grid(network.program, scheme), network.stimulus)
    _, found = run(chip(network.program, scheme), network.stimulus)
    for key, values in expected.parameters.items():
        assert deviation(found.parameters[key], values) <= 1e-5, key
    for name, values in expected.spike_times.items():
        assert deviation(found.spike_times[name], values) <= 1e-5, name


@pytest.mark.parametrize("scheme", SCHEMES)
def test_weights_that_are_written_are_those_that_run(scheme):
    network = tick_network(RECIPES["recurrent"], scheme)
    program = network.program
    other = program.with_parameters({key: 0.8 * values for key, values in program.trainable().items()})
    machine = chip(program, scheme)
    machine.forward(network.stimulus, seed=0)
    machine.write(other.trainable())
    found, expected = run(machine, network.stimulus), run(chip(other, scheme), network.stimulus)
    for name, events in expected[0].spikes.items():
        assert found[0].spikes[name].times.tolist() == events.times.tolist()
    for key, values in expected[1].parameters.items():
        assert found[1].parameters[key].tolist() == values.tolist()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_spikes_of_a_source_that_coincide_have_the_same_derivative(scheme):
    network = tick_network(RECIPES["feed-forward"], scheme)
    stimulus = Events.from_lists([[[4.0, 4.0], [5.0], [6.0], [7.0]]])
    _, expected = run(grid(network.program, scheme), stimulus)
    _, found = run(chip(network.program, scheme), stimulus)
    assert deviation(found.spike_times["input"], expected.spike_times["input"]) <= 1e-5
