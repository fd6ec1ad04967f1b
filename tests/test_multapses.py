"""Several synapses between two neurons act as several projections do, on every backend."""

import numpy as np
import pytest

import netdesc
from netdesc.description.model import Choice
from netdesc.errors import GraphError
from netdesc.graph.connectors import Ends, connect

PAIRS = np.array([[1, 2], [0, 1], [1, 2], [0, 0], [1, 1], [1, 2]])
WEIGHTS = np.array([1.5, 3.5, 1.75, 3.25, 2.5, 1.25])
DELAYS = np.array([1.0, 1.0, 3.0, 1.0, 2.0, 1.5])

ORDER = [3, 1, 4, 0, 2, 5]
"""Pair of each synapse, by source and target."""

SPLIT = ([0, 1, 3, 4], [2], [5])
"""The same synapses in projections without a pair that stands twice."""

OPTIONS = {
    "numba": {},
    "spinnaker2": {},
    "brainscales2": {"profile": "ideal"},
}


def network(parts, *, delays=None, connector=None):
    """Return a model whose synapses are spread over projections, each with some of the pairs."""
    projections = {
        f"p{number}": {
            "pre": "x",
            "post": "a",
            "connector": connector or {"list": {"pairs": PAIRS[chosen]}},
            "weight": {"init": WEIGHTS[chosen], "train": True},
            "delay": {"init": delays[chosen], "train": True} if delays is not None else "0 ms",
        }
        for number, chosen in enumerate(parts)
    }
    times = {"times": [np.array([2.0, 9.0]), np.array([4.0, 5.5])]}
    return netdesc.load(
        {
            "netdesc": 1,
            "name": "several",
            "simulation": {"duration": "40 ms", "seed": 1},
            "populations": {
                "x": {"size": 2, "source": {"spike_times": times}},
                "a": {"size": 3, "neuron": {"LIF": {"tau_mem": "10 ms", "tau_syn": "5 ms"}}},
            },
            "projections": projections,
            "losses": {"l": {"spike_time_mse": {"population": "a", "target": ["6 ms", "7 ms", "9 ms"]}}},
            "backends": OPTIONS,
        }
    )


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_synapses_of_one_pair_act_as_projections_do(name):
    one = netdesc.grad(network([range(6)]), backend=name)
    other = netdesc.grad(network(SPLIT), backend=name)
    assert len(one.trace.spikes["a"]) > 3
    assert one.trace.spikes["a"].sources.tolist() == other.trace.spikes["a"].sources.tolist()
    assert one.trace.spikes["a"].times == pytest.approx(other.trace.spikes["a"].times, abs=1e-9)
    slopes = np.empty(6)
    for number, chosen in enumerate(SPLIT):
        order = sorted(chosen, key=ORDER.index)
        slopes[order] = other.gradient.parameters[f"p{number}.weight"]
    assert np.count_nonzero(slopes) > 3
    assert one.gradient.parameters["p0.weight"] == pytest.approx(slopes[ORDER], rel=1e-6)


@pytest.mark.parametrize("timestep", [None, "0.1 ms"])
def test_each_synapse_of_a_pair_has_its_own_delay_and_gradient(timestep):
    solver = {} if timestep is None else {"backends.numba.solver": {"grid": {"timestep": timestep}}}
    one, other = (
        netdesc.grad(netdesc.load(dict(network(parts, delays=DELAYS).description.resolved), solver))
        for parts in ([range(6)], SPLIT)
    )
    assert one.trace.spikes["a"].times == pytest.approx(other.trace.spikes["a"].times, abs=1e-9)
    for kind in ("weight", "delay"):
        slopes = np.empty(6)
        for number, chosen in enumerate(SPLIT):
            slopes[sorted(chosen, key=ORDER.index)] = other.gradient.parameters[f"p{number}.{kind}"]
        assert one.gradient.parameters[f"p0.{kind}"] == pytest.approx(slopes[ORDER], rel=1e-6, abs=1e-12)


def test_a_matrix_of_several_synapses_is_refused_with_the_pair():
    block = netdesc.compile(network([range(6)])).program.blocks[0]
    with pytest.raises(GraphError, match="several from neuron 1 to neuron 2; use the list of synapses"):
        block.matrix(block.weights)
    assert block.connection().sums(block.weights).tolist() == [[3.25, 3.5, 0.0], [0.0, 2.5, 4.5]]


@pytest.mark.parametrize(("name", "solver"), [("numba", "event"), ("numba", "grid"), ("spinnaker2", "")])
@pytest.mark.parametrize("delay", ["1 ms", ["1 ms", "1 ms", "1 ms", "2 ms"]])
def test_a_target_that_comes_twice_does_not_stand_for_the_one_that_is_passed_over(name, solver, delay):
    found = netdesc.load(
        {
            "netdesc": 1,
            "simulation": {"duration": "40 ms", "seed": 1},
            "populations": {
                "x": {"size": 1, "source": {"spike_times": {"times": [["2 ms"]]}}},
                "a": {"size": 4, "neuron": {"LIF": {"tau_mem": "10 ms", "tau_syn": "5 ms"}}},
            },
            "projections": {
                "xa": {
                    "pre": "x",
                    "post": "a",
                    "connector": {"list": {"pairs": [[0, 0], [0, 0], [0, 2], [0, 3]]}},
                    "weight": 3.0,
                    "delay": delay,
                }
            },
            "backends": {
                "numba": {"solver": {"grid": {"timestep": "1 ms"}} if solver == "grid" else "event"},
                "spinnaker2": {},
            },
        }
    )
    compiled = netdesc.compile(found, name)
    spikes = compiled.forward(compiled.stimulate()).spikes["a"]
    assert set(spikes.sources.tolist()) == {0}


def test_synapses_drawn_piece_by_piece_are_those_drawn_at_once(monkeypatch):
    rule = Choice("fixed_probability", {"p": 0.07, "allow_self_connections": False})
    ends = Ends(60, 60, True)
    whole = connect(rule, ends, np.random.default_rng(3))
    monkeypatch.setattr("netdesc.graph.connectors.PIECE", 7)
    pieces = connect(rule, ends, np.random.default_rng(3))
    gaps = np.random.default_rng(3).geometric(0.07, 2000).cumsum() - 1
    places = gaps[gaps < 3600]
    expected = places[places % 61 != 0]
    assert whole.flat().tolist() == pieces.flat().tolist() == expected.tolist()
    assert whole.indices.dtype == pieces.indices.dtype == np.int32
