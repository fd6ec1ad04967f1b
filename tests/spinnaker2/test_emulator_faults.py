"""What goes wrong on a board changes what it computes, and is counted or an error."""

from dataclasses import replace

import numpy as np
import pytest
from drafts import select
from emulated import SCHEMES, balanced, chip, inputs, layered, pull, reroute, run, same_spikes
from netdesc_spinnaker2.board.router import Router

from netdesc.backend import LearningRule, Objective
from netdesc.errors import NumericsError
from netdesc.events import Events

FIVE_AT_ONCE = Events.from_lists([[[2.0]] * 5])

RULE = LearningRule(
    (Objective("time_to_first_spike", "output", 1.0, {"tau_0": 1.5, "tau_1": 100.0, "alpha": 0.01}),),
    "adam",
    {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-6},
)


def tables_with(machine, change, spaces=(0,)):
    """Return a router in which every entry for some kinds of packets is changed; None takes it out."""
    tables = {}
    for at, entries in machine.plan.tables.items():
        changed = [change(entry) if entry.key >> 29 in spaces else entry for entry in entries]
        tables[at] = tuple(entry for entry in changed if entry is not None)
    return Router(tables, 8, 6)


def test_a_wrong_table_gives_wrong_spikes():
    machine = chip(layered(), "published")
    right = machine.forward(inputs(4), seed=0)
    used = sorted(site.pe for site in machine.plan.sites)
    reroute(
        machine,
        tables_with(
            machine,
            lambda entry: replace(
                entry, pes=tuple(used[(used.index(pe) + 1) % len(used)] for pe in entry.pes)
            ),
        ),
    )
    wrong = machine.forward(inputs(4), seed=0)
    assert not same_spikes(wrong, right)
    assert balanced(wrong.health)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_packets_that_a_program_does_not_know_are_dropped_and_counted(scheme):
    machine = chip(layered(), scheme)
    right, slopes = run(machine, inputs(4))
    used = {site.pe for site in machine.plan.sites}
    reroute(
        machine,
        tables_with(
            machine, lambda entry: replace(entry, pes=tuple(sorted({*entry.pes, *used}))), spaces=(0, 1, 2)
        ),
    )
    trace, found = run(machine, inputs(4))
    assert same_spikes(trace, right)
    for key, values in slopes.parameters.items():
        assert found.parameters[key].tobytes() == values.tobytes()
    for one, other in ((trace.health, right.health), (found.health, slopes.health)):
        assert one["packets_delivered"] == other["packets_delivered"]
        assert one["packets_dropped"] > 0
        assert balanced(one)


def test_packets_that_no_table_knows_are_dropped_and_counted():
    program, stimulus = layered(), inputs(4)
    machine = chip(program, "published")
    reroute(machine, Router({}, 8, 6))
    trace = machine.forward(stimulus, seed=0)
    assert len(trace.spikes["hidden_0"]) == 0
    assert trace.health["packets_dropped"] == trace.health["packets_sent"] == len(stimulus)
    assert trace.health["dropped"] == len(stimulus) * 30
    assert balanced(trace.health)


def test_packets_to_an_element_without_a_program_are_dropped():
    machine = chip(layered(), "published")
    reroute(machine, tables_with(machine, lambda entry: replace(entry, pes=(140,))))
    trace = machine.forward(inputs(2), seed=0)
    assert trace.health["packets_dropped"] == trace.health["packets_sent"] > 0


def test_one_entry_for_one_key_silences_one_neuron_for_those_behind_it():
    machine = chip(layered(), "published")
    right = machine.forward(inputs(4), seed=0)
    hidden = select(machine.plan, "layer", "hidden_0")[0]
    neuron = int(np.bincount(right.spikes["hidden_0"].sources, minlength=30).argmax())
    ((at, entries),) = machine.plan.tables.items()
    lost = replace(
        entries[0],
        key=machine.plan.keys[hidden.index]["spike"].base | neuron,
        mask=0xFFFFFFFF,
        links=0,
        pes=(),
    )
    reroute(machine, Router({at: (lost, *entries)}, 8, 6))
    trace = machine.forward(inputs(4), seed=0)
    silenced = int(np.sum(right.spikes["hidden_0"].sources == neuron))
    assert silenced > 0
    assert np.array_equal(trace.spikes["hidden_0"].times, right.spikes["hidden_0"].times)
    assert trace.health["dropped"] == 3 * silenced
    reached = [run.health["arrivals"] + run.health["in_flight"] for run in (right, trace)]
    assert reached[0] - reached[1] == 3 * silenced


