import numpy as np
import pytest

from netdesc.adjoint.derivatives import add_parts, make_sums, share_parts, split_batch


@pytest.mark.parametrize(
    ("batch", "sizes"),
    [(0, []), (1, [1]), (5, [5]), (8, [8]), (9, [8, 1]), (50, [8] * 6 + [2]), (150, [19] * 7 + [17])],
)
def test_a_batch_is_summed_in_blocks_of_eight_and_larger_ones_where_there_are_many(batch, sizes):
    parts = split_batch(batch, 10)
    assert [last - first for first, last in parts] == sizes
    assert [first for first, _ in parts] == [sum(sizes[:k]) for k in range(len(sizes))]


def test_the_parts_of_many_synapses_fit_into_memory():
    assert len(split_batch(150, 2**22)) == 8
    assert len(split_batch(150, 2**24)) == 2
    assert len(split_batch(150, 2**25)) == 1


@pytest.mark.parametrize("asked", [(False, False), (True, False), (False, True), (True, True)])
def test_what_nobody_asks_for_takes_no_memory(asked):
    sums = make_sums(np.empty(0), 150, 1000, asked=asked)
    assert sums.weight.shape == (8, 1000 if asked[0] else 16)
    assert sums.delay.shape == (8, 1000 if asked[1] else 16)


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("batch", [1, 9, 50, 150])
def test_threads_share_whole_parts(batch, threads):
    parts = split_batch(batch, 10)
    tasks = share_parts(parts, threads)
    assert tasks[0][0] == 0
    assert tasks[-1][1] == batch
    assert [last for _, last in tasks[:-1]] == [first for first, _ in tasks[1:]]
    assert {first for first, _ in tasks} <= {first for first, _ in parts}


@pytest.mark.parametrize("batch", [1, 8, 9, 150])
def test_every_sample_adds_to_its_part(batch):
    sums = make_sums(np.zeros(0), batch, 3)
    assert len(sums.weight) == len(split_batch(batch, 3))
    for part, (first, last) in enumerate(split_batch(batch, 3)):
        assert set(sums.part[first:last]) == {part}


def test_one_part_is_its_own_sum_and_is_not_copied():
    sums = np.arange(3.0).reshape(1, 3)
    assert np.shares_memory(add_parts(sums), sums)
    np.testing.assert_array_equal(add_parts(np.array([[1.0, 2.0], [3.0, 4.0]])), [4.0, 6.0])
