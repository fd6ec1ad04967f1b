"""Every spike sent arrives at each of its targets once, or is on its way at the end."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from netdesc_numba import NumbaBackend

from tests.generate.networks import random_network
from tests.generate.traits import Recipe, recipes

GRID = {"solver": {"grid": {"timestep": 0.1}}}


def deliveries(program, trace):
    """Count what arrives before the end and what does not, spike by spike and synapse by synapse."""
    arrived = late = 0
    for block in program.blocks:
        events = trace.spikes[program.populations[block.pre].name]
        delays = block.matrix(trace.effective_parameters[block.delay_key])
        for time, source in zip(events.times.tolist(), events.sources.tolist(), strict=True):
            for delay in delays[source].tolist():
                if not np.isnan(delay):
                    arrived += time + delay < program.duration
                    late += time + delay >= program.duration
    return arrived, late


@settings(max_examples=60, deadline=None, derandomize=True)
@given(recipes(gain=3.0))
def test_arrivals_and_those_in_flight_are_all_spikes_times_their_synapses(recipe):
    network = random_network(recipe)
    # short, so that much is still in flight at the end
    program = replace(network.program, duration=24.0)
    trace = NumbaBackend({}).load(program, seed=0).forward(network.stimulus, seed=0)
    arrived, late = deliveries(program, trace)
    assert (trace.health["arrivals"], trace.health["in_flight"]) == (arrived, late)
    assert arrived + late == sum(
        int(np.diff(block.sparse()[0])[trace.spikes[program.populations[block.pre].name].sources].sum())
        for block in program.blocks
    )


@pytest.mark.parametrize("loop", ["none", "self", "cycle"])
def test_the_grid_keeps_all_spikes_too(loop):
    network = random_network(Recipe(6, layers=2, loop=loop, delay="mixed", density=0.6, gain=3.0))
    trace = NumbaBackend(GRID).load(network.program, seed=0).forward(network.stimulus, seed=0)
    total = sum(
        int(
            np.diff(block.sparse()[0])[
                trace.spikes[network.program.populations[block.pre].name].sources
            ].sum()
        )
        for block in network.program.blocks
    )
    assert trace.health["arrivals"] + trace.health["in_flight"] == total > 0
