"""What the recorded adjoints mean: derivatives of the loss with respect to the state.

Wunderlich and Pehle 2021: ``lam_v(t) = -(1 / tau_m) dL/dv(t)`` and ``lam_i(t) = -(1 / tau_s) dL/di(t)``.
"""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.adjoint.host import adjoint
from netdesc.observation import Sampling
from netdesc.trace import Cotangent
from tests.generate.networks import random_network
from tests.generate.neuron import one_neuron
from tests.generate.objective import random_loss
from tests.generate.traits import Recipe

KINDS = {
    "layer": {"layers": 1},
    "two layers": {"layers": 2},
    "neurons": {"layers": 2, "delay": "mixed", "refractory": True},
    "network": {"layers": 2, "loop": "cycle", "delay": "mixed", "refractory": True},
    "self loop": {"loop": "self"},
    "equal time constants": {"ratio": "equal", "loop": "self", "delay": "mixed"},
    "millivolts": {"layers": 2, "millivolts": True, "refractory": True},
    "mixed cells": {"layers": 2, "loop": "cycle", "mixed_cells": True, "delay": "mixed"},
}


def load(program):
    return NumbaBackend({}).load(program, seed=0)


def with_sampling(program, every):
    names = [item.name for item in program.populations if item.kind == "spiking"]
    return replace(
        program,
        sampling=tuple(
            Sampling(name, variable, np.arange(program.population(name).size), every)
            for name in names
            for variable in ("lam_v", "lam_i")
        ),
    )


def central_difference(loss, step):
    """Extrapolate central differences at a step and its half; None where spikes come or go."""
    ends = [loss(x) for x in (step, -step, step / 2, -step / 2)]
    if None in ends:
        return None
    coarse, fine = (ends[0] - ends[1]) / (2 * step), (ends[2] - ends[3]) / step
    return fine + (fine - coarse) / 3


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    ("variable", "start", "constant"), [("lam_v", "v_init", "tau_m"), ("lam_i", "i_init", "tau_s")]
)
def test_adjoints_at_the_start_are_derivatives_by_the_initial_state(kind, variable, start, constant):
    compared = 0
    for seed in range(3):
        network = random_network(Recipe(seed, size=2, inputs=3, gain=1.5, batch=1, **KINDS[kind]))
        program = with_sampling(network.program, 10.0)
        machine = load(program)
        score = random_loss(machine, seed)
        trace = machine.forward(network.stimulus, seed=0)
        counts = [len(events) for events in trace.spikes.values()]
        samples = machine.adjoint(trace, score(trace).cotangent).recordings
        for item in (item for item in program.populations if item.kind == "spiking"):
            found = samples[f"{item.name}.{variable}"].values[0, :, 0]
            for neuron in range(item.size):
                place = (item.start + neuron, 0)[: program.parameters[start].ndim]

                def loss(
                    shift, place=place, program=program, stimulus=network.stimulus, counts=counts, score=score
                ):
                    values = program.parameters[start].copy()
                    values[place] += shift
                    moved = load(
                        replace(program, parameters={**program.parameters, start: values}).without_sampling()
                    ).forward(stimulus, seed=0)
                    same = [len(events) for events in moved.spikes.values()] == counts
                    return score(moved).loss if same else None

                unit = 15.0 if KINDS[kind].get("millivolts") else 1.0
                slope = central_difference(loss, 1e-4 * unit)
                if slope is None:
                    continue
                tau = program.parameters[constant][place]
                assert found[neuron] == pytest.approx(-slope / tau, rel=1e-5, abs=1e-8)
                compared += slope != 0.0
    assert compared >= 3


def clock(every):
    """Return a neuron at rest above the threshold with one input, and its loss, the last spike's time."""
    network = one_neuron([(7.0, 0.4)], rest=1.5, reset=-0.2, tau_ref=2.0, duration=100.0)
    program = with_sampling(network.program, every)
    machine = load(program)
    trace = machine.forward(network.stimulus, seed=0)
    slopes = np.zeros(len(trace.spikes["cell"]))
    slopes[-1] = 1.0
    return trace, machine.adjoint(trace, Cotangent({"cell": slopes})).recordings


def test_the_membrane_s_adjoint_vanishes_in_refractory_periods_and_after_the_last_spike():
    trace, samples = clock(0.25)
    times, values = samples["cell.lam_v"].times, samples["cell.lam_v"].values[0, 0]
    spikes = trace.spikes["cell"].times
    held = np.any((times[:, None] >= spikes) & (times[:, None] < spikes + 2.0), axis=1)
    assert 0 < held.sum() < len(times)
    assert np.all(values[held] == 0.0)
    assert np.all(values[times >= spikes[-1]] == 0.0)
    assert np.all(values[~held & (times < spikes[-1])] != 0.0)


