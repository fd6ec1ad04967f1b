import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.losses.contribution import KINDS

DURATION = 40.0
OPTIONS = {
    "time_to_first_spike": {"tau_0": 0.5, "tau_1": 6.4, "alpha": 0.003},
    "spike_time_mse": {"correct": 10.0, "wrong": 30.0},
    "relative_spike_time_mse": {"margin": 5.0},
}


@st.composite
def first_times(draw):
    batch, size = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    time = st.floats(0.0, DURATION, allow_subnormal=False) | st.just(math.inf)
    row = st.lists(time, min_size=size, max_size=size)
    times = np.array(draw(st.lists(row, min_size=batch, max_size=batch)))
    labels = np.array(draw(st.lists(st.integers(0, size - 1), min_size=batch, max_size=batch)))
    return times, labels


def difference(kind, times, labels, sample, neuron, step=1e-4):
    def value(shift):
        moved = times.copy()
        moved[sample, neuron] += shift
        return KINDS[kind](OPTIONS[kind], moved, labels, duration=DURATION).values[sample]

    coarse, fine = ((value(s) - value(-s)) / (2 * s) for s in (step, step / 2))
    return (4 * fine - coarse) / 3


@pytest.mark.parametrize("kind", KINDS)
@given(case=first_times())
def test_slopes_are_the_derivative_of_the_value(kind, case):
    times, labels = case
    slopes = KINDS[kind](OPTIONS[kind], times, labels, duration=DURATION).slopes
    for sample, neuron in np.argwhere(np.isfinite(times)):
        expected = difference(kind, times, labels, sample, neuron)
        assert slopes[sample, neuron] == pytest.approx(expected, rel=1e-6, abs=2e-6)


@pytest.mark.parametrize("kind", KINDS)
@given(case=first_times())
def test_values_are_finite_and_silent_neurons_have_no_slope(kind, case):
    times, labels = case
    values, slopes = KINDS[kind](OPTIONS[kind], times, labels, duration=DURATION)
    assert np.all(np.isfinite(values))
    assert np.all(slopes[np.isinf(times)] == 0.0)


def test_time_to_first_spike_has_the_value_of_its_formula():
    times, labels = np.array([[10.0, 10.5, 12.0]]), np.array([1])
    odds = [math.exp(-t / 0.5) for t in times[0]]
    expected = -math.log(odds[1] / sum(odds)) + 0.003 * (math.exp(10.5 / 6.4) - 1.0)
    term = KINDS["time_to_first_spike"](OPTIONS["time_to_first_spike"], times, labels, duration=DURATION)
    assert term.values[0] == pytest.approx(expected, rel=1e-13)


def test_time_to_first_spike_of_a_silent_network_is_the_logarithm_of_its_size():
    times = np.full((1, 3), np.inf)
    options = {"tau_0": 0.5, "tau_1": 6.4, "alpha": 0.0}
    value = KINDS["time_to_first_spike"](options, times, np.array([0]), duration=DURATION).values[0]
    assert value == pytest.approx(math.log(3))


def test_time_to_first_spike_pulls_on_nobody_where_the_label_is_silent():
    times = np.array([[np.inf, 10.0]])
    options = {"tau_0": 0.5, "tau_1": 6.4, "alpha": 0.0}
    value, slopes = KINDS["time_to_first_spike"](options, times, np.array([0]), duration=DURATION)
    assert value[0] == pytest.approx(math.log(2))
    assert slopes[0].tolist() == [0.0, 0.0]


def test_relative_spike_time_mse_pulls_on_nobody_where_the_label_is_silent():
    value, slopes = KINDS["relative_spike_time_mse"](
        {"margin": 5.0}, np.array([[np.inf, 10.0]]), np.array([0]), duration=DURATION
    )
    assert value.tolist() == [12.5]
    assert slopes.tolist() == [[0.0, 0.0]]


def test_spike_time_mse_leaves_out_neurons_without_a_target():
    value, slopes = KINDS["spike_time_mse"](
        {"target": [10.0, None]}, np.array([[13.0, 20.0]]), None, duration=DURATION
    )
    assert value.tolist() == [4.5]
    assert slopes.tolist() == [[3.0, 0.0]]


def test_spike_time_mse_takes_the_duration_for_a_silent_neuron():
    value, slopes = KINDS["spike_time_mse"](
        {"target": [10.0, None]}, np.array([[np.inf, np.inf]]), None, duration=DURATION
    )
    assert value.tolist() == [450.0]
    assert slopes.tolist() == [[0.0, 0.0]]


def test_relative_spike_time_mse_is_zero_when_all_others_keep_the_margin():
    value, slopes = KINDS["relative_spike_time_mse"](
        {"margin": 5.0}, np.array([[15.0, 10.0, 15.0]]), np.array([1]), duration=DURATION
    )
    assert value.tolist() == [0.0]
    assert slopes.tolist() == [[0.0, 0.0, 0.0]]
