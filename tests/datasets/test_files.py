import numpy as np
import pytest

import netdesc
from netdesc.datasets.catalogue import load
from netdesc.errors import NetdescError
from tests.datasets.test_mnist import write_set
from tests.datasets.test_shd import write_file

IMAGES = """
netdesc: 1
simulation: {duration: 30 ms, seed: 3}
data:
  dataset: {mnist: {path: images, train: 6, validation: 2, test: 3, size: [2, 2]}}
  encoder: {latency: {t_early: 0 ms, t_late: 20 ms, first: large, bias: null}}
populations:
  input: {size: [2, 2], source: dataset}
  output: {size: 8, neuron: {LIF: {tau_mem: 20 ms}}}
projections:
  weights: {pre: input, post: output, weight: {init: 2.0, train: true}}
losses:
  classification: {time_to_first_spike: {population: output}}
training: {epochs: 1, batch_size: 4}
"""

DIGITS = """
netdesc: 1
simulation: {duration: 400 ms, seed: 3}
data:
  dataset: {shd: {train: train.h5, test: train.h5, speaker: 0, late_spikes: drop}}
  augmentation: [{channel_shift: {max: 3}}]
populations:
  input: {size: 700, source: dataset}
  output: {size: 4, neuron: {LIF: {tau_mem: 20 ms}}}
projections:
  weights: {pre: input, post: output, weight: {init: 0.2, train: true}}
losses:
  classification: {time_to_first_spike: {population: output}}
training: {epochs: 2, batch_size: 2}
"""


@pytest.fixture
def images(tmp_path):
    (tmp_path / "images").mkdir()
    write_set(tmp_path / "images")
    (tmp_path / "model.yaml").write_text(IMAGES)
    return tmp_path / "model.yaml"


@pytest.fixture
def digits(tmp_path):
    write_file(tmp_path / "train.h5")
    (tmp_path / "model.yaml").write_text(DIGITS)
    return tmp_path / "model.yaml"


def load_of(file):
    model = netdesc.load(file)
    program = netdesc.compile(model, backend="numba").program
    return load(model.description.data, program, seed=program.seed)


def test_paths_begin_at_the_folder_of_the_file(images, monkeypatch, tmp_path_factory):
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    dataset = load_of(images)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (6, 2, 3)


def test_the_digest_does_not_depend_on_where_a_file_lies(images, tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "model.yaml").write_text(IMAGES)
    assert netdesc.load(images).digest == netdesc.load(tmp_path / "copy" / "model.yaml").digest


def test_a_missing_folder_is_told_with_the_line_of_the_file(images, tmp_path):
    (tmp_path / "images").rename(tmp_path / "moved")
    where = r"model\.yaml:5:\d+ data.dataset.mnist.path: .*images is not a folder"
    with pytest.raises(NetdescError, match=where):
        netdesc.train(netdesc.load(images), output=tmp_path / "run")


def test_a_model_learns_from_image_files(images, tmp_path):
    result = netdesc.train(netdesc.load(images), output=tmp_path / "run")
    assert result.reports[0].samples == 6
    assert np.isfinite(result.reports[0].loss)


def test_dropped_spikes_and_the_speaker_held_out_are_noted_by_a_training(digits, tmp_path):
    result = netdesc.train(netdesc.load(digits), output=tmp_path / "run")
    assert any("1 of 6 train spikes" in note for note in result.notes)
    assert any("speaker 0 is held out" in note for note in result.notes)


def test_only_training_sees_changed_samples_and_every_epoch_others(digits):
    dataset = load_of(digits)
    every = np.arange(len(dataset.train))
    epochs = [dataset.train.batch(every, epoch=epoch).lists(700) for epoch in range(3)]
    assert epochs[0] != epochs[1] or epochs[1] != epochs[2]
    assert dataset.test.batch(np.arange(4), epoch=0).lists(700) == dataset.test.batch(np.arange(4)).lists(700)
