import json
from dataclasses import replace

import numpy as np
import pytest
from learning_machine import KEY, LearningMachine, learn, prepare_device
from linear_machine import TEXT, train_linear

from netdesc.api import Model
from netdesc.backend import LearningState
from netdesc.description import describe_text
from netdesc.errors import BackendError, DescriptionError, NumericsError
from netdesc.training import RunDirectoryError, evaluate, train
from netdesc.training.checkpoint import restore_state
from netdesc.training.continuation import note_stage
from netdesc.training.flat_parameters import FlatParameters
from netdesc.training.sealed import read_sealed
from netdesc.training.tally import Tally


def weights_of(folder, task):
    path = folder / "checkpoint.h5"
    return restore_state(read_sealed(path), FlatParameters.of(task.program), path).values


def test_what_a_device_learns_is_what_the_host_learns(tmp_path):
    on_host = train_linear(tmp_path / "host")
    on_device, machine = learn(tmp_path / "device")
    wanted = weights_of(tmp_path / "host", machine)
    assert weights_of(tmp_path / "device", machine) == pytest.approx(wanted, rel=1e-4)
    assert [report.loss for report in on_device.reports] == pytest.approx(
        [report.loss for report in on_host.reports], rel=1e-4
    )
    first, host = on_device.reports[0], on_host.reports[0]
    assert (first.accuracy, first.silent_fraction, first.silent_labels, first.grazing) == (
        host.accuracy,
        host.silent_fraction,
        host.silent_labels,
        host.grazing,
    )


def test_the_host_neither_runs_nor_updates_what_is_learned(tmp_path):
    _, machine = learn(tmp_path / "run", "training.epochs=2")
    assert machine.learned == 2 * 9  # 60 samples in batches of 7
    assert machine.measured == 2 + 1  # the validation of two epochs, and the test


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path):
    learn(tmp_path / "whole")
    learn(tmp_path / "parts", "training.epochs=1")
    result, _ = learn(tmp_path / "parts", "training.epochs=4", resume=True)
    task, _ = prepare_device()
    assert np.array_equal(weights_of(tmp_path / "whole", task), weights_of(tmp_path / "parts", task))
    assert result.notes == ()


def test_a_run_of_the_host_goes_on_on_the_device_with_the_memory_of_its_optimizer(tmp_path):
    train_linear(tmp_path / "host")
    for name in ("mixed", "forgetful"):
        train_linear(tmp_path / name, "training.epochs=2")
    mixed, _ = learn(tmp_path / "mixed", resume=True)

    class Forgetful(LearningMachine):
        def restore(self, state):
            empty = {name: {KEY: np.zeros(15)} for name in state.moments}
            super().restore(LearningState(0, state.parameters, empty) if self.steps == 0 else state)

    learn(tmp_path / "forgetful", resume=True, machine_of=Forgetful)
    task, _ = prepare_device()
    wanted = weights_of(tmp_path / "host", task)
    assert weights_of(tmp_path / "mixed", task) == pytest.approx(wanted, rel=1e-4)
    assert weights_of(tmp_path / "forgetful", task) != pytest.approx(wanted, rel=1e-3)
    assert [report.epoch for report in mixed.reports] == [1, 2, 3, 4]


def test_a_run_tells_where_it_was_trained(tmp_path):
    train_linear(tmp_path, "training.epochs=2")
    result, _ = learn(tmp_path, resume=True)
    assert result.notes[0] == "trained from epoch 1 on linear; from epoch 3 on fake, on the device"
    assert [stage["epochs"] for stage in json.loads((tmp_path / "run.json").read_text())["stages"]] == [0, 2]


def test_a_stage_without_an_epoch_is_forgotten():
    training = describe_text(TEXT).training
    stages = note_stage((), training, "one", epochs=0)
    stages = note_stage(stages, training, "two", epochs=3)
    assert [stage["backend"] for stage in stages] == ["one", "two"]
    assert note_stage(stages, training, "one", epochs=3) == stages[:1]


