"""Arithmetic of forecasts, with a backend and a machine of known speed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

import netdesc
from netdesc.compiled import CompiledProgram, Model
from netdesc.datasets.survey import survey_samples
from netdesc.description import describe_text
from netdesc.forecast import HostForecast, forecast_host, probe
from netdesc.forecast.host import EPOCH, Outline, declare_samples
from netdesc.forecast.remedies import GAIN, MOST
from netdesc.workload import Spell, Timed, Workload

TEXT = """
netdesc: 1
simulation: {duration: 40 ms, seed: 42}
data:
  dataset: {yin_yang: {train: 1000, validation: 100, test: 10}}
  encoder: {latency: {t_early: 0 ms, t_late: 30 ms, bias: 0 ms}}
populations:
  input:  {size: 5, source: dataset}
  hidden: {size: 40, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
  output: {size: 3, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  a: {pre: input, post: hidden, weight: {init: {normal: {mu: 1.5, sigma: 0.8}}, train: true}}
  b: {pre: hidden, post: output, weight: {init: {normal: {mu: 0.9, sigma: 0.1}}, train: true}}
losses: {c: {time_to_first_spike: {population: output, tau_0: 0.5 ms, tau_1: 6.4 ms, alpha: 0.003}}}
training: {optimizer: adam, epochs: 7, batch_size: 32}
"""


class Clockwork:
    """A backend that takes a second for a batch and a tenth for a neuron of a sample, forward."""

    name = "clockwork"
    limits = netdesc.compile(Model(describe_text(TEXT)), "numba").backend.limits

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.factor = float(options.get("factor", 1.0))

    def spell(self, work: Workload) -> Spell:
        each = 0.1 * self.factor * sum(work.size(phase) for phase in work.phases)
        return Spell(each, 2.0 * each, 1.0)

    def faster(self) -> Mapping[str, Mapping[str, Any]]:
        return {"backends.clockwork.factor=0.25": {"factor": 0.25}, "same": {}, "slower": {"factor": 2.0}}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand for a machine twice as slow as that of the constants."""
    monkeypatch.setattr("netdesc.forecast.host.slowness", lambda: 2.0)


def outline(text: str = TEXT, **options: float) -> Outline:
    model = Model(describe_text(text))
    compiled: CompiledProgram = netdesc.compile(model, "numba")
    dataset = survey_samples(model.description, compiled.graph) if "dataset:" in text else None
    samples = declare_samples(model.description)
    return Outline.of(
        compiled.program,
        model.description,
        Clockwork(options),  # type: ignore[arg-type]
        dataset=dataset,
        samples=samples,
    )


def forecast(text: str = TEXT, **options: float) -> HostForecast:
    return outline(text, **options).forecast()


def test_the_clockwork_is_a_timed_backend() -> None:
    assert isinstance(Clockwork({}), Timed)


def test_an_epoch_is_its_steps_and_its_validation() -> None:
    found = forecast(factor=0.01)
    # 43 neurons; 32 steps, and one batch of 100 samples forward; twice as slow
    assert found.seconds == pytest.approx(2.0 * (EPOCH + 32 + 1000 * 0.129 + 100 * 0.043 + 1))
    assert (found.epochs, found.backend, found.basis) == (7, "clockwork", "sketch")
    assert found.remedies == ()


def test_a_run_is_half_a_batch_and_a_sample() -> None:
    text = (
        TEXT.split("losses:")[0].split("data:")[0] + TEXT[TEXT.index("populations:") : TEXT.index("losses:")]
    )
    text = text.replace("source: dataset", "source: {poisson: {rate: 50 Hz}}").replace(", train: true", "")
    found = forecast(text)
    assert found.seconds == pytest.approx(2.0 * (0.5 + 4.3))
    assert found.epochs == 0


def test_more_than_an_hour_is_said_with_what_would_help_and_its_gain() -> None:
    long = forecast()
    assert long.seconds > 3600.0
    gains = {item.change: item.gain for item in long.remedies}
    assert len(gains) <= MOST
    assert list(gains.values()) == sorted(gains.values(), reverse=True)
    whole = 32 + 1000 * 12.9 + 100 * 4.3 + 1
    assert gains["backends.clockwork.factor=0.25"] == pytest.approx(
        whole / (32 + 1000 * 12.9 / 4 + 100 * 4.3 / 4 + 1)
    )
    assert gains["populations.hidden.size=20"] == pytest.approx(whole / (32 + 1000 * 6.9 + 100 * 2.3 + 1))
    assert gains["data.dataset.yin_yang.train=100"] == pytest.approx(whole / (4 + 100 * 12.9 + 100 * 4.3 + 1))
    assert min(gains.values()) >= GAIN
    assert "same" not in gains


def test_an_hour_itself_is_not_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = forecast().seconds
    monkeypatch.setattr("netdesc.forecast.host.HOUR", seconds)
    assert forecast().remedies == ()
    monkeypatch.setattr("netdesc.forecast.host.HOUR", seconds * (1.0 - 1e-9))
    assert forecast().remedies


def test_larger_batches_help_where_a_step_costs_more_than_its_samples() -> None:
    found = forecast(
        TEXT.replace("train: 1000,", "train: 1000000,").replace("batch_size: 32", "batch_size: 1"),
        factor=1e-6,
    )
    gains = {item.change: item.gain for item in found.remedies}
    assert gains["training.batch_size=8"] == pytest.approx(8.0, rel=0.05)


def test_a_backend_that_does_not_know_its_speed_has_no_forecast() -> None:
    model = Model(describe_text(TEXT))
    compiled = netdesc.compile(model, "numba")

    class Mute:
        name, limits = "mute", compiled.backend.limits

    assert forecast_host(compiled.program, model.description, Mute(), dataset=None) is None  # type: ignore[arg-type]


def test_memory_is_that_of_the_items_that_are_checked_beside_the_process() -> None:
    from netdesc.budget import PER_SPIKE, PER_TRAINED_VALUE, RESIDENT

    small = outline().forecast().memory
    assert small > RESIDENT
    more = forecast(TEXT.replace("train: 1000,", "train: 51000,")).memory
    assert more - small == pytest.approx(50000 * 5 * PER_SPIKE)
    wide = forecast(TEXT.replace("size: 40", "size: 40000")).memory
    assert wide - small > (40000 - 40) * 8 * PER_TRAINED_VALUE


def test_slowness_is_the_mean_of_rounds_in_units_of_the_reference() -> None:
    ticks = iter([10.0, 10.0 + 3.0 * probe.REFERENCE * probe.ROUNDS])
    done: list[None] = []
    assert probe.measure_slowness(lambda: next(ticks), lambda: done.append(None)) == pytest.approx(3.0)
    assert len(done) == probe.ROUNDS + 1


def test_slowness_has_bounds() -> None:
    assert probe.measure_slowness(lambda: 0.0, lambda: None) == 1.0 / probe.SLOWEST


def test_the_probe_does_something() -> None:
    assert 1.0 / probe.SLOWEST < probe.measure_slowness() <= probe.SLOWEST
