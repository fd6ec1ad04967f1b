from dataclasses import replace

import numpy as np
import pytest
from chip_programs import ONE, codes, faults, layered, one_to_one, options, planned, program
from netdesc_brainscales2.backend import BrainScaleS2Backend

from netdesc.description import describe_text
from netdesc.errors import BackendError, LimitError
from netdesc.graph import compile_graph
from netdesc.observation import Sampling
from netdesc.program import Stage

NO_MERGE = {"instances": 1, "profile_numbers": {"merged_max": 1}}


def test_one_neuron_too_many_is_refused_and_one_less_is_accepted():
    assert codes(layered(10, 512), **ONE) == []
    (fault,) = faults(layered(10, 513), **ONE)
    assert (fault.code, fault.path) == ("B2-NEURONS", "populations.layer1")
    assert "needs 513 circuits, the limit is 512 circuits (layout of the chip; V)" in fault.message


def test_a_dead_circuit_counts():
    assert codes(layered(10, 511), dead_circuits=[300], **ONE) == []
    assert codes(layered(10, 512), dead_circuits=[300], **ONE) == ["B2-NEURONS"]


@pytest.mark.parametrize(("inputs", "weight"), [(256, 0.5), (256, -0.5), (128, None)])
def test_one_input_too_many_for_the_rows_of_a_circuit_is_refused_and_one_less_is_accepted(inputs, weight):
    assert codes(layered(inputs, 4, weights=weight), **NO_MERGE) == []
    (fault,) = faults(layered(inputs + 1, 4, weights=weight), **NO_MERGE)
    assert (fault.code, fault.path) == ("B2-FANIN", "populations.layer1")
    need = 257 if weight else 258
    assert f"needs {need} rows, the limit is 256 rows (256 per circuit, at most 1 merged; V)" in fault.message


def test_one_input_more_merges_a_second_circuit():
    assert planned(layered(128, 4)).parts[0].merged == 1
    assert planned(layered(129, 4)).parts[0].merged == 2


def test_merged_circuits_that_do_not_fit_are_told_as_fan_in():
    (fault,) = faults(layered(784, 246), **ONE)
    assert fault.code == "B2-FANIN"
    assert "layer1 246 x 8" in fault.message
    assert "needs 1968 circuits, the limit is 512 circuits" in fault.message


@pytest.mark.parametrize("labels", [1, 3])
def test_one_label_too_many_is_refused_and_one_less_is_accepted(labels):
    room = 4 * 32 * labels
    section = {"instances": 1, "profile_numbers": {"labels": labels}}
    assert codes(one_to_one(room), **section) == []
    (fault,) = faults(one_to_one(room + 1), **section)
    assert fault.code == "B2-LABEL"
    assert f"needs {labels + 1} labels, the limit is {labels} labels" in fault.message


def test_one_row_too_many_on_a_bus_is_refused_and_one_less_is_accepted():
    section = {**NO_MERGE, "rows": {"layer0_layer1": 4}}
    assert codes(layered(32, 1, weights=None), **section) == []
    drawn = program(
        {"input": 32, "other": 1, "neurons": 1},
        [("input", "neurons"), ("other", "neurons")],
        {("input", "neurons"): np.resize([0.5, -0.5], 32), ("other", "neurons"): -0.5},
    )
    section = {**NO_MERGE, "profile_numbers": {"merged_max": 1, "rows": 1000}, "rows": {"input_neurons": 4}}
    (fault,) = faults(drawn, **section)
    assert (fault.code, fault.path) == ("B2-PADI", "populations.neurons")
    assert "needs 66 rows, the limit is 64 rows (64 per bus and circuit, 1 merged; V)" in fault.message


