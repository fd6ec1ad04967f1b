"""What a network computes does not depend on how it is laid out; every packet and every byte is told."""

from functools import partial

import numpy as np
import pytest
from drafts import select
from emulated import SCHEMES, balanced, chip, deviation, run, same_spikes, tick_network
from hypothesis import given, settings
from hypothesis import strategies as st
from netdesc_spinnaker2.mapping import pipeline as mapping
from netdesc_spinnaker2.mapping.placement import place

from netdesc.backend import LearningRule, Objective
from tests.generate.traits import Recipe

FEW = settings(max_examples=6, deadline=None)

SPLIT_SUM = 2e-5
"""Largest deviation where a sum over targets is split between elements, in float32."""

RECIPES = st.builds(
    Recipe,
    seed=st.integers(0, 10_000),
    layers=st.integers(1, 2),
    size=st.integers(2, 5),
    batch=st.just(3),
    loop=st.sampled_from(["none", "self", "cycle"]),
    delay=st.sampled_from(["zero", "uniform", "mixed"]),
    density=st.sampled_from([0.5, 1.0]),
    gain=st.just(1.5),
)

SPLIT = st.fixed_dictionaries(
    {"layer_1": st.integers(1, 5), "layer_2": st.integers(1, 5), "input": st.integers(1, 4)}
)

DEAD = st.sampled_from([{}, {"0,0": list(range(145))}, {"0,0": [0, 1, 5], "1,0": [2]}])

RULE = LearningRule(
    (Objective("time_to_first_spike", "layer_2", 1.0, {"tau_0": 1.5, "tau_1": 100.0, "alpha": 0.01}),),
    "adam",
    {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-6},
)


def fitting(slices, program):
    """Return the sizes of slices of populations that there are."""
    return {
        name: size for name, size in slices.items() if name in {item.name for item in program.populations}
    }


def same_gradient(found, expected):
    return all(
        found.parameters[key].tobytes() == values.tobytes() for key, values in expected.parameters.items()
    ) and all(
        found.spike_times[name].tobytes() == values.tobytes() for name, values in expected.spike_times.items()
    )


def shuffled(seed, slices, options):
    """Return sites of which every slice may have any."""
    sites = place(slices, options)
    return (
        None
        if sites is None
        else tuple(sites[k] for k in np.random.default_rng(seed).permutation(len(sites)))
    )


@pytest.mark.parametrize("scheme", SCHEMES)
@FEW
@given(recipe=RECIPES, slices=SPLIT, copies=st.integers(1, 3), dead=DEAD)
def test_spikes_depend_on_no_layout_and_gradients_by_split_sums_alone(scheme, recipe, slices, copies, dead):
    network = tick_network(recipe, scheme)
    wanted, right = run(chip(network.program, scheme), network.stimulus)
    machine = chip(
        network.program, scheme, slices=fitting(slices, network.program), copies=copies, dead_cores=dead
    )
    trace, found = run(machine, network.stimulus)
    assert same_spikes(trace, wanted)
    for name, residuals in wanted.residuals.items():
        assert trace.residuals[name]["current"].tobytes() == residuals["current"].tobytes()
    for key, values in right.parameters.items():
        assert deviation(found.parameters[key], values) <= SPLIT_SUM
    for name, values in right.spike_times.items():
        assert deviation(found.spike_times[name], values) <= SPLIT_SUM


@pytest.mark.parametrize("scheme", SCHEMES)
@FEW
@given(recipe=RECIPES, size=st.integers(1, 4), seed=st.integers(0, 99), dead=DEAD)
def test_where_no_sum_is_split_nothing_depends_on_slices_and_sites_by_a_bit(scheme, recipe, size, seed, dead):
    network = tick_network(recipe, scheme)
    wanted, right = run(chip(network.program, scheme), network.stimulus)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapping, "place", partial(shuffled, seed))
        machine = chip(network.program, scheme, slices={"input": size}, copies=2, dead_cores=dead)
    trace, found = run(machine, network.stimulus)
    assert same_spikes(trace, wanted)
    assert same_gradient(found, right)


