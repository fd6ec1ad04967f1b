"""Integer synapse words: what is told of them is what runs."""

from dataclasses import replace

import numpy as np
import pytest
from emulated import SCHEMES, chip, grid, inputs, layered, run, same_spikes
from netdesc_spinnaker2.board.integers import rounding_of
from netdesc_spinnaker2.host.parameters import Parameters
from netdesc_spinnaker2.options import Options

from netdesc.backend import LearningRule, Objective
from netdesc.description.model import Loss
from netdesc.losses.evaluation import evaluate

WIDTHS = [pytest.param(4, 15, id="four bits"), pytest.param(7, 127, id="seven bits")]

FIRST = {"tau_0": 1.5, "tau_1": 100.0, "alpha": 0.01}
ADAM = {"learning_rate": 0.02, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-6}
RULE = LearningRule((Objective("time_to_first_spike", "output", 1.0, FIRST),), "adam", ADAM)
LOSSES = {"first": Loss("first", "time_to_first_spike", "output", 1.0, {**FIRST, "target": None})}
TARGETS = np.array([0, 2, 1, 1])


def delayed(bits):
    """Return a network whose synapses have the delays that words of that width can hold."""
    program, random = layered(), np.random.default_rng(3)
    if bits == 7:
        return program
    return replace(
        program,
        blocks=tuple(
            replace(block, delays=random.integers(1, 9, block.size).astype(float)) for block in program.blocks
        ),
    )