def test_neurons_that_cannot_spread_over_the_buses_are_told_as_a_route():
    drawn = layered(4, 32, 1)
    section = {**NO_MERGE, "places": {"layer1": 0}}
    assert codes(drawn, **section) == []
    (fault,) = faults(layered(4, 33, 1), **section)
    assert (fault.code, fault.path) == ("B2-ROUTE", "populations.layer2")
    assert "on bus 0, which events of layer1 reach" in fault.message
    assert codes(layered(4, 33, 1), **NO_MERGE) == []


@pytest.mark.parametrize(("name", "low", "high"), [("tau_m", 0.5, 60.0), ("tau_s", 0.3, 30.0)])
def test_time_constants_may_reach_the_ends_of_their_range_and_not_pass_them(name, low, high):
    for end, beyond in ((low, low * 0.99), (high, high * 1.01)):
        assert codes(layered(2, 3, **{name: end})) == []
        (fault,) = faults(layered(2, 3, **{name: beyond}))
        assert fault.code == "B2-RANGE"
        assert f"needs {beyond:g} us, the limit is {end:g} us" in fault.message
        assert f"{end:g} ms" in fault.message


def test_a_speed_up_of_its_own_moves_the_range():
    assert codes(layered(2, 3, tau_m=120.0)) == ["B2-RANGE"]
    assert codes(layered(2, 3, tau_m=120.0), profile_numbers={"speed_up": 2000}) == []


def test_the_refractory_period_has_a_longest_and_a_shortest():
    assert codes(layered(2, 3, tau_ref=32.0)) == []
    assert codes(layered(2, 3, tau_ref=32.1)) == ["B2-RANGE"]
    assert not [note for note in planned(layered(2, 3, tau_ref=0.04)).notes if note.code == "B2-RANGE"]
    (note,) = [note for note in planned(layered(2, 3, tau_ref=0.0)).notes if note.code == "B2-RANGE"]
    assert "3 of 3 neurons becomes 0.04 ms" in note.message


@pytest.mark.parametrize(("reset", "beyond"), [(-0.25, -0.26), (80 / 120, 0.67)])
def test_the_reset_may_reach_the_ends_of_its_range_and_not_pass_them(reset, beyond):
    assert codes(layered(2, 3, reset=reset)) == []
    (fault,) = faults(layered(2, 3, reset=beyond))
    assert (fault.code, "the reset" in fault.message) == ("B2-RANGE", True)


def test_a_neuron_that_rests_above_its_threshold_is_refused():
    (fault,) = faults(layered(2, 3, rest=1.5, v_init=1.5))
    assert fault.code == "B2-RANGE"
    assert "rests at 1.5, at or above its threshold 1" in fault.message


def test_a_membrane_that_does_not_start_at_rest_is_refused():
    assert codes(layered(2, 3, v_init=0.1)) == ["B2-STATE"]
    assert codes(layered(2, 3, i_init=0.1)) == ["B2-STATE"]


def delayed(drawn, number, delay=1.0):
    blocks = [
        replace(block, delays=np.array([delay])) if place == number else block
        for place, block in enumerate(drawn.blocks)
    ]
    return replace(drawn, blocks=tuple(blocks))


def test_any_delay_is_refused_and_none_is_accepted():
    assert codes(delayed(layered(2, 3), 0, 0.0)) == []
    (fault,) = faults(delayed(layered(2, 3), 0, 0.001))
    assert (fault.code, fault.path) == ("B2-DELAY", "projections.layer0_layer1.delay")
    assert "needs 0.001 us, the limit is 0 us (no delays on the chip; V)" in fault.message


def test_a_delay_between_neurons_may_become_a_boundary_between_instances():
    drawn = delayed(layered(2, 3, 3), 1)
    plan = planned(drawn, delays="instance")
    assert [item.populations for item in plan.instances] == [("layer1",), ("layer2",)]
    assert plan.instances[1].replayed == ("layer1",)
    assert codes(drawn, delays="instance", instances=1) == ["B2-DELAY"]


def test_a_delayed_input_needs_no_boundary():
    assert len(planned(delayed(layered(2, 3, 3), 0), delays="instance").instances) == 1