@pytest.mark.parametrize("scheme", SCHEMES)
@FEW
@given(seed=st.integers(0, 10_000), hidden=st.integers(1, 5))
def test_slices_of_a_layer_that_only_inputs_reach_change_no_bit_of_its_weights(scheme, seed, hidden):
    recipe = Recipe(seed, layers=1, size=5, gain=1.5, batch=2, delay="mixed")
    network = tick_network(recipe, scheme)
    _, right = run(chip(network.program, scheme), network.stimulus)
    _, found = run(chip(network.program, scheme, slices={"layer_1": hidden}), network.stimulus)
    for key, values in right.parameters.items():
        assert found.parameters[key].tobytes() == values.tobytes()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("batch", [3, 5])
def test_gradients_do_not_depend_on_the_number_of_copies_by_a_bit(scheme, batch):
    recipe = Recipe(3, layers=2, size=5, gain=1.5, delay="mixed", loop="self", batch=batch)
    network = tick_network(recipe, scheme)
    _, right = run(chip(network.program, scheme), network.stimulus)
    for copies in (2, batch):
        _, found = run(chip(network.program, scheme, copies=copies), network.stimulus)
        assert same_gradient(found, right)


@pytest.mark.parametrize("scheme", SCHEMES)
@FEW
@given(slices=SPLIT, copies=st.sampled_from([2, 5]), seed=st.integers(0, 99))
def test_a_step_of_learning_depends_on_no_copies_and_sites_by_a_bit(scheme, slices, copies, seed):
    network = tick_network(Recipe(8, layers=2, size=4, gain=1.5, delay="mixed", batch=5), scheme)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mapping, "place", partial(shuffled, seed))
        machines = [chip(network.program, scheme, slices=slices, copies=count) for count in (1, copies)]
        reports = []
        for machine in machines:
            machine.prepare(RULE)
            reports.append(machine.learn(network.stimulus, np.array([0, 2, 1, 3, 2]), seed=0))
    one, other = (machine.state().parameters for machine in machines)
    assert all(one[key].tobytes() == other[key].tobytes() for key in one)
    assert reports[0].loss == reports[1].loss
    assert all(balanced(report.health) for report in reports)


def destinations(machine, name):
    """Return how many layer elements of a copy hold a synapse of the slices of a population, by neuron."""
    program, plan = machine.program, machine.plan
    reached = [set() for _ in range(program.population(name).size)]
    for block in program.blocks:
        if program.populations[block.pre].name != name:
            continue
        indptr, indices = block.sparse()
        source = np.repeat(np.arange(block.n_pre), np.diff(indptr))
        layers = select(plan, "layer", program.populations[block.post].name, 0)
        holder = np.searchsorted([item.start for item in layers], indices, side="right") - 1
        for item in plan.slices:
            if item.population == name and item.copy == 0 and item.role in ("input", "layer"):
                within = (source >= item.start) & (source < item.stop)
                for target in set(holder[within].tolist()):
                    for neuron in range(item.start, item.stop):
                        reached[neuron].add(layers[target].index)
    return np.array([len(item) for item in reached])


@pytest.mark.parametrize("scheme", SCHEMES)
@FEW
@given(recipe=RECIPES, slices=SPLIT, copies=st.integers(1, 2), errors=st.booleans())
def test_error_packets_are_spikes_times_elements_that_they_reach(scheme, recipe, slices, copies, errors):
    network = tick_network(recipe, scheme)
    machine = chip(
        network.program, scheme, slices=fitting(slices, network.program), copies=copies, input_errors=errors
    )
    trace, gradient = run(machine, network.stimulus)
    expected = {
        name: int(destinations(machine, name)[events.sources].sum()) for name, events in trace.spikes.items()
    }
    heard = sum(
        len(trace.spikes[item.population])
        for item in machine.plan.slices
        if item.role == "loss" and item.copy == 0
    )
    assert trace.health.get("spike_packets_sent", 0) == sum(expected.values()) + heard
    wanted = sum(count for name, count in expected.items() if errors or name != "input")
    assert gradient.health.get("error_packets_sent", 0) == wanted
    for health in (trace.health, gradient.health):
        assert balanced(health)
        assert health["packets_late"] == health["packets_dropped"] == 0


def test_inputs_without_errors_get_no_packet_and_change_no_weight():
    network = tick_network(Recipe(2, layers=1, size=4, gain=1.5), "published")
    _, right = run(chip(network.program, "published"), network.stimulus)
    _, found = run(chip(network.program, "published", input_errors=False), network.stimulus)
    assert found.health.get("error_packets_sent", 0) == 0
    assert "input" not in found.spike_times
    for key, values in right.parameters.items():
        assert found.parameters[key].tobytes() == values.tobytes()
