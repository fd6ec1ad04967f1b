"""The reference simulator, held against closed forms, small steps and many digits."""

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings

from netdesc.errors import NumericsError
from netdesc.events import Events
from netdesc.testing.reference.arithmetic import doubles
from netdesc.testing.reference.membrane import Cell, State, flow
from netdesc.testing.reference.simulator import simulate
from tests.generate.networks import Network, random_network
from tests.generate.neuron import one_neuron
from tests.generate.traits import Recipe, recipes


def spikes_of(network, **options):
    return simulate(network.program, network.stimulus, **options).spikes["cell"].times.tolist()


def replace_duration(network, duration):
    return Network(replace(network.program, duration=duration), network.stimulus)


def small_steps(cell, state, span, steps=4000):
    def slope(y):
        return np.array([(cell.rest - y[0] + y[1:].sum()) / cell.tau_m, *(-y[1:] / np.array(cell.tau_s))])

    y, h = np.array([state.voltage, *state.currents]), span / steps
    for _ in range(steps):
        a = slope(y)
        b = slope(y + h / 2 * a)
        c = slope(y + h / 2 * b)
        y = y + h / 6 * (a + 2 * b + 2 * c + slope(y + h * c))
    return y


@pytest.mark.parametrize("tau_s", [(5.0,), (20.0,), (20.0001,), (10.0,), (30.0,), (5.0, 9.0), (2.0, 40.0)])
def test_the_flow_solves_the_differential_equations(tau_s):
    cell = Cell(20.0, 0.0, tau_s, -0.3, 1.0, 0.0)
    state = State(0.0, 0.4, (1.7, -2.2)[: len(tau_s)], 0.0)
    later = flow(cell, state, 13.0, doubles())
    assert np.allclose([later.voltage, *later.currents], small_steps(cell, state, 13.0), rtol=0, atol=1e-11)


def test_a_held_membrane_stays_while_its_current_decays():
    cell = Cell(20.0, 2.0, (5.0,), 0.5, 1.0, 0.0)
    later = flow(cell, State(1.0, 0.0, (3.0,), 3.0), 2.5, doubles())
    assert later.voltage == 0.0
    assert later.currents[0] == pytest.approx(3.0 * math.exp(-0.3), rel=1e-15)


@pytest.mark.parametrize("weight", [4.001, 4.3, 9.0, 50.0])
def test_a_first_spike_solves_the_quadratic_where_the_membrane_is_twice_as_slow(weight):
    x = (1 + math.sqrt(1 - 4 / weight)) / 2
    spikes = spikes_of(one_neuron([(3.0, weight)], (10.0,)))
    assert spikes[0] == pytest.approx(3.0 - 20.0 * math.log(x), abs=1e-11)


@pytest.mark.parametrize("weight", [2.72, 3.0, 9.0, 50.0])
def test_a_first_spike_is_a_lambert_function_where_the_time_constants_are_equal(weight):
    expected = 3.0 - 20.0 * float(mpmath.lambertw(-1.0 / weight).real)
    assert spikes_of(one_neuron([(3.0, weight)], (20.0,)))[0] == pytest.approx(expected, abs=1e-11)


def test_a_peak_just_below_the_threshold_makes_no_spike():
    assert spikes_of(one_neuron([(3.0, 4.0 * (1 - 1e-10))], (10.0,))) == []


def test_a_peak_just_above_the_threshold_makes_one_spike():
    assert len(spikes_of(one_neuron([(3.0, 4.0 * (1 + 1e-10))], (10.0,)))) == 1


def test_a_peak_at_the_threshold_is_counted_as_marginal():
    network = one_neuron([(3.0, 4.0)], (10.0,))
    assert simulate(network.program, network.stimulus).marginal == 1


def test_a_peak_cut_off_at_the_threshold_by_inhibition_is_counted_as_marginal():
    rising = one_neuron([(3.0, 9.0)], (10.0,))
    crossing = spikes_of(rising)[0]
    network = one_neuron([(3.0, 9.0), (crossing, -90.0)], (10.0,), threshold=1.0 + 1e-13)
    assert simulate(network.program, network.stimulus).marginal == 1


def test_a_clear_run_counts_nothing_as_marginal():
    network = one_neuron([(3.0, 9.0)], (10.0,))
    assert simulate(network.program, network.stimulus).marginal == 0


def test_a_rest_above_the_threshold_makes_a_clock():
    spikes = spikes_of(one_neuron([], rest=1.5, reset=-0.2, tau_ref=1.25))
    period = 20.0 * math.log((1.5 + 0.2) / 0.5) + 1.25
    first = 20.0 * math.log(1.5 / 0.5)
    assert np.allclose(spikes, first + period * np.arange(len(spikes)), rtol=0, atol=1e-12)
    assert len(spikes) == 2


def test_a_strong_input_makes_several_spikes_before_the_next_one():
    assert len(spikes_of(one_neuron([(3.0, 40.0)]))) > 5


