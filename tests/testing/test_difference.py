"""Derivatives by differences."""

import math

import pytest

from netdesc.testing.difference import Probe, extrapolate


def test_a_derivative_from_both_sides_is_exact_to_many_digits():
    probe = Probe(lambda h: math.sin(0.3 + h), 0.1, True)
    assert extrapolate(probe) == pytest.approx(math.cos(0.3), rel=1e-11)


def test_a_derivative_from_one_side_is_exact_to_many_digits():
    assert extrapolate(Probe(lambda h: math.exp(h), 0.1, False)) == pytest.approx(1.0, rel=1e-9)


def test_a_backward_step_gives_the_same_derivative():
    assert extrapolate(Probe(lambda h: math.exp(h), -0.1, False)) == pytest.approx(1.0, rel=1e-9)


def test_large_steps_that_change_the_spikes_are_left_out():
    probe = Probe(lambda h: None if abs(h) > 0.02 else math.sin(0.3 + h), 0.1, True)
    assert extrapolate(probe) == pytest.approx(math.cos(0.3), rel=1e-9)


def test_an_entry_without_a_usable_step_is_not_a_number():
    assert math.isnan(extrapolate(Probe(lambda h: None, 0.1, True)))
