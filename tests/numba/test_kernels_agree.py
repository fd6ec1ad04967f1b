"""One network, put before the kernel of layers, of single neurons, and of networks with cycles."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.adjoint.wiring import LAYER, NETWORK, NEURONS, RECURRENT
from netdesc.observation import Sampling
from tests.generate.networks import random_network
from tests.generate.objective import random_loss
from tests.generate.traits import Recipe

RECIPES = [
    Recipe(1),
    Recipe(2, layers=2),
    Recipe(3, layers=2, delay="uniform"),
    Recipe(4, layers=3, gain=1.5),
    Recipe(5, ratio="equal"),
    Recipe(6, ratio="near", layers=2),
    Recipe(7, ratio="longer"),
    Recipe(8, ratio="double", gain=4.0, inputs=2),
    Recipe(9, millivolts=True, layers=2),
    Recipe(10, start="above"),
    Recipe(11, tonic=True),
    Recipe(12, tied=True, layers=2),
    *(Recipe(13, size=size, layers=2, gain=1.5) for size in (15, 16, 19)),
]


RECURRENT_RECIPES = [
    Recipe(1, loop="self", delay="uniform"),
    Recipe(2, loop="self", delay="uniform", layers=2, gain=3.0),
    Recipe(3, loop="self", delay="uniform", ratio="equal", gain=2.0, batch=3),
    Recipe(4, loop="self", delay="uniform", millivolts=True, gain=2.0),
    Recipe(5, loop="self", delay="uniform", start="above", gain=2.0),
    Recipe(6, loop="self", delay="uniform", tonic=True, tied=True),
    *(Recipe(7, loop="self", delay="uniform", size=size, gain=1.5, batch=4) for size in (1, 15, 40)),
]


def spread(program):
    """Return the same program with a delay for every synapse, as the kernel of single neurons takes it."""
    return replace(
        program,
        blocks=tuple(
            replace(block, delays=np.broadcast_to(block.delays, block.weights.shape))
            for block in program.blocks
        ),
    )


def looped(program):
    """Return the same program with every stage marked as one with a cycle."""
    return replace(program, stages=tuple(replace(stage, recurrent=True) for stage in program.stages))


def sampled(program):
    names = [item.name for item in program.populations if item.kind == "spiking"]
    return replace(
        program,
        sampling=tuple(
            Sampling(name, variable, np.arange(program.population(name).size), 0.9)
            for name in names
            for variable in ("v", "i", "lam_v", "lam_i")
        ),
    )


def close(values, others, tolerance):
    scale = 1.0 + np.abs(others).max(initial=0.0)
    return np.shape(values) == np.shape(others) and np.allclose(
        values, others, rtol=0, atol=tolerance * scale
    )


@pytest.mark.parametrize("recipe", RECIPES)
def test_all_kernels_find_the_same_spikes_states_and_gradients(recipe):
    network = random_network(recipe)
    program = sampled(network.program)
    compare(network, ((LAYER, program), (NEURONS, spread(program)), (NETWORK, looped(spread(program)))))


@pytest.mark.parametrize("recipe", RECURRENT_RECIPES)
def test_a_recurrent_layer_does_what_an_event_queue_does(recipe):
    network = random_network(recipe)
    program = sampled(network.program)
    compare(network, ((RECURRENT, program), (NETWORK, spread(program))))


@pytest.mark.parametrize("delay", [1e-5, 0.01, 0.3, 7.0, 1000.0])
def test_a_recurrent_layer_has_windows_of_every_length(delay):
    network = random_network(Recipe(5, loop="self", delay="uniform", size=12, gain=2.5, batch=3))
    blocks = tuple(
        replace(block, delays=np.array([delay])) if block.pre == block.post else block
        for block in network.program.blocks
    )
    program = sampled(replace(network.program, blocks=blocks))
    compare(network, ((RECURRENT, program), (NETWORK, spread(program))))


def test_a_recurrent_layer_whose_delay_is_set_to_zero_becomes_a_queue():
    network = random_network(Recipe(5, loop="self", delay="uniform", size=4, gain=2.5))
    (own,) = (block for block in network.program.blocks if block.pre == block.post)
    machine = NumbaBackend({}).load(network.program, seed=0)
    machine.write({own.delay_key: np.zeros(1)})
    assert NETWORK in {wiring.kind for wiring in machine.layout.wirings}
    other = NumbaBackend({}).load(spread(network.program), seed=0)
    other.write({own.delay_key: np.zeros(own.size)})
    spikes, expected = (item.forward(network.stimulus, seed=0).spikes["layer_1"] for item in (machine, other))
    assert len(spikes)
    assert spikes.times.tolist() == expected.times.tolist()
    machine.write({own.delay_key: np.ones(1)})
    assert len(machine.forward(network.stimulus, seed=0).spikes["layer_1"])


CYCLES = [
    Recipe(1, layers=2, loop="cycle", delay="mixed", density=0.6, gain=3.0),
    Recipe(2, layers=2, loop="cycle", delay="mixed", refractory=True, gain=3.0, batch=3),
    Recipe(3, loop="self", size=12, delay="mixed", two_currents=True, refractory=True, gain=3.0),
    Recipe(4, layers=2, loop="cycle", delay="uniform", two_currents=True, mixed_cells=True, gain=2.0),
    Recipe(5, layers=3, loop="cycle", delay="mixed", start="above", tonic=True, refractory=True),
    Recipe(6, loop="self", size=70, density=0.3, delay="mixed", millivolts=True, tied=True),
    Recipe(7, loop="self", size=200, density=0.2, delay="mixed", refractory=True, gain=4.0, batch=1),
]


@pytest.mark.parametrize("recipe", CYCLES)
def test_windows_do_what_an_event_queue_does(recipe, monkeypatch):
    network = random_network(recipe)
    results = [run_kind(network, sampled(network.program), NETWORK)]
    use_the_queue(monkeypatch)
    results.append(run_kind(network, sampled(network.program), NETWORK))
    agree(results)


@pytest.mark.parametrize("delay", [5e-6, 3e-4, 0.011, 0.4, 6.0, 1000.0])
def test_there_are_windows_of_every_length(delay, monkeypatch):
    network = random_network(
        Recipe(3, loop="self", size=9, delay="mixed", refractory=True, gain=2.5, batch=3)
    )
    longest = max(float(block.delays.max()) for block in network.program.blocks if block.pre == block.post)
    blocks = tuple(
        replace(block, delays=delay * (1.0 + 40.0 * block.delays / longest))
        if block.pre == block.post
        else block
        for block in network.program.blocks
    )
    program = replace(network.program, blocks=blocks)
    results = [run_kind(network, program, NETWORK)]
    use_the_queue(monkeypatch)
    results.append(run_kind(network, program, NETWORK))
    agree(results)


def use_the_queue(monkeypatch):
    monkeypatch.setattr("netdesc.adjoint.arrangement.NARROWEST", np.inf)


def run_kind(network, program, kind):
    machine = NumbaBackend({}).load(program, seed=0)
    assert kind in {wiring.kind for wiring in machine.layout.wirings}
    trace = machine.forward(network.stimulus, seed=0)
    return trace, machine.adjoint(trace, random_loss(machine, 5)(trace).cotangent)


def compare(network, variants):
    """Assert that kernels of several kinds agree on spikes, states and gradients."""
    agree([run_kind(network, variant, kind) for kind, variant in variants])


def agree(results):
    """Assert that pairs of a trace and a gradient agree."""
    (trace, gradient), *others = results
    assert len(trace.spikes["layer_1"]) > 0
    for other, its_gradient in others:
        assert trace.health == other.health
        for name, events in trace.spikes.items():
            assert events.sources.tolist() == other.spikes[name].sources.tolist()
            assert close(events.times, other.spikes[name].times, 1e-12)
            assert close(gradient.spike_times[name], its_gradient.spike_times[name], 1e-10)
        for name, found in trace.residuals.items():
            assert close(found["current"], other.residuals[name]["current"], 1e-12)
        for key, values in gradient.parameters.items():
            assert close(values, its_gradient.parameters[key], 1e-10)
        pairs = ((other.recordings, trace.recordings), (its_gradient.recordings, gradient.recordings))
        for found, expected in pairs:
            assert set(found) == set(expected)
            assert all(close(found[key].values, expected[key].values, 1e-10) for key in expected)