def test_a_peak_is_found_long_before_the_end_of_a_run():
    network = one_neuron([(3.0, 9.0)], (1.0,), tau_m=0.5, duration=1e5)
    assert len(spikes_of(network)) == len(spikes_of(replace_duration(network, 50.0))) > 0


def test_a_neuron_that_starts_above_its_threshold_spikes_at_once():
    assert spikes_of(one_neuron([], v_init=1.3))[0] == 0.0


def test_a_delay_shifts_the_spike():
    near, far = one_neuron([(3.0, 9.0)]), one_neuron([(3.0, 9.0)], delay=2.5)
    assert np.allclose(np.array(spikes_of(near))[:3] + 2.5, spikes_of(far)[:3], rtol=0, atol=1e-13)


def test_a_resistance_multiplies_the_weight():
    assert spikes_of(one_neuron([(3.0, 9.0)])) == spikes_of(one_neuron([(3.0, 0.5)], resistance=18.0))


def test_inhibition_never_makes_a_spike():
    assert spikes_of(one_neuron([(3.0, -50.0)])) == []


def test_slow_excitation_crosses_after_fast_inhibition_has_gone():
    network = one_neuron([(1.0, -30.0), (1.0, 9.0)], (2.0, 15.0), (0, 1))
    spikes = spikes_of(network)
    trace = simulate(network.program, network.stimulus)
    early, _ = trace.state("cell", 0, np.linspace(1.0, spikes[0] - 1e-6, 200))
    assert early.min() < -0.1
    assert early.max() < 1.0


def test_an_arrival_after_the_end_does_nothing():
    assert spikes_of(one_neuron([(3.0, 9.0)], delay=48.0)) == []


def test_the_current_before_a_spike_leaves_its_own_effects_out():
    network = one_neuron([(3.0, 9.0)], tau_ref=2.0)
    trace = simulate(network.program, network.stimulus)
    first = trace.spikes["cell"].times[0]
    assert trace.currents["cell"][0] == pytest.approx(9.0 * math.exp(-(first - 3.0) / 5.0), rel=1e-13)
    assert trace.release_currents["cell"][0] == pytest.approx(9.0 * math.exp(-(first - 1.0) / 5.0), rel=1e-13)


def test_a_reset_above_the_threshold_is_refused():
    network = one_neuron([], reset=1.0)
    with pytest.raises(NumericsError, match=r"populations\.cell"):
        simulate(network.program, network.stimulus)


def test_samples_do_not_feel_each_other():
    network = random_network(Recipe(5, layers=2, loop="cycle", batch=3, delay="mixed"))
    whole = simulate(network.program, network.stimulus).spikes["layer_2"].lists(3)
    span = slice(*network.stimulus.offsets[1:3])
    alone = Events(
        network.stimulus.times[span], network.stimulus.sources[span], np.array([0, span.stop - span.start])
    )
    assert simulate(network.program, alone).spikes["layer_2"].lists(3)[0] == whole[1]


def test_simultaneous_arrivals_may_come_in_any_order():
    one = one_neuron([(3.0, 9.0), (3.0, -2.0)])
    other = one_neuron([(3.0, -2.0), (3.0, 9.0)])
    assert np.allclose(spikes_of(one), spikes_of(other), rtol=0, atol=1e-13)


def test_a_spike_without_delay_reaches_others_at_the_same_time():
    network = random_network(Recipe(0, layers=2, size=1, inputs=1, gain=4.0))
    blocks = tuple(
        replace(block, weights=np.full(block.size, 0.0 if (block.pre, block.post) == (0, 2) else 9.0))
        for block in network.program.blocks
    )
    trace = simulate(replace(network.program, blocks=blocks), network.stimulus)
    first = trace.spikes["layer_1"].times[0]
    _, current = trace.state("layer_2", 0, np.array([np.nextafter(first, 0), first]))
    assert current.tolist() == [0.0, 9.0]


@settings(max_examples=8, deadline=None, derandomize=True)
@given(recipes(batch=1, layers=1, size=2, inputs=3))
def test_float64_finds_the_spikes_that_forty_digits_find(recipe):
    network = random_network(recipe)
    plain = simulate(network.program, network.stimulus)
    precise = simulate(network.program, network.stimulus, digits=40)
    assert plain.spikes["layer_1"].sources.tolist() == precise.spikes["layer_1"].sources.tolist()
    assert np.allclose(plain.spikes["layer_1"].times, precise.spikes["layer_1"].times, rtol=0, atol=1e-10)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(recipes(batch=1, layers=2, size=3))
def test_no_membrane_is_ever_seen_above_its_threshold(recipe):
    network = random_network(recipe)
    trace = simulate(network.program, network.stimulus)
    grid = np.linspace(0.0, network.program.duration, 301)
    for item in network.program.populations[1:3]:
        for neuron in range(item.size):
            voltage, _ = trace.state(item.name, neuron, grid)
            scale = trace.cells[item.start + neuron].scale
            assert voltage[1:].max() <= trace.cells[item.start + neuron].threshold + 1e-12 * scale
