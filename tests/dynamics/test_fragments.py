"""Kernels out of fragments: arrays that come out of arguments are not counted, and none is lost."""

from __future__ import annotations

import gc
import sys
from typing import NamedTuple

import numpy as np
import pytest

from netdesc.dynamics.fragments import GARBAGE, Kernel, rare_collection
from netdesc.dynamics.jit import inlined, kernel, shared
from netdesc.events import Floats, Integers


class Pair(NamedTuple):
    first: Floats
    second: Floats


class Nest(NamedTuple):
    pair: Pair
    indices: Integers


@inlined
def pick(nest: Nest, which: int) -> Floats:
    return nest.pair.first if which == 0 else nest.pair.second


@shared
def make(nest: Nest, which: int) -> Pair:
    chosen = pick(nest, which)
    return Pair(chosen[nest.indices], chosen)


@kernel
def take(nest: Nest, which: int) -> Floats:
    return pick(nest, which)


@kernel
def turn(nest: Nest, times: int) -> Pair:
    pair = nest.pair
    for k in range(times):
        pair = Pair(pair.second, pair.first + 1.0) if k % 2 else make(nest, k)
    return pair


@kernel
def add_up(nest: Nest) -> float:
    before, total = nest.pair.second, 0.0
    for k in range(len(nest.indices)):
        here = nest.pair.first[nest.indices[k] :]
        total += before[0]
        before = here
    return total


def build() -> Nest:
    return Nest(Pair(np.arange(4.0), np.arange(4.0) + 10.0), np.array([2, 0]))


@pytest.mark.skipif(not isinstance(take, Kernel), reason="needs compiled code")
@pytest.mark.parametrize("which", [0, 1])
def test_an_array_out_of_an_argument_is_returned_with_a_reference_of_its_own(which: int) -> None:
    nest = build()
    array = nest.pair[which]
    before = sys.getrefcount(array)
    found = [take(nest, which) for _ in range(50)]
    np.testing.assert_array_equal(found[-1], array)
    del found
    gc.collect()
    assert sys.getrefcount(array) == before


@pytest.mark.parametrize("times", [0, 1, 2, 3, 20])
def test_a_name_that_holds_arguments_and_new_arrays_by_turns_loses_neither(times: int) -> None:
    nest = build()
    expected = nest.pair
    for k in range(times):
        chosen = nest.pair[min(k, 1)]
        expected = (
            Pair(expected.second, expected.first + 1.0) if k % 2 else Pair(chosen[nest.indices], chosen)
        )
    for _ in range(20):
        found = turn(nest, times)
    np.testing.assert_array_equal(found.first, expected.first)
    np.testing.assert_array_equal(found.second, expected.second)
    np.testing.assert_array_equal(nest.pair.first, np.arange(4.0))


def test_a_name_keeps_its_value_from_one_round_to_the_next() -> None:
    nest = build()._replace(indices=np.array([3, 1, 2, 0]))
    assert add_up(nest) == 10.0 + 3.0 + 1.0 + 2.0


def test_a_fragment_can_be_called_from_python() -> None:
    found = make(build(), 1)
    np.testing.assert_array_equal(found.first, [12.0, 10.0])


def test_a_search_for_garbage_is_as_frequent_after_compiling_as_before() -> None:
    before = gc.get_threshold()
    with rare_collection():
        assert gc.get_threshold()[0] == GARBAGE
    assert gc.get_threshold() == before
    gc.set_threshold(0)
    try:
        with rare_collection():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