def test_a_delay_within_a_loop_is_refused():
    drawn = delayed(program({"input": 2, "loop": 3}, [("input", "loop"), ("loop", "loop")]), 1)
    (fault,) = faults(drawn, delays="instance")
    assert (fault.code, "part of a loop" in fault.message) == ("B2-DELAY", True)


def test_delays_that_differ_among_the_targets_of_a_source_are_refused():
    drawn = layered(2, 2)
    for delays, expected in (([1.0, 1.0, 2.0, 2.0], []), ([1.0, 2.0, 1.0, 2.0], ["B2-DELAY"])):
        block = replace(drawn.blocks[0], delays=np.array(delays))
        assert codes(replace(drawn, blocks=(block,)), delays="instance") == expected


def two_receptors(weight, sign=1.0, receptor=0, **more):
    drawn = layered(2, 3, weights=weight)
    populations = (
        drawn.populations[0],
        replace(drawn.populations[1], receptors=("excitatory", "inhibitory")),
    )
    pair = {name: np.repeat(drawn.parameters[name], 2, axis=1) for name in ("tau_s", "i_init")}
    block = replace(drawn.blocks[0], charge=np.full(3, sign), receptor=receptor, **more)
    return replace(drawn, populations=populations, blocks=(block,), parameters={**drawn.parameters, **pair})


def test_weights_against_the_sign_of_their_receptor_are_refused():
    assert codes(two_receptors(0.5)) == []
    assert codes(two_receptors(0.5, sign=-1.0, receptor=1)) == []
    assert codes(two_receptors(0.5, train_weight=True, weight_bounds=(0.0, np.inf))) == []
    (fault,) = faults(two_receptors(0.5, train_weight=True))
    assert (fault.code, fault.path) == ("B2-SIGN", "projections.layer0_layer1.weight")
    assert codes(two_receptors(-0.5)) == ["B2-SIGN"]


def test_a_weight_at_the_range_takes_one_row_and_a_larger_one_two():
    for weight, rows in ((63.49 / 60, 1), (63.51 / 60, 2)):
        assert planned(layered(2, 3, weights=weight)).wirings[0].demand.rows == rows


def test_weights_beyond_given_rows_are_saturated_and_counted():
    plan = planned(layered(2, 3, weights=[0.11, 1.0, 1.1, -0.11, -1.0, -1.1]), rows={"layer0_layer1": 1})
    (note,) = [note for note in plan.notes if note.code == "B2-WEIGHT"]
    assert "in 1 x 63 steps a sign: 2 of 6 weights rounded, 0 to 0, 2 saturated" in note.message
    assert plan.wirings[0].words(np.array([0.11, 1.0, 1.1, -0.11, -1.0, -1.1])).tolist() == [
        7,
        60,
        63,
        -7,
        -60,
        -63,
    ]


def test_weights_that_all_become_zero_are_refused():
    (fault,) = faults(layered(2, 3, weights=1e-3))
    assert (fault.code, "all 6 weights become 0" in fault.message) == ("B2-WEIGHT", True)
    assert codes(layered(2, 3, weights=1e-3), scales={"layer1": 1000}) == []


def sampled(neurons, every, drawn=None):
    return replace(drawn or layered(2, 8), sampling=(Sampling("layer1", "v", np.array(neurons), every),))


def test_the_interval_of_the_slow_converter_is_a_limit():
    assert planned(sampled(range(8), 1.7)).sampled[0].converter == "cadc"
    (fault,) = faults(sampled(range(8), 1.69))
    assert (fault.code, fault.path) == ("B2-CADC", "record.layer1.v")
    assert "needs 1.69 us, the limit is 1.7 us" in fault.message


