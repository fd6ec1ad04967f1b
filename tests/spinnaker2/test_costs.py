import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from drafts import drawn, expect, layered
from hypothesis import given, settings
from hypothesis import strategies as st
from netdesc_spinnaker2.costs.costs import Work, arrange, charge, count_cycles
from netdesc_spinnaker2.costs.energy import choose_pace, spend
from netdesc_spinnaker2.costs.expectation import BACKWARD, FORWARD, GATHER, UPDATE
from netdesc_spinnaker2.mapping import checks
from netdesc_spinnaker2.options import OPTIONS, Options
from netdesc_spinnaker2.profile import Profile

HIGH, LOW, AUTO = Options(clock="high"), Options(clock="low"), Options(clock="auto")

BUSY = ("sleeping", "busy_high", "busy_low")


def work(shape=(1, 1), ticks=1.0, **counts):
    zero = np.zeros(shape)
    rows = {
        name: np.broadcast_to(np.asarray(counts.get(name, 0.0), dtype=float), shape) + zero
        for name in ("events", "updates", "received", "sent", "steps")
    }
    return Work(**rows, ticks=np.full(shape[1], ticks), samples=1)


def cycles_of(**counts):
    return float(count_cycles(work(**counts), HIGH)[0, 0])


def energy_of(cycles, options, ticks=1.0, chips=1):
    cycles = np.atleast_2d(np.asarray(cycles, dtype=float))
    spans = np.full(cycles.shape[1], ticks)
    return spend(choose_pace(cycles, options), spans, options, chips=chips, packets=0.0, dram=0.0)


def test_every_kind_of_work_has_its_cycles():
    assert cycles_of(events=2.0) == 100.0
    assert cycles_of(updates=2.0) == 160.0
    assert cycles_of(received=2.0, sent=1.0) == 90.0
    assert cycles_of(steps=2.0) == 120.0


def test_a_millisecond_at_the_high_clock_holds_12000_synaptic_events_at_best():
    best = Options.read({"profile": {"synapse_cycles": 25}})
    pace = choose_pace(count_cycles(work((1, 2), events=[[12000.0, 12001.0]]), best), best)
    assert pace.busy[0, 0] == pytest.approx(1.0)
    assert pace.overrun.tolist() == [[False, True]]


def test_the_low_clock_takes_twice_as_long():
    cycles = np.array([[30000.0]])
    low, high = choose_pace(cycles, LOW).busy[0, 0], choose_pace(cycles, HIGH).busy[0, 0]
    assert low == 2 * high == pytest.approx(0.2)


def test_the_clock_is_high_only_above_the_threshold():
    pace = choose_pace(np.array([[149_999.0, 150_000.0, 150_001.0]]), AUTO)
    assert pace.high.tolist() == [[False, False, True]]
    half = Options.read({"clock": "auto", "profile": {"clock_threshold": 0.5}})
    assert choose_pace(np.array([[75_001.0]]), half).high.all()


def test_an_idle_element_sleeps_at_its_clock():
    assert energy_of([[0.0]], HIGH, ticks=1000)["sleeping"] == pytest.approx(3.22)
    assert energy_of([[0.0]], LOW, ticks=1000)["sleeping"] == pytest.approx(1.05)
    assert energy_of([[0.0]], AUTO, ticks=1000)["sleeping"] == pytest.approx(1.05)


def test_a_busy_element_adds_to_a_sleeping_one():
    high = energy_of([[300_000.0]], HIGH, ticks=1000)
    assert tuple(high[part] for part in ("sleeping", "busy_high", "busy_low")) == pytest.approx(
        (3.22, 4.495, 0.0)
    )
    low = energy_of([[150_000.0]], LOW, ticks=1000)
    assert tuple(low[part] for part in ("sleeping", "busy_high", "busy_low")) == pytest.approx(
        (1.05, 0.0, 1.245)
    )


