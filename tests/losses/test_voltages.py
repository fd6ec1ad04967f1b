"""Losses of voltages, and the regularizer of firing rates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.description.model import Choice, Loss
from netdesc.errors import BackendError, DescriptionError
from netdesc.events import Events
from netdesc.losses.evaluation import evaluate
from netdesc.losses.voltage_cross_entropy import reading_of, voltage_cross_entropy
from netdesc.program import PopulationSlice, Program
from netdesc.trace import Read, Trace

HIDDEN = PopulationSlice("hidden", 0, 2, "spiking", "LIF", ("signed",), False, (2,), {})
OUTPUT = PopulationSlice("output", 2, 5, "readout", "LI", ("signed",), False, (3,), {})
PROGRAM = Program("test", 40.0, 0, (HIDDEN, OUTPUT), (), {}, ())
HIGHEST = Loss("class", "max_voltage", "output", 1.0, {"target": None})
ACTIVITY = Loss("activity", "firing_rate", "hidden", 0.5, {"target": 1.0, "strength": 2.0})


def trace_of(voltages, spikes=((), ()), key="output.maximum"):
    batch = len(voltages)
    events = Events.from_lists([[list(times) for times in spikes]] * batch)
    return Trace({"hidden": events}, None, readings={key: Read(np.array(voltages), None)})


ROW = st.lists(st.floats(-50, 50), min_size=3, max_size=3)


@given(st.lists(ROW, min_size=1, max_size=4), st.integers(0, 2))
def test_slopes_are_the_derivative_of_the_value(rows, label):
    voltages, labels = np.array(rows), np.full(len(rows), label)
    term = voltage_cross_entropy({}, voltages, labels, duration=40.0)
    for neuron in range(3):
        step = np.eye(3)[neuron] * 1e-4
        ends = [voltage_cross_entropy({}, voltages + s * step, labels, duration=40.0).values for s in (1, -1)]
        np.testing.assert_allclose(term.slopes[:, neuron], (ends[0] - ends[1]) / 2e-4, atol=1e-6)
    assert np.all(term.values >= 0.0)
    np.testing.assert_allclose(term.slopes.sum(axis=1), 0.0, atol=1e-12)


def test_equal_voltages_cost_the_logarithm_of_their_number():
    assert voltage_cross_entropy({}, np.zeros((1, 3)), np.array([1]), duration=1.0).values[0] == np.log(3.0)


def test_the_highest_voltage_answers_and_a_tie_goes_to_the_smaller_index():
    trace = trace_of([[0.1, 0.5, 0.2], [0.4, 0.1, 0.4]])
    result = evaluate({"class": HIGHEST}, trace, PROGRAM, np.array([1, 2]))
    assert result.predictions.tolist() == [1, 0]
    assert result.ties.tolist() == [False, True]
    assert result.correct.tolist() == [True, False]
    assert (result.silent_samples, result.silent_labels) == (0, 0)


def test_loss_and_cotangent_of_voltages_are_means_over_the_batch():
    trace = trace_of([[0.0, 0.0, 0.0]] * 2)
    result = evaluate({"class": HIGHEST}, trace, PROGRAM, np.array([0, 1]))
    assert result.loss == pytest.approx(np.log(3.0))
    np.testing.assert_allclose(result.cotangent.readings["output.maximum"][0], [-1 / 3, 1 / 6, 1 / 6])


@pytest.mark.parametrize(
    ("weighting", "key"),
    [(Choice("uniform", {}), "output.mean"), (Choice("exponential", {"tau": 12.5}), "output.mean.12.5")],
)
def test_a_mean_is_read_with_its_weighting(weighting, key):
    loss = Loss("class", "mean_voltage", "output", 1.0, {"target": 2, "weighting": weighting})
    assert reading_of(loss).key == key
    result = evaluate({"class": loss}, trace_of([[0.0, 0.0, 1.0]], key=key), PROGRAM, None)
    assert list(result.cotangent.readings) == [key]
    assert result.correct.tolist() == [True]


def test_a_trace_without_the_reading_is_an_error_at_the_loss():
    with pytest.raises(BackendError, match=r"losses\.class: the run has no reading output\.maximum"):
        evaluate({"class": HIGHEST}, trace_of([[0.0, 0.0, 0.0]], key="output.mean"), PROGRAM, np.array([0]))


def test_voltages_without_labels_are_an_error():
    with pytest.raises(DescriptionError, match="needs labels"):
        evaluate({"class": HIGHEST}, trace_of([[0.0, 0.0, 0.0]]), PROGRAM, None)


def test_a_rate_costs_its_squared_distance_to_the_target():
    trace = trace_of([[0.0, 0.0, 0.0]] * 2, spikes=([1.0, 2.0, 3.0], []))
    result = evaluate({"activity": ACTIVITY}, trace, PROGRAM, None)
    assert result.loss == pytest.approx(0.5 * 0.5 * 2.0 * (2.0**2 + 1.0**2))
    np.testing.assert_allclose(result.cotangent.counts["hidden"], [[1.0, -0.5]] * 2)


def test_a_regularizer_does_not_answer():
    trace = trace_of([[0.0, 0.0, 1.0]], spikes=([1.0], [2.0]))
    result = evaluate({"activity": ACTIVITY, "class": HIGHEST}, trace, PROGRAM, np.array([2]))
    assert result.predictions.tolist() == [2]
    alone = evaluate({"activity": ACTIVITY}, trace, PROGRAM, np.array([2]))
    assert (alone.predictions.tolist(), alone.correct) == ([-1], None)


def test_a_loss_at_each_time_is_refused_with_what_there_is():
    loss = Loss("class", "per_time_cross_entropy", "output", 1.0, {"target": 0})
    with pytest.raises(BackendError, match=r"per_time_cross_entropy yet; use one of .*max_voltage"):
        evaluate({"class": loss}, trace_of([[0.0, 0.0, 0.0]]), PROGRAM, None)
