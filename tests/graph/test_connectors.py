import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netdesc.description.model import Choice
from netdesc.errors import GraphError
from netdesc.graph.connectors import Ends, connect, order_pairs

sizes = st.integers(1, 12)


def generator(seed=1):
    return np.random.default_rng(seed)


def matrix(rule, ends, seed=1):
    """Return how often each pair is connected, shape (n_pre, n_post)."""
    counts = np.bincount(connect(rule, ends, generator(seed)).flat(), minlength=ends.n_pre * ends.n_post)
    return counts.reshape(ends.n_pre, ends.n_post)


@given(sizes, sizes)
def test_all_to_all_connects_every_pair_once(n_pre, n_post):
    assert np.all(matrix(Choice("all_to_all"), Ends(n_pre, n_post, False)) == 1)


@given(sizes)
def test_all_to_all_can_leave_out_self_connections(size):
    found = matrix(Choice("all_to_all", {"allow_self_connections": False}), Ends(size, size, True))
    assert np.array_equal(found, 1 - np.eye(size))


@given(sizes)
def test_self_connections_are_a_matter_of_one_population_only(size):
    found = matrix(Choice("all_to_all", {"allow_self_connections": False}), Ends(size, size, False))
    assert np.all(found == 1)


@given(sizes)
def test_one_to_one_is_the_diagonal(size):
    assert np.array_equal(matrix(Choice("one_to_one"), Ends(size, size, False)), np.eye(size))


def test_one_to_one_refuses_unequal_sizes():
    with pytest.raises(GraphError, match="equal size; these have 2 and 3"):
        connect(Choice("one_to_one"), Ends(2, 3, False), generator())


@given(sizes, sizes, st.floats(0, 1), st.integers(0, 9))
def test_fixed_probability_connects_no_pair_twice(n_pre, n_post, p, seed):
    assert matrix(Choice("fixed_probability", {"p": p}), Ends(n_pre, n_post, False), seed).max() <= 1


def test_fixed_probability_connects_the_expected_share():
    found = matrix(Choice("fixed_probability", {"p": 0.1}), Ends(400, 500, False))
    assert abs(found.sum() - 20000) < 4 * np.sqrt(200000 * 0.1 * 0.9)


def test_fixed_probability_treats_all_places_alike():
    rule, ends = Choice("fixed_probability", {"p": 0.3}), Ends(3, 4, False)
    mean = np.mean([matrix(rule, ends, seed) for seed in range(3000)], axis=0)
    assert np.all(np.abs(mean - 0.3) < 5 * np.sqrt(0.21 / 3000))


def test_neighbouring_pairs_are_independent_under_fixed_probability():
    rule, ends = Choice("fixed_probability", {"p": 0.5}), Ends(1, 2, False)
    both = np.mean([matrix(rule, ends, seed).sum() == 2 for seed in range(3000)])
    assert abs(both - 0.25) < 5 * np.sqrt(0.1875 / 3000)


@pytest.mark.parametrize(("p", "count"), [(0.0, 0), (1.0, 30), (1e-300, 0)])
def test_the_ends_of_probability_are_exact(p, count):
    assert matrix(Choice("fixed_probability", {"p": p}), Ends(5, 6, False)).sum() == count


def test_a_certain_connection_is_dense():
    assert connect(Choice("fixed_probability", {"p": 1.0}), Ends(5, 6, False), generator()).dense


def test_fixed_probability_can_leave_out_self_connections():
    rule = Choice("fixed_probability", {"p": 0.9, "allow_self_connections": False})
    assert np.trace(matrix(rule, Ends(50, 50, True))) == 0


@given(sizes, sizes, st.data(), st.integers(0, 9))
def test_fixed_number_pre_gives_every_target_n_different_sources(n_pre, n_post, data, seed):
    n = data.draw(st.integers(0, n_pre))
    found = matrix(Choice("fixed_number_pre", {"n": n}), Ends(n_pre, n_post, False), seed)
    assert found.max(initial=0) <= 1
    assert np.all(found.sum(axis=0) == n)


@given(sizes, sizes, st.data(), st.integers(0, 9))
def test_fixed_number_post_gives_every_source_n_different_targets(n_pre, n_post, data, seed):
    n = data.draw(st.integers(0, n_post))
    found = matrix(Choice("fixed_number_post", {"n": n}), Ends(n_pre, n_post, False), seed)
    assert found.max(initial=0) <= 1
    assert np.all(found.sum(axis=1) == n)


@settings(max_examples=30)
@given(st.integers(2, 12), st.data(), st.sampled_from(["fixed_number_pre", "fixed_number_post"]))
def test_fixed_numbers_can_leave_out_self_connections(size, data, kind):
    n = data.draw(st.integers(0, size - 1))
    rule = Choice(kind, {"n": n, "allow_self_connections": False})
    found = matrix(rule, Ends(size, size, True))
    assert np.trace(found) == 0
    assert np.all(found.sum(axis=0 if kind == "fixed_number_pre" else 1) == n)