def test_an_element_that_hurries_sleeps_at_the_low_clock_afterwards():
    # 0.6 ms at the high clock and 0.4 ms asleep at the low one, a thousand times.
    spent = energy_of([[180_000.0]], AUTO, ticks=1000)
    assert spent["sleeping"] == pytest.approx(0.6 * 3.22 + 0.4 * 1.05)
    assert spent["busy_high"] == pytest.approx(0.6 * 4.495)


def test_chips_take_their_baseline_packets_and_bytes_their_own():
    spent = spend(choose_pace(np.zeros((1, 1)), LOW), np.array([1000.0]), LOW, chips=2, packets=1e6, dram=1e6)
    assert (spent["baseline"], spent["packets"], spent["dram"]) == pytest.approx((150.4, 1.0, 0.2))
    assert sum(spent.values()) == pytest.approx(150.4 + 1.0 + 0.2 + 1.05)


def test_the_order_of_the_measured_gesture_network_is_met_by_bursts_on_one_chip():
    # Measured: 0.741 J automatic, 1.023 J always high, 2.010 J always low with longer ticks. The load is not
    # published: here every element of one chip works for 30 % of a tick at the high clock in bursts that need
    # more than the low clock can do, and the low clock gets ticks six times as long.
    bursts = np.zeros((148, 20))
    bursts[:, ::3] = 0.857 * 300_000.0
    slow = Options.read({"clock": "low", "tick": 6.0})
    auto, high, low = (sum(energy_of(bursts, options, 68.0).values()) for options in (AUTO, HIGH, slow))
    assert choose_pace(bursts, LOW).overrun.any()
    assert not choose_pace(bursts, slow).overrun.any()
    assert auto < high < low
    assert auto / high == pytest.approx(0.741 / 1.023, rel=0.05)
    assert low / high == pytest.approx(2.010 / 1.023, rel=0.05)
    assert high == pytest.approx(1023, rel=0.05)


@pytest.mark.parametrize("sizes", [(5, 120, 3), (5, 600, 3), (7, 40, 30, 4)])
@pytest.mark.parametrize("train", [True, False])
def test_the_estimate_meets_the_cycles_and_packets_of_the_map(sizes, train):
    options = Options()
    plan = drawn(layered(sizes, train))
    expected = expect(plan, options)
    # The estimate has two ticks more, in which the last packets come to rest; there the neurons go on.
    longer = 29 / 27
    idle = np.array([item.size for item in plan.slices]) * 80.0
    cycles = (count_cycles(expected, options)[:, [FORWARD, BACKWARD]].max(axis=1) - idle) * longer + idle
    received = expected.received[:, [FORWARD, BACKWARD]].max(axis=1) * longer
    # Without a loss nobody listens to the last layer, and it sends nothing.
    layers = [
        item.index for item in plan.slices if item.role == "layer" and (train or item.population != "output")
    ]
    assert cycles[layers] == pytest.approx([plan.cycles[index] for index in layers])
    assert received[layers] == pytest.approx([plan.packets[index] for index in layers])


def test_there_is_an_error_packet_for_every_spike_and_destination():
    options = Options(slices={"hidden": 30})
    plan = drawn(layered((5, 120, 3)), options)
    costs = charge(expect(plan, options), plan, options)
    # 5 inputs reach 4 slices; 120 hidden neurons reach the output, and 3 outputs the loss.
    assert costs.values["packets_spike"] == 4 * 5 + 120 + 3
    assert costs.values["packets_error"] == 4 * 5 + 120
    assert costs.values["packets_loss"] == 3


def test_a_batch_in_parallel_copies_takes_no_longer():
    alone, many = Options(), Options(batch=22)
    one, all_ = drawn(layered(), alone), drawn(layered(), many)
    first = charge(expect(one, alone), one, alone)
    batch = charge(expect(all_, many), all_, many)
    assert all_.copies == 22
    assert first.values["packets_spike"] * 22 == batch.values["packets_spike"]
    assert expect(all_, many).ticks[:GATHER].tolist() == [29.0, 29.0]
    turns = expect(all_, many, samples=45)
    assert turns.ticks[:GATHER].tolist() == [87.0, 87.0]
    assert (turns.events @ turns.ticks).sum() == pytest.approx(
        45 / 22 * (expect(all_, many).events @ expect(all_, many).ticks).sum()
    )


