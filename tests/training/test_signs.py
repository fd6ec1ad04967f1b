import csv
import logging

import pytest
from linear_machine import prepare, train_linear

from netdesc.errors import NumericsError
from netdesc.training.loop import run_epoch
from netdesc.training.signs import Watch
from netdesc.training.tally import Tally
from netdesc.training.task import start

SILENT = ["projections.only.weight={init: -7, train: true}", "training.batch_size=3"]
WILD = [
    "training.optimizer.adam.learning_rate=1e3",
    "projections.only.weight.max=1e9",
    "projections.only.weight.min=-1e9",
]
SHORT = ["projections.only.weight={init: -7, train: true}", "training.batch_size=30"]
STILL = ["training.optimizer={sgd: {learning_rate: 1e-300}}", "training.batch_size=60"]


def read_notes(folder):
    with (folder / "metrics.csv").open() as file:
        return [row["notes"] for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (SILENT, "epoch 1, step 10 of the epoch: population output has not spiked in 10 batches in a row"),
        (SILENT, "epoch 1, step 10 of the epoch: no parameter has changed in 10 batches in a row"),
        (SHORT, "epoch 1: population output has not spiked in the whole epoch, and neurons that never"),
        (WILD, "epoch 1, step 1 of the epoch: only.weight has grown to "),
        (STILL, "epoch 3: the loss has not changed in 3 epochs in a row"),
    ],
)
def test_a_sign_is_reported_once_everywhere(tmp_path, caplog, overrides, words):
    with caplog.at_level(logging.WARNING, "netdesc.training"):
        result = train_linear(tmp_path / "run", *overrides)
    for texts in (caplog.messages, result.notes, "; ".join(read_notes(tmp_path / "run")).split("; epoch")):
        assert len([text for text in texts if words.removeprefix("epoch") in text]) == 1


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            SILENT,
            "^epoch 1, step 10 of the epoch: population output has not spiked .*; training.on_dead is stop",
        ),
        (SHORT, "^epoch 1: population output has not spiked in the whole epoch.*; training.on_dead is stop$"),
        (WILD, "^epoch 1, step 1 of the epoch: only.weight has grown to .*; training.on_dead is stop$"),
        (STILL, "^epoch 3: the loss has not changed in 3 epochs"),
    ],
)
def test_a_training_stops_when_told_to(tmp_path, overrides, words):
    with pytest.raises(NumericsError, match=words):
        train_linear(tmp_path / "run", *overrides, "training.on_dead=stop")
    assert (tmp_path / "run" / "checkpoint.h5").exists() is (overrides is STILL)


def test_a_training_that_learns_shows_no_sign(tmp_path, caplog):
    result = train_linear(tmp_path / "run", "training.epochs=12")
    assert (result.notes, caplog.messages, set(read_notes(tmp_path / "run"))) == ((), [], {""})


def test_silent_neurons_that_are_being_woken_have_more_time():
    task, _ = prepare(*SILENT, "training.silent_neurons={weight_bump: {amount: 1e-6}}")
    state = run_epoch(task, start(task))
    assert not any("has not spiked" in note for note in state.reports[0].notes)


@pytest.mark.parametrize(
    ("loss", "spikes", "words"),
    [
        (5e4, 3, "the loss is 5e+04, at most 1 in the first batches"),
        (1.0, 3000, "population output spikes 1e+03 times per neuron and sample, 1 in the first batch"),
    ],
)
def test_a_leap_of_loss_or_spikes_is_a_sign(loss, spikes, words):
    task, _ = prepare()
    state = start(task)
    watch, tally = Watch(task, state.values), Tally(task.program)
    watch.begin()
    for size, count in ((1.0, 3), (loss, spikes)):
        tally.samples, tally.batches = tally.samples + 1, tally.batches + 1
        tally.loss += size
        tally.spikes["output"] += count
        watch.observe(tally, state.values, state.values + 1e-3, epoch=2)
    assert [note for note in watch.notes if words in note]
