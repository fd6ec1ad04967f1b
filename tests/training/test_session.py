import pytest
from linear_machine import TEXT

from netdesc.api import Model
from netdesc.description import describe_text
from netdesc.errors import BackendError, DescriptionError, LimitError
from netdesc.training import RunDirectoryError, evaluate, train

SMALL = TEXT.replace("batch_size: 7", "batch_size: 20")

INLINE = """
netdesc: 1
name: targets
simulation: {duration: 40 ms, seed: 1}
populations:
  input: {size: 3, source: {spike_times: {times: [[1 ms], [3 ms, 9 ms], [6 ms]]}}}
  output: {size: 2, neuron: LIF}
projections:
  only:
    pre: input
    post: output
    connector: all_to_all
    weight: {init: {uniform: {low: 2.0, high: 3.0}}, train: true}
losses:
  timing: {spike_time_mse: {population: output, target: [6 ms, 10 ms]}}
training: {optimizer: {adam: {learning_rate: 0.05}}, epochs: 60, batch_size: 1}
"""


def load(text, *overrides):
    return Model(describe_text(text, overrides=list(overrides)))


def test_a_model_trains_from_end_to_end_and_evaluates_to_the_same_numbers(tmp_path):
    model = load(SMALL, "training.epochs=2")
    result = train(model, output=tmp_path / "run")
    assert result.curve.read_bytes().startswith(b"\x89PNG")
    assert evaluate(model, tmp_path / "run") == result.test
    assert evaluate(model, result.weights) == result.test


def test_a_model_without_data_learns_its_target_times(tmp_path):
    result = train(load(INLINE), output=tmp_path / "run")
    assert result.reports[0].loss > 1.0
    assert result.reports[-1].loss < 0.1 * result.reports[0].loss
    assert result.reports[-1].accuracy is None
    assert result.test is None


def test_a_continued_run_on_the_numba_backend_is_the_same_bit_for_bit(tmp_path):
    whole = train(load(SMALL, "training.epochs=3"), output=tmp_path / "whole")
    train(load(SMALL, "training.epochs=1"), output=tmp_path / "parts")
    parts = train(load(SMALL, "training.epochs=3"), output=tmp_path / "parts", resume=True)
    assert whole.weights.read_bytes() == parts.weights.read_bytes()
    assert [report.loss for report in whole.reports] == [report.loss for report in parts.reports]


def test_a_taken_directory_is_left_alone(tmp_path):
    train(load(SMALL, "training.epochs=1"), output=tmp_path)
    with pytest.raises(RunDirectoryError) as caught:
        train(load(SMALL, "training.epochs=1"), output=tmp_path)
    assert str(caught.value).startswith(f"{tmp_path} already holds a run")


def test_a_class_without_a_neuron_is_told_with_its_place(tmp_path):
    text = SMALL.replace("output: {size: 3", "output: {size: 2")
    with pytest.raises(DescriptionError, match=r"<text>:\d+:\d+ losses\.class: labels run from 0 to 2"):
        train(load(text), output=tmp_path / "run")


@pytest.mark.parametrize(
    ("overrides", "path"),
    [
        (["training.gradient=surrogate"], "training.gradient"),
        (["training.on_device=true"], "training.on_device"),
        (["training.forward_backend=spinnaker2"], "training.forward_backend"),
    ],
)
def test_what_training_cannot_do_yet_is_told_and_nothing_is_written(tmp_path, overrides, path):
    with pytest.raises((BackendError, LimitError)) as caught:
        train(load(SMALL, *overrides), output=tmp_path / "run")
    assert [item.path for item in caught.value.diagnostics] == [path]
    assert not (tmp_path / "run").exists()


def test_a_model_without_losses_is_refused(tmp_path):
    text = SMALL[: SMALL.index("losses:")] + SMALL[SMALL.index("training:") :]
    with pytest.raises(DescriptionError, match="there is no loss; add one under losses"):
        train(load(text), output=tmp_path / "run")


def test_a_model_without_a_section_training_is_refused(tmp_path):
    with pytest.raises(DescriptionError, match="there is no section training; add one"):
        train(load(SMALL[: SMALL.index("training:")]), output=tmp_path / "run")
