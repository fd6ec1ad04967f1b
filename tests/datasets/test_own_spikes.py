import h5py
import numpy as np
import pytest
from own import load_spikes

from netdesc.errors import DescriptionError

TIMES, NEURONS, OFFSETS = [3.0, 1.0, 2.0, 30.0], [0, 1, 1, 2], [0, 2, 2, 4]


def write_npz(folder, name="s.npz", **changes):
    arrays = {
        "times": np.array(TIMES),
        "neurons": np.array(NEURONS),
        "offsets": np.array(OFFSETS),
        "labels": np.array([1, 0, 1]),
        **changes,
    }
    np.savez(folder / name, **{key: value for key, value in arrays.items() if value is not None})
    return name


def write_hdf5(folder, name="s.h5", **answers):
    with h5py.File(folder / name, "w") as file:
        for field, values, kind in (("times", TIMES, np.float64), ("units", NEURONS, np.uint16)):
            data = file.create_dataset(f"spikes/{field}", (3,), dtype=h5py.vlen_dtype(kind))
            for sample in range(3):
                data[sample] = np.array(values[OFFSETS[sample] : OFFSETS[sample + 1]], dtype=kind)
        for field, values in answers.items():
            file[field] = values
    return name


LISTS = [[[3.0], [1.0], []], [[], [], []], [[], [2.0], [30.0]]]


def test_npz_files_hold_times_neurons_offsets_and_labels(tmp_path):
    dataset = load_spikes(tmp_path, 3, train=write_npz(tmp_path))
    assert dataset.train.events.lists(3) == LISTS
    assert dataset.train.labels.tolist() == [1, 0, 1]


def test_channels_are_counted_from_the_first_source_of_the_program(tmp_path):
    events = load_spikes(tmp_path, 3, train=write_npz(tmp_path), first=10).train.events
    assert np.unique(events.sources).tolist() == [10, 11, 12]


def test_hdf5_files_have_the_layout_of_spoken_digits_with_any_number_of_channels(tmp_path):
    dataset = load_spikes(tmp_path, 3, train=write_hdf5(tmp_path, labels=[1, 0, 1]))
    assert dataset.train.events.lists(3) == LISTS
    assert dataset.train.labels.tolist() == [1, 0, 1]


def test_csv_files_have_a_row_for_each_spike_and_the_label_in_a_column(tmp_path):
    (tmp_path / "s.csv").write_text("sample,time,neuron,label\nu,3,0,b\nu,1,1,b\nw,2,1,a\nw,30,2,a\n")
    dataset = load_spikes(tmp_path, 3, train="s.csv")
    assert dataset.train.events.lists(3) == [LISTS[0], LISTS[2]]
    assert dataset.train.labels.tolist() == [1, 0]


def test_csv_files_without_names_have_the_usual_columns(tmp_path):
    (tmp_path / "s.csv").write_text("0,3,0,1\n0,1,1,1\n2,2,1,0\n2,30,2,0\n")
    dataset = load_spikes(tmp_path, 3, train="s.csv")
    assert dataset.train.labels.tolist() == [1, 0]


def test_a_second_file_lists_samples_without_spikes_too(tmp_path):
    (tmp_path / "s.csv").write_text("sample,time,neuron\n0,3,0\n0,1,1\n2,2,1\n2,30,2\n")
    (tmp_path / "l.csv").write_text("sample,label\n0,b\n1,a\n2,b\n")
    dataset = load_spikes(tmp_path, 3, train="s.csv", train_labels="l.csv")
    assert dataset.train.events.lists(3) == LISTS
    assert dataset.train.labels.tolist() == [1, 0, 1]


