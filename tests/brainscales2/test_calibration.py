"""Calibration brings circuits close to their targets, and names those that it cannot bring there."""

from dataclasses import replace

import numpy as np
import pytest
from netdesc_brainscales2.chip.calibration import QUANTITIES, Targets, calibrate, measure, raw_spreads, search
from netdesc_brainscales2.chip.pattern import CIRCUITS, Dac, draw_pattern
from netdesc_brainscales2.profile import Profile

ALL = np.arange(CIRCUITS)


def targets(tau_mem=20.0):
    return Targets(
        np.full(CIRCUITS, tau_mem),
        np.full((CIRCUITS, 2), 5.0),
        np.full(CIRCUITS, 200.0),
        np.full(CIRCUITS, 80.0),
        np.full(CIRCUITS, 80.0),
        np.ones(CIRCUITS, dtype=bool),
        [f"hidden[{k}]" for k in range(CIRCUITS)],
    )


@pytest.mark.parametrize("quantity", ["tau_mem", "tau_syn", "threshold", "leak", "reset"])
def test_spreads_of_twenty_chips_shrink_by_more_than_the_published_ratios(quantity):
    profile = Profile.read("calibrated")
    for chip in range(20):
        after = measure(calibrate(chip, targets(), profile)[0], ALL)[quantity]
        before = measure(draw_pattern(chip, raw_spreads(profile)), ALL)[quantity]
        assert after / before < getattr(profile, f"{quantity}_ratio").value


def test_a_chip_is_always_calibrated_in_the_same_way():
    profile = Profile.read("calibrated")
    first, second = (calibrate(4, targets(), profile)[0] for _ in range(2))
    assert all(np.array_equal(getattr(first, name), getattr(second, name)) for name in QUANTITIES)


def test_without_errors_of_measurement_a_search_ends_within_one_code():
    rng = np.random.default_rng(1)
    dac = Dac(10, 0.0, 255.0, False, rng.normal(0.0, 12.0, 100))
    target = np.full(100, 90.0)
    missed = dac.convert(search(dac, target, np.zeros(100), 0.0, rng)) - target
    assert (missed <= 0.0).all()
    assert (missed > -255.0 / dac.top - 1e-12).all()


def test_codes_are_monotone():
    for relative in (False, True):
        dac = Dac(8, 1.0, 50.0, relative, np.ones(256))
        assert (np.diff(dac.convert(np.arange(256))) > 0.0).all()


def test_circuits_out_of_reach_are_named_with_their_neuron():
    profile = Profile.read("calibrated")
    far = targets()
    far.tau_mem[17] = 5000.0
    _, faults = calibrate(1, far, profile)
    assert list(faults) == [17]
    assert faults[17].code == "B2-CALIBRATION"
    assert "circuit 17" in faults[17].message
    assert "hidden[17]" in faults[17].message


def test_circuits_that_are_not_used_are_not_complained_about():
    far = replace(targets(), used=np.zeros(CIRCUITS, dtype=bool))
    far.tau_mem[17] = 5000.0
    assert not calibrate(1, far, Profile.read("calibrated"))[1]
