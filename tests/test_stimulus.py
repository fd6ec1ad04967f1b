from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sketches import cells, describe, sources

from netdesc.description.model import Constant, Explicit
from netdesc.errors import BackendError
from netdesc.events import Events
from netdesc.graph import compile_graph
from netdesc.lower import lower
from netdesc.stimulus import stimulus


def program(*populations):
    return lower(compile_graph(describe(populations)))


def program_of(duration, *populations):
    return replace(program(*populations), duration=duration)


def written():
    return sources("x", 2, "spike_times", times=((3.0, 1.0), (2.0,)))


def noise(rate=0.5, start=0.0, stop=None, name="noise"):
    return sources(name, 3, "poisson", rate=Constant(rate), start=start, stop=stop)


def test_written_times_come_in_every_sample_in_order():
    events = stimulus(program(cells("a", 4), written()), dataset_events=None, batch=2, seed=1)
    assert events.times.tolist() == [1.0, 2.0, 3.0] * 2
    assert events.sources.tolist() == [4, 5, 4] * 2
    assert events.offsets.tolist() == [0, 3, 6]


def test_a_network_without_sources_has_an_empty_stimulus():
    events = stimulus(program(cells("a", 1)), dataset_events=None, batch=3, seed=1)
    assert (len(events), events.batch) == (0, 3)


def test_a_dataset_alone_passes_through():
    given = Events.from_lists([[[1.0], [2.0]]])
    assert stimulus(program(sources("x", 2)), dataset_events=given, batch=1, seed=1) is given


def test_data_and_written_times_are_merged_by_time():
    given = Events.from_lists([[[2.5], []], [[], [0.5]]])
    events = stimulus(program(sources("d", 2), written()), dataset_events=given, batch=2, seed=1)
    assert events.lists(4) == [[[2.5], [], [1.0, 3.0], [2.0]], [[], [0.5], [1.0, 3.0], [2.0]]]


def test_missing_data_are_an_error():
    with pytest.raises(BackendError, match=r"populations.d.source: its spikes come from a dataset"):
        stimulus(program(sources("d", 2)), dataset_events=None, batch=1, seed=1)


def test_a_batch_of_another_size_is_an_error():
    with pytest.raises(BackendError, match="the data have 1 samples, not 2"):
        stimulus(program(sources("d", 1)), dataset_events=Events.from_lists([[[]]]), batch=2, seed=1)


def test_a_poisson_source_keeps_its_window():
    events = stimulus(program(noise(rate=5.0, start=10.0, stop=15.0)), dataset_events=None, batch=4, seed=1)
    assert events.times.min() >= 10.0
    assert events.times.max() < 15.0


def test_a_poisson_source_has_its_rate():
    events = stimulus(program(noise(rate=0.5)), dataset_events=None, batch=400, seed=1)
    expected = 0.5 * 40.0 * 3 * 400
    assert abs(len(events) - expected) < 5 * np.sqrt(expected)
    assert np.all(np.abs(np.bincount(events.sources) - expected / 3) < 5 * np.sqrt(expected / 3))


@given(st.floats(0.1, 180.0), st.floats(0.0, 120.0), st.integers(0, 3))
@settings(max_examples=25)
def test_a_longer_run_or_a_wider_window_draws_the_same_spikes(duration, start, sample):
    whole = program_of(200.0, noise())
    part = program_of(duration, noise(start=start))
    many = stimulus(whole, dataset_events=None, batch=4, seed=1).lists(3)[sample]
    one = stimulus(part, dataset_events=None, batch=1, seed=1, identities=np.array([sample])).lists(3)[0]
    assert one == [[time for time in row if start <= time < duration] for row in many]


def test_intervals_of_a_poisson_source_are_exponential():
    rate = 0.2
    events = stimulus(program_of(20000.0, noise(rate=rate)), dataset_events=None, batch=1, seed=2)
    gaps = np.concatenate([np.diff(row) for row in events.lists(3)[0]])
    count = len(gaps)
    assert abs(gaps.std() / gaps.mean() - 1.0) < 5.0 / np.sqrt(count)
    sorted_gaps = np.sort(gaps)
    distance = np.max(np.abs(1.0 - np.exp(-rate * sorted_gaps) - (np.arange(count) + 0.5) / count))
    assert distance < 1.95 / np.sqrt(count)  # Kolmogorov-Smirnov, one in a thousand


def test_counts_in_windows_that_cut_blocks_are_poisson():
    events = stimulus(program_of(3000.0, noise(rate=0.1)), dataset_events=None, batch=20, seed=3)
    counts = np.histogram(events.times, bins=np.arange(0.0, 3000.1, 30.0))[0] / 60.0
    assert abs(counts.mean() - 3.0) < 5 * np.sqrt(3.0 / 6000)
    assert 0.5 < counts.var() * 60.0 / 3.0 < 1.7


def test_a_window_after_the_end_is_silent():
    for start in (100.0, 1e308):
        assert len(stimulus(program(noise(start=start)), dataset_events=None, batch=2, seed=1)) == 0


def test_a_batch_without_samples_has_no_spikes():
    assert stimulus(program(noise(), written()), dataset_events=None, batch=0, seed=1).batch == 0


def test_the_rate_may_differ_from_neuron_to_neuron():
    quiet = sources("n", 2, "poisson", rate=Explicit(np.array([0.0, 1.0])), start=0.0, stop=None)
    events = stimulus(program(quiet), dataset_events=None, batch=3, seed=1)
    assert set(events.sources.tolist()) == {1}


def test_a_sample_is_the_same_in_whatever_batch_it_comes():
    whole = stimulus(program(noise()), dataset_events=None, batch=5, seed=1).lists(3)
    part = stimulus(
        program(noise()), dataset_events=None, batch=2, seed=1, identities=np.array([3, 4])
    ).lists(3)
    assert part == whole[3:]
    assert whole[0] != whole[1]


def test_another_source_changes_no_draw():
    alone = stimulus(program(noise()), dataset_events=None, batch=1, seed=1)
    both = stimulus(program(noise(), noise(name="other")), dataset_events=None, batch=1, seed=1)
    assert both.select(0, 3).times.tolist() == alone.times.tolist()


def test_poisson_spikes_follow_the_numbers_of_the_samples_of_the_data():
    made = program(sources("x", 2), noise(rate=0.5, name="noise"))
    data = Events.from_lists([[[1.0], [2.0]], [[3.0], []], [[], [4.0]]])
    whole = stimulus(made, dataset_events=data, batch=3, seed=1).lists(5)
    for chosen in ([2, 0], [1]):
        part = stimulus(made, dataset_events=data.take(np.array(chosen)), batch=len(chosen), seed=1)
        assert part.identities.tolist() == chosen
        assert part.lists(5) == [whole[index] for index in chosen]