def test_a_second_file_may_hold_target_times(tmp_path):
    (tmp_path / "l.csv").write_text("sample,left,right\n2,0.01,\n1,,0.02\n0,0.03,0.04\n")
    (tmp_path / "s.csv").write_text("sample,time,neuron\n0,0.003,0\n2,0.002,1\n")
    train = load_spikes(tmp_path, 3, train="s.csv", train_labels="l.csv", unit="s").train
    assert train.events.lists(3) == [[[], [2.0], []], [[], [], []], [[3.0], [], []]]
    assert np.array_equal(train.times[:, :, 0], [[10, np.nan], [np.nan, 20], [30, 40]], equal_nan=True)


def test_targets_may_hold_several_spikes_per_output(tmp_path):
    targets = np.array([[[5.0, 9.0]], [[np.nan, np.nan]], [[6.0, np.nan]]])
    train = load_spikes(tmp_path, 3, train=write_npz(tmp_path, labels=None, targets=targets)).train
    assert train.labels is None
    assert np.array_equal(train.times, targets, equal_nan=True)


def test_times_have_the_unit_of_the_file(tmp_path):
    name = write_npz(tmp_path, times=np.array(TIMES) / 1e3, labels=None, targets=np.array([[0.01]] * 3))
    train = load_spikes(tmp_path, 3, train=name, unit="s").train
    assert np.allclose(train.events.times, sorted(TIMES[:2]) + TIMES[2:])
    assert np.allclose(train.times, 10.0)


def test_fractions_are_drawn_by_the_seed_with_labels_and_targets(tmp_path):
    count = 40
    np.savez(
        tmp_path / "s.npz",
        times=np.arange(count) / 2.0,
        neurons=np.zeros(count, int),
        offsets=np.arange(count + 1),
        labels=np.arange(count) % 2,
    )
    dataset = load_spikes(tmp_path, 1, train="s.npz", validation=0.25, test=0.25, seed=3)
    for part in (dataset.train, dataset.validation, dataset.test):
        assert np.bincount(part.labels).tolist() == [len(part) / 2] * 2
        assert (part.events.times * 2 % 2 == part.labels).all()
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (20, 10, 10)


def test_spikes_outside_of_the_sample_are_dropped_with_a_count(tmp_path):
    dataset = load_spikes(
        tmp_path, 3, train=write_npz(tmp_path, times=np.array([-1.0, 1.0, 2.0, 50.0])), outside="drop"
    )
    assert dataset.notes == (
        "2 of 4 spikes of train are outside of the sample, 0 ms to 40 ms, and are dropped",
    )
    assert dataset.train.events.times.tolist() == [1.0, 2.0]


def test_spikes_that_come_far_too_soon_are_noted(tmp_path):
    dataset = load_spikes(tmp_path, 3, train=write_npz(tmp_path, times=np.array(TIMES) / 1e3))
    assert dataset.notes == ("the last spike is at 0.03 ms of 40 ms; check unit: ms",)


def test_results_of_a_run_are_read_with_labels_beside_them(tmp_path):
    with h5py.File(tmp_path / "r.h5", "w") as file:
        file.attrs["batch"] = 3
        file["spikes/hidden/timestamps"] = TIMES
        file["spikes/hidden/node_ids"] = NEURONS
        file["spikes/hidden/sample_ids"] = [0, 0, 2, 2]
    (tmp_path / "l.csv").write_text("sample,label\n0,1\n1,0\n2,1\n")
    assert load_spikes(tmp_path, 3, train="r.h5", train_labels="l.csv").train.events.lists(3) == LISTS


