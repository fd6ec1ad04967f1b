"""No neuron spikes before the time that the bound without exponentials gives."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from netdesc.dynamics.lif import crossing
from netdesc.dynamics.two_currents import crossing_two, quiet

voltages = st.floats(-40.0, 30.0)
currents = st.floats(-60.0, 60.0)
taus = st.sampled_from([0.5, 1.0, 2.0, 5.0, 5.0001, 10.0, 20.0, 37.0])
gaps = st.sampled_from([-5.0, -0.5, 0.0, 0.5, 1.0, 15.0])


@settings(max_examples=400)
@given(voltages, currents, currents, gaps, taus, taus, taus)
def test_no_crossing_comes_before_the_bound(u, i, j, gap, tau_m, tau_i, tau_j):
    assume(tau_i != tau_j)
    bound = quiet(u, i, j, gap, tau_m, tau_i, tau_j)
    found = crossing_two(u, i, j, gap, tau_m, tau_i, tau_j, 400.0)
    assert bound >= 0.0
    assert found < 0.0 or found >= bound


@settings(max_examples=200)
@given(voltages, currents, gaps, taus, taus)
def test_the_bound_holds_with_one_current(u, i, gap, tau_m, tau_s):
    bound = quiet(u, i, 0.0, gap, tau_m, tau_s, tau_s)
    found = crossing(u, i, gap, tau_m, tau_s, 400.0)
    assert found < 0.0 or found >= bound


@pytest.mark.parametrize(
    ("u", "i", "j", "expected"),
    [
        (0.0, 0.9, 0.0, math.inf),  # the current is below the gap
        (0.0, 3.0, 0.0, math.inf),  # its whole charge, 3 * 5 ms, does not lift 20 ms by 1
        (0.0, 30.0, -29.5, math.inf),  # what holds the voltage down decays more slowly
        (0.5, 40.0, 0.0, 0.5 * 20.0 / 39.5),
        (1.2, 40.0, 0.0, 0.0),  # above the gap already
    ],
)
def test_the_bound_is_what_charge_and_slope_allow(u, i, j, expected):
    assert quiet(u, i, j, 1.0, 20.0, 5.0, 10.0) == pytest.approx(expected, rel=1e-6)
