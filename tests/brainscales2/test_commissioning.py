"""Circuits that cannot do what a neuron needs are named, and others take their place."""

import pytest
from chip_programs import layered
from netdesc_brainscales2.backend import BrainScaleS2Backend
from netdesc_brainscales2.chip.calibration import calibrate_chip, commission
from netdesc_brainscales2.options import Options

from netdesc.errors import LimitError
from netdesc.events import Events

POOR = {"chip": 3, "profile_numbers": {"gain_spread": 0.6}}


def test_circuits_that_miss_their_targets_are_not_used():
    plan, calibration = commission(layered(5, 40), Options.read(POOR))
    assert calibration.left_out
    assert not set(calibration.left_out) & set(calibration.used.tolist())
    assert len(calibration.used) == 40
    assert not calibrate_chip(layered(5, 40), plan, Options.read(POOR))[1]


def test_a_run_names_the_circuits_that_are_left_out():
    machine = BrainScaleS2Backend(POOR).load(layered(5, 40), seed=0)
    told = machine.forward(Events.from_lists([[[5.0]] * 5]), seed=0).provenance["calibration"]
    for circuit in machine.calibration.left_out:
        assert f"circuit {circuit}, meant for neuron" in told


def test_without_calibration_nothing_is_left_out():
    assert not commission(layered(5, 40), Options.read({**POOR, "calibrate": False}))[1].left_out


def test_a_chip_with_too_few_circuits_left_tells_why():
    with pytest.raises(LimitError) as caught:
        commission(layered(5, 512), Options.read({**POOR, "instances": 1}))
    assert {item.code for item in caught.value.diagnostics} == {"B2-NEURONS", "B2-CALIBRATION"}
