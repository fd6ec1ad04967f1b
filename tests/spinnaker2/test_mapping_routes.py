from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from drafts import assemble, dense, drawn, layer, layered, router, select, source, sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from netdesc_spinnaker2.board.router import Router
from netdesc_spinnaker2.mapping.compression import aggregate, compress, cover, union
from netdesc_spinnaker2.mapping.plan import LINKS, SPACES, Entry, Plan, Site
from netdesc_spinnaker2.mapping.routing import tree
from netdesc_spinnaker2.options import Options


def first_match(table, key):
    return next(((entry.links, entry.pes) for entry in table if key & entry.mask == entry.key), None)


def arrivals(plan: Plan, key: int, sender: int) -> list[Site]:
    journey = router(plan).resolve(key, plan.sites[sender].chip)
    assert not journey.dropped
    return sorted(journey.sites, key=lambda site: (site.x, site.y, site.pe))


def intended(plan: Plan, targets: tuple[int, ...]) -> list[Site]:
    return sorted((plan.sites[target] for target in targets), key=lambda site: (site.x, site.y, site.pe))


def assert_all_flows_arrive(plan: Plan) -> None:
    for flow in plan.flows:
        for sender in flow.senders:
            for key in (flow.block.base, flow.block.base + flow.block.size - 1):
                assert arrivals(plan, key, sender) == intended(plan, flow.targets), flow


@st.composite
def tables_of_blocks(draw):
    width = draw(st.integers(0, 3))
    places = draw(st.lists(st.integers(0, 60), unique=True, min_size=1, max_size=40))
    kinds = draw(st.lists(st.integers(0, 4), min_size=len(places), max_size=len(places)))
    routes = draw(st.lists(st.integers(0, 4), min_size=len(places), max_size=len(places)))
    size = 1 << width
    return [
        Entry((kind << 29) + place * size, 0xFFFFFFFF ^ (size - 1), route, (route,))
        for place, kind, route in zip(places, kinds, routes, strict=True)
    ]


@given(tables_of_blocks())
def test_compression_routes_every_key_in_use_as_before(entries):
    table = compress({(0, 0): entries})[0, 0]
    assert len(table) <= len(entries)
    for entry in entries:
        size = (entry.mask ^ 0xFFFFFFFF) + 1
        for key in range(entry.key, entry.key + size):
            assert first_match(table, key) == (entry.links, entry.pes)


@given(tables_of_blocks())
def test_a_key_of_a_kind_that_is_not_in_use_has_no_entry(entries):
    table = compress({(0, 0): entries})[0, 0]
    unused = set(range(8)) - {entry.key >> 29 for entry in entries}
    assert all(first_match(table, (kind << 29) | 5) is None for kind in unused)


@given(tables_of_blocks())
def test_no_table_of_prefixes_is_smaller_than_the_number_of_routes(entries):
    table = aggregate(entries)
    assert len(table) >= len({(entry.links, entry.pes) for entry in entries})


def test_blocks_of_one_route_become_one_entry():
    entries = [Entry(16 * place, 0xFFFFFFF0, 1, (3,)) for place in range(8)]
    assert compress({(0, 0): entries})[0, 0] == (Entry(0, 0xFFFFFF80, 1, (3,)),)


def test_a_single_exception_costs_one_entry_of_higher_priority():
    entries = [Entry(16 * place, 0xFFFFFFF0, 1, (4 if place == 5 else 3,)) for place in range(8)]
    table = compress({(0, 0): entries})[0, 0]
    assert [entry.pes for entry in table] == [(4,), (3,)]


def test_every_second_block_needs_one_ternary_entry():
    blocks = [Entry(16 * place, 0xFFFFFFF0, 1, (place % 2,)) for place in range(16)]
    table = cover(aggregate(blocks), blocks)
    assert len(aggregate(blocks)) > len(table) == 2


def test_a_merged_entry_matches_all_that_its_parts_match():
    merged = union([Entry(0b1000, 0xFFFFFFFC, 0, ()), Entry(0b0010, 0xFFFFFFFF, 0, ())])
    assert all(key & merged.mask == merged.key for key in (0b1000, 0b1011, 0b0010))


@given(
    st.tuples(st.integers(0, 7), st.integers(0, 5)),
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5)), min_size=1, max_size=20),
)
def test_a_tree_reaches_every_chip_once(start, ends):
    links = tree(start, ends)
    reached = [
        (x + LINKS[bit][0], y + LINKS[bit][1])
        for (x, y), bits in links.items()
        for bit in range(6)
        if bits >> bit & 1
    ]
    assert len(reached) == len(set(reached))
    assert set(ends) <= {start, *reached}
    assert all(0 <= x < 8 and 0 <= y < 6 for x, y in reached)


