"""The fixed pattern belongs to a chip, and a circuit's numbers to its place."""

import subprocess
import sys

import numpy as np
import pytest
from netdesc_brainscales2.chip.pattern import draw_pattern

RAW = dict(tau_mem=0.35, tau_syn=0.35, gain=0.2, threshold=12.0, leak=12.0, reset=12.0, cadc=3.0)


def test_a_chip_has_the_same_pattern_in_another_process():
    code = (
        "from netdesc_brainscales2.chip.pattern import *; "
        "print(draw_pattern(7, dict(leak=12.0)).leak.sum().hex())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float.fromhex(told.strip()) == draw_pattern(7, dict(leak=12.0)).leak.sum()


def test_chips_differ():
    assert not np.allclose(draw_pattern(1, RAW).tau_mem, draw_pattern(2, RAW).tau_mem)


def test_quantities_are_independent():
    pattern = draw_pattern(3, RAW)
    columns = [
        pattern.tau_mem,
        *pattern.tau_syn.T,
        *pattern.gain.T,
        pattern.threshold,
        pattern.leak,
        pattern.reset,
        pattern.cadc,
    ]
    assert np.abs(np.corrcoef(columns) - np.eye(len(columns))).max() < 0.2


@pytest.mark.parametrize("name", ["tau_mem", "tau_syn", "gain"])
def test_factors_are_positive_with_mean_one_and_the_spread_asked_for(name):
    values = np.concatenate([getattr(draw_pattern(chip, RAW), name).ravel() for chip in range(20)])
    assert values.min() > 0.0
    assert values.mean() == pytest.approx(1.0, abs=0.02)
    assert values.std() == pytest.approx(RAW[name], rel=0.05)


def test_without_spreads_there_is_no_deviation():
    pattern = draw_pattern(1, {})
    assert (pattern.tau_mem == 1.0).all()
    assert (pattern.gain == 1.0).all()
    assert not pattern.leak.any()
    assert not pattern.threshold.any()
    assert not pattern.cadc.any()