def test_gradients_are_gathered_from_every_sample_and_weights_sent_once():
    options = Options(batch=4, copies=2)
    plan = drawn(layered(), options)
    once, twice = expect(plan, options, samples=2).packets, expect(plan, options, samples=4).packets
    assert twice["gradient"] == 2 * once["gradient"]
    assert twice["weight"] == once["weight"]


def test_inference_has_one_phase():
    plan = drawn(layered(train=False))
    costs = charge(expect(plan, Options()), plan, Options())
    assert (costs.values["ticks"], costs.values["time_ms"]) == (29.0, 29.0)
    assert {name for name in costs.values if name.startswith("packets_")} == {"packets_spike"}


def test_updates_take_as_many_ticks_as_the_fifo_allows():
    narrow = Options.read({"batch": 22, "profile": {"fifo_depth": 500}})
    plan = drawn(layered(), Options(batch=22))
    expected = expect(plan, narrow)
    assert expected.received[:, [GATHER, UPDATE]].max() <= 500
    assert expected.ticks[GATHER] == 11  # 22 copies send 2 packets for each of 120 neurons


def test_a_packet_over_a_link_is_seen_there():
    # With only 5 elements a chip the network is spread over chips.
    options = Options.read({"profile": {"pes_usable": 5}, "slices": {"hidden": 30}})
    plan = drawn(layered(train=False), options)
    costs = charge(expect(plan, options), plan, options)
    assert len({site.chip for site in plan.sites}) > 1
    assert costs.values["peak_link_packets"] > 0
    assert costs.places["peak_link_packets"].startswith("link ")


@settings(max_examples=25, deadline=None)
@given(samples=st.integers(1, 9), copies=st.integers(1, 4), slices=st.integers(1, 3), ticks=st.integers(1, 3))
def test_arranged_counts_are_all_there_in_the_copy_that_made_them(samples, copies, slices, ticks):
    counts = np.arange(1, samples * slices * ticks + 1, dtype=float).reshape(samples, slices, ticks)
    table = arrange(counts, copies)
    assert table.shape == (copies * slices, -(-samples // copies) * ticks)
    assert sorted(table[table > 0]) == sorted(counts.ravel())
    for number in range(samples):
        turn, copy = divmod(number, copies)
        assert np.array_equal(
            table[copy * slices : (copy + 1) * slices, turn * ticks : (turn + 1) * ticks], counts[number]
        )


def test_flat_costs_add_up():
    plan = drawn(layered())
    flat = charge(expect(plan, Options()), plan, Options()).values
    parts = [value for name, value in flat.items() if name.startswith("energy_") and name != "energy_mJ"]
    assert sum(parts) == pytest.approx(flat["energy_mJ"])
    assert all(np.isfinite(value) for value in flat.values())


PAGE = (Path(__file__).parents[2] / "docs" / "spinnaker2_backend.md").read_text(encoding="utf-8")


def test_the_page_has_every_number_of_the_machine_with_tag_and_source():
    rows = [
        f"| `{name}` | {f'{limit.value:.15g} {limit.unit}'.strip()} | {limit.tag} | {limit.source} |"
        for name, limit in Profile().numbers().items()
    ]
    assert [row for row in rows if row not in PAGE] == []


def test_every_setting_is_a_declared_option_of_the_table_on_the_page():
    known = {field.name for field in fields(Options)} - {"dead"} | {"dead_cores"}
    assert known <= {item.name for item in OPTIONS}
    assert "#table-of-options" in PAGE


def test_the_page_has_every_code():
    source = Path(checks.__file__).read_text(encoding="utf-8")
    assert set(re.findall(r"S2-[A-Z]+", source)) <= set(re.findall(r"S2-[A-Z]+", PAGE))
