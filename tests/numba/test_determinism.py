"""The same numbers to the last bit, whatever the threads and however samples are put together."""

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.events import Events
from netdesc.trace import Cotangent
from tests.generate.networks import random_network
from tests.generate.traits import Recipe

SHARED = {"gain": 5.0, "batch": 23, "size": 7, "inputs": 4}
KINDS = {
    "layer": Recipe(1, **SHARED),
    "layers": Recipe(2, layers=2, delay="uniform", **{**SHARED, "gain": 3.0}),
    "wide layers": Recipe(5, layers=2, **{**SHARED, "gain": 1.5, "size": 19}),
    "neurons": Recipe(3, delay="mixed", refractory=True, two_currents=True, **SHARED),
    "recurrent layer": Recipe(4, loop="self", delay="uniform", **{**SHARED, "gain": 3.0}),
    "network": Recipe(4, layers=2, loop="cycle", delay="mixed", **{**SHARED, "gain": 3.0}),
}
GRID = {"solver": {"grid": {"timestep": 0.1}}}


@pytest.fixture(params=sorted(KINDS))
def network(request):
    return random_network(KINDS[request.param])


def both_ways(network, stimulus, **options):
    """Return the trace of a stimulus and the gradient of a fixed loss."""
    machine = NumbaBackend(options).load(network.program, seed=0)
    trace = machine.forward(stimulus, seed=0)
    names = [item.name for item in network.program.populations if item.kind == "spiking"]
    return trace, machine.adjoint(
        trace, Cotangent({name: np.cos(trace.spikes[name].times) for name in names})
    )


def bits(values):
    return np.asarray(values).tobytes()


@pytest.mark.parametrize("options", [{}, GRID], ids=["event", "grid"])
def test_any_number_of_threads_computes_the_same_bits(network, options):
    trace, gradient = both_ways(network, network.stimulus, threads=1, **options)
    assert len(trace.spikes["layer_1"]) > 100
    for threads in (2, 3, 5):
        other, its_gradient = both_ways(network, network.stimulus, threads=threads, **options)
        for name, events in trace.spikes.items():
            assert bits(events.times) == bits(other.spikes[name].times)
            assert bits(events.sources) == bits(other.spikes[name].sources)
            assert bits(events.offsets) == bits(other.spikes[name].offsets)
            assert bits(gradient.spike_times[name]) == bits(its_gradient.spike_times[name])
        for name, found in trace.residuals.items():
            assert {kind: bits(values) for kind, values in found.items()} == {
                kind: bits(values) for kind, values in other.residuals[name].items()
            }
        for key, values in gradient.parameters.items():
            assert bits(values) == bits(its_gradient.parameters[key])


@pytest.mark.parametrize("options", [{}, GRID], ids=["event", "grid"])
@pytest.mark.parametrize("size", [1, 2, 5, 11])
def test_a_sample_spikes_the_same_in_any_company(network, options, size):
    lists = network.stimulus.lists(network.program.populations[0].size)
    trace, gradient = both_ways(network, network.stimulus, threads=1, **options)
    begin = dict.fromkeys(trace.spikes, 0)
    for first in range(0, len(lists), size):
        part, its_gradient = both_ways(
            network, Events.from_lists(lists[first : first + size]), threads=1, **options
        )
        for name, events in part.spikes.items():
            span = slice(begin[name], begin[name] + len(events))
            assert bits(trace.spikes[name].times[span]) == bits(events.times)
            assert bits(trace.spikes[name].sources[span]) == bits(events.sources)
            assert bits(gradient.spike_times[name][span]) == bits(its_gradient.spike_times[name])
            begin[name] = span.stop
    assert begin == {name: len(events) for name, events in trace.spikes.items()}
