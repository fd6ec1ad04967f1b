import csv
import json
import subprocess
import sys

import h5py
import numpy as np
import pytest
from linear_machine import describe_linear, prepare, train_linear

from netdesc.description import describe
from netdesc.errors import DescriptionError, NumericsError
from netdesc.files import _machine
from netdesc.losses.evaluation import evaluate
from netdesc.training import RunDirectoryError
from netdesc.training.checkpoint import restore_state
from netdesc.training.loop import run_epoch
from netdesc.training.sealed import read_sealed
from netdesc.training.tally import measure
from netdesc.training.task import start
from netdesc.training.weights import load_weights


def read_weights(path, group="parameters"):
    with h5py.File(path, "r") as file:
        return file[f"{group}/only.weight"][()]


def test_training_lowers_the_loss(tmp_path):
    result = train_linear(tmp_path / "run", "training.epochs=12")
    assert result.reports[-1].loss < 0.8 * result.reports[0].loss
    assert result.reports[-1].accuracy > result.reports[0].accuracy


def test_a_run_directory_tells_the_whole_story(tmp_path):
    result = train_linear(tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names >= {
        "resolved.yaml",
        "digest.txt",
        "versions.json",
        "metrics.csv",
        "weights.h5",
        "checkpoint.h5",
        "result.json",
        "run.json",
    }
    assert describe(tmp_path / "run" / "resolved.yaml").digest == describe_linear().digest
    assert (tmp_path / "run" / "digest.txt").read_text().strip() == describe_linear().digest
    assert json.loads((tmp_path / "run" / "versions.json").read_text())["numpy"] == np.__version__
    assert json.loads((tmp_path / "run" / "result.json").read_text())["test"]["samples"] == 20
    assert result.test.split == "test"


def test_metrics_have_one_line_per_epoch(tmp_path):
    result = train_linear(tmp_path / "run")
    with (tmp_path / "run" / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3, 4]
    assert float(rows[2]["validation_loss"]) == result.reports[2].validation_loss


def test_progress_is_told_of_every_epoch(tmp_path):
    told = []
    result = train_linear(tmp_path / "run", progress=told.append)
    assert tuple(told) == result.reports
    assert told[0].epochs == 4
    assert told[0].grazing == 9


def test_the_weights_kept_are_those_of_the_best_validation_epoch(tmp_path):
    result = train_linear(tmp_path / "run", "training.epochs=8")
    best = max(result.reports, key=lambda report: (report.validation_accuracy, -report.validation_loss))
    assert result.best_epoch == best.epoch
    task, _ = prepare("training.epochs=8")
    values = load_weights(tmp_path / "run", task.program)
    assert measure(task, task.flat.join(values), "validation").loss == best.validation_loss


def test_without_validation_the_last_weights_are_kept(tmp_path):
    result = train_linear(tmp_path / "run", "data.dataset.yin_yang.validation=0")
    assert result.best_epoch == 4
    np.testing.assert_array_equal(
        read_weights(tmp_path / "run" / "weights.h5", "weights"),
        read_weights(tmp_path / "run" / "checkpoint.h5"),
    )


def test_one_step_of_descent_follows_the_gradient():
    task, _ = prepare("training.optimizer={sgd: {learning_rate: 0.5}}", "training.batch_size=60")
    state = start(task)
    stimulus, labels = task.feeds["train"].draw(np.arange(60), 0)
    trace = task.machine.forward(stimulus, seed=0)
    gradient = task.machine.adjoint(trace, evaluate(task.losses, trace, task.program, labels).cotangent)
    expected = state.values - 0.5 * gradient.parameters["only.weight"]
    np.testing.assert_allclose(run_epoch(task, state).values, expected, rtol=1e-12)


def test_parameters_stay_within_their_bounds(tmp_path):
    train_linear(tmp_path / "run", "training.optimizer={sgd: {learning_rate: 1000}}")
    assert np.abs(read_weights(tmp_path / "run" / "checkpoint.h5")).max() <= 8.0


def test_a_taken_directory_is_refused(tmp_path):
    train_linear(tmp_path / "run", "training.epochs=1")
    before = read_weights(tmp_path / "run" / "checkpoint.h5")
    with pytest.raises(RunDirectoryError, match="already holds a run; use --resume to continue it"):
        train_linear(tmp_path / "run", "training.epochs=1")
    np.testing.assert_array_equal(read_weights(tmp_path / "run" / "checkpoint.h5"), before)


def test_a_file_in_place_of_a_directory_is_refused(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(RunDirectoryError, match="expected a directory, got the file"):
        train_linear(tmp_path / "run")


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        [
            "training.optimizer={adamw: {learning_rate: 0.05}}",
            "training.schedule={exponential: {factor: 0.9}}",
        ],
        [
            "training.optimizer={sgd: {learning_rate: 0.05, momentum: 0.9}}",
            "training.schedule={step: {factor: 0.5, every: 2}}",
        ],
    ],
)
def test_a_continued_run_equals_one_that_never_stopped(tmp_path, overrides):
    whole = train_linear(tmp_path / "whole", "training.epochs=6", *overrides)
    train_linear(tmp_path / "parts", "training.epochs=2", *overrides)
    parts = train_linear(tmp_path / "parts", "training.epochs=6", *overrides, resume=True)
    for file, group in (("checkpoint.h5", "parameters"), ("weights.h5", "weights")):
        assert (
            read_weights(tmp_path / "whole" / file, group).tobytes()
            == read_weights(tmp_path / "parts" / file, group).tobytes()
        )
    assert [report.loss for report in parts.reports] == [report.loss for report in whole.reports]
    assert parts.test.loss == whole.test.loss


