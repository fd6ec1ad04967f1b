"""Parameters of a program under their keys, and weights that synapses share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import yaml

import netdesc
from netdesc.adjoint.arrangement import Layout
from netdesc.adjoint.host import Adjoint
from netdesc.backend import LearningRule, Objective
from netdesc.block import Block, join_charges, split_gradients
from netdesc.errors import BackendError, NumericsError
from netdesc.events import Events
from netdesc.parameters import DELAY, WEIGHT, ParameterStore
from netdesc.program import Program
from netdesc.trace import Cotangent

NETWORK = """
netdesc: 1
name: shared
simulation: {duration: 30 ms, seed: 3}
neurons:
  lif: {LIF: {tau_mem: 20 ms, tau_syn: 5 ms}}
populations:
  input: {size: 4, source: dataset}
  cells: {size: 3, neuron: lif}
projections:
  drive: {pre: input, post: cells, connector: all_to_all, delay: 1 ms,
          weight: {init: {uniform: {low: 0.5, high: 1.5}}, train: true}}
"""
WEIGHT_OF = np.array([0, 1, 2, 1, 0, 2, 2, 1, 0, 0, 2, 1])
"""Three weights for twelve synapses."""


def compiled(name="numba", **options):
    return netdesc.compile(netdesc.load({**yaml.safe_load(NETWORK), "backends": {name: options}}), name)


def alone() -> Program:
    return compiled().program


def shared(program: Program) -> Program:
    """Return the program with three weights that its synapses share."""
    weights = program.blocks[0].weights[:3] + 0.5
    return replace(program, blocks=(replace(program.blocks[0], weights=weights, weight_of=WEIGHT_OF),))


def spread(program: Program) -> Program:
    """Return the same with a weight for every synapse."""
    block = program.blocks[0]
    return replace(program, blocks=(replace(block, weights=block.spread(block.weights), weight_of=None),))


def stimulus() -> Events:
    return Events.from_lists([[[1.0, 6.0], [2.0], [3.5], [5.0]], [[2.0], [2.5, 9.0], [4.0], []]])


def test_every_parameter_has_a_key_a_quantity_and_bounds():
    declared = alone().declared()
    assert list(declared) == ["drive.weight", "drive.delay"]
    assert [item.quantity for item in declared.values()] == [WEIGHT, DELAY]
    assert [item.trained for item in declared.values()] == [True, False]
    assert declared["drive.delay"].bounds == (0.0, np.inf)


def test_writing_names_the_quantities_that_changed_and_copies():
    store = ParameterStore(alone().declared())
    values = np.ones(12)
    assert store.write({"drive.weight": values}) == {WEIGHT}
    values[:] = 5.0
    assert store["drive.weight"].tolist() == [1.0] * 12
    assert store.write({"drive.delay": np.array([2.0])}) == {DELAY}


def test_writing_keeps_what_cannot_change():
    store, values = ParameterStore(alone().declared()), np.ones(12)
    values.flags.writeable = False
    store.write({"drive.weight": values})
    assert store["drive.weight"] is values


@pytest.mark.parametrize("factor", [1.0, -2.0])
def test_a_layout_after_writing_is_that_of_a_program_with_these_parameters(factor):
    program = alone()
    block = replace(program.blocks[0], charge=np.full(3, factor))
    program = replace(program, blocks=(block,))
    written = Layout(program)
    written.layer(0)
    assert written.reach(0) == (np.inf, 1.0)
    values = {"drive.weight": np.arange(12.0), "drive.delay": np.array([3.0])}
    for key in values:
        written.write({key: values[key]})
    fresh = Layout(program.with_parameters(values))
    np.testing.assert_array_equal(written.layer(0).weights, factor * np.arange(12.0).reshape(4, 3))
    for name in ("weights", "start", "current"):
        np.testing.assert_array_equal(getattr(written.layer(0), name), getattr(fresh.layer(0), name))
    assert written.layer(0).constants == fresh.layer(0).constants
    assert written.entries == fresh.entries == [[(0, 0, 3.0)]]
    assert written.reach(0) == fresh.reach(0) == (np.inf, 3.0)


def test_nothing_is_written_where_something_does_not_fit():
    store = ParameterStore(alone().declared())
    before = store["drive.weight"].copy()
    wrong = {
        "drive.weight": np.ones(12),
        "drive.delay": np.array([-1.0]),
        "drive.tau": np.ones(1),
    }
    with pytest.raises(NumericsError) as caught:
        store.write(wrong)
    assert [item.message for item in caught.value.diagnostics] == [
        "drive.delay holds a negative delay; a delay is at least 0 ms",
        "drive.tau is not a parameter of this program; it has drive.weight, drive.delay",
    ]
    assert np.array_equal(store["drive.weight"], before)


def test_charges_and_their_adjoint_are_transposes():
    random = np.random.default_rng(1)
    whole = replace(shared(alone()).blocks[0], charge=np.array([2.0, -3.0, 0.5]))
    sparse = replace(
        whole,
        indptr=np.array([0, 2, 3, 3, 5]),
        indices=np.array([0, 2, 1, 0, 1]),
        weight_of=np.array([1, 1, 0, 2, 0]),
    )
    for block in (whole, sparse):
        weights, values = random.normal(size=3), random.normal(size=block.size)
        assert block.charges(weights) @ values == pytest.approx(weights @ block.charges_adjoint(values))


def test_blocks_are_joined_and_their_gradients_split():
    (block,) = shared(alone()).blocks
    other = replace(block, name="more", train_delay=True, delays=np.ones(12))
    values = {"drive.weight": np.arange(3.0), "more.weight": np.ones(3)}
    assert join_charges([block, other], values).tolist() == [*WEIGHT_OF.astype(float), *[1.0] * 12]
    found = split_gradients([block, other], np.ones(24), np.arange(24.0))
    assert {key: item.tolist() for key, item in found.items()} == {
        "drive.weight": [4.0, 4.0, 4.0],
        "more.weight": [4.0, 4.0, 4.0],
        "more.delay": list(np.arange(12.0, 24.0)),
    }


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("numba", {}),
        ("numba", {"solver": {"grid": {"timestep": "0.5 ms"}}}),
        ("spinnaker2", {}),
        ("brainscales2", {"profile": "ideal", "delays": "instance"}),
    ],
)
def test_synapses_that_share_a_weight_run_as_if_each_had_its_own(name, options):
    network = compiled(name, **options)
    program, device = network.program, network.backend
    both = [device.load(item, seed=1) for item in (shared(program), spread(shared(program)))]
    traces = [machine.forward(stimulus(), seed=1) for machine in both]
    times = [trace.spikes["cells"].times for trace in traces]
    assert len(times[0])
    assert np.array_equal(*times)
    cotangent = Cotangent({"cells": np.linspace(0.5, 1.5, len(times[0]))})
    one, each = (
        machine.adjoint(trace, cotangent).parameters["drive.weight"]
        for machine, trace in zip(both, traces, strict=True)
    )
    assert one == pytest.approx(np.bincount(WEIGHT_OF, weights=each), rel=1e-12)
    with pytest.raises(NumericsError, match="shape"):
        both[0].write({"drive.weight": np.ones(12)})


def test_shared_weights_are_not_learned_on_the_chip():
    network = compiled("spinnaker2")
    machine = network.backend.load(shared(network.program), seed=1)
    with pytest.raises(BackendError, match="on_device: false"):
        machine.prepare(LearningRule((Objective("time_to_first_spike", "cells", 1.0, {}),), "adam", {}))


def test_the_gradient_of_a_shared_weight_is_that_of_differences():
    program = shared(alone())

    def run(weights):
        machine = compiled().backend.load(program.with_parameters({"drive.weight": weights}), seed=1)
        return machine.forward(stimulus(), seed=1)

    weights = np.array(program.blocks[0].weights)
    trace = run(weights)
    found = (
        Adjoint(Layout(program))
        .run(trace, Cotangent({"cells": np.ones(len(trace.spikes["cells"]))}))
        .parameters["drive.weight"]
    )
    for k in range(3):
        step = np.where(np.arange(3) == k, 1e-5, 0.0)
        above, below = (run(weights + sign * step).spikes["cells"].times for sign in (1.0, -1.0))
        assert found[k] == pytest.approx(float((above - below).sum()) / 2e-5, rel=1e-6)


def test_a_dense_block_counts_synapses_not_weights():
    (block,) = shared(alone()).blocks
    assert isinstance(block, Block)
    assert (block.size, len(block.weights)) == (12, 3)
