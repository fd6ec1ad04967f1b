import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.datasets.latency import latency, logarithmic_latency
from netdesc.errors import NumericsError
from netdesc.events import Events

LINEAR = {"t_early": 2.0, "t_late": 10.0, "bias": None}
LOGARITHMIC = {"tau": 20.0, "threshold": 0.2, "t_early": 0.0, "t_late": 30.0, "bias": None}


def times_of(events):
    return dict(zip(events.sources.tolist(), events.times.tolist(), strict=True))


def test_large_values_are_first_where_the_file_says_so():
    events = latency(np.array([[0.0, 1.0, 0.75]]), {**LINEAR, "first": "large"}, 0)
    assert times_of(events) == {0: 10.0, 1: 2.0, 2: 4.0}


def test_a_value_below_the_threshold_makes_no_spike_and_one_on_it_does():
    events = latency(np.array([[0.2, 0.1, 0.9]]), {**LINEAR, "threshold": 0.2}, 4)
    assert sorted(times_of(events)) == [4, 6]


def test_a_dark_sample_has_no_spike_and_the_next_one_keeps_its_own():
    events = latency(np.array([[0.0, 0.0], [1.0, 0.0]]), {**LINEAR, "threshold": 0.5}, 0)
    assert events.offsets.tolist() == [0, 0, 1]


def test_the_bias_spikes_in_a_dark_sample_too():
    events = latency(np.zeros((1, 3)), {**LINEAR, "threshold": 0.5, "bias": 1.0}, 0)
    assert times_of(events) == {3: 1.0}


def test_the_logarithmic_code_is_when_a_leaky_membrane_reaches_the_threshold():
    value, threshold, tau = 0.5, 0.2, 20.0
    time = times_of(logarithmic_latency(np.array([[value]]), LOGARITHMIC, 0))[0]
    assert value * (1.0 - np.exp(-time / tau)) == pytest.approx(threshold, rel=1e-12)


def test_the_logarithmic_code_leaves_out_values_up_to_its_threshold_and_late_spikes():
    events = logarithmic_latency(np.array([[0.1, 0.2, 0.2001, 1.0]]), LOGARITHMIC, 0)
    assert sorted(times_of(events)) == [3]


def test_a_feature_that_is_not_a_number_is_refused():
    with pytest.raises(NumericsError, match="not finite"):
        latency(np.array([[0.5, np.nan]]), LINEAR, 0)


@given(st.lists(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=3, max_size=3), max_size=5))
def test_spikes_of_a_sample_are_in_order_of_time_and_then_of_source(rows):
    values = np.array(rows).reshape(-1, 3)
    events = latency(values, LINEAR, 0)
    loose = [[[2.0 + 8.0 * value] for value in row] for row in values.tolist()]
    expected = Events.from_lists(loose)
    assert events.times.tolist() == expected.times.tolist()
    assert events.sources.tolist() == expected.sources.tolist()
