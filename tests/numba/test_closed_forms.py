"""Times and gradients of first spikes against closed forms.

With x = exp(-t / tau_m) the voltage is a quadratic in x where tau_m = 2 tau_s; where the time constants are
equal it is solved by Lambert's function (Goeltz and others, Fast and energy-efficient neuromorphic deep
learning with first-spike times, Nature Machine Intelligence 3, 2021).
"""

import mpmath
import numpy as np
import pytest
from netdesc_numba import NumbaBackend

from netdesc.trace import Cotangent
from tests.generate.neuron import one_neuron


def first_spike(network):
    """Return the time of the first spike and its derivatives by weights, delays and input times."""
    machine = NumbaBackend({}).load(network.program, seed=0)
    trace = machine.forward(network.stimulus, seed=0)
    slopes = np.zeros(len(trace.spikes["cell"]))
    slopes[0] = 1.0
    gradient = machine.adjoint(trace, Cotangent({"cell": slopes}))
    return (
        trace.spikes["cell"].times[0],
        gradient.parameters["input_to_cell_0.weight"],
        gradient.parameters["input_to_cell_0.delay"],
        gradient.spike_times["input"],
    )


def derivatives(voltage, time, inputs):
    """Return dt/dw and dt/dt_j where voltage(t) is the threshold, by the implicit function theorem."""
    slope = mpmath.diff(lambda t: sum(w * voltage(t - s) for s, w in inputs), time)
    return (
        [float(-voltage(time - s) / slope) for s, _ in inputs],
        [float(w * mpmath.diff(voltage, time - s) / slope) for s, w in inputs],
    )


def assert_close(found, expected):
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-12)


SPIKES = [
    [(3.0, 9.0)],
    [(0.0, 4.4)],
    [(10.0, 60.0)],
    [(1.0, 2.5), (4.0, 3.5)],
    [(1.0, 4.0), (2.0, -1.5), (5.0, 6.0)],
]


@pytest.mark.parametrize("inputs", SPIKES)
def test_a_first_spike_solves_a_quadratic_where_the_membrane_is_twice_as_slow(inputs):
    with mpmath.workdps(40):
        a = sum(w * mpmath.exp(mpmath.mpf(s) / 20) for s, w in inputs)
        b = sum(w * mpmath.exp(mpmath.mpf(s) / 10) for s, w in inputs)
        time = -20 * mpmath.log((a + mpmath.sqrt(a * a - 4 * b)) / (2 * b))
        assert time > max(s for s, _ in inputs)
        by_weight, by_time = derivatives(lambda s: mpmath.exp(-s / 20) - mpmath.exp(-s / 10), time, inputs)
    found = first_spike(one_neuron(inputs, (10.0,)))
    for value, expected in zip(found, (float(time), by_weight, by_time, by_time), strict=True):
        assert_close(value, expected)


@pytest.mark.parametrize("inputs", SPIKES)
def test_a_first_spike_is_a_lambert_function_where_the_time_constants_are_equal(inputs):
    with mpmath.workdps(40):
        a = sum(w * mpmath.exp(mpmath.mpf(s) / 20) for s, w in inputs)
        b = sum(w * s * mpmath.exp(mpmath.mpf(s) / 20) for s, w in inputs) / a
        time = b - 20 * mpmath.lambertw(-mpmath.exp(b / 20) / a).real
        assert time > max(s for s, _ in inputs)
        by_weight, by_time = derivatives(lambda s: s / 20 * mpmath.exp(-s / 20), time, inputs)
    found = first_spike(one_neuron(inputs, (20.0,)))
    for value, expected in zip(found, (float(time), by_weight, by_time, by_time), strict=True):
        assert_close(value, expected)


@pytest.mark.parametrize("refractory", [0.0, 1.25])
def test_a_constant_drive_makes_a_clock(refractory):
    network = one_neuron([], rest=1.5, reset=-0.2, tau_ref=refractory, duration=200.0)
    machine = NumbaBackend({}).load(network.program, seed=0)
    times = machine.forward(network.stimulus, seed=0).spikes["cell"].times
    period = 20.0 * np.log((1.5 + 0.2) / 0.5) + refractory
    assert_close(times, 20.0 * np.log(1.5 / 0.5) + period * np.arange(len(times)))
    assert len(times) == int((200.0 - 20.0 * np.log(3.0)) // period) + 1
