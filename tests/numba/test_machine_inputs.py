"""What a machine refuses: parameters, stimuli, and networks that do not stop spiking."""

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.errors import BackendError, NumericsError
from netdesc.events import Events
from tests.generate.networks import random_network
from tests.generate.neuron import one_neuron
from tests.generate.traits import Recipe

GRID = {"solver": {"grid": {"timestep": 0.1}}}
SOLVERS = pytest.mark.parametrize("options", [{}, GRID], ids=["event", "grid"])
KEY = "input_to_layer_1"


def machine(options, **recipe):
    network = random_network(Recipe(**{"seed": 1, "size": 2, "inputs": 3, "delay": "mixed", **recipe}))
    return NumbaBackend(options).load(network.program, seed=0), network


def refusal(act, *arguments, **options):
    with pytest.raises(NumericsError) as caught:
        act(*arguments, **options)
    return str(caught.value)


@SOLVERS
def test_an_unknown_parameter_is_refused_and_the_known_ones_named(options):
    loaded, _ = machine(options)
    assert refusal(loaded.write, {"nothing.weight": np.ones(6)}) == (
        "nothing.weight is not a parameter of this program; it has input_to_layer_1.weight, "
        "input_to_layer_1.delay"
    )
    assert "nothing.delay is not a parameter" in refusal(loaded.write, {"nothing.delay": np.ones(6)})


@SOLVERS
@pytest.mark.parametrize("name", ["weight", "delay"])
def test_a_parameter_of_another_shape_is_refused_with_the_right_one(options, name):
    loaded, _ = machine(options)
    assert refusal(loaded.write, {f"{KEY}.{name}": np.ones((2, 3))}) == (
        f"{KEY}.{name} has shape (2, 3); it needs (6,)"
    )


@SOLVERS
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["weight", "delay"])
def test_a_parameter_that_is_not_finite_is_refused(options, name, value):
    loaded, _ = machine(options)
    message = refusal(loaded.write, {f"{KEY}.{name}": np.array([1.0, 1.0, value, 1.0, 1.0, 1.0])})
    assert message.startswith(f"{KEY}.{name} holds a ")


@SOLVERS
@pytest.mark.parametrize("value", [-1.0, -0.01, -1e-9])
def test_a_negative_delay_is_refused(options, value):
    loaded, _ = machine(options)
    delays = np.array([1.0, 1.0, 1.0, 1.0, 1.0, value])
    assert refusal(loaded.write, {f"{KEY}.delay": delays}) == (
        f"{KEY}.delay holds a negative delay; a delay is at least 0 ms"
    )


@SOLVERS
def test_all_that_is_wrong_is_told_at_once_and_nothing_is_written(options):
    loaded, network = machine(options)
    before = loaded.forward(network.stimulus, seed=0)
    wrong = {f"{KEY}.weight": np.zeros(6), f"{KEY}.delay": np.full(6, -1.0), "x.weight": np.ones(1)}
    assert len(refusal(loaded.write, wrong).splitlines()) == 2
    after = loaded.forward(network.stimulus, seed=0)
    assert after.spikes["layer_1"].times.tolist() == before.spikes["layer_1"].times.tolist()


@SOLVERS
def test_written_values_are_copied_and_what_is_absent_stays(options):
    loaded, network = machine(options)
    weights = np.full(6, 2.0)
    loaded.write({f"{KEY}.weight": weights})
    weights[:] = np.nan
    trace = loaded.forward(network.stimulus, seed=0)
    assert trace.effective_parameters[f"{KEY}.weight"].tolist() == [2.0] * 6
    assert np.allclose(
        trace.effective_parameters[f"{KEY}.delay"],
        network.program.blocks[0].delays,
        rtol=0,
        atol=0.051 if options else 0.0,
    )


def stimulus(time, source):
    return Events(np.array([time]), np.array([source]), np.array([0, 1]))


@SOLVERS
@pytest.mark.parametrize("source", [3, 4, 99, -1])
def test_a_spike_of_a_neuron_that_is_no_source_is_refused(options, source):
    loaded, _ = machine(options)
    assert "a neuron that is not a source" in refusal(loaded.forward, stimulus(1.0, source), seed=0)


@SOLVERS
@pytest.mark.parametrize("time", [-1.0, -0.01, -1e-12, np.nan, np.inf])
def test_a_spike_before_the_start_or_at_no_time_is_refused(options, time):
    loaded, _ = machine(options)
    assert "not finite" in refusal(loaded.forward, stimulus(time, 0), seed=0)


@SOLVERS
def test_a_spike_at_the_start_and_one_after_the_end_are_accepted(options):
    loaded, _ = machine(options)
    early, late = (loaded.forward(stimulus(time, 0), seed=0) for time in (0.0, 60.0))
    assert (early.health["arrivals"], early.health["in_flight"]) == (2, 0)
    assert (late.health["arrivals"], late.health["in_flight"]) == (0, 2)


@SOLVERS
def test_an_empty_batch_and_an_empty_stimulus_have_no_spikes(options):
    loaded, _ = machine(options)
    for batch in (0, 1, 3):
        trace = loaded.forward(Events.from_lists([[[]] * 3] * batch), seed=0)
        assert trace.batch == batch
        assert len(trace.spikes["layer_1"]) == 0


def test_a_time_that_is_not_finite_makes_no_events():
    assert "a spike time is not finite" in refusal(Events.from_lists, [[[1.0, np.nan]]])


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"solvr": "event"}, "backends.numba.solvr"),
        ({"solver": "exact"}, "backends.numba.solver"),
        ({"solver": {"grid": {"timestep": -0.1}}}, "backends.numba.solver.grid.timestep"),
        ({"threads": 0}, "backends.numba.threads"),
        ({"denominator_floor": 0.0}, "backends.numba.denominator_floor"),
        ({"max_spikes": 0}, "backends.numba.max_spikes"),
        ({"solver": {"grid": {"scheme": "euler"}}}, "backends.numba.solver.grid.scheme"),
    ],
)
def test_an_option_that_is_not_possible_is_refused_with_its_path(options, path):
    with pytest.raises(BackendError) as caught:
        NumbaBackend(options)
    assert [(item.code, item.path) for item in caught.value.diagnostics] == [("NB-OPTION", path)]


def test_all_options_that_are_not_possible_are_told_at_once():
    with pytest.raises(BackendError) as caught:
        NumbaBackend({"a": 1, "b": 2, "solver": "exact"})
    assert len(caught.value.diagnostics) == 3


def test_a_step_of_zero_is_refused():
    with pytest.raises(BackendError, match=r"expected a number above 0, such as 0\.1 ms, got 0\.0"):
        NumbaBackend({"solver": {"grid": {"timestep": 0.0}}})


def clock(count):
    """Return a neuron that spikes that often without input."""
    return one_neuron([(60.0, 1.0)], rest=1.5, duration=20.0 * np.log(3.0) * (count + 0.5))


@SOLVERS
def test_a_limit_of_spikes_is_kept_to_the_spike(options):
    network = clock(30)
    NumbaBackend({**options, "max_spikes": 30}).load(network.program, seed=0).forward(
        network.stimulus, seed=0
    )
    loaded = NumbaBackend({**options, "max_spikes": 29}).load(network.program, seed=0)
    assert refusal(loaded.forward, network.stimulus, seed=0) == (
        "populations.cell: sample 0 has more than 29 spikes in cell; lower the weights, add a refractory "
        "period, or raise backends.numba.max_spikes"
    )
