"""Schemes of the grid against the event-driven solver, against each other, and what they refuse."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.adjoint.host import adjoint
from netdesc.errors import BackendError
from netdesc.observation import Sampling
from netdesc.trace import Cotangent
from tests.generate.networks import random_network
from tests.generate.traits import Recipe

RECIPES = [
    Recipe(1, layers=2, size=5, gain=1.5),
    Recipe(2, layers=2, size=5, gain=1.5, delay="mixed", loop="self"),
    Recipe(
        3,
        layers=2,
        size=5,
        gain=1.5,
        delay="uniform",
        loop="cycle",
        two_currents=True,
        mixed_cells=True,
        refractory=True,
        density=0.6,
    ),
    Recipe(4, size=5, tonic=True, tied=True),
    Recipe(5, layers=3, size=4, millivolts=True, delay="mixed"),
    Recipe(6, size=5, loop="self", refractory=True, ratio="equal"),
]


def on_grid(recipe, timestep):
    """Return a network whose delays and refractory periods are whole ticks, delays at least one."""
    network = random_network(recipe)
    program = network.program
    blocks = tuple(
        replace(
            block, train_delay=False, delays=np.maximum(np.round(block.delays / timestep), 1.0) * timestep
        )
        for block in program.blocks
    )
    held = np.round(program.parameters["tau_ref"] / timestep) * timestep
    return replace(
        program, blocks=blocks, parameters={**program.parameters, "tau_ref": held}
    ), network.stimulus


def grid(timestep, scheme, **options):
    return NumbaBackend(
        {"threads": 1, "solver": {"grid": {"timestep": timestep, "scheme": scheme, **options}}}
    )


def pull(trace):
    """Return a cotangent that does not depend on how many spikes came before."""
    return Cotangent({name: np.cos(events.times) + 0.3 for name, events in trace.spikes.items()})


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def compare(expected, found, *, times, gradients):
    (trace, gradient), (other, second) = expected, found
    for name, spikes in trace.spikes.items():
        assert spikes.sources.tolist() == other.spikes[name].sources.tolist()
        assert np.allclose(spikes.times, other.spikes[name].times, rtol=0, atol=times)
    for key, values in gradient.parameters.items():
        assert np.allclose(
            values, second.parameters[key], rtol=0, atol=gradients * (1 + np.abs(values).max())
        )
    for key, values in gradient.spike_times.items():
        assert np.allclose(
            values, second.spike_times[key], rtol=0, atol=gradients * (1 + np.abs(values).max())
        )


def run(backend, program, stimulus):
    machine = backend.load(program, seed=0)
    trace = machine.forward(stimulus, seed=0)
    return trace, machine.adjoint(trace, pull(trace))


@pytest.mark.parametrize(
    ("precision", "times", "gradients"), [("float64", 1e-4, 1e-4), ("float32", 1e-3, 5e-3)]
)
@pytest.mark.parametrize("recipe", RECIPES)
def test_off_grid_at_a_tick_of_1_ms_is_continuous_time(recipe, precision, times, gradients):
    program, stimulus = on_grid(recipe, 1.0)
    expected = run(NumbaBackend({"threads": 1}), program, stimulus)
    compare(
        expected,
        run(grid(1.0, "off_grid", precision=precision), program, stimulus),
        times=times,
        gradients=gradients,
    )


@pytest.mark.parametrize("timestep", [1.0, 0.1])
@pytest.mark.parametrize("recipe", RECIPES)
def test_exact_exponential_with_packets_is_that_without_at_the_same_delays(recipe, timestep):
    program, stimulus = on_grid(recipe, timestep)
    expected = run(grid(timestep, "exact_exponential"), program, stimulus)
    compare(
        expected,
        run(grid(timestep, "exact_exponential", transport=True), program, stimulus),
        times=1e-12,
        gradients=1e-10,
    )


def cosines(scheme, timestep, seeds):
    """Return the cosines with the event-driven gradient, of every projection of every network."""
    result = []
    for seed in seeds:
        program, stimulus = on_grid(Recipe(seed, size=4, gain=1.0, batch=1), timestep)
        stimulus = replace(stimulus, times=np.round(stimulus.times))
        _, exact = run(NumbaBackend({"threads": 1}), program, stimulus)
        _, found = run(grid(timestep, scheme, precision="float64", transport=True), program, stimulus)
        result += [
            cosine(found.parameters[key], values) for key, values in exact.parameters.items() if values.any()
        ]
    return result


@pytest.mark.parametrize(
    ("scheme", "lowest"), [("published", 0.999), ("exact_exponential", 0.999), ("off_grid", 1.0)]
)
def test_every_cosine_approaches_one_as_the_tick_shrinks(scheme, lowest):
    coarse, fine = (np.array(cosines(scheme, timestep, range(20, 30))) for timestep in (1.0, 0.001))
    assert np.median(fine) >= np.median(coarse) - 1e-6
    assert fine.min() > lowest - 1e-5


@pytest.mark.parametrize("scheme", ["published", "exact_exponential", "off_grid"])
def test_results_do_not_depend_on_the_number_of_threads(scheme):
    program, stimulus = on_grid(Recipe(7, layers=2, size=5, batch=9, delay="mixed", loop="self"), 1.0)
    results = []
    for threads in (1, 2):
        options = {"grid": {"timestep": 1.0, "scheme": scheme, "transport": True}}
        results.append(run(NumbaBackend({"threads": threads, "solver": options}), program, stimulus))
    for key, values in results[0][1].parameters.items():
        assert values.tobytes() == results[1][1].parameters[key].tobytes()


@pytest.mark.parametrize("scheme", ["published", "exact_exponential", "off_grid"])
def test_written_weights_are_those_of_a_program_that_has_them(scheme):
    program, stimulus = on_grid(Recipe(8, layers=2, size=4), 1.0)
    weights = {key: 0.8 * values for key, values in program.trainable().items()}
    machine = grid(1.0, scheme, transport=True).load(program, seed=0)
    machine.write(weights)
    expected = grid(1.0, scheme, transport=True).load(program.with_parameters(weights), seed=0)
    one, other = machine.forward(stimulus, seed=0), expected.forward(stimulus, seed=0)
    assert all(one.spikes[name].times.tolist() == other.spikes[name].times.tolist() for name in one.spikes)


@pytest.mark.parametrize("variable", ["v", "i"])
def test_off_grid_records_the_states_of_continuous_time(variable):
    program, stimulus = on_grid(Recipe(9, layers=2, size=4), 1.0)
    sampling = (Sampling("layer_2", variable, np.array([0, 2]), 0.7),)
    program = replace(program, sampling=sampling)
    key = f"layer_2.{variable}"
    found, expected = (
        backend.load(program, seed=0).forward(stimulus, seed=0).recordings[key]
        for backend in (grid(1.0, "off_grid", precision="float64"), NumbaBackend({"threads": 1}))
    )
    assert np.allclose(found.times, expected.times)
    assert np.allclose(found.values, expected.values, rtol=0, atol=1e-4)


def test_the_paper_has_neither_refractory_periods_nor_recorded_states_nor_trained_delays():
    network = random_network(Recipe(10, refractory=True, delay="mixed", start="above"))
    program = replace(network.program, sampling=(Sampling("layer_1", "v", np.array([0]), 1.0),))
    with pytest.raises(BackendError) as caught:
        grid(1.0, "published").load(program, seed=0)
    told = {(item.path, item.code) for item in caught.value.diagnostics}
    assert {path for path, _ in told} == {
        "populations.layer_1.neuron.tau_refrac",
        "record.layer_1",
        "projections.input_to_layer_1.delay",
    }
    assert {code for _, code in told} == {"NB-SCHEME"}


SCHEMES = ("published", "exact_exponential", "off_grid")
LAYERED = [Recipe(1, layers=2, size=5, gain=1.5), Recipe(5, layers=3, size=4, millivolts=True)]


def with_delays(recipe, ticks, *, train=False):
    """Return a network without refractory periods whose delays are some of these numbers of ticks of 1 ms."""
    network, random = random_network(recipe), np.random.default_rng(recipe.seed)
    blocks = tuple(
        replace(
            block, train_delay=train, delays=random.choice(ticks, block.size if train else 1).astype(float)
        )
        for block in network.program.blocks
    )
    return replace(network.program, blocks=blocks), network.stimulus


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_transport_changes_nothing_where_all_delays_are_at_least_a_tick(scheme, precision):
    program, stimulus = with_delays(LAYERED[0], (1, 2, 3))
    (one, first), (other, second) = (
        run(grid(1.0, scheme, precision=precision, transport=transport), program, stimulus)
        for transport in (False, True)
    )
    assert sum(len(events) for events in one.spikes.values()) > len(stimulus)
    for name, events in one.spikes.items():
        assert events.times.tobytes() == other.spikes[name].times.tobytes()
    for key, values in first.parameters.items():
        assert values.tobytes() == second.parameters[key].tobytes()


@pytest.mark.parametrize(
    ("precision", "times", "gradients"), [("float64", 1e-4, 1e-4), ("float32", 1e-3, 5e-3)]
)
@pytest.mark.parametrize("recipe", LAYERED)
def test_off_grid_without_transport_is_continuous_time_with_delays_of_zero(
    recipe, precision, times, gradients
):
    program, stimulus = with_delays(recipe, (0, 0, 1))
    expected = run(NumbaBackend({"threads": 1}), program, stimulus)
    found = run(grid(1.0, "off_grid", precision=precision, transport=False), program, stimulus)
    compare(expected, found, times=times, gradients=gradients)


def test_off_grid_without_transport_has_the_gradient_of_delays():
    program, stimulus = with_delays(LAYERED[0], (1, 2), train=True)
    _, expected = run(NumbaBackend({"threads": 1}), program, stimulus)
    _, found = run(grid(1.0, "off_grid", precision="float64", transport=False), program, stimulus)
    for block in program.blocks:
        values = expected.parameters[block.delay_key]
        assert np.any(values)
        assert np.allclose(
            found.parameters[block.delay_key], values, rtol=0, atol=1e-4 * np.abs(values).max()
        )


@pytest.mark.parametrize("scheme", ["published", "exact_exponential"])
def test_delays_of_zero_without_transport_are_those_of_one_tick_that_came_a_tick_earlier(scheme):
    program, stimulus = with_delays(Recipe(1, layers=1, size=5, gain=1.5), (0,))
    later = replace(program, blocks=tuple(replace(b, delays=np.ones(1)) for b in program.blocks))
    stimulus = stimulus.move(np.round(stimulus.times) + 1.0)
    now = run(grid(1.0, scheme, precision="float64", transport=False), program, stimulus)
    before = run(
        grid(1.0, scheme, precision="float64", transport=True), later, stimulus.move(stimulus.times - 1.0)
    )
    assert now[0].spikes["layer_1"].times.tobytes() == before[0].spikes["layer_1"].times.tobytes()
    assert len(now[0].spikes["layer_1"])
    for key, values in now[1].parameters.items():
        assert values.tobytes() == before[1].parameters[key].tobytes()


@pytest.mark.parametrize("recipe", [*LAYERED, RECIPES[1], RECIPES[5]])
def test_the_adjoint_of_exact_exponential_is_that_of_continuous_time_for_its_spikes(recipe):
    program, stimulus = on_grid(recipe, 0.5)
    trace, found = run(grid(0.5, "exact_exponential"), program, stimulus)
    expected = adjoint(program, trace, pull(trace))
    for key, values in expected.parameters.items():
        assert np.allclose(found.parameters[key], values, rtol=0, atol=1e-9 * (1 + np.abs(values).max()))
