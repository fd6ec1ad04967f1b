"""The exponential and the logarithm that loops are vectorized over, against many digits."""

import math

import mpmath
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from netdesc.dynamics.elementary import exponential, logarithm, relative_decay

many = settings(max_examples=400, deadline=None, derandomize=True)


def units_off(found, exact):
    """Return how many units in the last place a number is off."""
    return abs(mpmath.mpf(found) - exact) / math.ulp(float(exact))


@many
@given(st.floats(-708.0, 700.0))
@example(0.0)
@example(-708.0)
@example(700.0)
@example(math.log(2) / 2)
@example(-math.log(2) / 2)
@example(5e-324)
def test_the_exponential_is_right_to_two_units_in_the_last_place(x):
    with mpmath.workdps(40):
        assert units_off(exponential(x), mpmath.exp(mpmath.mpf(x))) <= 2


@pytest.mark.parametrize("x", [-708.0000001, -745.2, -1e6, -1e300])
def test_an_exponential_below_the_smallest_normal_number_is_zero(x):
    assert exponential(x) == 0.0


@many
@given(st.floats(-700.0, 700.0))
def test_the_exponential_of_the_opposite_is_the_inverse(x):
    assert exponential(x) * exponential(-x) == pytest.approx(1.0, rel=1e-15)


@many
@given(st.floats(2.2250738585072014e-308, 1.7976931348623157e308))
@example(1.0)
@example(math.nextafter(1.0, 2.0))
@example(math.nextafter(1.0, 0.0))
@example(math.sqrt(2.0))
@example(math.nextafter(math.sqrt(2.0), 2.0))
@example(2.0)
@example(0.5)
@example(2.2250738585072014e-308)
@example(1.7976931348623157e308)
def test_the_logarithm_is_right_to_two_units_in_the_last_place(x):
    with mpmath.workdps(40):
        assert units_off(logarithm(x), mpmath.log(mpmath.mpf(x))) <= 2


@many
@given(st.floats(0.5, 2.0))
def test_the_logarithm_close_to_one_is_right_to_two_units_in_the_last_place(x):
    with mpmath.workdps(40):
        assert units_off(logarithm(x), mpmath.log(mpmath.mpf(x))) <= 2


@many
@given(st.floats(-1.0, 1.0))
@example(0.0)
def test_the_relative_decay_is_right_to_two_units_in_the_last_place(x):
    with mpmath.workdps(40):
        exact = -mpmath.expm1(-mpmath.mpf(x)) / x if x else mpmath.mpf(1)
        assert units_off(relative_decay(x), exact) <= 2
