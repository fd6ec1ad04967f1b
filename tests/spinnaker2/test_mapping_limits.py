from dataclasses import replace

import numpy as np
import pytest
from drafts import assemble, codes, dense, drawn, layer, layered, select, source, sparse
from netdesc_spinnaker2.mapping.network import Network
from netdesc_spinnaker2.mapping.pipeline import lay_out, plan
from netdesc_spinnaker2.options import Options
from netdesc_spinnaker2.profile import Profile

from netdesc.errors import LimitError
from netdesc.observation import Sampling


def profile(**numbers) -> Options:
    return Options(profile=Profile.read(numbers))


TWO = ("excitatory", "inhibitory")


def changed(draft, levels=None, **fields):
    """Return a draft of a population with other levels and fields."""
    return draft._replace(item=replace(draft.item, **fields), levels=levels or draft.levels)


def faults(network, options=None):
    return lay_out(network, options or Options())[1]


def test_one_element_too_many_is_refused_and_one_less_is_accepted():
    options = Options.read({"copies": 3, "profile": {"chips": 1, "pes_usable": 14}})
    assert codes(layered(), options) == []
    options = Options.read({"copies": 3, "profile": {"chips": 1, "pes_usable": 13}})
    (fault,) = faults(layered(), options)
    assert fault.code == "S2-CORES"
    assert "needs 14 PEs, the limit is 13 PEs" in fault.message


def test_a_dead_element_counts():
    options = {"copies": 3, "profile": {"chips": 1, "pes_usable": 14}, "dead_cores": {"0,0": [7]}}
    assert codes(layered(), Options.read(options)) == ["S2-CORES"]


def test_one_byte_too_many_is_refused_and_one_less_is_accepted():
    network = layered((5, 120, 3))
    need = max(drawn(network).bytes(item.index) for item in drawn(network).slices)
    system = (32 + 4) * 1024
    fixed = {"hidden": 120, "input": 5, "output": 3}
    assert codes(network, replace(profile(sram=need + system), slices=fixed)) == []
    (fault,) = faults(network, replace(profile(sram=need + system - 1), slices=fixed))
    assert (fault.code, fault.path) == ("S2-SRAM", "populations.hidden")
    assert f"needs {need} B, the limit is {need - 1} B" in fault.message
    assert "gradients 2400, received_spikes 20" in fault.message


def test_without_a_fixed_size_the_search_avoids_the_byte_too_many():
    network = layered((5, 120, 3))
    need = max(drawn(network).bytes(item.index) for item in drawn(network).slices)
    smaller = drawn(network, profile(sram=need + 36 * 1024 - 1))
    assert len(select(smaller, "layer", "hidden")) == 2


def test_one_cycle_too_many_is_refused_and_one_less_is_accepted():
    network = layered((5, 120, 3), train=False)
    need = max(drawn(network).cycles)
    fixed = {"hidden": 120}
    assert codes(network, replace(profile(clock_high=need * 1e3), slices=fixed)) == []
    (fault,) = faults(network, replace(profile(clock_high=(need - 1) * 1e3), slices=fixed))
    assert (fault.code, fault.path) == ("S2-TICK", "populations.hidden")
    assert "cycles, the limit is" in fault.message


def test_one_entry_too_many_is_refused_and_one_less_is_accepted():
    network = layered()
    need = len(drawn(network).tables[0, 0])
    assert codes(network, profile(table_entries=need)) == []
    (fault,) = faults(network, profile(table_entries=need - 1))
    assert fault.code == "S2-ROUTE"
    assert f"needs {need}, the limit is {need - 1}" in fault.message


def test_one_neuron_too_many_in_a_slice_is_refused():
    network = layered((5, 257, 3), train=False)
    assert codes(network, Options(slices={"hidden": 256})) == []
    (fault,) = faults(network, Options(slices={"hidden": 257}))
    assert fault.code == "S2-ATOMS"
    assert "needs 257, the limit is 256" in fault.message


def test_a_loss_on_more_neurons_than_a_slice_holds_is_refused():
    assert codes(layered((5, 20, 256))) == []
    assert codes(layered((5, 20, 257))) == ["S2-ATOMS"]


@pytest.mark.parametrize(
    ("bits", "delay", "expected"),
    [
        (4, 8, []),
        (4, 9, ["S2-DELAY"]),
        (7, 1, []),
        (7, 2, ["S2-DELAY"]),
        (None, 8, []),
        (None, 9, ["S2-DELAY"]),
    ],
)
def test_integer_words_bound_the_delay(bits, delay, expected):
    pre, post = source("a", 2), layer("b", 3)
    network = assemble("late", 20.0, (pre, post), (dense(pre, post, delay=delay),))
    assert codes(network, Options(weights="integer", weight_bits=bits)) == expected


def test_float_weights_bound_the_delay_by_its_byte():
    pre, post = source("a", 2), layer("b", 3)
    for delay, expected in ((255, []), (256, ["S2-DELAY"])):
        network = assemble("late", 300.0, (pre, post), (dense(pre, post, delay=delay),))
        assert codes(network) == expected


