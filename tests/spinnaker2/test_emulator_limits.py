"""What is one too many is refused with code and numbers; what just fits is accepted and runs a sample."""

from dataclasses import replace

import numpy as np
import pytest
from emulated import balanced, chip, inputs, layered

from netdesc.errors import BackendError, LimitError, NumericsError
from netdesc.events import Events
from netdesc.observation import Sampling

SIZES = {"slices": {"hidden_0": 30, "input": 5, "output": 3}}

SYSTEM = 36 * 1024
"""Bytes of SRAM for program and stack."""

SILENCE = Events.from_lists([[[]] * 5])


def runs(program, stimulus=None, scheme="published", **options):
    """Run a program that fits."""
    trace = chip(program, scheme, **options).forward(inputs(1) if stimulus is None else stimulus, seed=0)
    assert trace.health["dropped"] == trace.health["packets_dropped"] == 0
    assert balanced(trace.health)
    return trace


def refusals(program, scheme="published", **options):
    """Return codes and messages with which a program is refused."""
    with pytest.raises((LimitError, BackendError)) as caught:
        chip(program, scheme, **options)
    return {item.code for item in caught.value.diagnostics}, " ".join(
        item.message for item in caught.value.diagnostics
    )


def slowed(program, delay):
    return replace(
        program, blocks=tuple(replace(block, delays=np.array([float(delay)])) for block in program.blocks)
    )


def test_elements():
    used = len(chip(layered(), "published", copies=2).plan.slices)
    runs(layered(), copies=2, profile={"chips": 1, "pes_usable": used})
    codes, text = refusals(layered(), copies=2, profile={"chips": 1, "pes_usable": used - 1})
    assert codes == {"S2-CORES"}
    assert f"needs {used} PEs, the limit is {used - 1} PEs" in text


def test_neurons_of_a_slice():
    runs(layered(), **SIZES, profile={"neurons_per_slice": 30})
    codes, text = refusals(layered(), **SIZES, profile={"neurons_per_slice": 29})
    assert codes == {"S2-ATOMS"}
    assert "needs 30, the limit is 29" in text


@pytest.mark.parametrize("scheme", ["published", "off_grid"])
def test_bytes(scheme):
    plan = chip(layered(), scheme, **SIZES).plan
    need = max(plan.bytes(item.index) for item in plan.slices)
    trace = runs(layered(), SILENCE, scheme, **SIZES, profile={"sram": need + SYSTEM})
    assert trace.costs["peak_sram_bytes"] == need
    codes, text = refusals(layered(), scheme, **SIZES, profile={"sram": need + SYSTEM - 1})
    assert codes == {"S2-SRAM"}
    assert f"needs {need} B, the limit is {need - 1} B" in text


def test_ticks_of_a_delay():
    runs(slowed(layered(), 3), profile={"delay_float": 3})
    codes, text = refusals(slowed(layered(), 3), profile={"delay_float": 2})
    assert codes == {"S2-DELAY"}
    assert "needs 3 ticks, the limit is 2 ticks" in text


@pytest.mark.parametrize(("bits", "most"), [(4, 8), (7, 1)])
def test_ticks_of_the_delay_of_an_integer_word(bits, most):
    options = {"weights": "integer", "weight_bits": bits}
    runs(slowed(layered(), most), **options)
    codes, text = refusals(slowed(layered(), most + 1), **options)
    assert codes == {"S2-DELAY"}
    assert f"needs {most + 1} ticks, the limit is {most} ticks" in text


@pytest.mark.parametrize(("bits", "most"), [(4, 15), (7, 127)])
def test_steps_of_an_integer_word(bits, most):
    program = layered()
    largest = float(np.abs(program.blocks[0].weights).max())
    options = {"weights": "integer", "weight_bits": bits}
    trace = runs(program, **options, scales={"hidden_0": most / largest})
    assert trace.health["weights_saturated"] == 0
    codes, text = refusals(program, **options, scales={"hidden_0": (most + 1) / largest})
    assert codes == {"S2-WEIGHT"}
    assert f"needs {most + 1}, the limit is {most}" in text


