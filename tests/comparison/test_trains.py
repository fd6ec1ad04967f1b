"""Distances between spike trains against closed forms, and against elephant."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netdesc.comparison.trains import Trains, first_deviation, match, van_rossum, victor_purpura
from netdesc.errors import NumericsError
from netdesc.events import Events

TIMES = st.lists(st.integers(0, 400).map(lambda step: step / 8), max_size=8, unique=True).map(sorted)


def events(*neurons):
    return Events.from_lists([list(neurons)])


def trains(*neurons):
    return Trains.of(events(*neurons), len(neurons))


def test_equal_trains_are_no_distance_apart():
    one = trains([1.0, 5.5], [])
    assert van_rossum(one, one, 5.0) == pytest.approx(np.zeros((1, 2)), abs=1e-7)
    assert np.array_equal(victor_purpura(one, one, 0.2), [[0.0, 0.0]])


def test_a_spike_and_silence_are_one_apart():
    assert van_rossum(trains([7.0]), trains([]), 5.0)[0, 0] == pytest.approx(1.0)
    assert victor_purpura(trains([7.0]), trains([]), 0.2)[0, 0] == pytest.approx(1.0)


def test_two_spikes_have_the_closed_form_of_van_rossum():
    found = van_rossum(trains([7.0]), trains([9.0]), 5.0)[0, 0]
    assert found == pytest.approx(np.sqrt(2.0 - 2.0 * np.exp(-2.0 / 5.0)), rel=1e-12)


@pytest.mark.parametrize(("apart", "expected"), [(2.0, 0.4), (9.0, 1.8), (11.0, 2.0)])
def test_a_spike_is_moved_until_removing_it_is_cheaper(apart, expected):
    assert victor_purpura(trains([7.0]), trains([7.0 + apart]), 0.2)[0, 0] == pytest.approx(expected)


def test_spikes_are_matched_within_the_window_only():
    found = match(trains([1.0, 10.0, 20.0]), trains([1.5, 13.0, 19.0, 30.0]), 2.0)
    assert (found.matched[0, 0], found.missing[0, 0], found.extra[0, 0]) == (2, 1, 2)
    assert np.allclose(found.deviations, [0.5, -1.0])


def test_spikes_of_different_neurons_never_match():
    found = match(trains([1.0], []), trains([], [1.0]), 2.0)
    assert found.missing.tolist() == [[1, 0]]
    assert found.extra.tolist() == [[0, 1]]


def test_a_first_spike_that_only_one_has_is_no_number():
    found = first_deviation(events([3.0], [], [4.0]), events([3.5], [1.0], [2.0]), 3)
    assert np.allclose(found, [[0.5, np.nan, -2.0]], equal_nan=True)


def test_trains_of_other_samples_are_refused():
    with pytest.raises(NumericsError, match="same stimulus"):
        van_rossum(trains([1.0]), trains([1.0], []), 5.0)


@settings(max_examples=60, deadline=None)
@given(TIMES, TIMES)
def test_no_matching_finds_more_pairs(one, two):
    from itertools import combinations

    def possible(count):
        return any(
            all(abs(a - b) <= 2.0 for a, b in zip(left, right, strict=True))
            for left in combinations(one, count)
            for right in combinations(two, count)
        )

    one, two = one[:5], two[:5]
    found = int(match(trains(one), trains(two), 2.0).matched.sum())
    assert possible(found)
    assert found == min(len(one), len(two)) or not possible(found + 1)


@settings(max_examples=60, deadline=None)
@given(TIMES, TIMES, TIMES)
def test_distances_are_symmetric_and_obey_the_triangle(one, two, three):
    for measure, scale in ((van_rossum, 5.0), (victor_purpura, 0.2)):

        def apart(left, right, measure=measure, scale=scale):
            return measure(trains(left), trains(right), scale)[0, 0]

        assert apart(one, two) == pytest.approx(apart(two, one), abs=1e-7)
        assert apart(one, three) <= apart(one, two) + apart(two, three) + 1e-7


@pytest.mark.filterwarnings("ignore")
def test_distances_are_those_of_elephant():
    metrics = pytest.importorskip("elephant.spike_train_dissimilarity")
    neo, quantities = pytest.importorskip("neo"), pytest.importorskip("quantities")
    generator = np.random.default_rng(5)
    for _ in range(5):
        one, two = (np.sort(generator.uniform(0, 100, generator.integers(0, 9))) for _ in range(2))
        theirs = [neo.SpikeTrain(item * quantities.ms, t_stop=100 * quantities.ms) for item in (one, two)]
        expected = metrics.van_rossum_distance(theirs, time_constant=5.0 * quantities.ms)[0, 1]
        assert van_rossum(trains(one.tolist()), trains(two.tolist()), 5.0)[0, 0] == pytest.approx(expected)
        cost = 0.2 / quantities.ms
        expected = metrics.victor_purpura_distance(theirs, cost_factor=cost)[0, 1]
        found = victor_purpura(trains(one.tolist()), trains(two.tolist()), 0.2)
        assert found[0, 0] == pytest.approx(expected)
