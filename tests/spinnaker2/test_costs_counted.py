"""What a run on the emulated chip is said to have cost is what it did."""

from collections import Counter

import numpy as np
import pytest
from drafts import expect
from emulated import SCHEMES, chip, tick_network
from netdesc_spinnaker2.board import assembly as emulator_board
from netdesc_spinnaker2.board.router import Router
from netdesc_spinnaker2.costs.counting import count_work

from netdesc.backend import LearningRule, Objective
from tests.generate.traits import Recipe

RECIPE = Recipe(3, layers=2, size=5, gain=1.5, delay="mixed", loop="self", batch=3)
SLICES = {"input": 2, "layer_1": 2, "layer_2": 3}
FREE = dict.fromkeys(("synapse_cycles", "neuron_cycles", "packet_cycles", "update_cycles"), 0)
RULE = LearningRule((Objective("time_to_first_spike", "layer_2", 1.0, {}),), "adam", {"learning_rate": 0.01})


def network(scheme="published"):
    return tick_network(RECIPE, scheme)


def forward(scheme="published", **options):
    made = network(scheme)
    machine = chip(made.program, scheme, **options)
    return machine, machine.forward(made.stimulus, seed=0)


def learned(scheme="published", **options):
    made = network(scheme)
    machine = chip(made.program, scheme, **options)
    machine.prepare(RULE)
    return machine, machine.learn(made.stimulus, np.array([0, 2, 1]), seed=0)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_cycle_per_synaptic_event_counts_arrivals_and_those_under_way(scheme):
    _, trace = forward(scheme, slices=SLICES, profile={**FREE, "synapse_cycles": 1})
    health = trace.health
    assert trace.costs["cycles"] == health["arrivals"] + health["in_flight"] > 0


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_cycle_per_packet_counts_those_sent_and_those_taken_in(scheme):
    machine, trace = forward(scheme, slices=SLICES, copies=2, profile={**FREE, "packet_cycles": 1})
    reached = {flow.senders[0]: len(flow.targets) for flow in machine.plan.flows if flow.space == "spike"}
    assert sum(reached.values()) > len(reached)
    sent = sum(len(events) for events in trace.spikes.values())
    assert trace.costs["cycles"] == sent + trace.costs["packets_delivered"]


@pytest.mark.parametrize(("scheme", "rest"), [("published", 2), ("exact_exponential", 2), ("off_grid", 1)])
def test_every_neuron_is_updated_in_every_tick_of_a_sample(scheme, rest):
    machine, trace = forward(scheme, copies=2, training=False, profile={**FREE, "neuron_cycles": 1})
    ticks = round(machine.program.duration) + rest
    assert trace.costs["ticks"] == 2 * ticks
    assert trace.costs["cycles"] == 10 * ticks * trace.batch


def test_samples_in_parallel_take_the_time_of_one():
    alone, together = forward()[1].costs, forward(copies=3)[1].costs
    assert together["time_ms"] == alone["time_ms"] / 3
    assert together["cycles"] == alone["cycles"]
    assert together["energy_baseline_mJ"] == pytest.approx(alone["energy_baseline_mJ"] / 3)


def test_the_parts_of_the_energy_add_up():
    costs = learned(copies=2)[1].costs
    parts = [value for name, value in costs.items() if name.startswith("energy_") and name != "energy_mJ"]
    assert sum(parts) == pytest.approx(costs["energy_mJ"])


def test_every_element_has_one_clock_in_every_tick():
    machine, trace = forward(clock="auto", profile={"clock_threshold": 0.005})
    low, high = trace.costs["pe_ticks_low"], trace.costs["pe_ticks_high"]
    assert low + high == trace.costs["ticks"] * len(machine.plan.slices)
    assert min(low, high) > 0


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("options", [{}, {"copies": 2, "slices": SLICES}])
def test_gradients_and_weights_travel_as_foreseen(scheme, options):
    machine, report = learned(scheme, **options)
    foreseen = expect(machine.plan, machine.options, samples=3, training=True)
    for kind in ("gradient", "weight"):
        assert report.costs[f"packets_{kind}"] == pytest.approx(foreseen.packets[kind])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_error_leaves_in_the_tick_after_that_of_its_spike(scheme):
    machine, _ = learned(scheme, slices=SLICES)
    work = machine.device.emulation.board.work[..., 2]
    answers = Counter(
        sender
        for flow in machine.plan.flows
        if flow.space == "error"
        for sender in flow.targets
        for _ in flow.senders
    )
    layers = [item.index for item in machine.plan.slices if item.role == "layer"]
    expected = sum(count * work[:, sender, 0, :-1].astype(int) for sender, count in answers.items())
    assert np.array_equal(work[:, layers, 1, 1:].sum(axis=1), expected)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_busiest_link_is_found_by_following_every_spike(scheme):
    machine, trace = forward(scheme, slices=SLICES, profile={"pes_usable": 3})
    plan, router = machine.plan, Router(machine.plan.tables, 8, 6)
    loads = Counter()
    for name, events in trace.spikes.items():
        for sample, neuron, time in zip(events.samples(), events.sources, events.times, strict=True):
            item = next(
                item
                for item in plan.slices
                if item.role in ("input", "layer")
                and item.population == name
                and item.start <= neuron < item.stop
            )
            key = plan.keys[item.index].get("spike")
            tick = round(time) if scheme != "off_grid" else int(np.floor(time))
            if key is not None:
                for link in router.resolve(key.base + neuron - item.start, plan.sites[item.index].chip).links:
                    loads[link, sample, tick] += 1
    assert trace.costs["peak_link_packets"] == max(loads.values()) > 0
    assert trace.provenance["peak_link_packets"].startswith("link ")


def test_a_short_record_of_work_changes_no_sum_and_no_peak(monkeypatch):
    whole = forward(slices=SLICES)[1].costs
    monkeypatch.setattr(emulator_board, "LARGEST_WORK", 1)
    short = forward(slices=SLICES)[1].costs
    assert short == pytest.approx({**whole, "peak_packets": short["peak_packets"]})


def test_the_busiest_element_is_named():
    machine, trace = forward(slices=SLICES)
    work = count_work(machine.device.emulation, 3, learns=False)
    assert trace.provenance["peak_cycles"].split(" at ")[0] in {str(item) for item in machine.plan.slices}
    assert work.ticks.sum() == trace.costs["ticks"]