def test_a_packet_that_strays_into_another_copy_is_known_to_nobody_there():
    machine = chip(layered(), "published", copies=2)
    right = machine.forward(inputs(2), seed=0)
    pes = tuple(
        sorted(machine.plan.sites[item.index].pe for item in select(machine.plan, "layer", "hidden_0"))
    )
    bases = {machine.plan.keys[item.index]["spike"].base for item in select(machine.plan, "input", "input")}
    reroute(
        machine,
        tables_with(
            machine, lambda entry: replace(entry, pes=pes) if entry.key & entry.mask in bases else entry
        ),
    )
    trace = machine.forward(inputs(2), seed=0)
    assert same_spikes(trace, right)
    assert trace.health["packets_dropped"] == len(inputs(2))
    assert balanced(trace.health)


def test_gradients_that_are_lost_on_the_way_leave_the_weights_as_they_are():
    machine = chip(layered(), "off_grid", copies=2)
    reroute(machine, tables_with(machine, lambda entry: None, spaces=(3,)))
    machine.prepare(RULE)
    before = machine.state().parameters
    report = machine.learn(inputs(2), np.array([0, 1]), seed=0)
    assert report.health["gradient_packets_dropped"] == report.health["gradient_packets_sent"] > 0
    assert balanced(report.health)
    for key, values in machine.state().parameters.items():
        assert np.array_equal(values, before[key])


def test_weights_that_are_lost_on_the_way_are_not_run():
    machine = chip(layered(), "off_grid")
    right = machine.forward(inputs(2), seed=0)
    reroute(machine, tables_with(machine, lambda entry: None, spaces=(4,)))
    machine.prepare(RULE)
    report = machine.learn(inputs(2), np.array([0, 1]), seed=0)
    assert report.health["weight_packets_dropped"] == report.health["weight_packets_sent"] > 0
    assert same_spikes(machine.forward(inputs(2), seed=0), right)


def test_dead_elements_run_nothing():
    dead = [0, 2, 3, 7]
    machine = chip(layered(), "published", copies=2, dead_cores={"0,0": dead})
    assert not {site.pe for site in machine.plan.sites if site.chip == (0, 0)} & set(dead)
    assert {
        pe for entries in machine.plan.tables.values() for entry in entries for pe in entry.pes
    }.isdisjoint(dead)
    assert same_spikes(
        machine.forward(inputs(2), seed=0), chip(layered(), "published").forward(inputs(2), seed=0)
    )


