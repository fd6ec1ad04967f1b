import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.datasets.catalogue import load
from netdesc.datasets.latency import latency
from netdesc.datasets.records import Split
from netdesc.description.model import Choice, Data
from netdesc.errors import DescriptionError
from netdesc.events import Events
from netdesc.program import PopulationSlice, Program

ENCODER = Choice("latency", {"t_early": 0.0, "t_late": 30.0, "bias": 20.0})


def make_data(train=20, validation=5, test=0, encoder=ENCODER):
    return Data(Choice("yin_yang", {"train": train, "validation": validation, "test": test}), encoder)


def make_program(*populations, duration=40.0):
    slices, start = [], 0
    for name, size, model in populations:
        kind = "source" if model in ("dataset", "poisson") else "spiking"
        slices.append(PopulationSlice(name, start, start + size, kind, model, (), False, (size,), {}))
        start += size
    return Program("test", duration, 0, tuple(slices), (), {}, ())


def test_sources_are_counted_across_the_program():
    program = make_program(("hidden", 7, "LIF"), ("input", 5, "dataset"))
    events = load(make_data(), program, seed=0).train.events
    assert np.unique(events.sources).tolist() == [7, 8, 9, 10, 11]


def test_every_sample_holds_one_spike_per_source_in_order_of_time():
    events = load(make_data(), make_program(("input", 5, "dataset")), seed=0).train.events
    for sample in range(events.batch):
        span = slice(events.offsets[sample], events.offsets[sample + 1])
        assert sorted(events.sources[span].tolist()) == [0, 1, 2, 3, 4]
        assert np.all(np.diff(events.times[span]) >= 0)


def test_a_split_of_no_samples_is_absent():
    dataset = load(make_data(test=0), make_program(("input", 5, "dataset")), seed=0)
    assert (len(dataset.train), len(dataset.validation), dataset.test) == (20, 5, None)


def test_without_a_bias_there_is_no_bias_neuron():
    encoder = Choice("latency", {"t_early": 0.0, "t_late": 30.0, "bias": None})
    dataset = load(make_data(encoder=encoder), make_program(("input", 4, "dataset")), seed=0)
    assert len(dataset.train.events) == 4 * 20


def test_latency_is_linear_in_the_feature_and_the_bias_comes_last():
    events = latency(np.array([[0.0, 1.0, 0.5]]), {"t_early": 2.0, "t_late": 10.0, "bias": 1.0}, 4)
    assert dict(zip(events.sources.tolist(), events.times.tolist(), strict=True)) == {
        4: 2.0,
        5: 10.0,
        6: 6.0,
        7: 1.0,
    }


@given(st.lists(st.lists(st.integers(0, 5), max_size=4), min_size=1, max_size=8), st.data())
def test_a_batch_holds_the_samples_asked_for_in_that_order(counts, data):
    samples = [
        [[10.0 * row + k for k in range(len(spikes))], [float(s) + 0.5 for s in spikes]]
        for row, spikes in enumerate(counts)
    ]
    split = Split(np.arange(len(samples)), Events.from_lists(samples))
    wanted = data.draw(st.lists(st.integers(0, len(samples) - 1), min_size=1, max_size=6))
    batch = split.batch(np.array(wanted))
    assert batch.lists(2) == Events.from_lists([samples[index] for index in wanted]).lists(2)
    assert split.batch_goals(np.array(wanted)).labels.tolist() == wanted


def test_chunks_cover_every_sample_once():
    split = Split(None, Events.from_lists([[[1.0]]] * 7))
    assert np.concatenate(list(split.chunks(3))).tolist() == list(range(7))


def test_a_population_of_the_wrong_size_is_told_both_numbers_and_the_fix():
    with pytest.raises(DescriptionError, match=r"has 4 neurons, .* needs 5 .*, or bias") as caught:
        load(make_data(), make_program(("input", 4, "dataset")), seed=0)
    assert caught.value.diagnostics[0].path == "populations.input.size"


def test_a_program_without_a_dataset_population_is_refused():
    with pytest.raises(DescriptionError, match="no population receives the dataset"):
        load(make_data(), make_program(("input", 5, "poisson")), seed=0)


def test_two_dataset_populations_are_refused_both():
    with pytest.raises(DescriptionError) as caught:
        load(make_data(), make_program(("a", 5, "dataset"), ("b", 5, "dataset")), seed=0)
    assert [item.path for item in caught.value.diagnostics] == ["populations.a", "populations.b"]


def test_what_does_not_go_together_is_told_all_at_once():
    change = (Choice("channel_shift", {"max": 4}),)
    with pytest.raises(DescriptionError) as caught:
        load(Data(Choice("yin_yang", {"train": 0}), None, change), make_program(), seed=0)
    assert [item.path for item in caught.value.diagnostics] == [
        "data",
        "data.augmentation.0",
        "data.dataset.yin_yang.train",
    ]


def test_spikes_need_no_encoder():
    with pytest.raises(DescriptionError, match="shd holds spikes already; remove encoder"):
        load(Data(Choice("shd", {}), ENCODER), make_program(("input", 700, "dataset")), seed=0)


def test_a_missing_encoder_is_told_how_to_add_one():
    with pytest.raises(DescriptionError, match=r"add encoder: \{latency"):
        load(make_data(encoder=None), make_program(("input", 5, "dataset")), seed=0)


def test_spikes_after_the_end_of_the_sample_are_refused():
    with pytest.raises(DescriptionError, match="a sample lasts from 0 ms to 25 ms"):
        load(make_data(), make_program(("input", 5, "dataset"), duration=25.0), seed=0)


def test_nothing_to_train_on_is_refused():
    with pytest.raises(DescriptionError, match="set train to 1 or more"):
        load(make_data(train=0), make_program(("input", 5, "dataset")), seed=0)
