"""Spikes of a run are bounded by the memory that the description allows, and by a limit of their own."""

import re
from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend
from netdesc_numba.spikes import FEWEST, most_spikes

from netdesc.budget import PER_FOUND_SPIKE, SpikeBudget, count_spikes
from netdesc.errors import NumericsError
from tests.generate.networks import random_network
from tests.generate.traits import Recipe

BUSY = {"gain": 6.0, "batch": 12, "size": 5, "inputs": 5}
OPTIONS = {
    "event": {},
    "grid": {"solver": {"grid": {"timestep": 0.1}}},
    "ticks": {"solver": {"grid": {"timestep": 0.1, "transport": True}}},
}
LAYERS = Recipe(1, layers=2, delay="uniform", **BUSY)
LOOP = Recipe(3, layers=2, loop="cycle", delay="uniform", **BUSY)


def run(network, spikes, options):
    program = network.program
    fixed = program.memory
    limited = replace(program, max_memory=fixed + (spikes + 0.5) * PER_FOUND_SPIKE)
    return NumbaBackend(options).load(limited, seed=0).forward(network.stimulus, seed=0)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("recipe", [LAYERS, LOOP], ids=["layers", "loop"])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_spikes_of_a_batch_are_bounded_by_max_memory(options, recipe, threads):
    network, options = random_network(recipe), {**options, "threads": threads}
    trace = NumbaBackend(options).load(network.program, seed=0).forward(network.stimulus, seed=0)
    counts = {name: len(trace.spikes[name]) for name in ("layer_1", "layer_2")}
    total, worst = sum(counts.values()), max(counts, key=counts.get)
    assert total > 200
    fits = run(network, total, options)
    assert {name: len(fits.spikes[name]) for name in counts} == counts
    with pytest.raises(NumericsError) as caught:
        run(network, total - 1, options)
    (diagnostic,) = caught.value.diagnostics
    found = re.search(
        r"more than (\d+) spikes in 12 samples, (\d+) of them in population (\w+); "
        r"simulation.max_memory \(.*\) has room for (\d+); lower",
        diagnostic.message,
    )
    assert int(found[4]) == total - 1 < int(found[1]) <= total
    assert diagnostic.path == f"populations.{found[3]}" == f"populations.{worst}"
    assert diagnostic.message.endswith("or raise simulation.max_memory")


def test_a_machine_goes_on_after_too_many_spikes():
    network = random_network(LAYERS)
    machine = NumbaBackend({}).load(replace(network.program, max_memory=20e3), seed=0)
    for _ in range(2):
        with pytest.raises(NumericsError, match="has room for"):
            machine.forward(network.stimulus, seed=0)


def test_what_waits_for_room_counts_once():
    budget = SpikeBudget(20 * PER_FOUND_SPIKE, network=10 * PER_FOUND_SPIKE, batch=2)
    assert budget.hold(1, {"a": 4}) == 6
    assert budget.hold(1, {"a": 5}) == 5
    assert budget.hold(2, {"b": 3}) == 2
    budget.keep(1, {"a": 6})
    with pytest.raises(NumericsError, match="more than 11 spikes in 2 samples, 6 of them in population a"):
        budget.hold(2, {"b": 5})


def test_spikes_outside_all_populations_are_left_out():
    assert count_spikes(np.array([0, 2, 3, 4, 5, -7]), {"a": 3, "b": 2}) == {"a": 2, "b": 2}


def test_the_default_limit_grows_with_neurons_and_with_time():
    program = random_network(Recipe(1, size=4)).program
    assert most_spikes(program, None)[0] == FEWEST
    assert set(most_spikes(program, 7)) == {7}
    longer = replace(program, duration=1e6)
    shortest = np.fmin(
        program.parameters["tau_m"], np.nanmin(np.nan_to_num(program.parameters["tau_s"], nan=np.inf), axis=1)
    )[program.populations[1].start :][:4]
    assert most_spikes(longer, None)[0] == pytest.approx(np.sum(1e8 / shortest), abs=1)
