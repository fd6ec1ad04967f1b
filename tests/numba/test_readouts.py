"""Readings of membranes without spikes: closed forms, the slow reference, grids, and determinism."""

import math
from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.events import Events
from netdesc.observation import Reading
from netdesc.testing.gradcheck import gradcheck
from netdesc.testing.reference.simulator import simulate
from netdesc.testing.reference.voltages import read_voltages
from netdesc.trace import Cotangent
from tests.generate.networks import Network, random_network
from tests.generate.neuron import one_neuron
from tests.generate.objective import random_loss
from tests.generate.traits import Recipe

MAXIMUM, MEAN, EARLY = Reading("cell", "maximum"), Reading("cell", "mean"), Reading("cell", "mean", 12.0)
FAMILIES = {
    "layer": {},
    "sparse with delays": {"density": 0.5, "delay": "mixed"},
    "recurrent below": {"loop": "self", "delay": "mixed", "ratio": "double"},
    "two currents": {"two_currents": True, "delay": "mixed", "mixed_cells": True, "refractory": True},
    "two currents, nearly equal": {"two_currents": True, "ratio": "near", "loop": "self", "delay": "mixed"},
    "equal time constants": {"ratio": "equal", "millivolts": True, "start": "random"},
    "membrane faster, constant current": {"ratio": "longer", "tonic": True},
    "cycle below": {"layers": 2, "loop": "cycle", "delay": "uniform"},
}


def membrane(spikes, tau_s=(5.0,), receptors=None, **constants):
    """Return the network of one neuron that only integrates, with its readings."""
    network = one_neuron(spikes, tau_s, receptors, threshold=math.inf, **constants)
    source, cell = network.program.populations
    return replace(
        network.program,
        populations=(source, replace(cell, kind="readout", model="LI")),
        readings=(MAXIMUM, MEAN, EARLY),
    ), network.stimulus


def forward(program, stimulus, **options):
    return NumbaBackend({"threads": 1, **options}).load(program, seed=0).forward(stimulus, seed=0)


def family(name, seed, **fixed):
    return random_network(
        Recipe(
            **{
                "seed": seed,
                "size": 3,
                "inputs": 3,
                "gain": 1.5,
                "readout": True,
                "readings": True,
                **FAMILIES[name],
                **fixed,
            }
        )
    )


@pytest.mark.parametrize(("tau_m", "tau_s"), [(20.0, 5.0), (20.0, 10.0), (5.0, 8.0), (10.0, 10.0001)])
def test_one_spike_has_its_maximum_where_both_decays_balance(tau_m, tau_s):
    program, stimulus = membrane([(3.0, 2.0)], (tau_s,), tau_m=tau_m)
    read = forward(program, stimulus).readings["cell.maximum"]
    top = tau_m * tau_s / (tau_m - tau_s) * math.log(tau_m / tau_s)
    height = 2.0 * tau_s / (tau_m - tau_s) * (math.exp(-top / tau_m) - math.exp(-top / tau_s))
    assert read.times[0, 0] == pytest.approx(3.0 + top, rel=1e-10)
    assert read.values[0, 0] == pytest.approx(height, rel=1e-10)


def test_equal_time_constants_have_the_maximum_after_one_of_them():
    program, stimulus = membrane([(3.0, 2.0)], (10.0,), tau_m=10.0)
    read = forward(program, stimulus).readings["cell.maximum"]
    assert read.times[0, 0] == pytest.approx(13.0, rel=1e-14)
    assert read.values[0, 0] == pytest.approx(2.0 / math.e, rel=1e-14)


def test_an_inhibitory_spike_on_the_rise_makes_a_maximum_at_its_time():
    program, stimulus = membrane([(3.0, 2.0), (5.0, -9.0)])
    assert forward(program, stimulus).readings["cell.maximum"].times[0, 0] == 5.0


@pytest.mark.parametrize(
    ("spikes", "constants", "moment"),
    [
        ([(3.0, -1.0)], {}, 0.0),
        ([], {"v_init": 1.0}, 0.0),
        ([], {"rest": 1.0, "v_init": 0.0}, 50.0),
        ([(49.0, 1.0)], {}, 50.0),
    ],
)
def test_a_maximum_may_lie_at_the_start_or_the_end(spikes, constants, moment):
    program, stimulus = membrane(spikes or [(60.0, 1.0)], **constants)
    assert forward(program, stimulus).readings["cell.maximum"].times[0, 0] == moment


@pytest.mark.parametrize(("tau_m", "tau_s"), [(20.0, 5.0), (10.0, 10.0), (10.0, 10.0 + 1e-9), (5.0, 8.0)])
def test_the_mean_of_a_long_run_is_the_charge_of_its_spike(tau_m, tau_s):
    program, stimulus = membrane([(3.0, 2.0)], (tau_s,), tau_m=tau_m, duration=2000.0)
    mean = forward(program, stimulus).readings["cell.mean"].values[0, 0]
    assert mean * 2000.0 == pytest.approx(2.0 * tau_s)


def test_a_mean_with_a_long_time_constant_is_the_plain_one():
    program, stimulus = membrane([(3.0, 2.0)], v_init=0.3, rest=-0.2)
    program = replace(program, readings=(MEAN, Reading("cell", "mean", 1e12)))
    plain, weighted = (read.values[0, 0] for read in forward(program, stimulus).readings.values())
    assert weighted == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize("name", FAMILIES)
