"""Flow, adjoint flow and threshold crossings of the neuron against many digits."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from netdesc.adjoint.arrivals import Incoming, gather
from netdesc.adjoint.synapses import Synapses
from netdesc.dynamics.jit import kernel
from netdesc.dynamics.lif import NEVER, crossing, decay, flow, gain_over
from netdesc.dynamics.lif_adjoint import (
    adjoint_flow,
    adjoint_gain_over,
    arrival_force,
    bounded_slope,
    slope_after,
    slope_before,
    weight_force,
)
from netdesc.dynamics.two_currents import crossing_two, excess, flow_two, turning_point

several = settings(max_examples=150, deadline=None, derandomize=True)
times = st.floats(1e-6, 200.0)
constants = st.floats(0.5, 50.0)
currents = st.floats(-8.0, 8.0)
gaps = st.sampled_from([1.0, 0.3, 15.0, -0.2, -1.0])


def exact_charge(s, tau_m, tau_s):
    s, tau_m, tau_s = map(mpmath.mpf, (s, tau_m, tau_s))
    if tau_m == tau_s:
        return s / tau_m * mpmath.exp(-s / tau_m)
    return tau_s / (tau_m - tau_s) * (mpmath.exp(-s / tau_m) - mpmath.exp(-s / tau_s))


def voltage(u, parts, tau_m, s):
    """Return the voltage after time s of a neuron with currents of several time constants."""
    return mpmath.mpf(u) * mpmath.exp(-mpmath.mpf(s) / tau_m) + sum(
        i * exact_charge(s, tau_m, tau) for i, tau in parts
    )


@pytest.mark.parametrize("distance", [0.0, *(sign * 10.0**-k for k in range(3, 16) for sign in (1, -1))])
@pytest.mark.parametrize("s", [1e-9, 0.1, 3.0, 40.0, 900.0])
def test_the_charge_of_nearly_equal_time_constants_keeps_its_digits(s, distance):
    tau_m, tau_s = 20.0, 20.0 * (1 + distance)
    with mpmath.workdps(60):
        exact = exact_charge(s, tau_m, tau_s)
    # the decays themselves are rounded at arguments up to s / tau
    assert gain_over(s, decay(s, tau_m), decay(s, tau_s), tau_m, tau_s) == pytest.approx(
        float(exact), rel=1e-15 * (4 + s / tau_m)
    )


@several
@given(times, constants, constants)
def test_the_charge_is_right_for_any_time_constants(s, tau_m, tau_s):
    with mpmath.workdps(60):
        exact = float(exact_charge(s, tau_m, tau_s))
    found = gain_over(s, decay(s, tau_m), decay(s, tau_s), tau_m, tau_s)
    assert found == pytest.approx(exact, rel=1e-14 * (4 + s / min(tau_m, tau_s)), abs=1e-300)


@several
@given(currents, currents, times, constants, constants)
def test_a_flow_in_two_parts_is_the_flow_in_one(u, i, s, tau_m, tau_s):
    middle = flow(u, i, 0.3 * s, tau_m, tau_s)
    assert np.allclose(
        flow(*middle, 0.7 * s, tau_m, tau_s), flow(u, i, s, tau_m, tau_s), rtol=1e-12, atol=1e-13
    )


@several
@given(currents, currents, currents, times, constants, constants)
def test_two_currents_with_one_time_constant_are_one_current(u, i, j, s, tau_m, tau_s):
    u_two, i_two, j_two = flow_two(u, i, j, s, tau_m, tau_s, tau_s)
    assert np.allclose((u_two, i_two + j_two), flow(u, i + j, s, tau_m, tau_s), rtol=1e-12, atol=1e-13)


@several
@given(times, constants, constants, currents, currents)
def test_the_adjoint_flow_is_the_transposed_flow(s, tau_m, tau_s, lam_v, lam_i):
    """With dL/dv = -tau_m lam_v and dL/di = -tau_s lam_i, dL is the same at both ends of an interval."""
    columns = np.array([flow(1.0, 0.0, s, tau_m, tau_s), flow(0.0, 1.0, s, tau_m, tau_s)])
    slopes = columns @ np.array([-tau_m * lam_v, -tau_s * lam_i])
    lam_v_before, *lam_i_before = adjoint_flow((lam_v, lam_i, lam_i), s, tau_m, tau_s, tau_s)
    assert lam_i_before[0] == lam_i_before[1]
    found = lam_v_before, lam_i_before[0]
    assert np.allclose(np.array([-tau_m, -tau_s]) * found, slopes, rtol=1e-12, atol=1e-12)


def first_rise(u, parts, gap, tau_m, span):
    """Return the first time at which v reaches the gap from below; None for none or for a matter of rounding.

    The sum of the currents has at most one extremum for two parts, and so it meets the gap at most twice;
    v can meet the gap only once between these.
    """
    with mpmath.workdps(40):
        total = lambda s: sum(i * mpmath.exp(-mpmath.mpf(s) / tau) for i, tau in parts) - gap  # noqa: E731
        cuts = [mpmath.mpf(0), mpmath.mpf(span)]
        if len(parts) == 2 and parts[0][0] * parts[1][0] < 0 and parts[0][1] != parts[1][1]:
            (i, a), (j, b) = parts
            turn = mpmath.log(-mpmath.mpf(i) * b / (mpmath.mpf(j) * a)) / (
                1 / mpmath.mpf(a) - 1 / mpmath.mpf(b)
            )
            cuts = sorted([*cuts, turn] if 0 < turn < span else cuts)
        for left, right in list(itertools.pairwise(cuts)):
            if total(left) * total(right) < 0:
                cuts.append(bisect(total, left, right))
        cuts.sort()
        above = lambda s: voltage(u, parts, tau_m, s) - gap  # noqa: E731
        for left, right in itertools.pairwise(cuts):
            # at a peak or at the end, a spike may be a matter of rounding
            assume(abs(above(right)) > 1e-9)
            if above(left) < 0 < above(right):
                return float(bisect(above, left, right))
    return None


def bisect(function, left, right):
    """Return the root in a bracket: bisection until secants are sure to converge, then those."""
    sign = function(left) > 0
    for _ in range(32):
        middle = (left + right) / 2
        left, right = (middle, right) if (function(middle) > 0) == sign else (left, middle)
    at_left, at_right = function(left), function(right)
    for _ in range(7):
        if at_left == at_right:
            break
        left, right = right, right - at_right * (right - left) / (at_right - at_left)
        at_left, at_right = at_right, function(right)
    return right


@kernel
def cross(u, i, gap, tau_m, tau_s, span):
    """Return ``crossing``, compiled once and kept."""
    return crossing(u, i, gap, tau_m, tau_s, span)


@kernel
def cross_two(u, i, j, gap, tau_m, tau_i, tau_j, span):
    """Return ``crossing_two``, compiled once and kept."""
    return crossing_two(u, i, j, gap, tau_m, tau_i, tau_j, span)


def assert_crossing(found, expected, slope):
    if expected is None:
        assert found == NEVER
    else:
        assert found == pytest.approx(expected, rel=4e-15, abs=1e-14 / max(abs(slope), 1e-9))


@several
@given(st.floats(-3.0, 0.99), st.floats(-8.0, 40.0), gaps, constants, constants, times)
def test_a_crossing_is_where_bisection_finds_it(below, i, gap, tau_m, tau_s, span):
    u = gap - (1 - below) * abs(gap)
    expected = first_rise(u, [(i, tau_s)], gap, tau_m, span)
    found = cross(u, i, gap, tau_m, tau_s, span)
    at, current = flow(u, i, max(found, 0.0), tau_m, tau_s)
    assert_crossing(found, expected, (current - at) / tau_m)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.floats(-3.0, 0.99),
    st.floats(-30.0, 40.0),
    st.floats(-30.0, 40.0),
    gaps,
    constants,
    constants,
    constants,
    times,
)
def test_a_crossing_under_two_currents_is_where_bisection_finds_it(
    below, i, j, gap, tau_m, tau_i, tau_j, span
):
    assume(abs(tau_i / tau_j - 1) > 1e-3)
    u = gap - (1 - below) * abs(gap)
    expected = first_rise(u, [(i, tau_i), (j, tau_j)], gap, tau_m, span)
    found = cross_two(u, i, j, gap, tau_m, tau_i, tau_j, span)
    at, *parts = flow_two(u, i, j, max(found, 0.0), tau_m, tau_i, tau_j)
    assert_crossing(found, expected, (sum(parts) - at) / tau_m)


def test_a_span_that_ends_before_the_crossing_has_none_and_one_that_ends_after_it_has_it():
    at = cross(0.0, 9.0, 1.0, 20.0, 5.0, 100.0)
    assert 0.0 < at < 5.0 * math.log(9.0)
    assert cross(0.0, 9.0, 1.0, 20.0, 5.0, 0.999999 * at) == NEVER
    assert cross(0.0, 9.0, 1.0, 20.0, 5.0, 1.000001 * at) == pytest.approx(at, rel=1e-14)


def test_a_span_that_ends_beyond_the_peak_below_the_threshold_again_still_has_the_crossing():
    at = cross(0.0, 9.0, 1.0, 20.0, 5.0, 100.0)
    assert flow(0.0, 9.0, 100.0, 20.0, 5.0)[0] < 1.0
    assert flow(0.0, 9.0, at, 20.0, 5.0)[0] == pytest.approx(1.0, rel=1e-14)


@pytest.mark.parametrize("i", [1.0, 0.5, 0.0, -3.0])
def test_no_current_below_the_gap_makes_a_spike(i):
    assert cross(0.9, i, 1.0, 20.0, 5.0, 100.0) == NEVER
    assert cross_two(0.9, i, -0.1, 1.0, 20.0, 5.0, 2.0, 100.0) == NEVER


def test_rest_above_the_threshold_makes_a_clock_without_current():
    assert cross(-1.0, 0.0, -0.5, 20.0, 5.0, 100.0) == pytest.approx(20.0 * math.log(2.0), rel=1e-14)
    assert cross_two(-1.0, 0.0, 0.0, -0.5, 20.0, 5.0, 2.0, 100.0) == pytest.approx(
        20.0 * math.log(2.0), rel=1e-14
    )


def test_inhibition_that_decays_first_lets_a_late_spike_through():
    """The sum of the currents passes the gap upward, then downward."""
    at = cross_two(0.0, 6.0, -20.0, 1.0, 20.0, 20.0, 2.0, 100.0)
    assert excess(6.0, -20.0, 1.0, 0.0, 20.0, 2.0) < 0 < excess(6.0, -20.0, 1.0, at, 20.0, 2.0)
    assert flow_two(0.0, 6.0, -20.0, at, 20.0, 20.0, 2.0)[0] == pytest.approx(1.0, rel=1e-14)


def test_the_total_current_turns_where_its_slope_vanishes():
    turn = turning_point(3.0, -2.0, 5.0, 2.0)
    assert turn == NEVER or -3.0 / 5.0 * math.exp(-turn / 5.0) + math.exp(-turn / 2.0) == pytest.approx(0.0)
    late = turning_point(3.0, -4.0, 5.0, 2.0)
    assert -3.0 / 5.0 * math.exp(-late / 5.0) + 2.0 * math.exp(-late / 2.0) == pytest.approx(0.0, abs=1e-15)
    assert turning_point(3.0, 2.0, 5.0, 2.0) == NEVER


PLAIN = [
    (gain_over, (3.0, 0.8, 0.5, 20.0, 5.0)),
    (adjoint_gain_over, (0.3, 20.0, 5.0)),
    (slope_before, (2.0, 1.0)),
    (slope_after, (2.0, -1.0)),
    (arrival_force, (0.5, 2.0, 3.0)),
    (weight_force, (2.0, 5.0)),
    (bounded_slope, (-1.0, 1e-6)),
    (bounded_slope, (1.0, 1e-6)),
    (flow, (0.1, 3.0, 2.0, 20.0, 5.0)),
    (adjoint_flow, ((0.1, 3.0, -1.0), 2.0, 20.0, 5.0, 7.0)),
]


@pytest.mark.parametrize(("equation", "arguments"), PLAIN)
def test_a_compiled_equation_does_what_its_text_says(equation, arguments):
    found, plain = equation(*arguments), equation.py_func(*arguments)
    assert np.allclose(found, plain, rtol=1e-15, atol=0)


def test_a_compiled_kernel_does_what_its_text_says():
    times = np.array([3.0, 4.0, 4.5])
    incoming = Incoming(times, np.array([1, 0, 1]), np.array([0, 3]))
    fan = Synapses(
        first=np.array([0, 1, 2]),
        runs=np.array([[0, 2, 0], [2, 4, 0]], dtype=np.int32),
        order=np.array([0, 1, 3, 2], dtype=np.int32),
        target=np.array([1, 0, 1, 0], dtype=np.int32),
        weight=np.ones(1),
        delay=np.array([0.0, 2.0, 40.0, 1.0]),
        parts=np.array([[0, 0, 0, 0, 1]]),
    )
    arguments = (0, incoming, fan, 2, 40.0)
    for found, plain in zip(gather(*arguments), gather.py_func(*arguments), strict=True):
        assert np.array_equal(found, plain)
