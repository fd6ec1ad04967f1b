"""Target voltages from files."""

import h5py
import numpy as np
import pytest
from own import load_spikes, load_table

from netdesc.errors import DescriptionError

X = np.arange(12.0).reshape(6, 2)
TRACES = np.arange(36.0).reshape(6, 3, 2)
ONE = np.arange(18.0).reshape(6, 3)
EVENTS = {"times": np.arange(6.0), "neurons": np.zeros(6, int), "offsets": np.arange(7)}


def found(dataset):
    traces = dataset.train.traces
    assert traces.interval == 2.0
    return traces.values.tolist()


def test_a_table_has_them_in_its_own_array_beside_labels(tmp_path):
    np.savez(tmp_path / "t.npz", x=X, y=np.arange(6) % 2, targets=TRACES)
    dataset = load_table(tmp_path, 2, file="t.npz", target_interval=2.0)
    assert found(dataset) == TRACES.tolist()
    assert dataset.train.labels.tolist() == [0, 1] * 3


def test_splits_of_a_table_keep_samples_and_traces_together(tmp_path):
    np.savez(tmp_path / "t.npz", x=X, targets=X[:, :, None] + np.zeros((1, 1, 2)))
    dataset = load_table(tmp_path, 2, file="t.npz", target_interval=2.0, test=0.5, seed=3)
    for split in (dataset.train, dataset.test):
        order = np.argsort(split.events.first_spikes(2)[:, 0])
        assert (np.diff(split.traces.values[order, 0, 0]) > 0.0).all()


@pytest.mark.parametrize("ending", ["npy", "npz", "h5", "csv"])
def test_a_table_may_have_them_in_a_second_file(tmp_path, ending):
    np.savetxt(tmp_path / "t.csv", X, delimiter=",", header="a,b", comments="")
    file = tmp_path / f"targets.{ending}"
    if ending == "npy":
        np.save(file, ONE)
    elif ending == "npz":
        np.savez(file, targets=ONE)
    elif ending == "h5":
        with h5py.File(file, "w") as content:
            content["targets"] = ONE
    else:
        np.savetxt(file, ONE, delimiter=",")
    dataset = load_table(tmp_path, 2, file="t.csv", target_file=file.name, target_interval=2.0)
    assert found(dataset) == ONE[:, :, None].tolist()


def test_columns_of_a_table_are_the_steps_of_one_output_and_an_empty_cell_is_no_target(tmp_path):
    (tmp_path / "t.csv").write_text("a,s0,s1\n1,0.5,0.25\n2,,0.75\n")
    dataset = load_table(tmp_path, 1, file="t.csv", target=("s0", "s1"), target_interval=2.0)
    values = dataset.train.traces.values
    assert np.array_equal(values[:, :, 0], [[0.5, 0.25], [np.nan, 0.75]], equal_nan=True)


def test_a_dropped_row_takes_its_traces_along(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,1\n,2\n3,3\n")
    np.save(tmp_path / "t.npy", ONE[:3])
    dataset = load_table(tmp_path, 2, file="t.csv", target_file="t.npy", target_interval=2.0, missing="drop")
    assert found(dataset) == ONE[[0, 2]][:, :, None].tolist()


def test_recorded_spikes_have_them_in_an_npz_file(tmp_path):
    np.savez(tmp_path / "s.npz", **EVENTS, targets=TRACES)
    assert found(load_spikes(tmp_path, 1, train="s.npz", target_interval=2.0)) == TRACES.tolist()


def test_recorded_spikes_have_them_in_an_hdf5_file(tmp_path):
    with h5py.File(tmp_path / "s.h5", "w") as content:
        kind = h5py.vlen_dtype(np.float64)
        for name, value in (("times", 1.0), ("units", 0.0)):
            data = content.create_dataset(f"spikes/{name}", (6,), kind)
            for row in range(6):
                data[row] = np.array([value])
        content["targets"] = TRACES
    assert found(load_spikes(tmp_path, 1, train="s.h5", target_interval=2.0)) == TRACES.tolist()


def test_recorded_spikes_may_have_them_in_a_second_file(tmp_path):
    (tmp_path / "s.csv").write_text("sample,time,neuron\nb,1,0\na,2,0\n")
    (tmp_path / "t.csv").write_text("sample,s0,s1\na,1,2\nb,3,4\n")
    np.save(tmp_path / "t.npy", ONE[:2])
    for file, wanted in (("t.csv", [[1.0, 2.0], [3.0, 4.0]]), ("t.npy", ONE[:2].tolist())):
        dataset = load_spikes(tmp_path, 1, train="s.csv", train_labels=file, target_interval=2.0)
        assert np.array(found(dataset))[:, :, 0].tolist() == wanted


@pytest.mark.parametrize(
    ("targets", "interval", "message"),
    [
        (TRACES[:4], 2.0, "expected target voltages of 6 samples, got those of 4"),
        (TRACES[0, 0], 2.0, r"expected target voltages of shape \(samples, steps, outputs\)"),
        (TRACES, None, "write target_interval"),
        (np.full((6, 3), np.inf), 2.0, "targets"),
        (None, 2.0, "expected target voltages beside target_interval, got none"),
    ],
)
def test_targets_that_do_not_fit_are_refused(tmp_path, targets, interval, message):
    arrays = {"x": X, "y": np.arange(6) % 2} | ({} if targets is None else {"targets": targets})
    np.savez(tmp_path / "t.npz", **arrays)
    with pytest.raises(DescriptionError, match=message):
        load_table(tmp_path, 2, file="t.npz", target_interval=interval)
