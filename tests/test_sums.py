"""Sums in our own order, and what is promised to be the same bits on every machine."""

import numpy as np
import pytest
from netdesc_spinnaker2.costs.energy import Pace, spend
from netdesc_spinnaker2.options import Options

from netdesc.datasets.mnist import average, cover
from netdesc.sums import add_up, blend


def in_order(values):
    total = 0.0
    for value in np.ravel(values).tolist():
        total += value
    return total


@pytest.mark.parametrize("shape", [(0,), (1,), (7,), (1000,), (13, 57)])
def test_a_sum_is_that_of_a_loop(shape):
    values = np.random.default_rng(1).normal(size=shape) * 1e3
    assert add_up(values) == in_order(values)


def test_a_product_adds_by_ascending_column():
    rng = np.random.default_rng(2)
    values, shares = rng.random((3, 5)), rng.random((4, 5)) * (rng.random((4, 5)) < 0.5)
    expected = [[in_order(row[part != 0.0] * part[part != 0.0]) for part in shares] for row in values]
    assert blend(values, shares).tolist() == expected


def test_an_image_of_another_size_is_averaged_in_one_order():
    images = np.random.default_rng(3).integers(0, 256, (5, 28, 27), dtype=np.uint8)
    down, across = cover(28, 12), cover(27, 10) / 255.0
    expected = np.empty((5, 12, 10))
    for number, image in enumerate(images.astype(float)):
        narrow = [[in_order(row * part) for part in across] for row in image]
        for r, part in enumerate(down):
            for c in range(10):
                expected[number, r, c] = in_order([narrow[k][c] * part[k] for k in range(28)])
    assert average(images, (12, 10)).tobytes() == np.minimum(expected, 1.0).reshape(5, -1).tobytes()


def test_energy_is_added_in_one_order():
    rng = np.random.default_rng(4)
    busy, high, ticks = rng.random((9, 301)), rng.random((9, 301)) < 0.4, rng.random(301) * 100.0
    pace = Pace(tick=1.0, busy=busy, high=high)
    found = spend(pace, ticks, Options.read({}), chips=1, packets=0.0, dram=0.0)
    seconds = ticks * 1e-3
    power = Options.read({}).profile
    assert found["busy_high"] == in_order(np.where(high, busy, 0.0) * seconds) * power.busy_power_high.value
    assert found["baseline"] == in_order(seconds) * power.chip_power.value
