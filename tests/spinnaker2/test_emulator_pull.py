"""Silent labels, pulled by their last voltage, on the emulated chip."""

from __future__ import annotations

import numpy as np
import pytest

import netdesc
from netdesc.backend import LearningRule, Objective
from netdesc.events import Events

MODEL = """
netdesc: 1
name: silent
simulation: {{duration: 20 ms, seed: {seed}}}
populations:
  input:  {{size: 4, source: dataset}}
  hidden: {{size: 9, neuron: {{LIF: {{tau_mem: 20 ms, tau_syn: 5 ms}}}}}}
  output: {{size: 3, neuron: {{LIF: {{tau_mem: 15 ms, tau_syn: 5 ms}}}}}}
projections:
  one: {{pre: input, post: hidden, connector: all_to_all, delay: 1 ms,
        weight: {{init: {{normal: {{mu: 1.6, sigma: 0.6}}}}, train: true}}}}
  two: {{pre: hidden, post: output, connector: all_to_all, delay: 1 ms,
        weight: {{init: {{normal: {{mu: 0.35, sigma: 0.3}}}}, train: true}}}}
data: {{dataset: {{yin_yang: {{train: 6, validation: 0, test: 0}}}},
       encoder: {{latency: {{t_early: 1 ms, t_late: 12 ms, bias: null}}}}}}
losses:
  first: {{time_to_first_spike: {{population: output, tau_0: 1 ms, alpha: 0.01, tau_1: 20 ms, pull: 2.5}}}}
training: {{batch_size: 6}}
backends:
  numba: {{threads: 1, solver: {{grid: {{timestep: 1 ms, scheme: {scheme}}}}}}}
  spinnaker2: {{scheme: {scheme}, batch: 4, slices: {{hidden: 4, output: 2}}}}
"""
SCHEMES = ("published", "exact_exponential", "off_grid")


@pytest.fixture(params=SCHEMES)
def model(request, tmp_path):
    file = tmp_path / "model.yaml"
    file.write_text(MODEL.format(seed=3, scheme=request.param), encoding="utf-8")
    return netdesc.load(file)


def test_loss_and_gradient_are_those_of_the_grid(model):
    grid, chip = (netdesc.grad(model, backend=name) for name in ("numba", "spinnaker2"))
    first = grid.trace.spikes["output"].first_spikes(3)
    assert np.isinf(first).any()
    assert np.array_equal(
        np.isnan(chip.trace.readings["output.final"].values),
        np.isnan(grid.trace.readings["output.final"].values),
    )
    assert chip.loss == pytest.approx(grid.loss, rel=1e-6)
    for key, values in grid.gradient.parameters.items():
        close = pytest.approx(values, rel=1e-4, abs=1e-5 * np.abs(values).max())
        assert chip.gradient.parameters[key] == close


def test_what_the_chip_learns_by_itself_is_what_the_host_would(model):
    compiled = netdesc.compile(model, "spinnaker2")
    batch = netdesc.api.first_batch(compiled)
    found = netdesc.grad(model, backend="spinnaker2")
    before = compiled.program.trainable()
    objective = Objective(
        "time_to_first_spike", "output", 1.0, {"tau_0": 1.0, "alpha": 0.01, "tau_1": 20.0, "pull": 2.5}
    )
    compiled.machine.prepare(LearningRule((objective,), "sgd", {"learning_rate": 0.01, "momentum": 0.0}))
    report = compiled.machine.learn(batch.events, batch.labels, seed=1)
    assert report.silent_targets > 0
    assert report.loss == pytest.approx(found.loss, rel=1e-6)
    after = compiled.machine.state().parameters
    for key, values in found.gradient.parameters.items():
        expected = before[key] - 0.01 * values
        assert after[key] == pytest.approx(expected, rel=1e-5, abs=2e-6)


def test_a_pull_travels_as_one_loss_packet(model):
    compiled = netdesc.compile(model, "spinnaker2")
    silence = Events.from_lists([[[], [], [], []]])
    objective = Objective("time_to_first_spike", "output", 1.0, {"pull": 1.0})
    compiled.machine.prepare(LearningRule((objective,), "sgd", {"learning_rate": 0.01, "momentum": 0.0}))
    report = compiled.machine.learn(silence, np.array([1]), seed=1)
    assert report.silent_targets == 1
    assert report.costs["packets_loss"] == 1
    assert report.costs["packets_dropped"] == 0
