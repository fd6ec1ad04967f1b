"""Random networks are what their recipes say."""

import numpy as np
import pytest
from hypothesis import given, settings

from netdesc.testing.reference.simulator import simulate
from tests.generate.networks import random_network
from tests.generate.traits import Recipe, recipes


@settings(max_examples=60, deadline=None, derandomize=True)
@given(recipes())
def test_programs_are_consistent(recipe):
    network = random_network(recipe)
    program = network.program
    assert network.stimulus.batch == recipe.batch
    assert network.stimulus.sources.max() < recipe.inputs
    staged = sorted(k for stage in program.stages for k in stage.populations)
    assert staged == [k for k, item in enumerate(program.populations) if item.kind != "source"]
    for block in program.blocks:
        indptr, indices = block.sparse()
        assert indptr[-1] == block.size == len(indices)
        assert len(block.delays) in (1, block.size)
        assert (block.delays >= 0).all()
    for name, values in program.parameters.items():
        assert len(values) == program.size, name
        assert np.isnan(values[: recipe.inputs]).all()
        assert not np.isnan(values[recipe.inputs :]).any()


def test_a_recipe_makes_the_same_network_every_time():
    once, again = (random_network(Recipe(3, layers=2, density=0.5, delay="mixed")) for _ in range(2))
    assert [block.weights.tolist() for block in once.program.blocks] == [
        block.weights.tolist() for block in again.program.blocks
    ]
    assert once.stimulus.times.tolist() == again.stimulus.times.tolist()


def test_two_currents_take_magnitudes():
    network = random_network(Recipe(3, layers=2, loop="cycle", two_currents=True))
    assert all((block.weights >= 0).all() for block in network.program.blocks)
    assert {(block.receptor, block.sign) for block in network.program.blocks} == {(0, 1.0), (1, -1.0)}


@pytest.mark.parametrize(
    ("loop", "recurrent"), [("none", [False, False]), ("self", [True, True]), ("cycle", [True])]
)
def test_stages_follow_the_loops(loop, recurrent):
    program = random_network(Recipe(0, layers=2, loop=loop)).program
    assert [stage.recurrent for stage in program.stages] == recurrent


def test_a_higher_gain_makes_more_spikes_than_a_lower_one():
    counts = []
    for gain in (0.5, 4.0):
        network = random_network(Recipe(1, gain=gain))
        counts.append(len(simulate(network.program, network.stimulus).spikes["layer_1"]))
    assert counts[0] < counts[1]
