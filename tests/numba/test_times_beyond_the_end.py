"""A time beyond the end of a run means never (a delay) or once (a refractory period)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netdesc.api import Model, compile, evaluate_losses
from netdesc.description import describe_text
from netdesc.steps import LATEST, count_steps, round_to_steps, whole_steps

SOLVERS = ["event"] + [
    f"{{grid: {{timestep: 0.5 ms{more}}}}}"
    for more in ("", ", precision: float32", ", scheme: published", ", scheme: off_grid")
]
LATE = ["1000 ms", "1e18 ms", "1e20 ms", "1e299 ms"]

DELAYED = """
populations:
  a: {{size: 1, source: {{spike_times: {{times: [[1 ms, 30 ms]]}}}}}}
  b: {{size: 3, neuron: LIF}}
projections: {{p: {{pre: a, post: b, weight: {{init: 8, train: true}}, delay: [[{delay}, 2 ms, 3 ms]]}}}}
losses: {{goal: {{spike_time_mse: {{population: b, target: [5 ms, 9 ms, 9 ms]}}}}}}
"""
HELD = "populations: {{b: {{size: 1, neuron: {{LIF: {{tau_refrac: {hold}}}}}, current: 3}}}}"


def build(text, solver, duration=40):
    head = f"netdesc: 1\nsimulation: {{duration: {duration} ms}}\n"
    tail = f"\nbackends: {{numba: {{solver: {solver}}}}}"
    return compile(Model(describe_text(head + text + tail, "model.yaml")))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("delay", LATE)
def test_a_delay_beyond_the_end_delivers_nothing_and_is_counted(solver, delay):
    compiled = build(DELAYED.format(delay=delay), solver)
    trace = compiled.forward()
    assert set(trace.spikes["b"].sources) == {1, 2}
    assert (trace.health["arrivals"], trace.health["in_flight"]) == (4, 2)
    gradient = compiled.backward(trace, evaluate_losses(compiled, trace, None).cotangent)
    late, *others = gradient.parameters["p.weight"]
    assert late == 0.0
    assert all(others)


@pytest.mark.parametrize("solver", [item for item in SOLVERS if "published" not in item])
@pytest.mark.parametrize("hold", LATE)
def test_a_refractory_period_beyond_the_end_means_one_spike(solver, hold):
    assert len(build(HELD.format(hold=hold), solver).forward().spikes["b"]) == 1


@pytest.mark.parametrize("solver", SOLVERS[:2])
def test_a_trained_delay_may_grow_beyond_the_end(solver):
    fixed = "delay: [[1 ms, 2 ms, 3 ms]]"
    text = DELAYED.format(delay="1 ms").replace(fixed, "delay: {init: 1 ms, train: true}")
    compiled = build(text, solver)
    compiled.write({"p.delay": np.array([1.0, 1e20, 1e308])})
    assert set(compiled.forward().spikes["b"].sources) == {0}


@given(st.floats(0.0, 1.7e308), st.floats(1e-6, 1e3))
@settings(max_examples=200)
def test_any_time_has_a_number_of_steps(time, step):
    times = np.array([time])
    assert np.isfinite(count_steps(times, step)).all()
    assert 0 <= whole_steps(times, step)[0] <= LATEST
    assert whole_steps(times, step, 7.0)[0] <= 7
    assert abs(round_to_steps(times, step)[0] - time) <= 0.5000001 * step
