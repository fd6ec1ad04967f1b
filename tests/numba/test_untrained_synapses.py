"""Synapses that are not trained keep no order of their own on a grid, and run as those that do."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend
from netdesc_numba.grid.synapses import ROWS, arrange_segments

import netdesc
from netdesc.ticks.records import SEGMENT

OPTIONS = {"solver": {"grid": {"timestep": 0.1}}}
KEYS = ("xa.weight", "aa.weight")


@pytest.fixture(scope="module")
def program():
    """Return a recurrent network with drawn weights and delays, with pairs that have several synapses."""
    model = netdesc.load(
        {
            "netdesc": 1,
            "simulation": {"duration": "30 ms", "seed": 4},
            "populations": {
                "x": {"size": 20, "source": {"poisson": {"rate": "200 Hz"}}},
                "a": {"size": 30, "neuron": {"LIF": {"tau_mem": "10 ms", "tau_syn": "5 ms"}}},
            },
            "projections": {
                name: {
                    "pre": name[0],
                    "post": "a",
                    "connector": {"fixed_total_number": {"n": 900}},
                    "weight": {"normal": {"mu": 0.1, "sigma": 0.05}},
                    "delay": {"uniform": {"low": "0.1 ms", "high": "3 ms"}},
                }
                for name in ("xa", "aa")
            },
            "backends": {"numba": OPTIONS | {"solver": {"grid": {"timestep": "0.1 ms"}}}},
        }
    )
    compiled = netdesc.compile(model)
    return compiled.program, compiled.stimulate()


def load(program):
    return NumbaBackend(OPTIONS).load(program, seed=0)


def trained(program):
    """Return a program whose weights may be trained."""
    return replace(program, blocks=tuple(replace(block, train_weight=True) for block in program.blocks))


def test_an_order_is_kept_only_for_training(program):
    orders = [layout.orders for layout in load(program[0]).layouts]
    assert orders == [(None, None)]
    assert all(order is not None for layout in load(trained(program[0])).layouts for order in layout.orders)


@pytest.mark.parametrize("factor", [1.0, 1.7])
def test_written_weights_reach_their_synapses(program, factor):
    made, stimulus = program
    machines = load(made), load(trained(made))
    for machine in machines:
        machine.write({key: machine.store[key] * np.linspace(0.5, factor, 900) for key in KEYS})
    one, other = (machine.forward(stimulus, seed=0) for machine in machines)
    assert len(one.spikes["a"]) > 50
    assert np.array_equal(one.spikes["a"].times, other.spikes["a"].times)
    assert np.array_equal(one.spikes["a"].sources, other.spikes["a"].sources)


def test_delays_on_steps_are_returned_without_a_copy(program):
    trace = load(program[0]).forward(program[1], seed=0)
    for block in program[0].blocks:
        assert np.shares_memory(trace.effective_parameters[block.delay_key], block.delays)


def test_segments_are_by_source_then_delay_then_block():
    generator, rows = np.random.default_rng(2), ROWS + 700
    parts, sources = [], []
    for number in range(3):
        source = np.sort(generator.integers(0, rows, 4000)).astype(np.int32)
        part = np.zeros(len(source), dtype=SEGMENT)
        part["delay"], part["receptor"] = generator.integers(0, 9, len(source)), number
        parts.append(part)
        sources.append(source)
    first, segments = arrange_segments(parts, sources, rows)
    expected = sorted(
        (int(s), int(d), number)
        for number, (part, source) in enumerate(zip(parts, sources, strict=True))
        for s, d in zip(source, part["delay"], strict=True)
    )
    found = [
        (row, int(item["delay"]), int(item["receptor"]))
        for row in range(rows)
        for item in segments[first[row] : first[row + 1]]
    ]
    assert found == expected
