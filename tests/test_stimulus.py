import numpy as np
import pytest
from sketches import cells, describe, sources

from netdesc.description.model import Constant, Explicit
from netdesc.errors import BackendError
from netdesc.events import Events
from netdesc.graph import compile_graph
from netdesc.lower import lower
from netdesc.stimulus import stimulus


def program(*populations):
    return lower(compile_graph(describe(populations)))


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


def test_the_rate_may_differ_from_neuron_to_neuron():
    quiet = sources("n", 2, "poisson", rate=Explicit(np.array([0.0, 1.0])), start=0.0, stop=None)
    events = stimulus(program(quiet), dataset_events=None, batch=3, seed=1)
    assert set(events.sources.tolist()) == {1}


def test_a_sample_is_the_same_in_whatever_batch_it_comes():
    whole = stimulus(program(noise()), dataset_events=None, batch=5, seed=1).lists(3)
    part = stimulus(program(noise()), dataset_events=None, batch=2, seed=1, first_sample=3).lists(3)
    assert part == whole[3:]
    assert whole[0] != whole[1]


def test_another_source_changes_no_draw():
    alone = stimulus(program(noise()), dataset_events=None, batch=1, seed=1)
    both = stimulus(program(noise(), noise(name="other")), dataset_events=None, batch=1, seed=1)
    assert both.select(0, 3).times.tolist() == alone.times.tolist()
