"""The bytes that a map tells are those of what the programs hold, element by element."""

import re

import numpy as np
import pytest
from emulated import SCHEMES, chip, inputs, layered, same_spikes, tick_network
from hypothesis import given, settings
from hypothesis import strategies as st

from netdesc.backend import LearningRule, Objective
from netdesc.errors import NumericsError
from netdesc.events import Events
from tests.generate.traits import Recipe

RECIPES = st.builds(
    Recipe,
    seed=st.integers(0, 10_000),
    layers=st.integers(1, 2),
    size=st.integers(2, 6),
    batch=st.just(1),
    loop=st.sampled_from(["none", "self", "cycle"]),
    delay=st.sampled_from(["zero", "uniform", "mixed"]),
    density=st.sampled_from([0.4, 1.0]),
)


def held_synapses(machine, s):
    """Yield, for each block, sources of the synapses that a slice holds."""
    template = machine.device.emulation.template
    each = machine.device.emulation.each
    bounds = np.concatenate(([0], np.cumsum(template.weights)))
    places = template.weight_order[bounds[s % each] : bounds[s % each + 1]]
    at = 0
    for block in machine.program.blocks:
        inside = places[(places >= at) & (places < at + block.size)] - at
        source = np.repeat(np.arange(block.n_pre), np.diff(block.sparse()[0]))
        yield block, source[inside]
        at += block.size


def rows_of(machine, block, sources):
    """Return the sources of a sparse block that lie in slices with a synapse among those held."""
    name = machine.program.populations[block.pre].name
    slices = [
        item
        for item in machine.plan.slices
        if item.copy == 0 and item.population == name and item.role in ("input", "layer")
    ]
    return sum(item.size for item in slices if np.any((sources >= item.start) & (sources < item.stop)))


def bytes_of_layer(machine, s):
    emulation, options = machine.device.emulation, machine.options
    entry, inside = emulation.board.slices[s], options.scheme == "off_grid"
    integer = options.weights == "integer"
    total = (2 if integer else 4) * (entry["weight_end"] - entry["weight"])
    total += 4 * (entry["gradient_end"] - entry["gradient"])
    total += (12 if inside else 8) * (entry["sent_end"] - entry["sent"])
    if emulation.rules.keep:
        total += (8 if inside else 4) * (entry["received_end"] - entry["received"])
    words = 4 if inside else 2
    assert len(emulation.board.rings) <= words
    total += 16 * entry["size"] + 4 * words * entry["depth"] * entry["size"]
    for block, sources in held_synapses(machine, s):
        sparse = block.indptr is not None
        total += len(sources) * (sparse + (len(block.delays) > 1)) if not integer else 0
        total += 2 * rows_of(machine, block, sources) if sparse else 0
    return total


def bytes_of(machine, item):
    entry, inside = machine.device.emulation.board.slices[item.index], machine.options.scheme == "off_grid"
    if item.role == "layer":
        return bytes_of_layer(machine, item.index)
    if item.role == "input":
        return (8 if inside else 4) * (entry["sent_end"] - entry["sent"])
    if item.role == "loss":
        return 16 * entry["size"] + 4
    store = machine.learner.store
    first = store.start[item.index]
    return 16 * (store.words[first + item.size] - store.words[first])


def fitting(slices, program):
    return {
        name: size for name, size in slices.items() if name in {item.name for item in program.populations}
    }


@pytest.mark.parametrize("scheme", SCHEMES)
@settings(max_examples=10, deadline=None)
@given(recipe=RECIPES, layer=st.integers(1, 6), copies=st.integers(1, 2), training=st.booleans())
def test_a_map_tells_the_bytes_of_what_the_programs_hold(scheme, recipe, layer, copies, training):
    program = tick_network(recipe, scheme).program
    slices = fitting({"input": 3, "layer_1": layer}, program)
    machine = chip(program, scheme, slices=slices, copies=copies, training=training)
    for item in machine.plan.slices:
        if item.role != "optimizer":
            assert machine.plan.bytes(item.index) == bytes_of(machine, item), item


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_map_tells_the_bytes_of_integer_words(scheme):
    machine = chip(layered(), scheme, weights="integer", training=False)
    for item in machine.plan.slices:
        assert machine.plan.bytes(item.index) == bytes_of(machine, item), item


def test_a_map_tells_the_bytes_of_the_optimizers():
    machine = chip(layered(), "published", slices={"hidden_0": 12}, copies=2)
    options = {"tau_0": 1.5, "tau_1": 100.0, "alpha": 0.01}
    machine.prepare(LearningRule((Objective("time_to_first_spike", "output", 1.0, options),), "adam", {}))
    optimizers = [item for item in machine.plan.slices if item.role == "optimizer"]
    assert len(optimizers) == 4
    for item in optimizers:
        assert machine.plan.bytes(item.index) == bytes_of(machine, item)
    assert sum(bytes_of(machine, item) for item in optimizers) == 16 * sum(
        b.size for b in machine.program.blocks
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_bytes_that_a_run_tells_are_those_of_the_stores_as_they_grew(scheme):
    machine = chip(layered((5, 30, 3), ticks=40, gain=6.0), scheme, rates={"hidden_0": 0.01, "output": 0.01})
    before = max(machine.plan.bytes(item.index) for item in machine.plan.slices)
    trace = machine.forward(inputs(2, ticks=30), seed=0)
    now = max(bytes_of(machine, item) for item in machine.plan.slices if item.role != "optimizer")
    assert now > before
    assert trace.costs["peak_sram_bytes"] == now


def test_without_training_spikes_that_have_arrived_take_no_memory():
    program = layered((5, 30, 3), ticks=120)
    stimulus = Events.from_lists([[[float(t) for t in range(1 + k, 110, 7)] for k in range(5)]])
    short, whole = (chip(program, "off_grid", training=training) for training in (False, True))
    traces = [machine.forward(stimulus, seed=0) for machine in (short, whole)]
    assert same_spikes(*traces)
    hidden = next(item.index for item in short.plan.slices if item.population == "hidden_0")
    rooms = [machine.device.emulation.rooms.received[hidden] for machine in (short, whole)]
    assert rooms[0] < len(stimulus) / 4 < len(stimulus) <= rooms[1]
    held = bytes_of(short, short.plan.slices[hidden])
    tight = chip(program, "off_grid", training=False, profile={"sram": held + 36_864})
    assert same_spikes(traces[0], tight.forward(stimulus, seed=0))


def test_a_store_that_is_full_names_the_bytes_of_one_spike_more():
    program, rates = layered((5, 30, 3), gain=6.0), {"hidden_0": 1e-3, "output": 1e-3}
    plan = chip(program, "off_grid", rates=rates).plan
    most = max(plan.bytes(item.index) for item in plan.slices) + 20
    with pytest.raises(NumericsError) as caught:
        chip(
            program, "off_grid", rates=rates, slices={"hidden_0": 30}, profile={"sram": most + 36_864}
        ).forward(inputs(2), seed=0)
    text = caught.value.diagnostics[0].message
    need, limit = (int(number) for number in re.findall(r"(\d+) B", text))
    assert caught.value.diagnostics[0].code == "S2-SRAM"
    assert limit == most < need <= most + 12
