"""Networks without sources, without spikes or without samples run like any other."""

import numpy as np
import pytest

from netdesc.api import Model, compile, evaluate_losses
from netdesc.description import describe_text
from netdesc.events import Events

TICK = "{solver: {grid: {timestep: 1 ms, %s}}}"
CHOICES = [
    "{}",
    TICK % "transport: false",
    TICK % "transport: true",
    TICK % "scheme: published",
    TICK % "scheme: off_grid",
    TICK % "precision: float32",
]

DRIVEN = """
populations: {b: {size: 1, neuron: LIF, current: 2}}
losses: {goal: {time_to_first_spike: {population: b, target: 0}}}
"""
READ = """
populations: {o: {size: 1, neuron: LI, current: 1}}
losses: {goal: {max_voltage: {population: o, target: 0}}}
"""
SILENT = "populations: {o: {size: 1, neuron: LI, current: 1}}"


def build(text, options):
    head = "netdesc: 1\nsimulation: {duration: 50 ms}\n"
    return compile(Model(describe_text(f"{head}{text}\nbackends: {{numba: {options}}}\n", "model.yaml")))


def silence(batch):
    return Events(np.empty(0), np.empty(0, dtype=np.int64), np.zeros(batch + 1, dtype=np.int64))


@pytest.mark.parametrize("options", CHOICES)
def test_a_network_without_a_source_spikes_by_its_current(options):
    compiled = build(DRIVEN, options)
    trace = compiled.forward(silence(2))
    period = 20.0 * np.log(2.0)  # from 0 to the threshold 1 with rest 2 and tau_mem 20 ms
    on_grid = "grid" in options and "off_grid" not in options
    wanted = np.ceil(period) * np.arange(1, 4) if on_grid else period * np.arange(1, 4)
    np.testing.assert_allclose(trace.spikes["b"].times, np.tile(wanted, 2), rtol=1e-5)
    gradient = compiled.backward(trace, evaluate_losses(compiled, trace, None).cotangent)
    assert gradient.parameters == {}


@pytest.mark.parametrize("options", CHOICES)
def test_a_network_of_read_outs_alone_is_read(options):
    compiled = build(READ, options)
    trace = compiled.forward(silence(3))
    assert trace.batch == 3
    wanted = 1.0 - np.exp(-50.0 / 20.0)
    np.testing.assert_allclose(trace.readings["o.maximum"].values, wanted, rtol=1e-5)
    compiled.backward(trace, evaluate_losses(compiled, trace, None).cotangent)


def test_a_trace_with_nothing_in_it_knows_its_number_of_samples():
    assert build(SILENT, "{}").forward(silence(4)).batch == 4


@pytest.mark.parametrize("options", CHOICES)
@pytest.mark.parametrize("text", [DRIVEN, READ, SILENT])
def test_an_empty_batch_is_a_batch(text, options):
    compiled = build(text, options)
    trace = compiled.forward(silence(0))
    assert trace.batch == 0
    if "losses" in text:
        evaluation = evaluate_losses(compiled, trace, None)
        assert evaluation.loss == 0.0
        compiled.backward(trace, evaluation.cotangent)
