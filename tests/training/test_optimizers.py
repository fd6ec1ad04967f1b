from dataclasses import replace

import numpy as np
import pytest
from linear_machine import prepare

from netdesc.description.model import Choice
from netdesc.errors import BackendError
from netdesc.training.flat_parameters import FlatParameters
from netdesc.training.optimizers import OptimizerState, build_optimizer
from netdesc.training.schedules import scale_rate


def make_layout(delays=(False, False)):
    size = len(delays)
    return FlatParameters(
        tuple(f"{number}.weight" for number in range(size)),
        tuple(range(size + 1)),
        np.full(size, -np.inf),
        np.full(size, np.inf),
        tuple("delay" if delay else "weight" for delay in delays),
        np.zeros(size, dtype=np.int64),
        np.ones(size),
    )


def walk(choice, gradients, delays=(False, False)):
    optimizer = build_optimizer(choice, make_layout(delays))
    values, state = np.array([1.0, -2.0]), optimizer.start(2)
    for gradient in gradients:
        values, state = optimizer.update(values, np.array(gradient), state, factor=1.0)
    return values


def test_the_first_step_of_adam_has_the_size_of_the_learning_rate():
    values = walk(Choice("adam", {"learning_rate": 0.1}), [[1e-3, -50.0]])
    np.testing.assert_allclose(values, [0.9, -1.9], rtol=2e-5)


def test_two_steps_of_adam_agree_with_the_algorithm_by_hand():
    values = walk(Choice("adam", {"learning_rate": 0.1, "epsilon": 0.5}), [[1.0, 0.0], [3.0, 0.0]])
    after_one = 1.0 - 0.1 * 1.0 / (1.0 + 0.5)
    first, second = (0.9 * 0.1 + 0.1 * 3.0) / (1 - 0.9**2), (0.999 * 0.001 + 0.001 * 9.0) / (1 - 0.999**2)
    assert values[0] == pytest.approx(after_one - 0.1 * first / (second**0.5 + 0.5), rel=1e-13)


def test_adamw_decays_weights_but_not_delays():
    choice = Choice("adamw", {"learning_rate": 0.1, "delay_learning_rate": 0.1, "weight_decay": 0.5})
    np.testing.assert_allclose(walk(choice, [[0.0, 0.0]], delays=(False, True)), [0.95, -2.0])


def test_momentum_carries_the_last_step_on():
    choice = Choice("sgd", {"learning_rate": 0.1, "momentum": 0.5})
    np.testing.assert_allclose(walk(choice, [[1.0, 0.0], [0.0, 0.0]]), [1.0 - 0.1 - 0.05, -2.0])


def test_delays_have_a_learning_rate_of_their_own():
    choice = Choice("sgd", {"learning_rate": 0.1, "delay_learning_rate": 0.7})
    np.testing.assert_allclose(walk(choice, [[1.0, 1.0]], delays=(False, True)), [0.9, -2.7])


def test_an_unknown_optimizer_names_what_there_is():
    with pytest.raises(BackendError, match="use one of adam, adamw, sgd"):
        build_optimizer(Choice("lion", {"learning_rate": 0.1}), make_layout())


@pytest.mark.parametrize(
    ("schedule", "epoch", "step", "factor"),
    [
        (Choice("constant"), 7, 100, 1.0),
        (Choice("exponential", {"factor": 0.5, "every": "epoch"}), 3, 100, 0.125),
        (Choice("exponential", {"factor": 0.5, "every": "step"}), 0, 2, 0.25),
        (Choice("exponential", {"factor": 0.25, "every": 2}), 1, 9, 0.5),
        (Choice("step", {"factor": 0.1, "every": 2}), 1, 9, 1.0),
        (Choice("step", {"factor": 0.1, "every": 2}), 5, 9, 0.01),
        (Choice("cosine", {"final": 0.0, "epochs": None}), 0, 0, 1.0),
        (Choice("cosine", {"final": 0.0, "epochs": None}), 5, 0, 0.5),
        (Choice("cosine", {"final": 0.2, "epochs": 4}), 8, 0, 0.2),
    ],
)
def test_schedules_scale_the_rate(schedule, epoch, step, factor):
    assert scale_rate(schedule, 10, epoch=epoch, step=step) == pytest.approx(factor, rel=1e-12)


def test_a_layout_splits_what_it_joined():
    flat = prepare()[0].flat
    vector = np.arange(15.0)
    np.testing.assert_array_equal(flat.join(flat.split(vector)), vector)
    assert flat.low.tolist() == [-8.0] * 15


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_a_step_of_adam_has_the_bits_of_the_formula_in_numpy(kind):
    random = np.random.default_rng(3)
    values, gradient, first = random.normal(size=(3, 2))
    second, rate, factor, steps = random.random(2), 0.3, 0.7, 5
    optimizer = build_optimizer(Choice(kind, {"learning_rate": rate}), make_layout())
    before = OptimizerState(steps - 1, {"first": first, "second": second})
    moved, after = optimizer.update(values, gradient, before, factor=factor)
    mean = 0.9 * first + (1.0 - 0.9) * gradient
    square = 0.999 * second + (1.0 - 0.999) * (gradient * gradient)
    change = rate * (mean / ((1.0 - 0.9**steps) * (np.sqrt(square / (1.0 - 0.999**steps)) + 1e-8)))
    if kind == "adamw":
        change = change + rate * 0.01 * values
    np.testing.assert_array_equal(moved, values - factor * change)
    np.testing.assert_array_equal(after.moments["first"], mean)
    np.testing.assert_array_equal(after.moments["second"], square)
    assert after.steps == steps


def test_a_step_of_adam_leaves_its_arguments_as_they_are():
    values, gradient = np.array([1.0, -2.0]), np.array([0.5, 0.25])
    optimizer = build_optimizer(Choice("adam", {"learning_rate": 0.1}), make_layout())
    before = optimizer.start(2)
    optimizer.update(values, gradient, before, factor=1.0)
    np.testing.assert_array_equal(values, [1.0, -2.0])
    np.testing.assert_array_equal(gradient, [0.5, 0.25])
    assert not any(moment.any() for moment in before.moments.values())


def test_values_without_bounds_are_not_copied_and_others_stay_within_theirs():
    values = np.array([-3.0, 7.0])
    free = make_layout()
    assert free.clip(values) is values
    bound = replace(free, low=np.array([-1.0, -np.inf]), high=np.array([np.inf, 5.0]))
    np.testing.assert_array_equal(bound.clip(values), [-1.0, 5.0])