def test_a_scale_that_saturates_weights_is_refused():
    network = layered(train=False)
    assert codes(network, Options(weights="integer", scales={"hidden": 127.0})) == []
    (fault,) = faults(network, Options(weights="integer", scales={"hidden": 128.0}))
    assert (fault.code, fault.path) == ("S2-WEIGHT", "projections.input_to_hidden.weight")
    assert "needs 128, the limit is 127" in fault.message
    assert "600 of 600 weights saturate" in fault.message


def weighted(first: float, second: float) -> Network:
    pre, post = source("a", 2), layer("b", 2)
    return assemble("pair", 20.0, (pre, post), (sparse(pre, post, np.diag([first, second])),))


def test_weights_that_become_zero_are_counted_in_a_note():
    plan, found = lay_out(weighted(1.0, 1e-3), Options(weights="integer"))
    assert not found
    assert plan is not None
    assert ["1 of 2 weights become 0" in note.message for note in plan.notes] == [True]


def test_a_projection_of_zeroed_weights_only_is_refused():
    pre, other, post = source("a", 2), source("c", 2), layer("b", 2)
    links = (dense(pre, post), sparse(other, post, np.diag([1e-3, 1e-3])))
    network = assemble("uneven", 20.0, (pre, other, post), links)
    (fault,) = faults(network, Options(weights="integer"))
    assert (fault.code, fault.path) == ("S2-WEIGHT", "projections.c_to_b.weight")


def test_more_packets_in_a_tick_than_the_queue_holds_are_refused():
    pre, post = source("a", 200, spikes=10.0), layer("b", 2)
    network = assemble("burst", 10.0, (pre, post), (dense(pre, post),))
    assert codes(network, profile(fifo_depth=200)) == []
    (fault,) = faults(network, profile(fifo_depth=199))
    assert fault.code == "S2-FIFO"
    assert "needs 200 packets, the limit is 199 packets" in fault.message


def test_recordings_beyond_the_dram_are_refused():
    network = layered(train=False, records=(Sampling("hidden", "v", np.arange(120), 1.0),))
    need = 4 * 120 * 28
    assert codes(network, profile(dram=need)) == []
    (fault,) = faults(network, profile(dram=need - 1))
    assert fault.code == "S2-RECORD"
    assert f"needs {need} B, the limit is {need - 1} B" in fault.message


def test_a_buffer_of_recordings_beyond_the_sram_is_told_as_such():
    network = layered(train=False)
    fixed = {"hidden": 120}
    need = max(drawn(network).bytes(item.index) for item in drawn(network).slices)
    recorded = layered(train=False, records=(Sampling("hidden", "v", np.arange(120), 1.0),))
    options = replace(profile(sram=need + 36 * 1024), slices=fixed)
    assert codes(network, options) == []
    assert codes(recorded, options) == ["S2-RECORD"]


def test_models_and_levels_that_the_scheme_lacks_are_refused():
    pre, post = source("a", 2), layer("b", 2)
    for change, scheme, expected in (
        ({"model": "IF_cond_exp"}, "off_grid", ["S2-MODEL"]),
        ({"receptors": TWO}, "off_grid", ["S2-MODEL"]),
        ({"subtractive_reset": True}, "published", ["S2-MODEL"]),
        ({"subtractive_reset": True}, "off_grid", []),
        ({"levels": {"reset": np.array([0.0, -0.5])}}, "published", ["S2-MODEL"]),
        ({"levels": {"reset": np.array([0.0, -0.5])}}, "exact_exponential", []),
    ):
        network = assemble("odd", 20.0, (pre, changed(post, **change)), (dense(pre, post),))
        assert codes(network, Options(scheme=scheme)) == expected


def test_an_option_for_a_population_that_is_not_there_is_refused():
    assert codes(layered(), Options(slices={"hiden": 4})) == ["S2-OPTION"]


def test_all_violations_come_at_once():
    pre, post = source("a", 300, spikes=100.0), changed(layer("b", 2), receptors=TWO)
    network = assemble("bad", 10.0, (pre, post), (dense(pre, post, delay=300),))
    options = replace(profile(sram=36 * 1024 + 100), slices={"a": 300, "b": 2}, copies=8000)
    with pytest.raises(LimitError) as caught:
        plan(network, options)
    assert {item.code for item in caught.value.diagnostics} == {
        "S2-MODEL",
        "S2-ATOMS",
        "S2-SRAM",
        "S2-TICK",
        "S2-FIFO",
        "S2-DELAY",
        "S2-CORES",
    }
    assert all(item.path for item in caught.value.diagnostics)


def test_a_network_that_fits_no_slice_says_what_takes_the_bytes():
    pre, post = source("a", 250, spikes=200.0), layer("b", 3)
    network = assemble("long", 1000.0, (pre, post), (dense(pre, post, train=True),))
    (fault,) = faults(network)
    assert fault.code == "S2-SRAM"
    assert "received_spikes 200000" in fault.message
    assert "smaller slices do not help" in fault.message
