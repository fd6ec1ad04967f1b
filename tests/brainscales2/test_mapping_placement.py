import json
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from chip_programs import ONE, layered, one_to_one, options, planned, program
from hypothesis import given, settings
from hypothesis import strategies as st
from netdesc_brainscales2.backend import BrainScaleS2Backend
from netdesc_brainscales2.mapping.chip_map import draw
from netdesc_brainscales2.mapping.pipeline import lay_out, map_program

from netdesc.errors import LimitError

TINY = {
    "columns": 16,
    "output_columns": 2,
    "rows": 32,
    "bus_rows": 8,
    "row_selects": 4,
    "labels": 4,
    "merged_max": 4,
}
"""A chip of 32 circuits, so that drawn networks meet its limits."""


@st.composite
def networks(draw):
    inputs, hidden, outputs = (draw(st.integers(1, size)) for size in (16, 30, 8))
    sizes = {"input": inputs, "hidden": hidden, "output": outputs}
    links = [("input", "hidden"), ("hidden", "output")]
    links += draw(st.lists(st.sampled_from([("hidden", "hidden"), ("input", "output")]), unique=True))
    drawn = program(sizes, links)
    blocks = []
    for block in drawn.blocks:
        rng = np.random.default_rng(draw(st.integers(0, 99)))
        dense = rng.random((block.n_pre, block.n_post)) < draw(st.sampled_from([0.2, 0.6, 1.0]))
        sign = draw(st.sampled_from([(-1.0, 1.0), (0.1, 1.0), (-1.0, -0.1)]))
        count = int(dense.sum())
        blocks.append(
            replace(
                block,
                indptr=np.concatenate(([0], np.cumsum(dense.sum(axis=1)))),
                indices=np.nonzero(dense)[1],
                weights=rng.uniform(*sign, count) * draw(st.sampled_from([0.5, 2.0])),
                train_weight=False,
            )
        )
    return replace(drawn, blocks=tuple(blocks))


def cells_of(plan, wiring):
    for sign, (rows, circuits) in zip((1, -1), wiring.cells(), strict=True):
        for synapse, cell in zip(*np.nonzero(rows >= 0), strict=True):
            yield (
                int(wiring.instance[synapse]),
                int(synapse),
                int(rows[synapse, cell]),
                int(circuits[synapse, cell]),
                sign,
            )


@settings(max_examples=60, deadline=None)
@given(networks())
def test_every_plan_obeys_the_chip(drawn):
    settings_ = options(profile_numbers=TINY)
    plan, faults = lay_out(drawn, settings_)
    if plan is None:
        assert faults
        return
    for number in range(len(plan.instances)):
        used = np.concatenate([part.circuits.ravel() for part in plan.parts if part.instance == number])
        assert len(np.unique(used)) == len(used)
    signs, cells = {}, set()
    routes = {(route.population, route.instance): [] for route in plan.routes}
    for route in plan.routes:
        routes[route.population, route.instance].append(route)
    for block, wiring in zip(drawn.blocks, plan.wirings, strict=True):
        indptr, indices = block.sparse()
        sources = np.repeat(np.arange(block.n_pre), np.diff(indptr))
        pre, post = (drawn.populations[number].name for number in (block.pre, block.post))
        owners, counts = plan.circuits(post), np.zeros((2, block.size), dtype=int)
        for instance, synapse, row, circuit, sign in cells_of(plan, wiring):
            half = circuit // plan.columns
            assert (instance, row, circuit) not in cells
            cells.add((instance, row, circuit))
            assert signs.setdefault((instance, half, row), sign) == sign
            assert circuit in owners[indices[synapse]]
            (route,) = [item for item in routes[pre, instance] if item.bus[sources[synapse]] >= 0]
            assert row // 8 == route.bus[sources[synapse]]
            counts[0 if sign > 0 else 1, synapse] += 1
        words = wiring.words(block.weights)
        assert np.all(counts[0][words > 0] == wiring.demand.rows)
        assert np.all(counts[1][words < 0] == wiring.demand.rows)
        assert np.all(wiring.instance == plan.instance_of(post)[indices])
    internal_events_stay_on_their_bus(plan)
    listeners_can_tell_senders_apart(drawn, plan)


