import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from netdesc.cli import main
from netdesc.description import describe

IRIS = Path(__file__).parents[2] / "examples" / "iris.csv"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_spikes(folder, name="s.npz", **answers):
    np.savez(folder / name, times=np.array([1.0, 40.0, 3.0]), neurons=[0, 4, 2], offsets=[0, 2, 3], **answers)
    return name


def draft(*words):
    status = main(["new", "--from", *words])
    return describe(f"{Path(words[0]).stem}.yaml") if status == 0 else status


@pytest.mark.parametrize(("separator", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "utf-8")])
def test_a_table_of_flowers_becomes_a_model_that_check_accepts(folder, separator, encoding, capsys):
    text = IRIS.read_text(encoding="utf-8").replace(",", separator)
    (folder / "iris.csv").write_text(text, encoding=encoding)
    model = draft("iris.csv", "--label", "species")
    sizes = {name: item.size for name, item in model.populations.items()}
    assert sizes == {"input": 33, "hidden": 60, "output": 3}
    assert main(["check", "iris.yaml", "--backend", "numba", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["data"]["samples"] == {"train": 105, "validation": 15, "test": 30}


def test_many_features_are_encoded_by_latency(folder):
    np.savez(folder / "images.npz", x=np.random.default_rng(1).random((30, 10, 10)), y=np.arange(30) % 2)
    model = draft("images.npz")
    assert (model.data.encoder.kind, model.populations["input"].size) == ("latency", 101)
    assert main(["check", "images.yaml"]) == 0


def test_numbers_to_learn_become_target_times(folder):
    (folder / "t.csv").write_text("a,b,y,z\n" + "".join(f"{k},{k % 3},{k},{-k}\n" for k in range(20)))
    model = draft("t.csv", "--target", "y", "--target", "z")
    assert model.losses["times"].kind == "spike_time_mse"
    assert model.populations["output"].size == 2
    assert main(["check", "t.yaml"]) == 0


@pytest.mark.parametrize(("words", "unit"), [([], "ms"), (["--unit", "us"], "us")])
def test_recorded_spikes_become_a_model_with_their_channels(folder, words, unit):
    model = draft(write_spikes(folder, labels=[0, 1]), *words)
    assert model.populations["input"].size == 5
    assert model.data.dataset.options["unit"] == unit


def test_recorded_spikes_with_targets_are_long_enough_for_these(folder):
    model = draft(write_spikes(folder, targets=[[50.0, 90.0], [np.nan, 60.0]]))
    assert model.simulation.duration >= 90.0
    assert model.populations["output"].size == 2


def test_spikes_of_hdf5_files_are_in_seconds_where_they_look_like_it(folder):
    with h5py.File(folder / "d.h5", "w") as file:
        for name, kind in (("times", np.float16), ("units", np.uint16)):
            rows = file.create_dataset(f"spikes/{name}", (2,), dtype=h5py.vlen_dtype(kind))
            rows[0], rows[1] = np.array([0, 1], dtype=kind), np.array([1], dtype=kind)
        file["labels"] = [0, 1]
    model = draft("d.h5")
    assert (model.data.dataset.options["unit"], model.losses["classification"].kind) == ("s", "mean_voltage")


def test_names_that_yaml_reads_otherwise_are_quoted(folder):
    (folder / "a b.csv").write_text("no,a: b,#c\n" + "".join(f"{k},{k},{k % 2}\n" for k in range(20)))
    assert draft("a b.csv", "--label", "#c").data.dataset.options["features"] == ("no", "a: b")


def test_a_file_in_another_folder_is_found_from_that_of_the_model(folder):
    (folder / "models").mkdir()
    shutil.copy(IRIS, folder)
    assert main(["new", "--from", "iris.csv", "--label", "species", "models/iris.yaml"]) == 0
    assert describe("models/iris.yaml").data.dataset.options["file"] == "../iris.csv"
    assert main(["check", "models/iris.yaml"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["iris.csv", "--label", "specis"],
            "expected a column specis, got sepal_length, sepal_width, "
            "petal_length, "
            "petal_width, species; did you mean 'species'?",
        ),
        (["iris.csv"], "expected a column to learn, got none"),
        (
            ["iris.csv", "--target", "species"],
            "expected numbers in the column species, got 'setosa' in row 1",
        ),
        (["none.csv"], "there is no such file"),
        (["s.npz", "--unit", "min"], "expected one of s, ms, us, ns as unit, got min"),
        (["s.npz"], "expected labels or targets, got neither"),
    ],
)
def test_what_cannot_be_learned_is_told(folder, words, message, capsys):
    shutil.copy(IRIS, folder)
    write_spikes(folder)
    assert draft(*words) == 2
    assert message in capsys.readouterr().err
    assert not list(folder.glob("*.yaml"))


def write_traces(folder, file="v.npz", shape=(20, 11, 2)):
    random = np.random.default_rng(1)
    np.savez(folder / file, x=random.random((shape[0], 3)), targets=random.random(shape))
    return file


@pytest.mark.parametrize(("shape", "outputs"), [((20, 11, 2), 2), ((20, 11), 1)])
def test_target_voltages_of_an_array_become_a_model_that_learns_them(folder, shape, outputs):
    model = draft(write_traces(folder, shape=shape), "--target-interval", "500 us")
    assert model.losses["traces"].kind == "voltage_mse"
    assert model.losses["traces"].options["interval"] == 0.5
    assert (model.populations["output"].size, model.simulation.duration) == (outputs, 5.0)
    assert model.populations["output"].neuron.model == "LI"
    assert model.data.encoder.options["t_late"] == 5.0
    assert main(["check", "v.yaml", "--backend", "numba"]) == 0


def test_target_voltages_of_columns_become_a_model_that_learns_them(folder):
    rows = "".join(f"{k},{k % 3},0,{k},{-k}\n" for k in range(20))
    (folder / "t.csv").write_text("a,b,v0,v1,v2\n" + rows)
    words = [word for name in ("v0", "v1", "v2") for word in ("--target", name)]
    model = draft("t.csv", *words, "--target-interval", "20 ms")
    assert model.data.dataset.options["features"] == ("a", "b")
    assert (model.populations["output"].size, model.simulation.duration) == (1, 40.0)
    assert main(["check", "t.yaml"]) == 0


def test_target_voltages_of_recorded_spikes_are_not_taken_for_times(folder):
    name = write_spikes(folder, targets=np.zeros((2, 31, 4)))
    model = draft(name, "--unit", "ms", "--target-interval", "2 ms")
    assert (model.populations["output"].size, model.simulation.duration) == (4, 60.0)
    assert model.losses["traces"].kind == "voltage_mse"
    options = ["data.dataset.spikes.validation=0.0", "data.dataset.spikes.test=0.0"]
    assert main(["check", "s.yaml", *options]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--from", "v.npz"],
            "v.npz: expected the interval of the target voltages in the array targets, of the "
            "shape 20 x 11 x 2, got none; add it, for example --target-interval '1 ms'",
        ),
        (
            ["--from", "v.npz", "--target-interval", "2"],
            "--target-interval: expected a time above 0 ms, got '2'; use for example '1 ms'",
        ),
        (["--from", "v.npz", "--target-interval", "2 mV"], "expected a time above 0 ms, got '2 mV'"),
        (["--from", "v.npz", "--target-interval", "0 ms"], "expected a time above 0 ms, got '0 ms'"),
        (["--from", "v.npz", "--target-interval", "-1 ms"], "expected a time above 0 ms, got '-1 ms'"),
        (["first", "--label", "species", "--unit", "s"], "expected --from beside --label, --unit, got none"),
        (
            ["--from", "v.npz", "first", "v.yaml"],
            "expected FILE as the only argument beside --from, got v.yaml too",
        ),
    ],
)
def test_options_that_do_not_go_together_are_refused(folder, words, message, capsys):
    write_traces(folder)
    assert main(["new", *words]) == 2
    assert message in capsys.readouterr().err
    assert not list(folder.glob("*.yaml"))


def test_an_existing_file_is_left_as_it_is(folder, capsys):
    shutil.copy(IRIS, folder)
    (folder / "iris.yaml").write_text("mine")
    assert main(["new", "--from", "iris.csv", "--label", "species"]) == 2
    assert (folder / "iris.yaml").read_text() == "mine"