@given(st.lists(st.integers(0, 47), min_size=2, max_size=12, unique=True))
def test_paths_from_several_chips_to_one_never_part(chips):
    starts = [(number % 8, number // 8) for number in chips[1:]]
    end = (chips[0] % 8, chips[0] // 8)
    links: dict[tuple[int, int], int] = {}
    for start in starts:
        for chip, bits in tree(start, [end]).items():
            links[chip] = links.get(chip, 0) | bits
    assert all(bits.bit_count() == (0 if chip == end else 1) for chip, bits in links.items())


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(3, 12), st.booleans())
def test_every_packet_of_a_random_network_arrives_where_it_is_intended(seed, copies, pes, train):
    generator = np.random.default_rng(seed)
    first, second = source("a", 13), layer("b", 21)
    third = layer("c", 6, loss=True)
    links = (
        sparse(first, second, generator.random((13, 21)) < 0.2, train),
        sparse(second, second, generator.random((21, 21)) < 0.1, train),
        sparse(second, third, generator.random((21, 6)) < 0.3, train),
    )
    network = assemble("random", 10.0, (first, second, third), links)
    options = Options.read(
        {
            "copies": copies,
            "slices": {"a": 5, "b": 4, "c": 6},
            "profile": {"pes_usable": pes},
            "dead_cores": {"0,0": [0, 2], "2,0": list(range(12))},
        }
    )
    assert_all_flows_arrive(drawn(network, options))


def test_training_in_copies_on_several_chips_reaches_all_it_should():
    plan = drawn(layered(), Options(copies=60, slices={"hidden": 30}))
    assert len({site.chip for site in plan.sites}) > 2
    assert {flow.space for flow in plan.flows} == set(SPACES)
    assert_all_flows_arrive(plan)


def test_a_spike_reaches_the_slices_of_its_own_copy_only():
    plan = drawn(layered(), Options(copies=2, slices={"hidden": 60}))
    for flow in plan.flows:
        if flow.space == "spike":
            copies = {plan.slices[index].copy for index in (*flow.senders, *flow.targets)}
            assert len(copies) == 1


def test_errors_go_the_way_of_the_spikes_backwards():
    plan = drawn(layered(), Options(slices={"hidden": 60}))
    layers = {item.index for item in plan.slices if item.role == "layer"}
    forward = {
        (sender, target)
        for flow in plan.flows
        if flow.space == "spike"
        for sender in flow.senders
        for target in flow.targets
        if target in layers
    }
    backward = {
        (target, sender)
        for flow in plan.flows
        if flow.space == "error"
        for sender in flow.senders
        for target in flow.targets
    }
    assert forward == backward


def test_key_blocks_are_aligned_powers_of_two_and_disjoint():
    plan = drawn(layered((7, 300, 11)), Options(copies=3))
    blocks = sorted((flow.block.base, flow.block.size) for flow in plan.flows)
    assert all(base % size == 0 and size & (size - 1) == 0 for base, size in blocks)
    assert all(base + size <= following for (base, size), (following, _) in pairwise(blocks))


def test_a_corrupted_entry_sends_packets_elsewhere():
    plan = drawn(layered(), Options(copies=2))
    flow = plan.flows[0]
    chip = plan.sites[flow.senders[0]].chip
    table = [
        replace(entry, pes=(99,)) if first_match([entry], flow.block.base) else entry
        for entry in plan.tables[chip]
    ]
    wrong = replace(plan, tables={**plan.tables, chip: tuple(table)})
    assert arrivals(wrong, flow.block.base, flow.senders[0]) == [Site(*chip, 99)]


def test_a_missing_entry_is_reported():
    assert Router({(0, 0): ()}, 8, 6).resolve(3, (0, 0)).misses == ((0, 0),)


def test_a_loop_is_reported_and_ends():
    east, west = Entry(0, 0, 1, ()), Entry(0, 0, 8, ())
    journey = Router({(0, 0): (east,), (1, 0): (west,)}, 8, 6).resolve(3, (0, 0))
    assert journey.loops == ((0, 0),)
    assert journey.links == (((0, 0), 0), ((1, 0), 3))


def test_a_link_off_the_board_is_reported():
    journey = Router({(7, 0): (Entry(0, 0, 1, (2,)),)}, 8, 6).resolve(3, (7, 0))
    assert journey.strays == (((7, 0), 0),)
    assert journey.sites == (Site(7, 0, 2),)


def test_the_first_matching_entry_decides():
    table = (Entry(4, 0xFFFFFFFC, 0, (1,)), Entry(0, 0, 0, (2,)))
    lines = Router({(0, 0): table}, 8, 6)
    assert lines.resolve(5, (0, 0)).sites == (Site(0, 0, 1),)
    assert lines.resolve(8, (0, 0)).sites == (Site(0, 0, 2),)


@pytest.mark.parametrize("training", [False, True])
def test_slices_whose_spikes_go_to_the_same_places_share_one_entry(training):
    first, second = source("a", 200), layer("b", 400)
    plan = drawn(
        assemble("wide", 10.0, (first, second), (dense(first, second, training),)),
        Options(slices={"a": 10, "b": 10}),
    )
    spikes = [entry for entry in plan.tables[0, 0] if entry.key >> 29 == 0]
    assert len(spikes) == 1


def test_inputs_can_go_without_error_packets():
    plan = drawn(layered(), Options(input_errors=False))
    (entry,) = select(plan, "input", "input")
    assert "error" not in plan.keys[entry.index]
    assert plan.packets[entry.index] == 0.0
    assert all(plan.slices[flow.targets[0]].role == "layer" for flow in plan.flows if flow.space == "error")
    assert_all_flows_arrive(plan)
