"""The term that raises the last voltage of a silent label."""

from __future__ import annotations

import numpy as np
import pytest

import netdesc
from netdesc.api import evaluate_losses, first_batch
from netdesc.testing.gradcheck import gradcheck

MODEL = """
netdesc: 1
name: silent
simulation: {{duration: 30 ms, seed: {seed}}}
populations:
  input:  {{size: 4, source: {{spike_times: {{times: [[1 ms], [3 ms, 9 ms], [6 ms], [14 ms]]}}}}}}
  hidden: {{size: 6, neuron: {{LIF: {{tau_mem: 20 ms, tau_syn: {tau_syn} ms}}}}}}
  output: {{size: 3, neuron: {{LIF: {{tau_mem: 15 ms, tau_syn: 5 ms, v_leak: 0.1}}}}}}
projections:
  one: {{pre: input, post: hidden, connector: all_to_all, delay: 1 ms,
        weight: {{init: {{normal: {{mu: 1.4, sigma: 0.6}}}}, train: true}}}}
  two: {{pre: hidden, post: output, connector: all_to_all, delay: {delay} ms,
        weight: {{init: {{normal: {{mu: 0.05, sigma: 0.05}}}}, train: true}}}}
{loop}
losses:
  first: {{time_to_first_spike: {{population: output, target: 1, alpha: 0.01, tau_1: 20 ms, pull: 2.5}}}}
backends:
  numba: {{solver: {solver}}}
"""
LOOP = (
    "  back: {pre: output, post: output, connector: all_to_all, delay: 2 ms, "
    "weight: {init: 0.1, train: true}}"
)


def write(seed=1, tau_syn=5, delay=1, loop="", solver="event"):
    return MODEL.format(seed=seed, tau_syn=tau_syn, delay=delay, loop=loop, solver=solver)


@pytest.fixture
def load(tmp_path):
    def read(text):
        file = tmp_path / "model.yaml"
        file.write_text(text, encoding="utf-8")
        return netdesc.load(file)

    return read


@pytest.mark.parametrize("changes", [{}, {"seed": 2, "tau_syn": 20}, {"seed": 3, "delay": 0}, {"loop": LOOP}])
def test_the_gradient_of_a_silent_label_is_that_of_central_differences(load, changes):
    compiled = netdesc.compile(load(write(**changes)))
    labels = first_batch(compiled).labels
    report = gradcheck(
        compiled.machine, compiled.stimulate(), lambda trace: evaluate_losses(compiled, trace, labels)
    )
    assert report.checked > 20
    assert report.deviation < 1e-6


def test_the_value_is_the_distance_from_the_threshold(load):
    compiled = netdesc.compile(load(write()))
    trace = compiled.forward()
    assert 1 not in trace.spikes["output"].sources
    voltage = trace.readings["output.final"].values[0, 1]
    found = evaluate_losses(compiled, trace, first_batch(compiled).labels)
    constant = np.log(3.0) + 0.01 * (np.exp(30.0 / 20.0) - 1.0)
    assert found.loss == pytest.approx(constant + 2.5 * (1.0 - voltage) / 0.9, rel=1e-12)
    assert found.silent_labels == 1


def test_the_last_voltage_is_the_sum_of_the_potentials(load):
    compiled = netdesc.compile(load(write()))
    trace = compiled.forward()
    s = 30.0 - 1.0 - trace.spikes["hidden"].times
    kernel = np.where(s > 0.0, 5.0 / 10.0 * (np.exp(-s / 15.0) - np.exp(-s / 5.0)), 0.0)
    weights = compiled.program.blocks[1].matrix(compiled.program.blocks[1].weights)
    expected = 0.1 + kernel @ weights[trace.spikes["hidden"].sources]
    found = trace.readings["output.final"].values[0]
    silent = np.setdiff1d(np.arange(3), trace.spikes["output"].sources)
    assert found[silent] == pytest.approx(expected[silent], rel=1e-12)


def test_a_label_that_spikes_is_not_pulled(load):
    text = write().replace("mu: 0.05, sigma: 0.05", "mu: 2.5, sigma: 0.05")
    one = netdesc.grad(load(text))
    other = netdesc.grad(load(text.replace("pull: 2.5", "pull: 0")))
    assert 1 in one.trace.spikes["output"].sources
    assert one.loss == other.loss
    for key, values in one.gradient.parameters.items():
        assert np.array_equal(values, other.gradient.parameters[key])


def test_on_a_fine_grid_the_gradient_is_that_of_continuous_time(load):
    exact = netdesc.grad(load(write()))
    grid = netdesc.grad(load(write(solver="{grid: {timestep: 0.002 ms}}")))
    assert grid.loss == pytest.approx(exact.loss, rel=1e-3)
    for key, values in exact.gradient.parameters.items():
        near = pytest.approx(values, rel=0.02, abs=1e-3 * np.abs(values).max())
        assert grid.gradient.parameters[key] == near


@pytest.mark.parametrize(
    ("scheme", "timestep", "near"),
    [("off_grid", 1.0, 1e-4), ("exact_exponential", 0.01, 0.02), ("published", 0.002, 0.02)],
)
def test_schemes_with_packets_pull_as_continuous_time_does(load, scheme, timestep, near):
    exact = netdesc.grad(load(write(delay=1)))
    solver = f"{{grid: {{timestep: {timestep} ms, scheme: {scheme}, transport: true}}}}"
    found = netdesc.grad(load(write(solver=solver)))
    assert found.loss == pytest.approx(exact.loss, rel=near)
    for key, values in exact.gradient.parameters.items():
        close = pytest.approx(values, rel=near, abs=near * np.abs(values).max())
        assert found.gradient.parameters[key] == close


def test_a_grid_pulls_within_a_cycle_as_continuous_time_does(load):
    exact = netdesc.grad(load(write(loop=LOOP, delay=1)))
    solver = "{grid: {timestep: 0.01 ms, scheme: exact_exponential, transport: true}}"
    found = netdesc.grad(load(write(loop=LOOP, delay=1, solver=solver)))
    assert found.loss == pytest.approx(exact.loss, rel=0.02)
    for key, values in exact.gradient.parameters.items():
        close = pytest.approx(values, rel=0.05, abs=0.02 * np.abs(values).max())
        assert found.gradient.parameters[key] == close
