"""Learning on the chip is what the host does with its losses, gradients and an optimizer."""

from dataclasses import replace

import numpy as np
import pytest
from emulated import SCHEMES, chip, tick_network

from netdesc.backend import LearningRule, Objective
from netdesc.description.model import Loss
from netdesc.losses.evaluation import evaluate
from tests.generate.traits import Recipe

OPTIONS = {"tau_0": 1.5, "tau_1": 100.0, "alpha": 0.01}
ADAM = {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-6}
RULE = LearningRule((Objective("time_to_first_spike", "layer_2", 1.0, OPTIONS),), "adam", ADAM)
LOSSES = {"first": Loss("first", "time_to_first_spike", "layer_2", 1.0, {**OPTIONS, "target": None})}
TARGETS = np.array([0, 2, 1, 3, 2])
STEPS = 3


def task(scheme):
    recipe = Recipe(8, layers=2, size=4, gain=1.5, delay="mixed", batch=len(TARGETS))
    return tick_network(recipe, scheme)


def teach(machine, stimulus):
    """Return weights and losses of three steps of Adam on the host."""
    values = machine.program.trainable()
    first = {key: np.zeros_like(value) for key, value in values.items()}
    second, losses = dict(first), []
    for step in range(1, STEPS + 1):
        trace = machine.forward(stimulus, seed=0)
        result = evaluate(LOSSES, trace, machine.program, TARGETS)
        losses.append(result.loss)
        slopes = machine.adjoint(trace, result.cotangent).parameters
        for key, slope in slopes.items():
            first[key] = ADAM["beta_1"] * first[key] + (1 - ADAM["beta_1"]) * slope
            second[key] = ADAM["beta_2"] * second[key] + (1 - ADAM["beta_2"]) * slope**2
            size = np.sqrt(second[key] / (1 - ADAM["beta_2"] ** step)) + ADAM["epsilon"]
            rate = ADAM["learning_rate"] / (1 - ADAM["beta_1"] ** step)
            values[key] = values[key] - rate * first[key] / size
        machine.write(values)
    return values, losses


def learn(machine, stimulus, rule=RULE, steps=STEPS):
    machine.prepare(rule)
    return [machine.learn(stimulus, TARGETS, seed=0) for _ in range(steps)]


@pytest.mark.parametrize("options", [{}, {"copies": 5}, {"copies": 2, "slices": {"input": 2, "layer_1": 3}}])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_three_steps_on_the_chip_are_those_of_the_host(scheme, options):
    network = task(scheme)
    expected, losses = teach(chip(network.program, scheme), network.stimulus)
    machine = chip(network.program, scheme, **options)
    reports = learn(machine, network.stimulus)
    assert np.allclose([report.loss for report in reports], losses, rtol=1e-5, atol=0)
    state = machine.state()
    assert state.steps == STEPS
    for key, values in expected.items():
        assert not np.array_equal(values, network.program.trainable()[key])
        assert np.allclose(state.parameters[key], values, rtol=0, atol=1e-5)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_packets_of_learning_are_accounted_for(scheme):
    network = task(scheme)
    machine = chip(network.program, scheme, copies=2)
    for report in learn(machine, network.stimulus):
        health = report.health
        for kind in ("packets", *(f"{name}_packets" for name in ("spike", "error", "gradient", "weight"))):
            assert health[f"{kind}_sent"] > 0
            fates = sum(health[f"{kind}_{fate}"] for fate in ("delivered", "late", "dropped"))
            assert health[f"{kind}_sent"] == fates


def test_a_report_counts_the_spikes_of_all_samples():
    network = task("off_grid")
    trace = chip(network.program, "off_grid").forward(network.stimulus, seed=0)
    report = learn(chip(network.program, "off_grid", copies=2), network.stimulus, steps=1)[0]
    assert dict(report.spikes) == {name: len(events) for name, events in trace.spikes.items()}
    first = trace.spikes["layer_2"].first_spikes(4)
    assert report.predictions.tolist() == np.argmin(first, axis=1).tolist()


def test_learning_goes_on_from_a_state_that_is_restored():
    network = task("off_grid")
    machine, other = (chip(network.program, "off_grid", copies=2) for _ in range(2))
    learn(machine, network.stimulus, steps=2)
    state = machine.state()
    other.prepare(RULE)
    other.restore(state)
    for item in (machine, other):
        item.learn(network.stimulus, TARGETS, seed=0)
    for key, values in machine.state().parameters.items():
        assert other.state().parameters[key].tobytes() == values.tobytes()


def test_a_rate_of_zero_changes_nothing():
    network = task("off_grid")
    machine = chip(network.program, "off_grid")
    still = replace(RULE, options={**ADAM, "learning_rate": 0.0})
    machine.prepare(still)
    before = machine.state().parameters
    machine.learn(network.stimulus, TARGETS, seed=0)
    for key, values in before.items():
        assert np.array_equal(machine.state().parameters[key], values)
