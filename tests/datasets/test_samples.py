import numpy as np
import pytest
from own import LATENCY, decoded, program_of

import netdesc
from netdesc import Samples
from netdesc.datasets.catalogue import load
from netdesc.description.model import Choice, Data
from netdesc.errors import DescriptionError
from netdesc.events import Events

X = np.arange(40.0).reshape(20, 2)
Y = np.array(["b", "a"] * 10)
PAIRS = [([3.0, 1.0], [0, 1]), ([], []), ([2.0, 30.0], [1, 2])]


def load_samples(samples, size, *, defaults=None, duration=40.0, seed=0):
    return load(samples, program_of(size, duration), seed=seed, defaults=defaults)


def test_features_are_scaled_and_encoded_by_latency():
    dataset = load_samples(Samples(X, Y), 2)
    assert np.allclose(decoded(dataset.train, 2), X / 38.0 - [0.0, 1.0 / 38.0])
    assert dataset.train.labels.tolist() == [1, 0] * 10
    assert dataset.validation is None


def test_a_population_with_one_neuron_more_gets_a_bias():
    events = load_samples(Samples(X, Y), 3).train.events
    assert (events.first_spikes(3)[:, 2] == 0.0).all()


def test_the_encoder_of_the_file_is_used():
    encoder = Choice(
        "population",
        {"neurons": 4, "width": 1.0, "threshold": 0.1, "t_early": 0.0, "t_late": 30.0, "bias": None},
    )
    defaults = Data(Choice("yin_yang", {}), encoder)
    assert load_samples(Samples(X, Y), 8, defaults=defaults).train.events.sources.max() == 7


def test_an_encoder_without_a_dataset_is_for_samples_of_the_caller(tmp_path):
    text = """
netdesc: 1
name: arrays
simulation: {duration: 40 ms, seed: 1}
data:
  encoder: {population: {neurons: 4, t_late: 30 ms, bias: null}}
  augmentation: [{time_jitter: {sigma: 1 ms}}]
populations:
  input:  {size: 8, source: dataset}
  output: {size: 2, neuron: {LI: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  wires: {pre: input, post: output, weight: 0.1}
"""
    path = tmp_path / "arrays.yaml"
    path.write_text(text, encoding="utf-8")
    model = netdesc.load(path)
    assert netdesc.batch(model, Samples(X, Y)).events.sources.max() == 7
    assert load_samples(Samples(X, Y), 8, defaults=model.description.data).train.augmentation is not None
    with pytest.raises(DescriptionError, match=r"arrays.yaml:9:29 .*input.source: .* no data.dataset"):
        netdesc.batch(model)
    with pytest.raises(DescriptionError, match="expected dataset, got none"):
        load(model.description.data, program_of(8), seed=0)


def test_arrays_and_tables_give_the_same_splits_and_spikes(tmp_path):
    from own import load_table

    np.savez(tmp_path / "t.npz", x=X, y=Y)
    table = load_table(tmp_path, 2, file="t.npz", validation=0.2, test=0.3, seed=5)
    own = load_samples(Samples(X, Y, validation=0.2, test=0.3), 2, seed=5)
    for name in ("train", "validation", "test"):
        one, other = getattr(table, name), getattr(own, name)
        assert np.array_equal(one.events.times, other.events.times)
        assert np.array_equal(one.labels, other.labels)
    assert LATENCY.kind == "latency"


def test_other_samples_are_scaled_and_numbered_as_those_for_training():
    dataset = load_samples(Samples(X, Y, test=Samples(X[:2] + 100.0, ["b", "b"])), 2)
    assert decoded(dataset.test, 2).tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert dataset.test.labels.tolist() == [1, 1]
    assert "4 of 4 values of test are outside" in dataset.notes[1]


@pytest.mark.parametrize(
    "y", [[0, 1] * 10, [False, True] * 10, np.arange(20) % 2, np.array(["x", "y"] * 10, object)]
)
def test_whole_numbers_truth_values_and_texts_are_labels(y):
    assert load_samples(Samples(X, y), 2).train.labels.tolist() == [0, 1] * 10


