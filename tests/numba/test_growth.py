"""Room for spikes grows as they come; a limit of spikes is that of a single sample."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.errors import NumericsError
from tests.generate.networks import random_network
from tests.generate.traits import Recipe

GRID = {"solver": {"grid": {"timestep": 0.1}}}
BUSY = {"gain": 6.0, "batch": 40, "size": 5, "inputs": 5}
KINDS = {
    "layer": Recipe(1, **BUSY),
    "layers": Recipe(1, layers=2, **{**BUSY, "gain": 3.0}),
    "neurons": Recipe(2, delay="mixed", refractory=True, **BUSY),
    "network": Recipe(3, loop="self", delay="mixed", **BUSY),
    "recurrent layer": Recipe(3, loop="self", delay="uniform", **BUSY),
}


@pytest.fixture(params=sorted(KINDS))
def network(request):
    return random_network(KINDS[request.param])


def load(network, **options):
    return NumbaBackend(options).load(network.program, seed=0)


def assert_same(trace, other):
    for name, events in trace.spikes.items():
        assert events.times.tolist() == other.spikes[name].times.tolist()
        assert events.sources.tolist() == other.spikes[name].sources.tolist()
        assert events.offsets.tolist() == other.spikes[name].offsets.tolist()
    for name, found in trace.residuals.items():
        for kind, values in found.items():
            assert np.array_equal(values, other.residuals[name][kind], equal_nan=True)


@pytest.mark.parametrize("options", [{}, GRID], ids=["event", "grid"])
@pytest.mark.parametrize("threads", [1, 3])
def test_spikes_do_not_depend_on_the_room_that_they_find_at_first(network, threads, options):
    spacious, cramped = (load(network, threads=threads, **options) for _ in range(2))
    stages = range(len(network.program.stages))
    getattr(spacious, "runner", spacious).guesses.update(dict.fromkeys(stages, 10000.0))
    getattr(cramped, "runner", cramped).guesses.update(dict.fromkeys(stages, 0.0))
    expected = spacious.forward(network.stimulus, seed=0)
    assert len(expected.spikes["layer_1"]) > 64 * threads
    assert_same(expected, cramped.forward(network.stimulus, seed=0))
    assert_same(expected, cramped.forward(network.stimulus, seed=0))


def most_spikes(network):
    """Return the largest number of spikes of a sample in a stage."""
    trace = load(network).forward(network.stimulus, seed=0)
    members = [
        [network.program.populations[p].name for p in stage.populations] for stage in network.program.stages
    ]
    return max(int(np.max(sum(np.diff(trace.spikes[name].offsets) for name in names))) for names in members)


def test_a_limit_that_every_sample_keeps_holds_for_any_batch(network):
    most = most_spikes(network)
    for guess in (0.0, 1000.0):
        machine = load(network, max_spikes=most)
        machine.guesses.update(dict.fromkeys(range(len(network.program.stages)), guess))
        assert_same(
            load(network).forward(network.stimulus, seed=0), machine.forward(network.stimulus, seed=0)
        )


@pytest.mark.parametrize("guess", [0.0, 1000.0])
@pytest.mark.parametrize("threads", [1, 3])
def test_a_limit_that_one_sample_breaks_is_told_with_sample_and_path(network, threads, guess):
    machine = load(network, max_spikes=most_spikes(network) - 1, threads=threads)
    machine.guesses.update(dict.fromkeys(range(len(network.program.stages)), guess))
    with pytest.raises(NumericsError) as caught:
        machine.forward(network.stimulus, seed=0)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.path.startswith("populations.layer_")
    assert "spikes in layer_" in diagnostic.message
    assert f"more than {most_spikes(network) - 1} " in diagnostic.message


def test_an_overflow_in_a_later_sample_names_that_sample():
    quiet = random_network(Recipe(2, batch=6, gain=6.0))
    counts = np.diff(load(quiet).forward(quiet.stimulus, seed=0).spikes["layer_1"].offsets)
    worst = int(np.argmax(counts))
    assert worst > 0
    assert np.sum(counts == counts[worst]) == 1
    with pytest.raises(NumericsError, match=f"sample {worst} has more than"):
        load(quiet, max_spikes=int(counts[worst]) - 1).forward(quiet.stimulus, seed=0)


def test_a_network_that_never_stops_ends_with_an_error():
    network = random_network(Recipe(1, size=2, loop="self", delay="mixed", batch=1))
    blocks = tuple(
        replace(block, weights=np.full(block.size, 50.0), delays=np.full(block.size, 0.01))
        for block in network.program.blocks
    )
    endless = replace(network.program, blocks=blocks, duration=1e6)
    machine = NumbaBackend({"max_spikes": 100000}).load(endless, seed=0)
    with pytest.raises(NumericsError, match="more than 100000 spikes in layer_1"):
        machine.forward(network.stimulus, seed=0)