def two_a_tick(policy, **profile):
    """Return options at whose clock 10 neurons (800 cycles) take two spikes of 530 a tick, no third."""
    return {
        "overrun": policy,
        "rates": {"input": 1e-3, "output": 1e-3},
        "slices": {"output": 10},
        "input_errors": False,
        "profile": {"clock_high": 2.38e6, **profile},
    }


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_overrun_is_an_error_with_code_and_numbers(scheme):
    machine = chip(layered((5, 10)), scheme, **two_a_tick("error"))
    with pytest.raises(NumericsError, match=r"sample 0, tick 3: \d+ cycles in a tick of 2380;") as caught:
        machine.forward(FIVE_AT_ONCE, seed=0)
    assert [(item.code, item.path) for item in caught.value.diagnostics] == [
        ("S2-TICK", "populations.output")
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_ignored_overrun_is_counted_and_changes_nothing(scheme):
    right = chip(layered((5, 10)), scheme).forward(FIVE_AT_ONCE, seed=0)
    trace = chip(layered((5, 10)), scheme, **two_a_tick("ignore")).forward(FIVE_AT_ONCE, seed=0)
    assert same_spikes(trace, right)
    assert right.health["overruns"] == 0
    assert trace.health["overruns"] > 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_late_packets_arrive_in_the_next_tick_with_room_and_are_counted_once(scheme):
    machine = chip(layered((5, 10)), scheme, **two_a_tick("late"))
    trace = machine.forward(FIVE_AT_ONCE, seed=0)
    waited = Events.from_lists([[[2.0], [2.0], [3.0], [3.0], [4.0]]])
    expected = chip(layered((5, 10)), scheme).forward(waited, seed=0)
    assert trace.spikes["output"].times.tobytes() == expected.spikes["output"].times.tobytes()
    assert trace.spikes["output"].sources.tolist() == expected.spikes["output"].sources.tolist()
    assert len(trace.spikes["output"]) > 0
    assert trace.health["packets_late"] == trace.health["spike_packets_late"] == 3
    assert trace.health["packets_dropped"] == trace.health["dropped"] == 0
    assert balanced(trace.health)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_gradient_of_late_packets_is_that_of_packets_sent_later(scheme):
    program, options = layered((5, 10)), two_a_tick("late")
    trace = chip(program, scheme, **options).forward(FIVE_AT_ONCE, seed=0)
    waited = Events.from_lists([[[2.0], [2.0], [3.0], [3.0], [4.0]]])
    machine = chip(program, scheme, input_errors=False)
    expected = machine.adjoint(machine.forward(waited, seed=0), pull(program, trace.spikes))
    # a machine that has not run this trace, and one that has run another since
    found = chip(program, scheme, **options)
    found.forward(waited, seed=0)
    gradient = found.adjoint(trace, pull(program, trace.spikes))
    (weights,) = expected.parameters.values()
    assert np.any(weights)
    assert gradient.parameters["input_to_output.weight"].tobytes() == weights.tobytes()
    assert gradient.health["arrivals"] == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_errors_of_late_packets_find_no_spike_and_are_counted(scheme):
    machine = chip(layered((5, 10)), scheme, **two_a_tick("late") | {"input_errors": True})
    trace = machine.forward(FIVE_AT_ONCE, seed=0)
    health = machine.adjoint(trace, pull(machine.program, trace.spikes)).health
    assert health["error_packets_sent"] == 5
    assert health["error_packets_dropped"] == 3
    assert balanced(health)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_last_tick_takes_in_all_that_waits(scheme):
    stimulus = Events.from_lists([[[26.0]] * 5])
    trace = chip(layered((5, 10)), scheme, **two_a_tick("late")).forward(stimulus, seed=0)
    assert trace.health["dropped"] == 0
    assert trace.health["arrivals"] + trace.health["in_flight"] == 50
    assert balanced(trace.health)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_full_queue_is_an_error_with_code_and_numbers(scheme):
    options = {"rates": {"input": 1e-3}, "input_errors": False, "profile": {"fifo_depth": 4}}
    with pytest.raises(NumericsError, match="needs 5 packets, the limit is 4 packets") as caught:
        chip(layered((5, 10)), scheme, **options).forward(FIVE_AT_ONCE, seed=0)
    assert [(item.code, item.path) for item in caught.value.diagnostics] == [
        ("S2-FIFO", "populations.output")
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_queue_that_is_exactly_full_runs(scheme):
    options = {"rates": {"input": 1e-3, "output": 1e-3}, "input_errors": False, "profile": {"fifo_depth": 5}}
    weak = layered((5, 4), gain=0.3)
    right = chip(weak, scheme).forward(FIVE_AT_ONCE, seed=0)
    trace = chip(weak, scheme, **options).forward(FIVE_AT_ONCE, seed=0)
    assert same_spikes(trace, right)
    assert trace.health["packets_dropped"] == 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_full_queue_drops_and_counts_where_lateness_is_allowed(scheme):
    options = {"overrun": "late", "rates": {"input": 1e-3}, "training": False, "profile": {"fifo_depth": 2}}
    trace = chip(layered((5, 10)), scheme, **options).forward(FIVE_AT_ONCE, seed=0)
    heard = Events.from_lists([[[2.0], [2.0], [], [], []]])
    expected = chip(layered((5, 10)), scheme, training=False).forward(heard, seed=0)
    assert trace.spikes["output"].times.tobytes() == expected.spikes["output"].times.tobytes()
    assert trace.health["spike_packets_dropped"] == 3
    assert trace.health["dropped"] == 3 * 10
    assert balanced(trace.health)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_waits_too_long_in_a_full_queue_is_dropped_and_counted(scheme):
    stimulus = Events.from_lists([[[float(t) for t in range(2, 12)]] * 5])
    trace = chip(layered((5, 10)), scheme, **two_a_tick("late", fifo_depth=6) | {"training": False}).forward(
        stimulus, seed=0
    )
    assert trace.health["packets_late"] > 0
    assert trace.health["packets_dropped"] > 0
    assert trace.health["dropped"] == trace.health["spike_packets_dropped"] * 10
    assert balanced(trace.health)


def test_a_queue_without_end_drops_nothing_where_overruns_are_ignored():
    options = {"overrun": "ignore", "rates": {"input": 1e-3}, "training": False, "profile": {"fifo_depth": 2}}
    trace = chip(layered((5, 10)), "published", **options).forward(FIVE_AT_ONCE, seed=0)
    assert same_spikes(trace, chip(layered((5, 10)), "published").forward(FIVE_AT_ONCE, seed=0))
    assert trace.health["packets_dropped"] == 0


def test_stores_grow_into_the_free_memory_and_no_further():
    program = layered((5, 30, 3), ticks=60, gain=6.0)
    stimulus = inputs(2, ticks=50)
    fixed = {"slices": {"hidden_0": 30, "input": 5, "output": 3}, "rates": {"hidden_0": 1e-2, "output": 1e-2}}
    planned = chip(program, "published", **fixed)
    before = max(planned.plan.bytes(item.index) for item in planned.plan.slices)
    trace = planned.forward(stimulus, seed=0)
    assert trace.costs["peak_sram_bytes"] > before
    with pytest.raises(NumericsError) as caught:
        chip(program, "published", **fixed, profile={"sram": before + 36 * 1024}).forward(stimulus, seed=0)
    assert [item.code for item in caught.value.diagnostics] == ["S2-SRAM"]


def test_a_stimulus_that_is_not_of_a_source_is_refused():
    with pytest.raises(NumericsError, match="not a source"):
        chip(layered(), "published").forward(Events(np.array([1.0]), np.array([7]), np.array([0, 1])), seed=0)
