"""Cells that a file gives by their equations."""

import copy

import numba
import numpy as np
import pytest
import yaml
from numba import types

import netdesc
from netdesc.adjoint.cells import record_of
from netdesc.dynamics.generate import record_of_cell
from netdesc.dynamics.kernel_digest import digest_records
from netdesc.errors import DescriptionError
from netdesc.models import catalogue
from netdesc.trace import Cotangent

LIF = """
state: {v: {initial: v_leak}}
parameters: {tau_mem: 20 ms, v_leak: 0.1, v_threshold: 1, v_reset: -0.2, tau_refrac: 2 ms}
dynamics: {v: "(v_leak - v + i_syn)/tau_mem"}
receptors:
  signed: {state: {i: {}}, parameters: {tau_syn: 5 ms}, dynamics: {i: "-i/tau_syn"}, current: i}
threshold: "v - v_threshold"
reset: {v: v_reset}
refractory: {time: tau_refrac, hold: [v]}
"""

NETWORK = """
netdesc: 1
simulation: {duration: 50 ms, seed: 3}
populations:
  input: {size: 3, source: {spike_times: {times: [[1 ms, 9 ms], [2 ms, 22 ms], [5 ms, 30 ms]]}}}
  cells: {size: 4, neuron: cell}
projections:
  in:
    pre: input
    post: cells
    connector: all_to_all
    weight: {init: {uniform: {low: 1, high: 4}}, train: true}
    delay: {init: {uniform: {low: 0.5 ms, high: 3 ms}}, train: true}
  inner:
    pre: cells
    post: cells
    connector: all_to_all
    weight: {init: {uniform: {low: -0.5, high: 1}}, train: true}
    delay: {init: {uniform: {low: 0.5 ms, high: 3 ms}}, train: true}
record: {cells: [v: {every: 1 ms}]}
"""


def compile_network(cell):
    description = {**yaml.safe_load(NETWORK), "neurons": {"cell": cell}}
    return netdesc.compile(netdesc.load(description), "numba")


def from_equations():
    return compile_network({"equations": yaml.safe_load(LIF)})


def test_lif_from_equations_is_the_built_in_cell():
    ours = from_equations()
    parameters = {"tau_mem": "20 ms", "tau_syn": "5 ms", "tau_refrac": "2 ms"}
    built_in = compile_network({"LIF": {**parameters, "v_leak": 0.1, "v_threshold": 1, "v_reset": -0.2}})
    stimulus = ours.stimulate(None)
    trace, wanted = (item.machine.forward(stimulus, seed=0) for item in (ours, built_in))
    spikes = wanted.spikes["cells"]
    assert len(spikes) >= 8
    np.testing.assert_array_equal(trace.spikes["cells"].sources, spikes.sources)
    np.testing.assert_allclose(trace.spikes["cells"].times, spikes.times, rtol=0.0, atol=1e-9)
    voltages = wanted.recordings["cells.v"].values
    np.testing.assert_allclose(trace.recordings["cells.v"].values, voltages, rtol=0.0, atol=1e-9)
    cotangent = Cotangent({"cells": np.cos(spikes.times)})
    found, right = ours.machine.adjoint(trace, cotangent), built_in.machine.adjoint(wanted, cotangent)
    for key in ("in.weight", "in.delay", "inner.weight", "inner.delay"):
        scale = np.abs(right.parameters[key]).max()
        np.testing.assert_allclose(found.parameters[key], right.parameters[key], rtol=0.0, atol=1e-9 * scale)
    scale = np.abs(right.spike_times["input"]).max()
    np.testing.assert_allclose(
        found.spike_times["input"], right.spike_times["input"], rtol=0.0, atol=1e-9 * scale
    )


def test_a_resolved_file_gives_the_same_cell():
    ours = from_equations()
    again = netdesc.compile(netdesc.load(ours.model.description.resolved), "numba")
    stimulus = ours.stimulate(None)
    first, second = (item.machine.forward(stimulus, seed=0).spikes["cells"] for item in (ours, again))
    np.testing.assert_array_equal(first.times, second.times)


def test_parameters_are_drawn_per_neuron():
    cell = yaml.safe_load(LIF)
    cell["parameters"]["tau_mem"] = {"uniform": {"low": "15 ms", "high": "25 ms"}}
    values = compile_network({"equations": cell}).program.populations[1].values["tau_mem"]
    assert len(set(values)) == 4
    assert values.min() > 15.0
    assert values.max() < 25.0


@pytest.mark.parametrize(
    "name", ["x", "s", "k", "h", "lam", "kept", "count", "index", "start", "tau_ref", "math"]
)
def test_a_name_of_the_generated_code_may_be_one_of_the_cell(name):
    cell = yaml.safe_load(LIF.replace("tau_mem", name))
    trace = compile_network({"equations": cell}).program.populations[1]
    assert record_of(trace)._fields[0] == f"{name}_"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v - 1/0", "is not a real number"),
        ("v - log(0)", "is not a real number"),
        ("v - sqrt(-1)", "is not a real number"),
    ],
)
def test_a_threshold_that_is_no_number_is_refused(text, message):
    cell = {**yaml.safe_load(LIF), "threshold": text}
    with pytest.raises(DescriptionError, match=message):
        compile_network({"equations": cell}).machine.forward(from_equations().stimulate(None), seed=0)


def test_two_populations_of_one_type_may_form_a_cycle():
    description = {**yaml.safe_load(NETWORK), "neurons": {"cell": {"equations": yaml.safe_load(LIF)}}}
    description = copy.deepcopy(description)
    description["populations"]["more"] = {"size": 2, "neuron": "cell"}
    for name, pre, post in (("there", "cells", "more"), ("back", "more", "cells")):
        inner = description["projections"]["inner"]
        description["projections"][name] = {**inner, "pre": pre, "post": post, "weight": 2}
    compiled = netdesc.compile(netdesc.load(description), "numba")
    assert [stage.populations for stage in compiled.program.stages] == [(1, 2)]
    assert len(compiled.forward(compiled.stimulate(None)).spikes["more"]) > 0


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="interpreted kernels are not cached")
@pytest.mark.parametrize("name", sorted(catalogue()))
def test_kernels_of_every_cell_have_a_name_in_the_cache(name):
    record = record_of_cell(catalogue()[name])
    kind = types.NamedTuple([types.float64[:]] * len(record._fields), record)
    assert len(digest_records((kind,))) == 1
