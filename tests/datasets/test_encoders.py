import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.datasets.delta import delta
from netdesc.datasets.encoders import Place, count_sources, encode, rate
from netdesc.datasets.latency import receptive_fields
from netdesc.description.model import Choice
from netdesc.errors import DescriptionError

RATE = {"min_rate": 0.0, "max_rate": 0.2, "start": 0.0, "stop": None, "bias": None}
FIELDS = {"neurons": 5, "width": 1.0, "threshold": 0.1, "t_early": 2.0, "t_late": 12.0, "bias": None}
DELTA = {"threshold": 0.1, "series": 1, "t_early": 0.0, "t_late": 10.0, "bias": None}


def spikes_of(events, sample, source):
    span = slice(events.offsets[sample], events.offsets[sample + 1])
    return events.times[span][events.sources[span] == source].tolist()


def test_a_rate_is_met_on_average_and_zero_is_silent():
    values = np.tile([0.0, 0.5, 1.0], (400, 1))
    events = rate(values, RATE, 0, duration=100.0, seed=1, split="train")
    counts = np.bincount(events.sources, minlength=3) / 400
    assert counts[0] == 0
    assert counts[1:] == pytest.approx([10.0, 20.0], abs=5 * np.sqrt(20 / 400))


def test_the_spikes_of_a_sample_depend_on_its_split_and_number_alone():
    values = np.full((6, 2), 0.8)
    events = rate(values, RATE, 0, duration=50.0, seed=1, split="train")
    fewer = rate(values[:3], RATE, 0, duration=50.0, seed=1, split="train")
    assert events.lists(2)[:3] == fewer.lists(2)
    assert len({tuple(row[0]) for row in events.lists(2)}) == 6
    assert rate(values, RATE, 0, duration=50.0, seed=1, split="test").lists(2) != events.lists(2)
    assert rate(values, RATE, 0, duration=50.0, seed=2, split="train").lists(2) != events.lists(2)


def test_poisson_spikes_stay_between_start_and_stop_and_the_bias_is_last():
    options = {**RATE, "min_rate": 1.0, "max_rate": 2.0, "start": 10.0, "stop": 20.0, "bias": 3.0}
    events = rate(np.full((4, 2), 0.5), options, 7, duration=50.0, seed=1, split="train")
    features = events.times[events.sources < 9]
    assert 10.0 <= features.min() <= features.max() <= 20.0
    assert [spikes_of(events, sample, 9) for sample in range(4)] == [[3.0]] * 4


def test_a_neuron_at_the_centre_of_its_field_spikes_first():
    events = receptive_fields(np.array([[0.5], [0.0]]), FIELDS, 10)
    assert spikes_of(events, 0, 12) == [2.0]
    assert spikes_of(events, 1, 10) == [2.0]


def test_activations_of_receptive_fields_are_those_of_the_definition():
    events = receptive_fields(np.array([[0.25, 0.5]]), {**FIELDS, "threshold": 0.0}, 0)
    for feature, value in enumerate((0.25, 0.5)):
        for neuron in range(5):
            activation = np.exp(-0.5 * ((value - neuron / 4) / 0.25) ** 2)
            assert spikes_of(events, 0, 5 * feature + neuron) == pytest.approx([2 + (1 - activation) * 10])


def test_weak_activations_make_no_spike():
    events = receptive_fields(np.array([[0.0]]), FIELDS, 0)
    assert sorted(events.sources.tolist()) == [0, 1, 2]


def test_a_rising_series_spikes_at_every_threshold_on_its_way():
    events = delta(np.array([[0.0, 0.25, 0.25, 0.05]]), DELTA, 0)
    assert spikes_of(events, 0, 0) == pytest.approx([10 / 3 * 0.4, 10 / 3 * 0.8])
    assert spikes_of(events, 0, 1) == pytest.approx([20 / 3 + 10 / 3 * 0.75])


def test_three_tenths_hold_three_times_one_tenth():
    assert len(delta(np.array([[0.0, 0.3]]), DELTA, 0)) == 3
    assert len(delta(np.array([[0.3, 0.0]]), DELTA, 0)) == 3


def test_series_stand_one_after_the_other_and_a_bias_comes_last():
    events = delta(
        np.array([[0.0, 0.1, 0.5, 0.4], [0.0, 0.0, 0.0, 0.0]]), {**DELTA, "series": 2, "bias": 1.0}, 0
    )
    assert events.lists(5)[0] == [pytest.approx([10.0]), [], [], pytest.approx([10.0]), [1.0]]
    assert events.lists(5)[1] == [[], [], [], [], [1.0]]


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.sampled_from([0.05, 0.1, 0.3]))
def test_rises_minus_falls_follow_the_series(course, threshold):
    events = delta(np.array([course]), {**DELTA, "threshold": threshold}, 0)
    level = threshold * (np.count_nonzero(events.sources == 0) - np.count_nonzero(events.sources == 1))
    assert abs(course[-1] - course[0] - level) < threshold * (1 + 1e-6)
    assert np.all((events.times >= 0) & (events.times <= 10))


@pytest.mark.parametrize(
    ("kind", "options", "features", "needed"),
    [
        ("latency", {"bias": 0.0}, 4, 5),
        ("rate", RATE, 4, 4),
        ("population", {**FIELDS, "bias": 0.0}, 4, 21),
        ("delta", {**DELTA, "series": 2}, 8, 4),
    ],
)
def test_every_encoder_knows_how_many_sources_it_needs(kind, options, features, needed):
    assert count_sources(features, Choice(kind, options)).sources == needed


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("rate", {**RATE, "bias": 1.0}),
        ("population", {**FIELDS, "bias": 1.0}),
        ("delta", {**DELTA, "bias": 1.0}),
    ],
)
def test_no_encoder_uses_more_sources_than_it_asks_for(kind, options):
    values = np.random.default_rng(1).random((20, 6))
    need = count_sources(6, Choice(kind, options)).sources
    events = encode(values, Choice(kind, options), Place(100, 10.0, 3), split="train")
    assert (events.sources.min(), events.sources.max()) == (100, 100 + need - 1)
    assert events.batch == 20


def test_a_series_of_one_value_is_refused():
    with pytest.raises(DescriptionError, match="expected 3 time series of the same length"):
        count_sources(4, Choice("delta", {**DELTA, "series": 3}))