def test_cycles_of_a_tick():
    need = int(np.ceil(max(chip(layered(), "published", **SIZES).plan.cycles)))
    trace = runs(layered(), SILENCE, **SIZES, profile={"clock_high": need * 1e3})
    assert trace.health["overruns"] == 0
    codes, text = refusals(layered(), **SIZES, profile={"clock_high": (need - 1) * 1e3})
    assert codes == {"S2-TICK"}
    assert f"cycles, the limit is {need - 1} cycles" in text


def test_cycles_of_a_tick_as_they_are_run():
    # 30 neurons of 80 cycles, one packet of 30, 30 synaptic events of 50
    need = 30 * 80 + 30 + 30 * 50
    options = {**SIZES, "rates": {"input": 1e-3, "hidden_0": 1e-3, "output": 1e-3}}
    program, one = layered(gain=1e-3), Events.from_lists([[[3.0], [], [], [], []]])
    assert runs(program, one, **options, profile={"clock_high": need * 1e3}).health["overruns"] == 0
    with pytest.raises(NumericsError) as caught:
        runs(program, one, **options, profile={"clock_high": (need - 1) * 1e3})
    assert [item.code for item in caught.value.diagnostics] == ["S2-TICK"]
    assert f"{need} cycles in a tick of {need - 1}" in str(caught.value)


def test_entries_of_a_routing_table():
    plan = chip(layered(), "published").plan
    need = max(len(entries) for entries in plan.tables.values())
    runs(layered(), profile={"table_entries": need})
    codes, text = refusals(layered(), profile={"table_entries": need - 1})
    assert codes == {"S2-ROUTE"}
    assert f"needs {need}, the limit is {need - 1}" in text


def test_bytes_of_recordings():
    program = replace(layered(), sampling=(Sampling("hidden_0", "v", np.arange(30), 1.0),))
    need = 4 * 30 * 28
    trace = runs(program, profile={"dram": need})
    assert trace.recordings["hidden_0.v"].values.nbytes // 2 == need
    codes, text = refusals(program, profile={"dram": need - 1})
    assert codes == {"S2-RECORD"}
    assert f"needs {need} B, the limit is {need - 1} B" in text


def test_packets_of_a_queue():
    rates = {"input": 3.0}
    trace = runs(
        layered(),
        rates=rates,
        input_errors=False,
        profile={"fifo_depth": 15},
        stimulus=Events.from_lists([[[3.0]] * 5]),
    )
    assert trace.health["packets_sent"] > 0
    codes, text = refusals(layered(), rates=rates, input_errors=False, profile={"fifo_depth": 14})
    assert codes == {"S2-FIFO"}
    assert "needs 15 packets, the limit is 14 packets" in text


@pytest.mark.parametrize(
    ("scheme", "name", "good", "bad"),
    [
        ("published", "tau_ref", 0.0, 1.0),
        ("published", "reset", 0.0, -0.1),
        ("published", "rest", 0.0, 0.1),
        ("exact_exponential", "v_init", 0.999, 1.0),
        ("off_grid", "v_init", 0.999, 1.0),
    ],
)
def test_cells(scheme, name, good, bad):
    program = layered()

    def with_value(value):
        levels = np.full_like(program.parameters[name], value)
        return replace(program, parameters={**program.parameters, name: levels})

    runs(with_value(good), scheme=scheme)
    assert refusals(with_value(bad), scheme)[0] == {"S2-MODEL"}


def test_everything_that_does_not_fit_is_told_at_once():
    options = {
        **SIZES,
        "profile": {"neurons_per_slice": 29, "table_entries": 1, "clock_high": 1e6, "sram": SYSTEM},
    }
    codes, _ = refusals(slowed(layered(), 300), **options)
    assert {"S2-ATOMS", "S2-ROUTE", "S2-TICK", "S2-SRAM", "S2-DELAY"} <= codes
