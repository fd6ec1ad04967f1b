from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.errors import NumericsError
from netdesc.events import Events, fixed, frozen, is_fixed

times = st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0, 7.25]), max_size=4).map(sorted)
batches = st.lists(st.lists(times, min_size=3, max_size=3), max_size=4)


@given(batches)
def test_lists_become_events_and_lists_again(lists):
    events = Events.from_lists(lists)
    assert events.lists(3) == lists
    assert events.batch == len(lists)
    assert len(events) == sum(len(neuron) for sample in lists for neuron in sample)


@given(batches)
def test_events_of_a_sample_are_ordered_by_time_and_ties_by_source(lists):
    events = Events.from_lists(lists)
    keys = list(zip(events.samples().tolist(), events.times.tolist(), events.sources.tolist(), strict=True))
    assert keys == sorted(keys)


@given(batches, st.integers(0, 3), st.integers(0, 3))
def test_a_selection_holds_the_chosen_sources_counted_from_the_first(lists, start, stop):
    chosen = Events.from_lists(lists).select(start, stop)
    assert chosen.batch == len(lists)
    assert chosen.lists(3) == [sample[start:stop] + [[]] * (3 - len(sample[start:stop])) for sample in lists]


@given(batches)
def test_first_spikes_are_the_earliest_or_never(lists):
    found = Events.from_lists(lists).first_spikes(3).tolist()
    assert found == [[min(neuron, default=np.inf) for neuron in sample] for sample in lists]


@given(batches, st.randoms(use_true_random=False))
def test_loose_spikes_are_sorted_whatever_their_order(lists, random):
    rows = [(t, n, b) for b, sample in enumerate(lists) for n, spikes in enumerate(sample) for t in spikes]
    random.shuffle(rows)
    columns = np.array(rows, dtype=float).reshape(-1, 3).T
    events = Events.from_arrays(columns[0], columns[1].astype(int), columns[2].astype(int), len(lists))
    assert events.lists(3) == lists


@pytest.mark.parametrize("time", [np.nan, np.inf, -np.inf])
def test_a_time_that_is_not_finite_is_refused(time):
    with pytest.raises(
        NumericsError, match="a spike time is not finite; every spike time must be a number of ms"
    ):
        Events.from_arrays(np.array([1.0, time]), np.array([0, 1]), np.array([0, 0]), 1)
    with pytest.raises(NumericsError, match="not finite"):
        Events.from_lists([[[time]]])


def test_events_cannot_be_changed():
    events = Events.from_lists([[[1.0, 2.0]]])
    for array in (events.times, events.sources, events.offsets):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5
    with pytest.raises(AttributeError):
        events.times = np.zeros(2)


def test_freezing_leaves_the_given_array_as_it_is():
    array = np.zeros(3)
    view = frozen(array, np.float64)
    array[0] = 1.0
    assert view[0] == 1.0
    assert frozen(np.zeros(3, dtype=int), np.float64).dtype == np.float64


@pytest.mark.parametrize(
    "view", [lambda array: array, lambda array: array[1:], lambda array: frozen(array, np.float64)]
)
def test_fixing_copies_what_may_still_change(view):
    array = np.zeros(3)
    result = fixed(view(array), np.float64)
    array[1] = 1.0
    assert not result.any()
    assert is_fixed(result)


def test_fixing_keeps_what_is_read_only_to_its_base():
    array = np.zeros(3)
    array.flags.writeable = False
    assert fixed(array, np.float64) is array
    part = array[1:]
    assert fixed(part, np.float64) is part
    assert fixed(np.zeros(3, dtype=int), np.float64).dtype == np.float64


def test_samples_without_spikes_keep_their_place():
    events = Events.from_lists([[[]], [[1.0]], [[]]])
    assert events.offsets.tolist() == [0, 0, 1, 1]
    assert events.samples().tolist() == [1]


NUMBERED = Events(np.array([3.0, 1.0, 2.0]), np.array([0, 1, 0]), np.array([0, 1, 3]), np.array([7, 5]))


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (lambda events: events.take(np.array([1, 0, 1])), [5, 7, 5]),
        (lambda events: events.head(1), [7]),
        (lambda events: events.head(9), [7, 5]),
        (lambda events: events.keep(events.times > 1.5), [7, 5]),
        (lambda events: events.select(1, 2), [7, 5]),
        (lambda events: events.move(events.times + 1.0), [7, 5]),
    ],
    ids=["take", "head", "head of fewer", "keep", "select", "move"],
)
def test_samples_keep_their_numbers(cut, expected):
    assert cut(NUMBERED).identities.tolist() == expected


def test_samples_are_numbered_from_0_where_nothing_else_is_said():
    assert Events.from_lists([[[1.0]], [[]], [[2.0]]]).identities.tolist() == [0, 1, 2]


def test_every_sample_has_one_number():
    with pytest.raises(NumericsError, match="expected an identity for each of 2 samples, got 1"):
        replace(NUMBERED, identities=np.array([1]))