WRONG = [
    (
        {"neurons": np.array([0, 1, 1, 3])},
        {},
        r"expected channels 0 to 2, got 3 in sample 2, all "
        r"counted from 0; set the "
        "size of the population with source: dataset to 4",
    ),
    ({"neurons": np.array([0, 1, 1, -1])}, {}, "expected whole numbers of at least 0, got -1"),
    ({"neurons": np.array([0, 1, 1])}, {}, "expected one neuron for each time, got 3 neurons and 4 times"),
    ({"neurons": None}, {}, "expected the arrays times, neurons, offsets .* add neurons"),
    ({"offsets": np.array([0, 2, 1, 4])}, {}, "expected offsets that rise from 0 to 4"),
    (
        {"offsets": np.array([0, 2, 3])},
        {},
        "expected offsets that rise from 0 to 4, one more than samples, got 3 from 0 to 3",
    ),
    ({"times": np.array([1.0, np.nan, 2.0, 3.0])}, {}, r"expected finite numbers, got nan at index \[1\]"),
    (
        {"times": np.array(TIMES) * 10},
        {},
        "1 of 4 spikes are outside of a sample, 0 ms to 40 ms; they "
        "run from 10 ms to "
        "300 ms. Set simulation.duration: 300 ms, or outside: drop",
    ),
    ({}, {"unit": "s"}, "With unit: ms all would be inside"),
    ({"times": np.array([-5.0, 1.0, 2.0, 3.0])}, {}, "Shift the times of the file, or set outside: drop"),
    ({"labels": None}, {}, "expected labels or targets, got neither"),
    ({"labels": np.array([0, 1])}, {}, "expected one row of labels for each of the 3 samples, got 2"),
    ({"labels": np.array([0.5, 1, 1])}, {}, "expected whole numbers"),
    (
        {"labels": None, "targets": np.array([1.0, 2.0, 3.0])},
        {},
        "expected the array 'targets' with 2 or 3 axes, got",
    ),
    ({}, {"channels": 4}, "the population has 3 neurons, but the recordings have 4 channels; set size: 4"),
    ({}, {"test_labels": "l.csv"}, "expected a file as test beside test_labels, got none"),
    ({}, {"test": 0.1}, "expected samples for test, got none of 3 by the fractions"),
    ({}, {"test": "gone.npz"}, "gone.npz: expected an NPZ file, but there is no such file"),
    ({}, {"test": "times.npz"}, "expected labels in all splits or in none, got them only in train"),
]


@pytest.mark.parametrize(("changes", "options", "message"), WRONG, ids=range(len(WRONG)))
def test_spikes_that_do_not_fit_are_refused(tmp_path, changes, options, message):
    write_npz(tmp_path, "times.npz", labels=None, targets=np.array([[1.0]] * 3))
    with pytest.raises(DescriptionError, match=message):
        load_spikes(tmp_path, 3, train=write_npz(tmp_path, **changes), **options)


TABLES = [
    ("sample,time,label\n0,1,0\n", None, "expected a column neuron, got sample, time, label"),
    (
        "sample,time,neuron,label\n0,1,0,a\n0,2,0,b\n",
        None,
        "expected one label for sample 0, got b in row 2 after a",
    ),
    ("sample,time,neuron,label\n0,1,0,a\n0,x,0,a\n", None, "expected numbers in the column time, got '1'"),
    ("sample,time,neuron\n0,1,0\n", None, "expected labels or targets, got neither"),
    (
        "sample,time,neuron\n0,1,0\n3,1,0\n",
        "sample,label\n0,a\n",
        "expected a row for every sample, got none for 3",
    ),
    (
        "sample,time,neuron\n0,1,0\n",
        "sample,label\n0,a\n0,b\n",
        "expected every sample once, got 0 again in row 2",
    ),
    ("sample,time,neuron,label\n0,1,0,a\n", "sample,label\n0,a\n", "expected labels in one place"),
    ("sample,time,neuron\n0,1,0\n", "number,label\n0,a\n", "expected a column sample, got number, label"),
]


@pytest.mark.parametrize(("spikes", "labels", "message"), TABLES, ids=range(len(TABLES)))
def test_tables_of_spikes_that_do_not_fit_are_refused(tmp_path, spikes, labels, message):
    (tmp_path / "s.csv").write_text(spikes)
    if labels is not None:
        (tmp_path / "l.csv").write_text(labels)
    with pytest.raises(DescriptionError, match=message):
        load_spikes(tmp_path, 3, train="s.csv", train_labels=None if labels is None else "l.csv")
