"""Sorting within kernels: the order of NumPy's stable sort."""

from __future__ import annotations

import numpy as np
import pytest

from netdesc.dynamics.jit import kernel
from netdesc.dynamics.order import RUN, find_order, rearrange
from netdesc.events import Floats, Integers


@kernel
def sort(keys: Floats, values: Integers) -> None:
    order = find_order(keys)
    rearrange(keys, order)
    rearrange(values, order)


@pytest.mark.parametrize("size", [0, 1, 2, RUN - 1, RUN, RUN + 1, 3 * RUN, 4 * RUN + 5, 1000])
@pytest.mark.parametrize("different", [1, 3, 10**6])
def test_items_come_in_the_order_of_a_stable_sort(size: int, different: int) -> None:
    rng = np.random.default_rng(size)
    keys, values = rng.integers(0, different, size).astype(float), np.arange(size)
    order = np.argsort(keys, kind="stable")
    expected = keys[order]
    sort(keys, values)
    np.testing.assert_array_equal(values, order)
    np.testing.assert_array_equal(keys, expected)


@pytest.mark.parametrize("keys", [np.arange(100.0), np.arange(100.0)[::-1].copy()])
def test_ascending_and_descending_keys_are_sorted(keys: Floats) -> None:
    values = np.argsort(keys)
    sort(keys, values)
    np.testing.assert_array_equal(keys, np.arange(100.0))