def test_two_neurons_may_be_read_fast_and_three_not():
    assert (
        planned(sampled([0, 1], 0.1), places={"layer1": 3}, profile_numbers={"hemispheres": 1})
        .sampled[0]
        .converter
        == "madc"
    )
    assert codes(sampled([0, 1, 2], 0.1)) == ["B2-CADC"]
    assert codes(sampled([0, 1, 2], 0.1), sampling="madc") == ["B2-MADC"]


def test_neurons_in_columns_of_one_parity_cannot_both_be_read_fast():
    section = {"places": {"layer1": 3}, "profile_numbers": {"hemispheres": 1}}
    assert codes(sampled([0, 3], 0.1), **section) == []
    (fault,) = faults(sampled([0, 2], 0.1), **section)
    assert (fault.code, "are both in odd" in fault.message) == ("B2-MADC", True)


def test_more_events_than_the_chip_takes_in_are_refused():
    drawn = layered(40, 3, duration=10.0)
    assert codes(drawn, profile_numbers={"input_rate": 4}) == []
    (fault,) = faults(drawn, profile_numbers={"input_rate": 3.9})
    assert (fault.code, "needs 4 1/us, the limit is 3.9 1/us" in fault.message) == ("B2-RATE", True)
    assert codes(drawn, rates={"layer1": "50 kHz"}) == ["B2-RATE"]


def test_all_violations_are_told_at_once():
    drawn = delayed(layered(10, 513, tau_m=100.0, v_init=0.5), 0)
    assert sorted(codes(drawn, **ONE)) == ["B2-DELAY", "B2-NEURONS", "B2-RANGE", "B2-STATE"]


def test_a_loop_too_large_for_the_chip_is_not_cut():
    drawn = program({"input": 2, "loop": 257}, [("input", "loop"), ("loop", "loop")])
    (fault,) = faults(drawn)
    assert "a loop cannot be cut into execution instances" in fault.message
    assert drawn.stages == (Stage((1,), True),)


def test_every_option_that_is_not_known_or_possible_is_told_with_the_nearest():
    with pytest.raises(BackendError) as caught:
        options(
            profil="ideal",
            chip=-1,
            noise="yes",
            profile_numbers={"waits": 1, "power": -1},
            places={"hidden": 256},
            dead_circuits=[512],
        )
    text = str(caught.value)
    assert "did you mean profile?" in text
    assert "did you mean wait?" in text
    assert {item.path.removeprefix("backends.brainscales2.") for item in caught.value.diagnostics} >= {
        "profil",
        "chip",
        "noise",
        "profile_numbers.waits",
        "profile_numbers.power",
    }


def test_options_for_populations_that_are_not_there_are_told():
    assert (
        codes(layered(2, 3), scales={"layer2": 3}, places={"layer0": 1}, rows={"nothing": 2})
        == ["B2-OPTION"] * 3
    )


MODEL = """
netdesc: 1
name: small
simulation: {{duration: 30 ms}}
populations:
  input: {{size: 2, source: {{spike_times: {{times: [[1 ms], [2 ms]]}}}}}}
  output: {{size: 2, neuron: {neuron}}}
projections:
  synapses: {{pre: input, post: output, connector: all_to_all, weight: 0.5{more}}}
record:
  output: [spikes, {recorded}]
"""


def refused(neuron="LIF", recorded="v: {every: 2 ms}", more="", **section):
    description = describe_text(MODEL.format(neuron=neuron, recorded=f"{{{recorded}}}", more=more))
    try:
        compile_graph(description, BrainScaleS2Backend(section).passes())
    except LimitError as error:
        return [item.code for item in error.diagnostics]
    return []


def test_what_the_chip_has_no_notion_of_is_refused():
    assert refused() == []
    assert refused(recorded="i: {every: 2 ms}") == ["B2-RECORD"]
    assert refused(neuron="IF_cond_exp", more=" nS, receptor: excitatory") == ["B2-MODEL"]


def test_the_default_delay_of_a_file_fits():
    assert refused(more=", delay: 0 ms") == []
    assert refused(more=", delay: 1 ms") == ["B2-DELAY"]
