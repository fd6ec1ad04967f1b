import json
import os
import shutil
import subprocess
import sys

import h5py
import pytest
from linear_machine import LinearMachine, describe_linear, train_linear

from netdesc.errors import NumericsError
from netdesc.training import RunDirectoryError
from netdesc.training.lock import hold

HOLD = """
import sys, time
from pathlib import Path
from netdesc.training.lock import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "run"
    train_linear(path, "training.epochs=2")
    return path


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def resume(path, *overrides):
    return train_linear(path, "training.epochs=3", *overrides, resume=True)


def test_a_second_training_into_a_directory_is_refused_and_names_the_first(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "run")],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert process.stdout.readline() == b"held\n"
        for again in (False, True):
            with pytest.raises(RunDirectoryError, match=f"is in use: process {process.pid} on "):
                train_linear(tmp_path / "run", resume=again)
    finally:
        process.kill()
        process.communicate()
    assert (tmp_path / "run" / "run.lock").exists()
    assert len(train_linear(tmp_path / "run", "training.epochs=1").reports) == 1
    assert not (tmp_path / "run" / "run.lock").exists()


def test_a_directory_is_taken_once_in_one_process_too(tmp_path):
    with hold(tmp_path), pytest.raises(RunDirectoryError, match=f"process {os.getpid()} on"):
        train_linear(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_lock_without_support_of_the_file_system_follows_the_process(tmp_path, monkeypatch):
    monkeypatch.setattr("netdesc.training.lock.fcntl", None)
    lock = tmp_path / "run.lock"
    with hold(tmp_path):
        holder = json.loads(lock.read_text())
    lock.write_text(json.dumps(holder | {"pid": os.getppid()}))
    with pytest.raises(RunDirectoryError, match=f"process {os.getppid()} .* has ended, delete"):
        train_linear(tmp_path)
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    for content in (json.dumps(holder | {"pid": ended.pid}), "", "{}", "[1]"):
        lock.write_text(content)
        with hold(tmp_path):
            pass


def test_a_training_that_fails_in_its_first_epoch_leaves_nothing(tmp_path):
    with pytest.raises(NumericsError, match="epoch 1, step 3 of the epoch: the machine broke") as caught:
        train_linear(tmp_path / "run", broken_after=2)
    assert "checkpoint" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_failed_start_does_not_refuse_the_corrected_model(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("{")
    train_linear(tmp_path / "run", "training.epochs=1", "simulation.seed=8")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["seed"] == 8


def test_the_record_begins_with_the_training(tmp_path, monkeypatch):
    def look(*_, **__):
        seen.update(json.loads((tmp_path / "run" / "run.json").read_text()))
        raise KeyboardInterrupt

    seen = {}
    monkeypatch.setattr(LinearMachine, "forward", look)
    with pytest.raises(KeyboardInterrupt):
        train_linear(tmp_path / "run")
    description = describe_linear()
    assert (seen["digest"], seen["seed"], seen["backend"]) == (description.digest, 5, "linear")
    assert seen["stages"] == [{"backend": "linear", "on_device": False, "epochs": 0}]
    assert seen["resolved"] == description.resolved
    assert seen["started"].endswith("+00:00")
    assert {"netdesc", "numpy", "python"} <= seen["versions"].keys()


def test_the_checkpoint_and_not_the_table_knows_how_many_epochs_are_over(run):
    (run / "metrics.csv").unlink()
    result = resume(run)
    assert [report.epoch for report in result.reports] == [1, 2, 3]
    assert (run / "metrics.csv").read_text().count("\n") == 4
    assert len(json.loads((run / "run.json").read_text())["stages"]) == 1


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"\xff\xfe\x00"])
@pytest.mark.parametrize("name", ["run.json", "metrics.csv", "resolved.yaml"])
def test_what_the_checkpoint_holds_as_well_is_written_again(run, name, content):
    wanted = (run / name).read_bytes()
    (run / name).unlink() if content is None else (run / name).write_bytes(content)
    train_linear(run, "training.epochs=2", resume=True)
    if name != "run.json":
        assert (run / name).read_bytes() == wanted
    else:
        assert json.loads((run / name).read_text())["resolved"] == json.loads(wanted)["resolved"]


@pytest.mark.parametrize("again", [False, True])
def test_weights_without_a_checkpoint_are_not_trained_over(run, again):
    (run / "checkpoint.h5").unlink()
    weights = (run / "weights.h5").read_bytes()
    words = "no checkpoint.h5, without which the training cannot continue" if again else "already holds a run"
    with pytest.raises(RunDirectoryError, match=words):
        train_linear(run, resume=again)
    assert (run / "weights.h5").read_bytes() == weights


@pytest.mark.parametrize(
    "override",
    [
        "name=other",
        "description=of no consequence",
        "record={output: [spikes]}",
        "expect={test_accuracy: {min: 0.1}}",
        "simulation.max_memory=1 GiB",
        "training.backend=linear",
        "training.early_stopping={patience: 9}",
    ],
)
def test_what_does_not_change_the_model_may_differ(run, override):
    assert len(resume(run, override).reports) == 3


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("simulation.seed=6", "simulation.seed was 5, now it is 6"),
        ("simulation.duration=50 ms", 'simulation.duration was "40 ms", now it is "50 ms"'),
        (
            "populations.output.neuron={LIF: {tau_mem: 11 ms}}",
            'populations.output.neuron.LIF.tau_mem was "20 ms", now it is "11 ms"',
        ),
        ("projections.only.weight.max=9", "projections.only.weight.max was 8.0, now it is 9.0"),
        ("training.optimizer.adam.learning_rate=0.1", "learning_rate was 0.05, now it is 0.1"),
        ("losses.class.time_to_first_spike.alpha=0.1", "losses.class.time_to_first_spike.alpha was 0.003"),
        ("data.dataset.yin_yang.train=61", "data.dataset.yin_yang.train was 60, now it is 61"),
    ],
)
def test_what_changes_the_model_is_refused_with_path_and_values(run, override, words):
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    with pytest.raises(RunDirectoryError) as caught:
        resume(run, override)
    assert words in str(caught.value)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_samples_that_changed_under_the_same_names_are_refused(run, monkeypatch):
    monkeypatch.setattr("netdesc.training.origin.digest_data", lambda _: "other")
    with pytest.raises(RunDirectoryError, match="the samples differ because a data file has changed"):
        resume(run)


def unseal(path, format_=1):
    with h5py.File(path, "r") as file:
        content = {name: file[name][()] for name in list_datasets(file)}
        attributes = dict(file.attrs) | {"format": format_}
    with h5py.File(path, "w") as file:
        file.attrs.update(attributes)
        for name, values in content.items():
            file[name] = values


def list_datasets(file):
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


def test_a_run_of_an_earlier_version_goes_on_with_a_note(run, tmp_path):
    whole = train_linear(tmp_path / "whole", "training.epochs=3")
    unseal(run / "checkpoint.h5")
    result = resume(run)
    assert "checkpoint.h5 has no checksum; it was written by an earlier version" in result.notes[0]
    assert result.reports[-1].loss == whole.reports[-1].loss


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        "[]",
        "{}",
        '{"resolved": {}, "stages": []}',
        '{"resolved": 3, "stages": [{}]}',
        '{"stages": {"a": 1}}',
    ],
)
def test_a_damaged_record_of_an_earlier_version_is_refused(run, content):
    unseal(run / "checkpoint.h5")
    (run / "run.json").unlink() if content is None else (run / "run.json").write_text(content)
    with pytest.raises(RunDirectoryError, match=r"run\.json (is damaged|cannot be read)"):
        resume(run)