def test_resuming_a_finished_run_changes_nothing(tmp_path):
    first = train_linear(tmp_path / "run")
    again = train_linear(tmp_path / "run", resume=True)
    assert again.reports == first.reports
    assert again.test == first.test


def test_resuming_where_nothing_is_yet_starts_afresh(tmp_path):
    assert len(train_linear(tmp_path / "run", resume=True).reports) == 4


def test_resuming_another_model_names_every_difference(tmp_path):
    train_linear(tmp_path / "run", "training.epochs=1")
    with pytest.raises(RunDirectoryError) as caught:
        train_linear(tmp_path / "run", "training.batch_size=9", "simulation.seed=6", resume=True)
    assert "training.batch_size was 7, now it is 9" in str(caught.value)
    assert "simulation.seed was 5, now it is 6" in str(caught.value)


def test_a_cosine_over_the_epochs_cannot_be_prolonged(tmp_path):
    train_linear(tmp_path / "run", "training.schedule=cosine", "training.epochs=2")
    with pytest.raises(RunDirectoryError, match=r"training\.epochs was 2, now it is 3"):
        train_linear(tmp_path / "run", "training.schedule=cosine", "training.epochs=3", resume=True)


def test_a_broken_checkpoint_is_refused(tmp_path):
    train_linear(tmp_path / "run", "training.epochs=1")
    (tmp_path / "run" / "checkpoint.h5").write_bytes(b"not HDF5")
    with pytest.raises(RunDirectoryError, match=r"checkpoint\.h5 is not an HDF5 file"):
        train_linear(tmp_path / "run", "training.epochs=2", resume=True)


def test_drafts_of_a_killed_process_are_swept_away(tmp_path):
    (tmp_path / "run").mkdir()
    with subprocess.Popen([sys.executable, "-c", ""]) as killed:
        killed.wait()
    (tmp_path / "run" / f".netdesc-{_machine()}-{killed.pid}-01234567.draft").write_bytes(b"half")
    train_linear(tmp_path / "run", "training.epochs=1")
    assert not list((tmp_path / "run").glob(".*"))


def test_a_number_that_is_not_finite_names_epoch_and_step_and_spares_the_checkpoint(tmp_path):
    runs_of_one_epoch = 9 + 1
    with pytest.raises(NumericsError, match="epoch 2, step 3 of the epoch: the machine broke"):
        train_linear(tmp_path / "run", broken_after=runs_of_one_epoch + 2)
    task, _ = prepare()
    path = tmp_path / "run" / "checkpoint.h5"
    assert restore_state(read_sealed(path), task.flat, path).epoch == 1


def test_an_infinite_loss_is_told_with_its_step():
    task, _ = prepare("losses.class.time_to_first_spike.tau_1=0.01 ms")
    with pytest.raises(NumericsError, match=r"epoch 1, step 1 of the epoch: the loss is inf"):
        run_epoch(task, start(task))


def test_early_stopping_ends_after_patience_epochs_without_progress(tmp_path):
    result = train_linear(
        tmp_path / "run",
        "training.optimizer={sgd: {learning_rate: 1e-300}}",
        "training.epochs=20",
        "training.early_stopping={patience: 3}",
    )
    assert (len(result.reports), result.best_epoch, result.stopped_early) == (4, 1, True)


def test_early_stopping_without_validation_is_refused():
    with pytest.raises(DescriptionError, match="early stopping needs validation samples"):
        prepare("data.dataset.yin_yang.validation=0", "training.early_stopping={patience: 3}")


def test_nothing_to_train_is_refused():
    with pytest.raises(DescriptionError, match="set train: true for a weight or a delay"):
        prepare("projections.only.weight=1")


def test_weights_of_another_shape_are_refused(tmp_path):
    (tmp_path / "run").mkdir()
    task, _ = prepare()
    with h5py.File(tmp_path / "run" / "weights.h5", "w") as file:
        file["weights/only.weight"] = np.zeros(4)
        file["weights/other.weight"] = np.zeros(4)
    with pytest.raises(RunDirectoryError) as caught:
        load_weights(tmp_path / "run", task.program)
    assert "has 4 values for only.weight, but this model has 15" in str(caught.value)
    assert "has other.weight, which this model does not train" in str(caught.value)


def test_missing_weights_are_told_by_their_path(tmp_path):
    task, _ = prepare()
    with pytest.raises(RunDirectoryError, match=r"weights\.h5 does not exist"):
        load_weights(tmp_path, task.program)
