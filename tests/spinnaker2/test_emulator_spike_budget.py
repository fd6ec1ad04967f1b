"""Spikes that the host reads are bounded by the memory that the description allows."""

from dataclasses import replace

import pytest
from emulated import chip, inputs, layered

from netdesc.budget import PER_FOUND_SPIKE
from netdesc.errors import NumericsError


@pytest.mark.parametrize("copies", [1, 2])
def test_the_spikes_of_a_batch_are_bounded_by_max_memory(copies):
    program, stimulus = layered((5, 30, 3), ticks=40, gain=6.0), inputs(7, ticks=30)
    trace = chip(program, "off_grid", copies=copies).forward(stimulus, seed=0)
    counts = {name: len(trace.spikes[name]) for name in ("hidden_0", "output")}
    total, worst = sum(counts.values()), max(counts, key=counts.__getitem__)
    fixed = program.memory
    fits, short = (
        replace(program, max_memory=fixed + (number + 0.5) * PER_FOUND_SPIKE) for number in (total, total - 1)
    )
    assert len(chip(fits, "off_grid", copies=copies).forward(stimulus, seed=0).spikes["output"]) == len(
        trace.spikes["output"]
    )
    machine = chip(short, "off_grid", copies=copies)
    machine.device.room = 1
    with pytest.raises(
        NumericsError,
        match=rf"^populations.{worst}: .* in population {worst}; .*"
        rf"has room for {total - 1}; .*raise simulation.max_memory$",
    ):
        machine.forward(stimulus, seed=0)
