"""Saturation of synaptic inputs, and a link that several populations share."""

import numpy as np
import pytest
from netdesc_brainscales2.analog.inputs import add_charge
from netdesc_brainscales2.analog.stamps import pass_link

KNEE, ROOM = 3.0, 2.0


def compress(x):
    return np.where(x <= KNEE, x, KNEE + ROOM * -np.expm1(-(x - KNEE) / ROOM))


@pytest.mark.parametrize("step", [0.01, 0.7, 2.9, 8.0])
def test_charges_add_up_to_the_compressed_sum(step):
    found, held = [], 0.0
    for _ in range(int(20.0 / step)):
        held = add_charge(held, step, KNEE, ROOM)
        found.append(held)
    np.testing.assert_allclose(found, compress(step * np.arange(1, len(found) + 1)), rtol=1e-9)


def test_a_current_never_exceeds_its_ceiling():
    assert add_charge(add_charge(0.0, 1e3, KNEE, ROOM), 1e3, KNEE, ROOM) <= KNEE + ROOM


def test_without_a_knee_charges_add():
    assert add_charge(2.5, 40.0, np.inf, ROOM) == 42.5


@pytest.mark.parametrize("interval", [1e-3, 0.02, 0.2])
def test_populations_share_a_link_as_if_they_were_one(interval):
    rng = np.random.default_rng(4)
    counts = np.array([[40, 0, 25], [7, 12, 30]])
    bounds = np.zeros((2, 4), dtype=np.int64)
    bounds[:, 1:] = np.cumsum(counts, axis=1)
    bounds[1] += bounds[0, -1]
    samples = np.repeat(np.tile(np.arange(3), 2), counts.ravel())
    part = np.repeat([0, 1], counts.sum(axis=1))
    times, neurons = np.rint(rng.uniform(0.0, 5.0, len(part)) * 20) / 20, rng.integers(0, 4, len(part))
    inside = np.lexsort((neurons, times, samples, part))
    times, neurons = times[inside], neurons[inside]
    order = np.lexsort((part, neurons, times, samples))
    offsets = np.concatenate(([0], np.cumsum(counts.sum(axis=0))))
    alone, together = np.ones(len(part), dtype=bool), np.ones(len(part), dtype=bool)
    lost = pass_link(times[order], neurons[order], offsets[None], interval, 2, alone)
    assert pass_link(times, neurons, bounds, interval, 2, together) == lost
    assert np.array_equal(together[order], alone)
    assert 0 < lost < len(part)