@pytest.mark.parametrize("shape", [(20,), (20, 1), (20, 3), (20, 2, 2)])
def test_floats_are_target_times(shape):
    times = load_samples(Samples(X, np.full(shape, 0.01), unit="s"), 2).train.times
    assert times.shape == (20, shape[1] if len(shape) > 1 else 1, shape[2] if len(shape) > 2 else 1)
    assert np.allclose(times, 10.0)


def test_pairs_of_times_and_neurons_are_samples():
    train = load_samples(Samples.from_events(PAIRS, [1, 0, 1]), 3).train
    assert train.events.lists(3) == [[[3.0], [1.0], []], [[], [], []], [[], [2.0], [30.0]]]
    assert train.labels.tolist() == [1, 0, 1]


def test_a_batch_of_events_is_samples_too():
    events = Events.from_lists([[[1.0], []], [[], [2.0]]])
    assert load_samples(Samples.from_events(events, [0, 1]), 2).train.events.lists(2) == events.lists(2)


def test_a_repr_fits_on_a_line():
    assert repr(Samples(X, Y, validation=0.1, test=Samples(X, Y))) == (
        "Samples(20 samples, 2 features, validation=0.1, test=20 samples)"
    )
    assert repr(Samples.from_events(PAIRS)) == "Samples(3 samples, 4 spikes)"


WRONG = [
    (
        lambda: Samples(X[0]),
        r"expected x of shape \(samples, features\), got the shape \(2,\); for one "
        r"feature use",
    ),
    (lambda: Samples([[1.0], [1.0, 2.0]]), "expected rows of the same length in x"),
    (lambda: Samples(np.array([["a"]])), "expected numbers in x, got values of type"),
    (lambda: Samples([[1.0], [np.nan]]), r"expected finite numbers in x, got nan at index \[1, 0\]"),
    (lambda: Samples(X, Y[:3]), r"expected one label for each of the 20 samples in y, got the shape \(3,\)"),
    (lambda: Samples(X, np.zeros((20, 2), int)), "pass target times as floats"),
    (
        lambda: Samples(X, np.zeros(20, complex)),
        "expected labels or target times in y, got values of type complex128",
    ),
    (lambda: Samples(X, np.full(20, np.inf)), "expected finite targets in y"),
    (lambda: Samples(X, np.zeros((3, 2))), "expected y with one row of targets for each of the 20 samples"),
    (
        lambda: Samples(X, Y, validation=2),
        "expected a fraction between 0 and 1, or Samples, as validation, got 2",
    ),
    (
        lambda: Samples(X, Y, test=(X, Y)),
        "expected a fraction between 0 and 1, or Samples, as test, got tuple",
    ),
    (
        lambda: Samples(X, Y, test=Samples.from_events(PAIRS)),
        "expected test to hold features as the training samples",
    ),
    (lambda: Samples(X, Y, scale="both"), "expected one of per_feature, joint, none as scale, got 'both'"),
    (lambda: Samples.from_events(PAIRS, unit="min"), "expected one of s, ms, us, ns as unit, got 'min'"),
    (lambda: Samples.from_events([([1.0], [0, 1])]), "expected as many neurons as times in sample 0"),
    (lambda: Samples.from_events([([1.0], [0.5])]), "expected whole numbers as neurons of sample 0"),
    (
        lambda: Samples.from_events([[1.0, 2.0, 3.0]]),
        r"expected a pair \(times, neurons\) for sample 0, "
        r"got list",
    ),
    (lambda: Samples.from_events([]), "expected at least one sample, got none"),
]


@pytest.mark.parametrize(("build", "message"), WRONG, ids=range(len(WRONG)))
def test_arrays_that_do_not_fit_are_refused(build, message):
    with pytest.raises(DescriptionError, match=message):
        build()


def test_other_samples_with_other_features_are_refused():
    with pytest.raises(DescriptionError, match="expected 2 features in test as in train, got 1"):
        load_samples(Samples(X, Y, test=Samples(X[:, :1], Y)), 2)


def test_a_population_of_another_size_is_refused():
    with pytest.raises(DescriptionError, match="the population has 7 neurons, but data needs 2"):
        load_samples(Samples(X, Y), 7)


def test_spikes_outside_of_the_sample_are_refused():
    with pytest.raises(DescriptionError, match="1 of 4 spikes are outside of a sample, 0 ms to 20 ms"):
        load_samples(Samples.from_events(PAIRS, [0, 1, 1]), 3, duration=20.0)