def test_every_other_neuron_is_as_likely_without_self_connections():
    rule = Choice("fixed_number_post", {"n": 1, "allow_self_connections": False})
    mean = np.mean([matrix(rule, Ends(4, 4, True), seed) for seed in range(3000)], axis=0)
    assert np.all(np.abs(mean - (1 - np.eye(4)) / 3) < 5 * np.sqrt(2 / 9 / 3000))


def test_more_partners_than_there_are_is_an_error():
    rule = Choice("fixed_number_pre", {"n": 5, "allow_self_connections": False})
    with pytest.raises(GraphError, match="n is 5, but there are only 4 other neurons"):
        connect(rule, Ends(5, 5, True), generator())


def test_a_list_connects_its_pairs_in_any_order():
    found = connect(Choice("list", {"pairs": ((1, 2), (0, 1), (1, 0))}), Ends(2, 3, False), generator())
    assert found.indptr.tolist() == [0, 1, 3]
    assert found.indices.tolist() == [1, 0, 2]


@pytest.mark.parametrize("pair", [(2, 0), (0, 3), (-1, 0)])
def test_a_pair_out_of_range_is_an_error(pair):
    with pytest.raises(GraphError, match=r"pair 2 of the list, .* between populations of 2 and 3"):
        connect(Choice("list", {"pairs": ((0, 0), pair)}), Ends(2, 3, False), generator())


def test_a_pair_that_stands_several_times_has_several_synapses():
    rule = Choice("list", {"pairs": ((1, 2), (0, 1), (1, 2), (1, 0), (1, 2))})
    found = connect(rule, Ends(2, 3, False), generator())
    assert found.indptr.tolist() == [0, 1, 5]
    assert found.indices.tolist() == [1, 0, 2, 2, 2]
    assert order_pairs(rule, 3).tolist() == [1, 3, 0, 2, 4]


def test_as_many_synapses_as_pairs_of_neurons_are_not_always_dense():
    rule = Choice("list", {"pairs": ((0, 0), (0, 0), (1, 0), (1, 1))})
    assert not connect(rule, Ends(2, 2, False), generator()).dense
    rule = Choice("list", {"pairs": ((1, 1), (0, 0), (1, 0), (0, 1))})
    assert connect(rule, Ends(2, 2, False), generator()).dense


def test_an_empty_list_connects_nothing():
    assert connect(Choice("list", {"pairs": ()}), Ends(2, 3, False), generator()).size == 0


def test_an_array_connects_what_it_marks():
    values = np.array([[True, False], [False, True], [True, True]])
    assert np.array_equal(matrix(Choice("array", {"values": values}), Ends(3, 2, False)), values)


def test_an_array_of_another_shape_is_an_error():
    with pytest.raises(GraphError, match=r"shape \(2, 2\) does not fit; it must be \(3, 2\)"):
        connect(Choice("array", {"values": np.ones((2, 2), dtype=bool)}), Ends(3, 2, False), generator())


TOTAL = st.integers(0, 40)


@given(sizes, sizes, TOTAL, st.integers(0, 9))
def test_fixed_total_number_makes_n_synapses_by_source_then_target(n_pre, n_post, n, seed):
    found = connect(Choice("fixed_total_number", {"n": n}), Ends(n_pre, n_post, False), generator(seed))
    flat = found.flat()
    assert found.size == n
    assert np.all(np.diff(flat) >= 0)
    assert np.all((flat >= 0) & (flat < n_pre * n_post))


@pytest.mark.parametrize("same", [False, True])
def test_fixed_total_number_draws_ends_independently(same):
    rule, ends = Choice("fixed_total_number", {"n": 6, "allow_self_connections": not same}), Ends(3, 3, same)
    drawn = np.array([matrix(rule, ends, seed) for seed in range(3000)])
    possible = 1 - np.eye(3) if same else np.ones((3, 3))
    p = possible / possible.sum()
    assert np.all(np.abs(drawn.mean(axis=0) - 6 * p) <= 5 * np.sqrt(6 * p / 3000))
    # with replacement, the number of synapses of a pair is binomial
    assert np.all(np.abs(drawn.var(axis=0) - 6 * p * (1 - p)) < 0.1)


def test_fixed_total_number_does_not_depend_on_the_size_of_pieces(monkeypatch):
    rule, ends = Choice("fixed_total_number", {"n": 500}), Ends(20, 30, False)
    whole = connect(rule, ends, generator())
    monkeypatch.setattr("netdesc.graph.connectors.PIECE", 40)
    pieces = connect(rule, ends, generator())
    assert np.array_equal(whole.indptr, pieces.indptr)
    assert np.array_equal(whole.indices, pieces.indices)


def test_a_neuron_alone_cannot_avoid_itself():
    rule = Choice("fixed_total_number", {"n": 1, "allow_self_connections": False})
    with pytest.raises(GraphError, match="allow self-connections"):
        connect(rule, Ends(1, 1, True), generator())
