import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.threads import available, run, split


@given(st.integers(0, 500), st.integers(-1, 60))
def test_parts_cover_a_range_once_and_are_nearly_equal(count, parts):
    found = split(count, parts)
    assert [k for first, last in found for k in range(first, last)] == list(range(count))
    sizes = [last - first for first, last in found]
    assert len(found) == (min(max(parts, 1), count))
    assert not sizes or max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_results_come_in_the_order_of_the_parts(threads):
    parts = split(20, 6)
    assert run(lambda first, last: (first, last), parts, threads) == parts


def test_parts_run_at_the_same_time():
    barrier = threading.Barrier(3)
    assert sorted(run(lambda first, last: barrier.wait(timeout=10), split(3, 3), 3)) == [0, 1, 2]


def test_one_thread_and_one_part_run_where_they_were_called():
    here = threading.get_ident()
    assert run(lambda first, last: threading.get_ident(), split(4, 4), 1) == [here] * 4
    assert run(lambda first, last: threading.get_ident(), split(4, 1), 8) == [here]


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_error_of_a_part_reaches_the_caller(threads):
    def task(first, last):
        if first:
            raise ValueError(first)

    with pytest.raises(ValueError, match=r"^1$"):
        run(task, split(3, 3), threads)


def test_nothing_to_do_gives_nothing():
    assert run(lambda first, last: 1, split(0, 3), 3) == []


def test_there_is_at_least_one_processor():
    assert available() >= 1
