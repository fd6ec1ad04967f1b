"""Spikes that are counted without kernels, next to those of the event-driven solver."""

import numpy as np
import pytest

import netdesc
from netdesc.events import Events
from netdesc.forecast.sketch import MOST_STEPS, assume_spikes, choose_step, sketch_spikes
from netdesc.program import Program

DRIVEN = """
netdesc: 1
simulation: {duration: 400 ms, seed: 3}
populations:
  noise: {size: 50, source: {poisson: {rate: 40 Hz}}}
  cells: {size: 60, neuron: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms, tau_refrac: 2 ms}}}
  out:   {size: 4, neuron: {LI: {tau_mem: 20 ms, tau_syn: 5 ms}}}
projections:
  in:   {pre: noise, post: cells, weight: {init: {normal: {mu: 0.3, sigma: 0.2}}, train: true}, delay: DELAY}
  loop: {pre: cells, post: cells, connector: {fixed_probability: {p: 0.2}},
         weight: {init: {normal: {mu: -0.1, sigma: 0.1}}, train: true},
         delay: {init: {uniform: {low: 1 ms, high: 9 ms}}}}
  read: {pre: cells, post: out, weight: 0.1}
"""


def compiled(text: str) -> netdesc.CompiledProgram:
    from netdesc.compiled import Model
    from netdesc.description import describe_text

    return netdesc.compile(Model(describe_text(text)), "numba")


@pytest.mark.parametrize("delay", ["0 ms", "3 ms", "{init: {uniform: {low: 1 ms, high: 20 ms}}}"])
def test_the_sketch_counts_spikes_as_the_solver_does(delay: str) -> None:
    model = compiled(DRIVEN.replace("DELAY", delay))
    stimulus = model.stimulate()
    found, exact = sketch_spikes(model.program, stimulus), model.forward(stimulus)
    assert found is not None
    assert found["noise"] == len(exact.spikes["noise"])
    assert found["out"] == 0.0
    assert len(exact.spikes["cells"]) > 100
    assert 0.7 < found["cells"] / len(exact.spikes["cells"]) < 1.4


def test_a_neuron_fires_once_in_a_refractory_period() -> None:
    text = (
        DRIVEN.replace("DELAY", "1 ms")
        .replace("mu: 0.3", "mu: 30")
        .replace("tau_refrac: 2", "tau_refrac: 50")
    )
    model = compiled(text)
    found = sketch_spikes(model.program, model.stimulate())
    assert found is not None
    assert 6.0 * 60 <= found["cells"] <= 8.0 * 60


def test_long_runs_take_longer_steps() -> None:
    program = compiled(DRIVEN.replace("DELAY", "1 ms").replace("400 ms", "60 s")).program
    assert choose_step(program) == pytest.approx(60000.0 / MOST_STEPS)


def test_what_is_left_of_a_large_sample_is_extrapolated(monkeypatch: pytest.MonkeyPatch) -> None:
    model = compiled(DRIVEN.replace("DELAY", "1 ms"))
    stimulus = model.stimulate()
    whole = sketch_spikes(model.program, stimulus)
    monkeypatch.setattr("netdesc.forecast.sketch.MOST_DELIVERIES", 0.5 * len(stimulus) * 60)
    part = sketch_spikes(model.program, stimulus)
    assert whole is not None
    assert part is not None
    assert part["cells"] != whole["cells"]
    assert part["cells"] == pytest.approx(whole["cells"], rel=0.3)


def test_cells_from_equations_are_not_sketched_but_assumed() -> None:
    text = """
netdesc: 1
simulation: {duration: 400 ms, seed: 3}
populations:
  noise: {size: 50, source: {poisson: {rate: 40 Hz}}}
  cells: {size: 60, neuron: {IF_curr_alpha: {}}}
projections:
  in: {pre: noise, post: cells, weight: 1 nA, receptor: excitatory, delay: 1 ms}
"""
    model = compiled(text)
    assert sketch_spikes(model.program, model.stimulate()) is None
    assumed = assume_spikes(model.program, model.stimulate(), 0.01)
    assert assumed == {"noise": len(model.stimulate()), "cells": 60 * 4.0}
    short = compiled(text.replace("400 ms", "20 ms"))
    assert assume_spikes(short.program, short.stimulate(), 0.01)["cells"] == 60.0


def test_samples_are_averaged() -> None:
    model = compiled(DRIVEN.replace("DELAY", "1 ms").replace("400 ms", "100 ms"))
    one = model.stimulate()
    none = Events.from_arrays(one.times, one.sources, np.zeros(len(one), dtype=np.int64), 2)
    program: Program = model.program
    both, single = sketch_spikes(program, none), sketch_spikes(program, one)
    assert both is not None
    assert single is not None
    assert both["cells"] == 0.5 * single["cells"]
    assert both["noise"] == 0.5 * single["noise"]