def test_adjoints_between_events_follow_their_equations():
    trace, samples = clock(0.01)
    times = samples["cell.lam_v"].times
    lam_v, lam_i = (samples[f"cell.{name}"].values[0, 0] for name in ("lam_v", "lam_i"))
    spikes = trace.spikes["cell"].times
    events = np.concatenate((spikes, spikes + 2.0))
    # equations: tau_m dlam_v/dt = lam_v, tau_s dlam_i/dt = lam_i - lam_v
    free = np.min(np.abs(times[1:-1, None] - events), axis=1) > 0.02
    slope_v, slope_i = ((values[2:] - values[:-2]) / 0.02 for values in (lam_v, lam_i))
    assert np.allclose(20.0 * slope_v[free], lam_v[1:-1][free], rtol=1e-5, atol=1e-9)
    assert np.allclose(5.0 * slope_i[free], (lam_i - lam_v)[1:-1][free], rtol=1e-4, atol=1e-5)


def test_the_current_s_adjoint_does_not_jump_at_a_spike():
    _trace, samples = clock(0.001)
    lam_i = samples["cell.lam_i"].values[0, 0]
    assert np.abs(np.diff(lam_i)).max() < 1e-3 * np.abs(lam_i).max()


def test_a_sample_at_the_time_of_a_spike_shows_the_adjoint_after_it():
    network = one_neuron([], rest=1.5, duration=50.0)
    first = load(network.program).forward(network.stimulus, seed=0).spikes["cell"].times[0]
    program = with_sampling(network.program, first)
    machine = load(program)
    trace = machine.forward(network.stimulus, seed=0)
    slopes = np.zeros(len(trace.spikes["cell"]))
    slopes[0] = 1.0
    samples = machine.adjoint(trace, Cotangent({"cell": slopes})).recordings["cell.lam_v"]
    assert samples.times[1] == first
    assert samples.values[0, 0, 1] == 0.0
    assert samples.values[0, 0, 0] == pytest.approx(np.exp(-first / 20.0) / 0.5)


def test_the_gradient_of_weights_and_delays_reads_the_adjoints_at_the_arrivals():
    network = one_neuron([(2.0, 3.0), (4.0, 4.0), (6.0, 5.0)])
    program = with_sampling(network.program, 2.0)
    machine = load(program)
    trace = machine.forward(network.stimulus, seed=0)
    gradient = machine.adjoint(trace, Cotangent({"cell": np.cos(trace.spikes["cell"].times)}))
    lam_v, lam_i = (gradient.recordings[f"cell.{name}"].values[0, 0, 1:4] for name in ("lam_v", "lam_i"))
    weights = np.array([3.0, 4.0, 5.0])
    assert np.abs(lam_i).min() > 0
    assert np.allclose(gradient.parameters["input_to_cell_0.weight"], -5.0 * lam_i, rtol=1e-13)
    assert np.allclose(gradient.parameters["input_to_cell_0.delay"], weights * (lam_v - lam_i), rtol=1e-13)
    assert np.allclose(gradient.spike_times["input"], weights * (lam_v - lam_i), rtol=1e-13)


def test_the_adjoint_on_the_host_takes_the_parameters_that_the_device_used():
    network = random_network(Recipe(5, layers=2, loop="cycle", delay="mixed"))
    machine = load(network.program)
    written = {block.weight_key: 1.1 * block.weights for block in network.program.blocks}
    machine.write(written)
    trace = machine.forward(network.stimulus, seed=0)
    cotangent = random_loss(machine, 3)(trace).cotangent
    ours, theirs = machine.adjoint(trace, cotangent), adjoint(network.program, trace, cotangent)
    for key, values in ours.parameters.items():
        assert values.tolist() == theirs.parameters[key].tolist()


def test_a_grazing_spike_is_counted_and_its_gradient_bounded():
    # the peak of one input of weight w is w / 4 * 4**(-1/3) for a membrane four times as slow
    top = 4.0 ** (-4.0 / 3.0)
    network = one_neuron([(1.0, (1.0 + 1e-14) / top)])
    loose, tight = (
        NumbaBackend({"denominator_floor": floor}).load(network.program, seed=0) for floor in (1e-3, 1e-12)
    )
    trace = tight.forward(network.stimulus, seed=0)
    assert len(trace.spikes["cell"]) == 1
    bounded, free = (machine.adjoint(trace, Cotangent({"cell": np.ones(1)})) for machine in (loose, tight))
    assert (bounded.health["grazing"], free.health["grazing"]) == (1, 0)
    key = "input_to_cell_0.weight"
    assert 0.0 < abs(bounded.parameters[key][0]) < 0.01 * abs(free.parameters[key][0])