def test_readings_agree_with_the_reference(name):
    network = family(name, 5, batch=2)
    found = forward(network.program, network.stimulus).readings
    for key, read in read_voltages(simulate(network.program, network.stimulus)).items():
        scale = np.abs(read.values).max()
        np.testing.assert_allclose(found[key].values, read.values, rtol=1e-9, atol=1e-9 * scale)
        if read.times is not None:
            np.testing.assert_allclose(found[key].times, read.times, rtol=0, atol=1e-6)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", FAMILIES)
def test_gradients_of_voltages_agree_with_differences(name, seed):
    network = family(name, seed, batch=2, size=2)
    machine = NumbaBackend({"threads": 1}).load(network.program, seed=0)
    result = gradcheck(machine, network.stimulus, random_loss(machine, seed), limit=6)
    assert result.checked > 0
    assert max((item.deviation, key) for key, item in result.comparisons.items()) <= (1e-6, "")


def test_a_maximum_at_an_arrival_moves_with_it():
    program, stimulus = membrane([(3.0, 2.0), (5.0, -9.0)], delay=1.0)
    program = replace(program, readings=(MAXIMUM,))
    machine = NumbaBackend({"threads": 1}).load(program, seed=0)
    result = gradcheck(machine, stimulus, random_loss(machine, 1))
    assert (result.skipped, abs(result.comparisons["input_to_cell_0.delay"].exact[1]) > 1e-3) == (0, True)
    assert result.deviation < 1e-6


def gradient(network, options, threads, stimulus=None):
    machine = NumbaBackend({"threads": threads, **options}).load(network.program, seed=0)
    trace = machine.forward(stimulus or network.stimulus, seed=0)
    pulls = {key: np.cos(1.0 + read.values) for key, read in trace.readings.items()}
    return trace, machine.adjoint(trace, Cotangent({}, pulls))


SOLVERS = {
    "event": {},
    "grid": {"solver": {"grid": {"timestep": 0.5}}},
    "published": {"solver": {"grid": {"timestep": 0.5, "scheme": "published"}}},
}


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", ["layer", "sparse with delays"])
def test_readings_and_gradients_do_not_depend_on_threads_or_company(name, solver):
    network = family(name, 3, batch=11)
    blocks = tuple(replace(block, train_delay=False) for block in network.program.blocks)
    network = Network(replace(network.program, blocks=blocks), network.stimulus)
    trace, slope = gradient(network, SOLVERS[solver], 1)
    other, same = gradient(network, SOLVERS[solver], 3)
    lists = network.stimulus.lists(3)
    alone, _ = gradient(network, SOLVERS[solver], 1, Events.from_lists(lists[4:5]))
    for key, read in trace.readings.items():
        assert read.values.tobytes() == other.readings[key].values.tobytes()
        assert read.values[4:5].tobytes() == alone.readings[key].values.tobytes()
    for key, values in slope.parameters.items():
        assert values.tobytes() == same.parameters[key].tobytes()
    for key, values in slope.spike_times.items():
        assert values.tobytes() == same.spike_times[key].tobytes()


def with_direct_path():
    """Return a read-out that the sources reach also directly, delays and inputs in whole ms."""
    network = family("layer", 4, batch=2)
    blocks = [replace(block, delays=np.full(1, 2.0)) for block in network.program.blocks]
    blocks.append(replace(blocks[-1], pre=0, name="direct", path="projections.direct"))
    lists = [
        [sorted(set(np.round(times).tolist())) for times in sample] for sample in network.stimulus.lists(3)
    ]
    return Network(replace(network.program, blocks=tuple(blocks)), Events.from_lists(lists))


@pytest.mark.parametrize("scheme", ["exact_exponential", "published", "off_grid"])
def test_readings_of_the_direct_path_approach_those_of_continuous_time(scheme):
    network = with_direct_path()
    quiet = tuple(
        replace(block, weights=np.zeros(block.size)) if block.post == 1 else block
        for block in network.program.blocks
    )
    network = Network(replace(network.program, blocks=quiet), network.stimulus)
    expected, exact = gradient(network, {}, 1)
    choices = [{}, {"transport": True}] if scheme == "exact_exponential" else [{"precision": "float64"}]
    for options in choices:
        grid = {"solver": {"grid": {"timestep": 0.02, "scheme": scheme, **options}}}
        found, slope = gradient(network, grid, 1)
        for key, read in expected.readings.items():
            np.testing.assert_allclose(found.readings[key].values, read.values, rtol=0.01, atol=2e-3)
        assert cosine(exact.parameters["direct.weight"], slope.parameters["direct.weight"]) > 0.9999
        assert cosine(exact.spike_times["input"], slope.spike_times["input"]) > 0.99


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def test_the_grid_with_packets_reads_what_the_grid_without_them_does():
    network = with_direct_path()
    options = {"timestep": 1.0, "scheme": "exact_exponential"}
    one = gradient(network, {"solver": {"grid": options}}, 1)
    two = gradient(network, {"solver": {"grid": {**options, "transport": True}}}, 1)
    for key, read in one[0].readings.items():
        np.testing.assert_allclose(read.values, two[0].readings[key].values, rtol=1e-12)
    for key, values in one[1].parameters.items():
        np.testing.assert_allclose(values, two[1].parameters[key], rtol=1e-9, atol=1e-12)