@pytest.mark.parametrize(("bits", "most"), WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_run_as_the_weights_that_are_told(scheme, bits, most):
    program, stimulus = delayed(bits), inputs(4)
    trace, gradient = run(chip(program, scheme, weights="integer", weight_bits=bits), stimulus)
    told = program.with_parameters(trace.effective_parameters)
    expected, slopes = run(grid(told, scheme), stimulus)
    assert same_spikes(trace, expected)
    assert len(trace.spikes["output"]) > 0
    if bits == 4:
        assert not same_spikes(trace, grid(program, scheme).forward(stimulus, seed=0))
    for key, values in slopes.parameters.items():
        assert np.abs(gradient.parameters[key] - values).max() <= 1e-5 * np.abs(values).max()


@pytest.mark.parametrize(("bits", "most"), WIDTHS)
def test_words_are_whole_and_at_most_half_a_step_off(bits, most):
    program = delayed(bits)
    held = chip(program, "published", weights="integer", weight_bits=bits).parameters.held
    for block in program.blocks:
        step = np.abs(block.weights).max() / most
        words = held[block.weight_key] / step
        assert np.abs(words - np.rint(words)).max() < 1e-9
        assert np.rint(np.abs(words).max()) == most
        assert np.abs(held[block.weight_key] - block.weights).max() <= 0.5 * step * (1 + 1e-9)


def test_stochastic_rounding_is_right_on_average():
    program = layered((5, 8, 3))
    options = Options.read({"weights": "integer", "weight_bits": 4, "rounding": "stochastic"})
    draws = [Parameters(program, options, seed).held for seed in range(400)]
    for block in program.blocks:
        step = np.abs(block.weights).max() / 15
        mean = np.mean([held[block.weight_key] for held in draws], axis=0)
        # the deviation of one draw is at most half a step, that of 400 a fortieth
        assert np.abs(mean - block.weights).max() < 5 * step / 40
        assert np.abs(np.mean(mean - block.weights)) < 5 * step / 40 / np.sqrt(block.size)


def test_stochastic_rounding_is_the_same_for_a_seed_and_another_for_another():
    options = Options.read({"weights": "integer", "rounding": "stochastic"})
    one, same, other = (Parameters(layered(), options, seed).held for seed in (1, 1, 2))
    for key, values in one.items():
        assert np.array_equal(values, same[key])
        assert not np.array_equal(values, other[key])


def test_what_is_lost_is_counted_by_projection():
    program = layered()
    small, large = (block.path for block in program.blocks)
    weights = np.array(program.blocks[0].weights)
    weights[:7] = 1e-4 * np.abs(weights).max()
    program = program.with_parameters({program.blocks[0].weight_key: weights})
    machine = chip(program, "published", weights="integer")
    health = machine.forward(inputs(1), seed=0).health
    zeroed = int(np.sum((np.rint(weights * 127 / np.abs(weights).max()) == 0) & (weights != 0)))
    assert zeroed >= 7
    assert health[f"{small}.weights_zeroed"] == zeroed
    assert health["weights_zeroed"] == zeroed + health[f"{large}.weights_zeroed"]
    machine.write({program.blocks[0].weight_key: 2.0 * weights})
    beyond = int(np.sum(np.abs(2.0 * weights) * 127 / np.abs(weights).max() > 127.5))
    health = machine.forward(inputs(1), seed=0).health
    assert health[f"{small}.weights_saturated"] == health["weights_saturated"] == beyond > 0
    held = machine.parameters.held[program.blocks[0].weight_key]
    assert np.abs(held).max() <= np.abs(weights).max() * (1 + 1e-12)


def test_a_map_notes_the_error_of_every_projection():
    program = layered()
    plan = chip(program, "published", weights="integer").plan
    notes = {note.path: note.message for note in plan.notes if note.code == "S2-WEIGHT"}
    for block in program.blocks:
        step = np.abs(block.weights).max() / 127
        error = block.weights - np.rint(block.weights / step) * step
        message = notes[f"{block.path}.weight"]
        assert f"by {np.sqrt(np.mean(error**2)):.3g} rms and at most {np.abs(error).max():.3g};" in message


def test_the_expected_error_of_stochastic_rounding_is_that_of_many_draws():
    weights, scale = np.random.default_rng(0).normal(size=50), 7.3
    told = rounding_of(weights, scale, 127.0, stochastic=True)
    dither = np.random.default_rng(1).random((4000, 50))
    errors = np.floor(weights * scale + dither) / scale - weights
    assert np.isclose(np.sqrt(np.mean(errors**2)), told.rms, rtol=0.01)
    assert np.isclose(np.abs(errors).max(), told.largest, rtol=0.05)


def teach(machine, stimulus, steps):
    """Take steps of Adam on the host, which keeps the weights in floating point."""
    values = {key: value.copy() for key, value in machine.program.trainable().items()}
    first = {key: np.zeros_like(value) for key, value in values.items()}
    second = dict(first)
    for step in range(1, steps + 1):
        trace = machine.forward(stimulus, seed=0)
        pulled = evaluate(LOSSES, trace, machine.program, TARGETS).cotangent
        slopes = machine.adjoint(trace, pulled).parameters
        for key, slope in slopes.items():
            first[key] = 0.9 * first[key] + 0.1 * slope
            second[key] = 0.999 * second[key] + 0.001 * slope**2
            size = np.sqrt(second[key] / (1 - 0.999**step)) + ADAM["epsilon"]
            values[key] = values[key] - ADAM["learning_rate"] / (1 - 0.9**step) * first[key] / size
        machine.write(values)
    return values


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_optimizer_keeps_floats_and_the_layers_words(scheme):
    program, stimulus = layered((5, 12, 3)), inputs(4)
    host = chip(program, scheme, weights="integer")
    expected = teach(host, stimulus, 3)
    machine = chip(program, scheme, weights="integer", copies=2)
    machine.prepare(RULE)
    reports = [machine.learn(stimulus, TARGETS, seed=0) for _ in range(3)]
    assert {"weights_zeroed", "weights_saturated"} <= reports[-1].health.keys()
    state = machine.state().parameters
    told = machine.forward(stimulus, seed=0).effective_parameters
    for block in program.blocks:
        key, step = block.weight_key, np.abs(block.weights).max() / 127
        assert np.abs(state[key] - expected[key]).max() < 1e-5
        words = told[key] / step
        assert np.abs(words - np.rint(words)).max() < 1e-4
        assert np.abs(told[key] - np.clip(state[key], -127 * step, 127 * step)).max() <= 0.5001 * step
        assert np.abs(told[key] - state[key]).max() > 1e-3 * step


def test_learning_with_stochastic_words_goes_on_from_a_state_bit_for_bit():
    program, stimulus = layered((5, 12, 3)), inputs(4)
    options = {"weights": "integer", "rounding": "stochastic"}
    machine, other = (chip(program, "off_grid", **options) for _ in range(2))
    for item in (machine, other):
        item.prepare(RULE)
    for _ in range(2):
        machine.learn(stimulus, TARGETS, seed=0)
    other.restore(machine.state())
    for item in (machine, other):
        item.learn(stimulus, TARGETS, seed=0)
    for key, values in machine.state().parameters.items():
        assert other.state().parameters[key].tobytes() == values.tobytes()