def internal_events_stay_on_their_bus(plan):
    for route in plan.routes:
        if not route.external:
            for part in plan.select(route.population):
                if part.instance == route.instance:
                    buses = route.bus[part.start : part.stop]
                    expected = part.circuits[:, 0] % plan.columns // 2 % 4
                    assert np.all((buses == expected) | (buses < 0))


def listeners_can_tell_senders_apart(drawn, plan):
    """Two senders whose events reach one row differ in their labels."""
    heard = defaultdict(set)
    for block, wiring in zip(drawn.blocks, plan.wirings, strict=True):
        indptr, _ = block.sparse()
        sources = np.repeat(np.arange(block.n_pre), np.diff(indptr))
        name = drawn.populations[block.pre].name
        for instance, synapse, row, _, _ in cells_of(plan, wiring):
            (route,) = [
                item
                for item in plan.routes
                if (item.population, item.instance) == (name, instance) and item.bus[sources[synapse]] >= 0
            ]
            label = int(route.label[sources[synapse]])
            assert 0 <= label < 4
            heard[instance, row // 2].add((label, name, int(sources[synapse])))
    for senders in heard.values():
        assert len({label for label, _, _ in senders}) == len(senders)


def test_the_published_classifier_fills_the_chip_exactly():
    drawn = layered(256, 246, 10, kinds={"layer2": "readout"})
    plan = planned(drawn, **ONE)
    assert [part.merged for part in plan.parts] == [2, 2]
    assert plan.used == 512
    circuits, rows = draw(plan, options())
    assert "" not in {tile.group for tile in rows.tiles}
    assert {tile.fill for tile in circuits.tiles if tile.group == "layer1"} == {1.0}
    with pytest.raises(LimitError) as caught:
        map_program(layered(256, 247, 10, kinds={"layer2": "readout"}), options(**ONE))
    assert [item.code for item in caught.value.diagnostics] == ["B2-FANIN"]


def test_a_small_classifier_of_points_fits_with_room_for_its_weights():
    plan = planned(layered(5, 120, 3), **ONE)
    assert plan.parts[0].merged == 1
    assert plan.wirings[0].demand.high >= 2 * 0.5 * 60


def test_a_recurrent_layer_fits():
    plan = planned(
        program(
            {"input": 70, "loop": 100, "output": 20},
            [("input", "loop"), ("loop", "loop"), ("loop", "output")],
        ),
        **ONE,
    )
    assert plan.parts[0].merged == 2


def test_a_population_added_at_the_end_moves_no_other():
    links = [("input", "hidden"), ("hidden", "output")]
    before = planned(program({"input": 5, "hidden": 60, "output": 3}, links))
    sizes = {"input": 5, "hidden": 60, "output": 3, "more": 40}
    after = planned(program(sizes, [*links, ("hidden", "more")]))
    for name in ("hidden", "output"):
        assert np.array_equal(before.circuits(name), after.circuits(name))


def test_a_population_keeps_the_place_that_the_file_gives_it():
    links = [("input", "first"), ("input", "second")]
    sizes = {"input": 5, "first": 60, "second": 40}
    place = {"places": {"second": 200}}
    alone = planned(program({"input": 5, "second": 40}, links[1:]), **place)
    both = planned(program(sizes, links), **place)
    assert np.array_equal(alone.circuits("second"), both.circuits("second"))
    assert set(both.circuits("second").ravel() % 256) == set(range(200, 220))


def test_merged_circuits_are_neighbours_in_both_hemispheres():
    plan = planned(layered(500, 3))
    assert plan.parts[0].merged == 4
    for circuits in plan.parts[0].circuits:
        columns = sorted(set((circuits % 256).tolist()))
        assert columns == [columns[0], columns[0] + 1]
        assert columns[0] % 2 == 0
        assert set((circuits // 256).tolist()) == {0, 1}


def test_circuits_that_do_not_work_are_left_out():
    plan = planned(layered(5, 500), dead_circuits=[0, 17, 300])
    assert not {0, 17, 300} & set(plan.circuits("layer1").ravel().tolist())
    assert 1 not in map_program(layered(5, 500), options(), frozenset({1})).circuits("layer1")


def test_a_population_spreads_evenly_over_the_buses():
    plan = planned(layered(5, 120, 3))
    (route,) = [item for item in plan.routes if item.population == "layer1"]
    assert np.bincount(route.bus).tolist() == [30, 30, 30, 30]


def test_the_plan_is_the_same_again():
    drawn = layered(30, 50, 10)
    assert BrainScaleS2Backend({}).describe_map(drawn) == BrainScaleS2Backend({}).describe_map(drawn)


def test_a_network_too_large_is_cut_and_every_neuron_runs_once():
    plan = planned(layered(784, 246, 10))
    assert len(plan.instances) == 4
    assert np.bincount(plan.instance_of("layer1")).tolist() == [64, 64, 64, 54]
    assert plan.instances[3].replayed == ("layer1",)
    assert any("4 execution instances" in note.message for note in plan.notes)
    assert min(wiring.instance.min() for wiring in plan.wirings) == 0


def test_the_number_of_instances_can_be_limited():
    with pytest.raises(LimitError, match="needs 3 execution instances, the limit is 2"):
        map_program(layered(300, 300), options(instances=2))
    assert len(planned(layered(300, 300), instances=3).instances) == 3


def test_stages_that_do_not_fit_together_run_one_after_the_other():
    plan = planned(layered(10, 300, 300))
    assert plan.instances[0].populations == ("layer1",)
    assert "layer1" in plan.instances[1].replayed


def test_coarser_weights_are_noted():
    weights = {("layer0", "layer1"): np.resize([1.9, -1.9], 256 * 246), ("layer1", "layer2"): 0.1}
    plan = planned(layered(256, 246, 10, weights=weights), **ONE)
    assert any("30 instead of 60 steps" in note.message for note in plan.notes)
    assert plan.scales == {"layer1": 30.0, "layer2": 30.0}


def test_weights_in_other_voltages_have_the_same_steps():
    plan = planned(layered(5, 3, threshold=-50.0, rest=-65.0, v_init=-65.0, reset=-65.0, charge=30.0))
    assert plan.scales["layer1"] == pytest.approx(60 * 30 / 15)


def test_words_return_to_weights():
    wiring = planned(layered(5, 3)).wirings[0]
    weights = np.linspace(-1.0, 1.0, 15)
    assert np.max(np.abs(wiring.weights(wiring.words(weights)) - weights)) <= 0.5 / 60 + 1e-12


def test_inhibition_by_magnitudes_takes_inhibitory_rows_alone():
    drawn = layered(4, 3, weights=0.5)
    plan = planned(replace(drawn, blocks=(replace(drawn.blocks[0], charge=-np.ones(3)),)))
    wiring = plan.wirings[0]
    assert np.all(wiring.positive == -1)
    assert np.all(wiring.negative >= 0)
    assert wiring.words(np.array([0.5])).tolist() == [-30]
    assert wiring.weights(wiring.words(np.array([0.5]))).tolist() == [0.5]


def test_a_bound_of_training_sets_the_rows():
    drawn = layered(4, 3)
    bounded = replace(drawn, blocks=(replace(drawn.blocks[0], weight_bounds=(-2.1, 2.1)),))
    assert planned(bounded).wirings[0].demand.rows == 2


def test_the_map_is_told_as_text_and_as_data():
    found = BrainScaleS2Backend({}).describe_map(layered(5, 120, 3))
    assert "layer1[0:120]: 120 circuits, top and bottom, columns 0-" in found.text
    assert "events of layer0 from the host; bus 0: 2 with row selects" in found.text
    assert json.loads(json.dumps(found.data))["parts"][0]["population"] == "layer1"
    circuits, rows = found.panels
    assert sum(tile.group == "layer1" for tile in circuits.tiles) == 120
    assert len(circuits.tiles) == len(rows.tiles) == 512


def test_sources_with_rows_in_common_differ_in_their_labels():
    (route,) = planned(one_to_one(300)).routes
    keys = set(zip(route.bus.tolist(), route.select.tolist(), route.label.tolist(), strict=True))
    assert len(keys) == 300
