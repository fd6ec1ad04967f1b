"""Every packet is accounted for, and the size of slices and the number of copies change nothing."""

import numpy as np
import pytest
from emulated import SCHEMES, chip, deviation, pull, run, tick_network

from netdesc.errors import LimitError
from tests.generate.traits import Recipe

RECIPE = Recipe(3, layers=2, size=5, gain=1.5, delay="mixed", loop="self", batch=3)

SLICES = {"input": 2, "layer_1": 2, "layer_2": 3}

MAPS = [
    {},
    {"slices": SLICES},
    {"slices": {"layer_1": 1, "layer_2": 1}},
    {"batch": 2},
    {"copies": 3},
    {"copies": 2, "slices": SLICES},
]
"""One element per population and one copy, and others."""


def targets(name, machine):
    """Return how many layer slices a neuron of a population reaches."""
    blocks, populations = machine.program.blocks, machine.program.populations
    reached = {populations[block.post].name for block in blocks if populations[block.pre].name == name}
    sizes = {item.name: item.size for item in populations}
    return sum(-(-sizes[post] // dict(machine.options.slices).get(post, sizes[post])) for post in reached)


def spikes_times_targets(trace, machine, names):
    return sum(len(trace.spikes[name]) * targets(name, machine) for name in names)


@pytest.mark.parametrize("options", MAPS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_packet_is_delivered_late_or_dropped(scheme, options):
    network = tick_network(RECIPE, scheme)
    trace, gradient = run(chip(network.program, scheme, **options), network.stimulus)
    for health in (trace.health, gradient.health):
        kinds = {key.removesuffix("_sent") for key in health if key.endswith("packets_sent")}
        assert "packets" in kinds
        for kind in kinds:
            fates = sum(health[f"{kind}_{fate}"] for fate in ("delivered", "late", "dropped"))
            assert health[f"{kind}_sent"] == fates
        total = sum(health[f"{kind}_sent"] for kind in kinds - {"packets"})
        assert health["packets_sent"] == total


@pytest.mark.parametrize("slices", [{}, SLICES])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_there_is_one_spike_packet_per_spike_and_element_that_it_reaches(scheme, slices):
    network = tick_network(RECIPE, scheme)
    machine = chip(network.program, scheme, slices=slices)
    trace = machine.forward(network.stimulus, seed=0)
    expected = spikes_times_targets(trace, machine, trace.spikes)
    assert trace.health["spike_packets_delivered"] == expected


@pytest.mark.parametrize("errors", [True, False])
@pytest.mark.parametrize("slices", [{}, SLICES])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_there_is_one_error_packet_per_spike_and_element_that_it_reached(scheme, slices, errors):
    network = tick_network(RECIPE, scheme)
    machine = chip(network.program, scheme, slices=slices, input_errors=errors)
    trace, gradient = run(machine, network.stimulus)
    names = [name for name in trace.spikes if errors or name != "input"]
    assert gradient.health["error_packets_sent"] == spikes_times_targets(trace, machine, names)
    assert gradient.health["error_packets_delivered"] == gradient.health["error_packets_sent"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_synaptic_event_is_counted(scheme):
    network = tick_network(RECIPE, scheme)
    machine = chip(network.program, scheme)
    trace = machine.forward(network.stimulus, seed=0)
    expected = sum(
        len(trace.spikes[machine.program.populations[block.pre].name]) * block.n_post
        for block in machine.program.blocks
    )
    assert trace.health["arrivals"] + trace.health["in_flight"] == expected
    assert trace.health["dropped"] == 0


@pytest.mark.parametrize("options", MAPS[1:])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_spikes_do_not_depend_on_slices_and_copies(scheme, options):
    network = tick_network(RECIPE, scheme)
    expected = chip(network.program, scheme).forward(network.stimulus, seed=0)
    found = chip(network.program, scheme, **options).forward(network.stimulus, seed=0)
    for name, events in expected.spikes.items():
        assert found.spikes[name].times.tobytes() == events.times.tobytes()
        assert found.spikes[name].sources.tolist() == events.sources.tolist()
        assert found.spikes[name].offsets.tolist() == events.offsets.tolist()


@pytest.mark.parametrize("options", MAPS[1:])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_gradients_depend_on_slices_and_copies_by_float32_alone(scheme, options):
    network = tick_network(RECIPE, scheme)
    _, expected = run(chip(network.program, scheme), network.stimulus)
    _, found = run(chip(network.program, scheme, **options), network.stimulus)
    for key, values in expected.parameters.items():
        assert deviation(found.parameters[key], values) <= 1e-5
    for name, values in expected.spike_times.items():
        assert deviation(found.spike_times[name], values) <= 1e-5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_copies_change_no_bit_of_the_gradient(scheme):
    network = tick_network(RECIPE, scheme)
    _, expected = run(chip(network.program, scheme), network.stimulus)
    _, found = run(chip(network.program, scheme, copies=3), network.stimulus)
    for key, values in expected.parameters.items():
        assert found.parameters[key].tobytes() == values.tobytes()


def test_an_adjoint_is_the_same_when_another_run_came_between():
    network = tick_network(RECIPE, "off_grid")
    machine = chip(network.program, "off_grid", copies=2)
    trace = machine.forward(network.stimulus, seed=0)
    cotangent = pull(machine.program, trace.spikes)
    expected = machine.adjoint(trace, cotangent)
    machine.forward(network.stimulus.select(0, 0), seed=0)
    found = machine.adjoint(trace, cotangent)
    for key, values in expected.parameters.items():
        assert np.array_equal(found.parameters[key], values)


def test_a_board_with_one_element_too_few_is_refused_and_one_more_is_enough():
    network = tick_network(RECIPE, "off_grid")
    used = len(chip(network.program, "off_grid", copies=2).plan.slices)
    enough = {"copies": 2, "profile": {"chips": 1, "pes_usable": used}}
    trace = chip(network.program, "off_grid", **enough).forward(network.stimulus, seed=0)
    assert trace.health["dropped"] == 0
    with pytest.raises(LimitError) as caught:
        chip(network.program, "off_grid", copies=2, profile={"chips": 1, "pes_usable": used - 1})
    assert [item.code for item in caught.value.diagnostics] == ["S2-CORES"]
