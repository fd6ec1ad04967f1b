"""Spike times of the event-driven solver against the reference simulator."""

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from netdesc_numba import NumbaBackend

from netdesc.testing.reference.simulator import simulate
from tests.generate.networks import random_network
from tests.generate.neuron import one_neuron
from tests.generate.traits import RATIOS, Recipe, recipes

TOLERANCE = 1e-9
"""In ms."""


def forward(network):
    return NumbaBackend({}).load(network.program, seed=0).forward(network.stimulus, seed=0)


def assert_same_spikes(network, *, digits=None):
    expected, found = simulate(network.program, network.stimulus, digits=digits), forward(network)
    assert expected.marginal == 0
    assert set(found.spikes) == set(expected.spikes)
    for name, events in expected.spikes.items():
        size = network.program.population(name).size
        ours, theirs = found.spikes[name].lists(size), events.lists(size)
        assert [[len(times) for times in sample] for sample in ours] == [
            [len(times) for times in sample] for sample in theirs
        ]
        for sample, other in zip(ours, theirs, strict=True):
            for times, others in zip(sample, other, strict=True):
                assert np.allclose(times, others, rtol=0, atol=TOLERANCE)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(recipes(batch=1))
def test_random_networks_of_every_kind_spike_at_the_same_times(recipe):
    assert_same_spikes(random_network(recipe))


@pytest.mark.parametrize("loop", ["none", "self", "cycle"])
@pytest.mark.parametrize("ratio", sorted(RATIOS))
def test_strong_weights_make_the_same_bursts_between_two_inputs(ratio, loop):
    network = random_network(
        Recipe(7, layers=2, size=2, inputs=2, loop=loop, ratio=ratio, gain=6.0, delay="mixed")
    )
    assert_same_spikes(network)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(recipes(batch=1, layers=1, size=2, inputs=3, tied=False))
def test_small_networks_agree_with_forty_digits(recipe):
    assert_same_spikes(random_network(recipe), digits=40)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(recipes(refractory=True, tied=False))
def test_currents_at_spikes_and_at_releases_agree(recipe):
    assume(recipe.start != "above" or recipe.delay != "zero")
    network = random_network(recipe)
    expected, found = simulate(network.program, network.stimulus), forward(network)
    for name, currents in expected.currents.items():
        scale = 1.0 + np.abs(currents).max(initial=0.0)
        assert np.allclose(found.residuals[name]["current"], currents, rtol=0, atol=1e-8 * scale)
        assert np.allclose(
            found.residuals[name]["release_current"],
            expected.release_currents[name],
            rtol=0,
            atol=1e-8 * scale,
            equal_nan=True,
        )


def peak(tau_s, spikes):
    """Return the largest voltage after two simultaneous inputs, to many digits."""
    with mpmath.workdps(50):

        def voltage(s):
            return sum(
                w * (mpmath.exp(-s / 20) - mpmath.exp(-s / tau)) * tau / (20 - tau)
                for tau, w in zip(map(mpmath.mpf, tau_s), spikes, strict=True)
            )

        top = max(np.linspace(0.1, 60, 600), key=lambda s: float(voltage(s)))
        return voltage(mpmath.findroot(lambda s: mpmath.diff(voltage, s), top))


@pytest.mark.parametrize("excess", [10.0**-k for k in range(3, 12)])
@pytest.mark.parametrize(
    ("tau_s", "weights"),
    [
        ((5.0,), (1.0,)),
        ((10.0,), (1.0,)),
        ((30.0,), (1.0,)),
        ((5.0, 9.0), (1.0, -0.4)),
        ((2.0, 15.0), (-1.0, 1.0)),
    ],
)
def test_a_peak_a_little_above_the_threshold_makes_a_spike_and_below_it_none(tau_s, weights, excess):
    top = peak(tau_s, weights)
    for side, count in ((1, 1), (-1, 0)):
        spikes = [(1.0, w) for w in weights]
        network = one_neuron(
            spikes,
            tau_s,
            range(len(tau_s)),
            threshold=float(top * (1 - side * excess)),
            tau_ref=60.0,
            duration=90.0,
        )
        expected = simulate(network.program, network.stimulus, digits=40).spikes["cell"].times
        found = forward(network).spikes["cell"].times
        assert len(expected) == len(found) == count
        assert np.allclose(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("excess", [10.0**-k for k in range(3, 12)])
def test_a_peak_a_little_above_the_threshold_makes_a_spike_for_equal_time_constants(excess):
    for side, count in ((1, 1), (-1, 0)):
        threshold = float(mpmath.exp(-1) * (1 - side * mpmath.mpf(excess)))
        network = one_neuron([(1.0, 1.0)], (20.0,), threshold=threshold, tau_ref=60.0, duration=90.0)
        expected = simulate(network.program, network.stimulus, digits=40).spikes["cell"].times
        found = forward(network).spikes["cell"].times
        assert len(expected) == len(found) == count
        assert np.allclose(found, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("tau_m", [0.5, 2.0, 20.0])
@pytest.mark.parametrize("tau_s", [(2.0,), (5.0,), (5.0, 0.05), (20.0, 1.0), (2.0 * (1 + 1e-12),)])
def test_long_runs_and_far_time_constants_keep_every_spike(tau_s, tau_m):
    random = np.random.default_rng(3)
    times = np.sort(random.uniform(0.0, 1e4, 60)).tolist()
    weights = (random.normal(1.5, 1.0, 60) * 2 * max(1.0, tau_m / tau_s[0])).tolist()
    receptors = [k % len(tau_s) for k in range(60)]
    assert_same_spikes(
        one_neuron(
            list(zip(times, weights, strict=True)), tau_s, receptors, tau_m=tau_m, tau_ref=0.2, duration=1e4
        )
    )


def test_inhibition_just_before_a_crossing_prevents_it_and_just_after_does_not():
    crossing = forward(one_neuron([(1.0, 9.0)])).spikes["cell"].times[0]
    early = one_neuron([(1.0, 9.0), (crossing - 1e-9, -200.0)])
    late = one_neuron([(1.0, 9.0), (crossing + 1e-9, -200.0)])
    assert len(forward(early).spikes["cell"]) == 0
    assert len(forward(late).spikes["cell"]) == 1


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(3, loop="self", delay="mixed", readout=True, refractory=True),
        Recipe(4, layers=2, two_currents=True, readout=True, millivolts=True),
    ],
)
def test_the_solver_does_the_same_in_every_batch(recipe):
    network = random_network(recipe)
    once, again = forward(network), forward(network)
    for name in once.spikes:
        assert once.spikes[name].times.tolist() == again.spikes[name].times.tolist()