def test_options_of_a_backend_may_change_only_with_the_backend(tmp_path):
    train_linear(tmp_path, "training.epochs=1")
    with pytest.raises(RunDirectoryError, match=r"backends\.other\.tick was absent"):
        train_linear(tmp_path, "backends.other.tick=2", resume=True)
    result, _ = learn(tmp_path, "backends.fake.tick=2", "training.backend=fake", resume=True)
    assert len(result.reports) == 4


def test_a_schedule_reaches_the_device():
    task, _ = prepare_device("training.schedule={exponential: {factor: 0.5}}", "training.epochs=3")
    from netdesc.training.loop import run_epoch
    from netdesc.training.task import start

    state = run_epoch(task, run_epoch(task, start(task)))
    assert task.machine.factors == [1.0] * 9 + [0.5] * 9
    assert [report.learning_rate for report in state.reports] == [0.05, 0.025]


def test_a_backend_that_cannot_learn_says_so_and_nothing_is_written(tmp_path):
    model = Model(describe_text(TEXT, overrides=["training.on_device=true"]))
    with pytest.raises(BackendError) as caught:
        train(model, output=tmp_path / "run")
    (fault,) = caught.value.diagnostics
    assert (fault.path, fault.code) == ("training.on_device", "ON-DEVICE")
    assert "backend numba cannot learn on the device" in str(fault)
    assert not (tmp_path / "run").exists()


def test_what_was_learned_on_a_device_can_be_evaluated_elsewhere(tmp_path):
    learn(tmp_path, "training.epochs=1")
    overrides = ["training.on_device=true"]
    assert evaluate(Model(describe_text(TEXT, overrides=overrides)), tmp_path).samples == 20


def test_everything_that_stands_against_learning_on_the_device_is_told_at_once():
    with pytest.raises(BackendError) as caught:
        prepare_device("training.silent_neurons=weight_bump", "training.optimizer=sgd")
    assert [(item.path, item.code) for item in caught.value.diagnostics] == [
        ("training.silent_neurons", "ON-DEVICE"),
        ("training.optimizer", "FAKE"),
    ]


def test_the_device_is_told_loss_and_optimizer_with_all_numbers():
    task, _ = prepare_device()
    rule = task.machine.rule
    (objective,) = rule.objectives
    assert (objective.kind, objective.population, objective.weight) == ("time_to_first_spike", "output", 1.0)
    assert objective.options["tau_1"] == 6.4
    numbers = {"learning_rate": 0.05, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
    assert numbers.items() <= rule.options.items()


def test_numbers_that_are_not_finite_end_the_training_with_their_place(tmp_path):
    class Lost(LearningMachine):
        def learn(self, stimulus, targets, *, seed, factor=1.0):
            report = super().learn(stimulus, targets, seed=seed, factor=factor)
            return replace(report, loss=float("nan")) if self.learned == 11 else report

    with pytest.raises(NumericsError, match="epoch 2, step 2 of the epoch: the loss is nan"):
        learn(tmp_path / "loss", machine_of=Lost)

    class Broken(LearningMachine):
        def state(self):
            state = super().state()
            return LearningState(state.steps, {KEY: state.parameters[KEY] * np.inf}, state.moments)

    with pytest.raises(NumericsError, match=r"epoch 1: read back .* only\.weight \(parameters\)"):
        learn(tmp_path / "weights", machine_of=Broken)


def test_a_class_without_a_neuron_is_told_before_the_device_sees_it(tmp_path):
    task, _ = prepare_device()
    from netdesc.training.loop import learn_batch
    from netdesc.training.task import start

    stimulus, goals = next(task.feeds["train"].batches(np.arange(7), 7))
    with pytest.raises(DescriptionError, match="labels run from 5 to 5"):
        learn_batch(
            task, start(task), stimulus, goals=replace(goals, labels=np.full(7, 5)), tally=Tally(task.program)
        )
    assert task.machine.learned == 0


def test_costs_are_summed_and_peaks_are_not():
    task, _ = prepare_device()
    tally = Tally(task.program)
    for energy, peak in ((1.0, 5.0), (2.0, 7.0), (3.0, 6.0)):
        tally.add_costs({"energy_mJ": energy, "peak_cycles": peak})
    assert tally.costs == {"energy_mJ": 6.0, "peak_cycles": 7.0}
