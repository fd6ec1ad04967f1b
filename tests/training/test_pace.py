"""The forecast of a training from its first batches, with a clock that stands still between them."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest

import netdesc
from netdesc.cli.entry import main
from netdesc.compiled import Model
from netdesc.description import describe_text
from netdesc.forecast import Outline
from netdesc.training.pace import ENOUGH, Pace
from netdesc.training.session import prepare_task

TEXT = """
netdesc: 1
name: paced
simulation: {duration: 20 ms, seed: 42}
data:
  dataset: {yin_yang: {train: 64, validation: 8, test: 0}}
  encoder: {latency: {t_early: 0 ms, t_late: 15 ms, bias: 0 ms}}
populations:
  input:  {size: 5, source: dataset}
  hidden: {size: 8, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
  output: {size: 3, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  a: {pre: input, post: hidden, weight: {init: {normal: {mu: 1.5, sigma: 0.8}}, train: true}}
  b: {pre: hidden, post: output, weight: {init: {normal: {mu: 0.9, sigma: 0.1}}, train: true}}
losses: {c: {time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003}}}
training: {optimizer: adam, epochs: 2, batch_size: 8}
"""


class Clock:
    """Seconds that pass when it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def outline(monkeypatch: pytest.MonkeyPatch) -> Outline:
    monkeypatch.setattr("netdesc.forecast.host.slowness", lambda: 1.0)
    model = Model(describe_text(TEXT))
    task = prepare_task(model, "numba")
    assert task.backend is not None
    return Outline.of(task.program, model.description, task.backend, dataset=task.dataset)


def take(pace: Pace, clock: Clock, seconds: float) -> None:
    pace.begin()
    clock.now += seconds
    pace.observe(8)
    clock.now += 1000.0  # what passes between batches does not count


def test_the_first_batch_which_compiles_does_not_count(
    outline: Outline, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    pace = Pace(outline, clock, lambda: 1e9)
    pace.announce()
    expected = outline.forecast().seconds * 2.0 / outline.step_seconds(2, 16)
    with caplog.at_level(logging.INFO, "netdesc.forecast"):
        take(pace, clock, 500.0)
        take(pace, clock, ENOUGH)
        assert not caplog.messages
        take(pace, clock, ENOUGH)
        take(pace, clock, 77.0)
    assert pace.forecast is not None
    assert pace.forecast.basis == "measured"
    assert pace.forecast.seconds == pytest.approx(expected)
    assert pace.forecast.memory == pytest.approx(1e9)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("an epoch takes about ")
    assert caplog.messages[0].endswith("; memory 954 MiB")


def test_what_takes_hours_is_said_once_it_is_known_with_what_would_help(
    outline: Outline, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    pace = Pace(outline, clock, lambda: 1e9)
    with caplog.at_level(logging.INFO, "netdesc.forecast"):
        for _ in range(3):
            take(pace, clock, 3600.0)
    assert "h, 2 epochs" in caplog.messages[0]
    assert "more than an hour; what would help: " in caplog.messages[0]
    assert "times as fast)" in caplog.messages[0]


def test_a_long_epoch_is_announced_before_its_first_batch(
    outline: Outline, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.INFO, "netdesc.forecast"):
        Pace(outline).announce()
        assert not caplog.messages
        monkeypatch.setattr("netdesc.forecast.host.slowness", lambda: 1e6)
        Pace(outline).announce()
    assert caplog.messages[0].startswith("forecast: an epoch takes about ")


def test_a_short_training_says_nothing_but_has_its_forecast(
    outline: Outline, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    pace = Pace(outline, clock, lambda: 1e9)
    pace.announce()
    with caplog.at_level(logging.INFO, "netdesc.forecast"):
        for _ in range(3):
            take(pace, clock, 1e-4)
        pace.conclude()
    assert not caplog.messages
    assert pace.forecast is not None
    assert pace.forecast.basis == "measured"


def test_the_result_of_a_training_has_the_forecast(tmp_path: Path) -> None:
    result = netdesc.train(Model(describe_text(TEXT)), output=tmp_path / "run")
    assert result.forecast is not None
    assert result.forecast.epochs == 2
    assert result.forecast.basis == "measured"
    assert result.forecast.seconds > 0.0


def test_commands_print_json_alone_with_the_forecast_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.yaml").write_text(TEXT)
    model = str(tmp_path / "model.yaml")
    assert main(["check", model, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["forecast"]["basis"] == "sketch"
    assert data["forecast"]["epochs"] == 2
    assert main(["check", model, "--json", "--backend", "brainscales2"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["forecast"] is None
    assert data["backends"]["brainscales2"]["forecast"]["seconds"] > 0.0
    assert main(["train", model, "-o", str(tmp_path / "run"), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["forecast"]["basis"] == "measured"
    assert data["forecast"]["memory_bytes"] > 1e7


def test_samples_from_python_are_counted_in_place_of_those_of_the_file(outline: Outline) -> None:
    model = Model(describe_text(TEXT))
    values = np.linspace(0.1, 0.9, 4 * 40).reshape(40, 4)
    data = netdesc.Samples(values, np.arange(40) % 3)
    task = prepare_task(model, "numba", data)
    assert task.backend is not None
    found = Outline.of(task.program, model.description, task.backend, dataset=task.dataset)
    assert found.case.train == len(task.feeds["train"]) <= 40
    assert outline.case.train == 64


def test_check_says_it_in_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "model.yaml").write_text(TEXT)
    assert main(["check", str(tmp_path / "model.yaml")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("forecast: an epoch takes ")
    assert " 2 epochs " in lines[1]
    assert lines[1].endswith(" MiB")


def test_an_interruption_is_passed_on_and_leaves_what_is_known(
    outline: Outline, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.yaml").write_text(TEXT)
    seen: list[int] = []

    def interrupted(self: Pace, samples: int) -> None:
        seen.append(samples)
        if len(seen) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Pace, "observe", interrupted)
    assert main(["train", str(tmp_path / "model.yaml"), "-o", str(tmp_path / "run")]) == 130
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    assert not (tmp_path / "run").exists()
