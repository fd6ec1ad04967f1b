import numpy as np
import pytest
from drafts import assemble, dense, drawn, layer, layered, select, source, sparse
from hypothesis import given
from hypothesis import strategies as st
from netdesc_spinnaker2.mapping.partition import even, fewest
from netdesc_spinnaker2.mapping.traffic import connected
from netdesc_spinnaker2.options import Options

from netdesc.observation import Sampling


def test_a_small_population_is_one_slice():
    assert len(select(drawn(layered()), "layer", "hidden")) == 1


def test_a_population_beyond_256_neurons_is_cut_evenly():
    sizes = [item.size for item in select(drawn(layered((5, 600, 3))), "layer", "hidden")]
    assert sizes == [200, 200, 200]


def test_the_user_fixes_the_size_of_slices():
    sizes = [
        item.size for item in select(drawn(layered(), Options(slices={"hidden": 50})), "layer", "hidden")
    ]
    assert sizes == [50, 50, 20]


def test_slices_shrink_until_weights_and_gradients_fit():
    network = layered((200, 250, 3))
    plan = drawn(network)
    parts = len(select(plan, "layer", "hidden"))
    # 16 B per synapse at the optimizer decide: 250 x 200 x 16 B on PEs of 94208 B.
    assert parts == -(-250 * 200 * 16 // 94208)
    assert all(plan.bytes(item.index) <= 94208 for item in plan.slices)


def test_inference_needs_fewer_slices_than_training():
    network = layered((200, 250, 3))
    assert len(drawn(network, Options(training=False)).slices) < len(drawn(network).slices)


def test_slices_shrink_until_the_cycles_fit():
    pre, post = source("input", 200, spikes=10.0), layer("hidden", 200)
    network = assemble("busy", 10.0, (pre, post), (dense(pre, post),))
    # 200 spikes a tick: 250 neurons x 200 events x 50 cycles do not fit into 300,000 cycles.
    plan = drawn(network)
    assert len(select(plan, "layer", "hidden")) > 1
    assert max(plan.cycles) <= 300_000


def test_memory_follows_the_formula():
    plan = drawn(layered((5, 120, 3), ticks=27))
    hidden = select(plan, "layer", "hidden")[0]
    items = dict(plan.memory[hidden.index])
    assert items == {
        "weights": 4 * 600,
        "gradients": 4 * 600,
        "own_spikes": 8 * 120,
        "received_spikes": 4 * 5,
        "state": 16 * 120,
        "ring": 2 * 120 * 8,
    }
    optimizer = select(plan, "optimizer", "hidden")[0]
    assert plan.bytes(optimizer.index) == 4 * 600 * (1 + 1 + 2)


def test_plain_gradient_descent_needs_no_moments():
    plan = drawn(layered(), Options(optimizer="sgd"))
    assert plan.bytes(select(plan, "optimizer", "hidden")[0].index) == 8 * 600


def test_integer_words_take_two_bytes():
    plan = drawn(layered(train=False), Options(weights="integer"))
    assert plan.memory[select(plan, "layer", "hidden")[0].index]["weights"] == 2 * 600


def test_the_time_inside_a_tick_takes_four_bytes_per_stored_spike():
    plan = drawn(layered(), Options(scheme="off_grid"))
    items = plan.memory[select(plan, "layer", "hidden")[0].index]
    assert (items["own_spikes"], items["received_spikes"]) == (12 * 120, 8 * 5)


def test_a_sparse_link_pays_for_indices_and_rows_that_reach_the_slice():
    pre, post = source("a", 8), layer("b", 4)
    matrix = np.zeros((8, 4))
    matrix[:4, :2] = matrix[4:, 2:] = 1.0
    plan = drawn(
        assemble("blocks", 10.0, (pre, post), (sparse(pre, post, matrix),)),
        Options(slices={"a": 4, "b": 2}),
    )
    items = [plan.memory[item.index] for item in select(plan, "layer", "b")]
    assert [(item["weights"], item["indices"], item["rows"]) for item in items] == [(32, 8, 8)] * 2


def test_the_ring_holds_the_longest_delay():
    pre, post = source("a", 2), layer("b", 3)
    plan = drawn(assemble("late", 20.0, (pre, post), (dense(pre, post, delay=7),)))
    assert plan.memory[select(plan, "layer", "b")[0].index]["ring"] == 8 * 8 * 3


def test_copies_are_as_many_as_the_batch_where_they_fit():
    plan = drawn(layered(), Options(batch=22))
    assert plan.copies == 22
    assert len(plan.slices) == 22 * 4 + 2


def test_copies_are_as_many_as_fit_otherwise():
    plan = drawn(layered(), Options.read({"batch": 22, "profile": {"chips": 1, "pes_usable": 43}}))
    assert plan.copies == 10
    assert [note.code for note in plan.notes] == ["S2-CORES"]


def test_every_slice_has_a_place_of_its_own():
    plan = drawn(layered(), Options(copies=80))
    assert len(set(plan.sites)) == len(plan.slices)


def test_dead_elements_stay_empty():
    plan = drawn(layered(), Options.read({"copies": 40, "dead_cores": {"0,0": [0, 1, 5], "1,0": [0]}}))
    assert not {(0, 0, 0), (0, 0, 1), (0, 0, 5), (1, 0, 0)} & {(s.x, s.y, s.pe) for s in plan.sites}


def test_a_copy_stays_on_one_chip_while_there_is_room():
    plan = drawn(layered(), Options(copies=80, slices={"hidden": 30}))
    for copy in range(80):
        assert len({plan.sites[item.index].chip for item in plan.slices if item.copy == copy}) == 1


def test_a_full_board_is_filled_to_the_last_element():
    options = Options.read({"copies": 12, "profile": {"chips": 2, "pes_usable": 25}})
    plan = drawn(layered(), options)
    assert len(plan.slices) == 50
    assert len(set(plan.sites)) == 50


def test_recordings_take_a_buffer_and_the_rest_goes_to_the_dram():
    record = Sampling("hidden", "v", np.arange(10), 1.0)
    plan = drawn(layered(records=(record,)))
    hidden = select(plan, "layer", "hidden")[0]
    assert plan.memory[hidden.index]["recording"] == 40
    assert plan.recorded[hidden.index] == 4 * 10 * 28


def test_sources_and_losses_have_programs_of_their_own():
    roles = {(item.role, item.population) for item in drawn(layered()).slices}
    assert roles == {
        ("input", "input"),
        ("layer", "hidden"),
        ("layer", "output"),
        ("loss", "output"),
        ("optimizer", "hidden"),
        ("optimizer", "output"),
    }


def test_without_training_there_are_inputs_and_layers_only():
    assert {item.role for item in drawn(layered(train=False)).slices} == {"input", "layer"}


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_even_slices_differ_by_one_neuron_at_most(size, parts):
    parts = min(size, parts)
    sizes = np.diff(even(size, parts))
    assert sizes.sum() == size
    assert sizes.max() - sizes.min() <= 1


@given(st.integers(1, 400), st.integers(1, 400))
def test_the_search_finds_the_fewest_slices(threshold, least):
    found = fewest(lambda parts: parts >= threshold, least, 400)
    assert found == (max(threshold, least) if threshold <= 400 else None)


def test_the_search_says_so_where_nothing_fits():
    assert fewest(lambda parts: False, 2, 9) is None


@given(
    st.integers(0, 2**31),
    st.lists(st.integers(1, 5), min_size=1, max_size=5),
    st.lists(st.integers(1, 5), min_size=1, max_size=5),
)
def test_slices_are_connected_where_a_synapse_is_between_them(seed, rows, columns):
    pre, post = np.concatenate(([0], np.cumsum(rows))), np.concatenate(([0], np.cumsum(columns)))
    matrix = np.random.default_rng(seed).random((pre[-1], post[-1])) < 0.2
    link = sparse(source("a", int(pre[-1])), layer("b", int(post[-1])), matrix)
    expected = [
        [bool(matrix[pre[p] : pre[p + 1], post[q] : post[q + 1]].any()) for q in range(len(columns))]
        for p in range(len(rows))
    ]
    assert connected(link.block, pre, post).tolist() == expected


@pytest.mark.parametrize("copies", [1, 3])
def test_error_packets_are_counted_per_spike_and_destination(copies):
    plan = drawn(layered(), Options(copies=copies, slices={"hidden": 40}))
    (entry,) = {plan.packets[item.index] for item in select(plan, "input", "input")}
    # 5 inputs spike once in 27 ticks, and each spike comes back from three slices.
    assert entry == pytest.approx(5 * 3 / 27)


def test_slices_shrink_where_error_packets_take_too_long():
    pre, post = layer("a", 200, spikes=10.0), layer("b", 200)
    first = source("c", 1)
    links = (dense(first, pre), dense(pre, post, train=True))
    network = assemble("errors", 10.0, (first, pre, post), links)
    # Each of 200 neurons sends a spike a tick and gets an error packet from each of 25 slices.
    options = Options(slices={"b": 8}, clock="low")
    plan = drawn(network, options)
    assert len(select(plan, "layer", "a")) > 1
    assert max(plan.cycles[item.index] for item in select(plan, "layer", "a")) <= 150_000


def test_a_million_synapses_are_laid_out_on_several_chips():
    generator = np.random.default_rng(1)
    pre, post = source("a", 100), layer("b", 2000, spikes=5.0)
    inner = sparse(post, post, generator.random((2000, 2000)) < 0.25)
    plan = drawn(assemble("wide", 100.0, (pre, post), (dense(pre, post), inner)), Options(slices={"b": 10}))
    assert len({site.chip for site in plan.sites}) == 2
    assert sum(plan.memory[item.index]["indices"] for item in select(plan, "layer", "b")) == inner.block.size


def test_spikes_of_all_populations_that_reach_a_slice_are_received():
    first, second, post = source("a", 4, spikes=2.0), source("b", 3, spikes=5.0), layer("c", 2)
    plan = drawn(
        assemble("joined", 10.0, (first, second, post), (dense(first, post, train=True), dense(second, post)))
    )
    (entry,) = select(plan, "layer", "c")
    assert plan.memory[entry.index]["received_spikes"] == 4 * (4 * 2 + 3 * 5)
    assert plan.packets[entry.index] == pytest.approx(2.3)
