from dataclasses import fields

import pytest
from chip_programs import layered, options, planned
from netdesc_brainscales2.backend import BrainScaleS2Backend
from netdesc_brainscales2.costs import compute_costs, expect, numbers_of
from netdesc_brainscales2.profile import MACHINES, NAMES, Profile

from netdesc.errors import BackendError
from netdesc.maps import Estimating, Mapped

NO_PAUSE = {"profile_numbers": {"wait": 0}}


def costs_of(section=None, **counts):
    silent = {"samples": 1, "instances": 1, "duration": 40.0, "events_in": 0.0, "events_out": 0.0}
    return compute_costs(options(**(section or {})), **{**silent, **counts})


def test_the_published_timing_gives_the_published_throughput_and_energy():
    # 10,000 images of 11.6 us, one after the other without a pause, one configuration for all of them.
    costs = costs_of(NO_PAUSE, samples=10_000, duration=11.6)
    assert 10_000 / costs["time_ms"] * 1e3 == pytest.approx(85_000, rel=0.01)
    assert costs["energy_mJ"] / 10_000 * 1e6 == pytest.approx(2400, rel=0.03)  # nJ of an image


def test_a_pause_between_entries_costs_time_and_energy():
    with_pause, without = (costs_of(section, samples=1000, duration=11.6) for section in ({}, NO_PAUSE))
    assert with_pause["time_ms"] - without["time_ms"] == pytest.approx(1000 * 0.05)
    assert with_pause["energy_mJ"] - without["energy_mJ"] == pytest.approx(200 * 1000 * 50e-6)


def test_a_millisecond_of_the_model_is_a_microsecond_of_the_chip():
    costs = costs_of(samples=3, duration=40.0)
    assert costs["model_time_ms"] == 120.0
    assert costs["chip_time_ms"] == pytest.approx(0.12)


def test_every_execution_instance_runs_all_entries():
    one, three = (costs_of(samples=10, instances=number) for number in (1, 3))
    assert three["time_ms"] == pytest.approx(3 * one["time_ms"])
    assert three["model_time_ms"] == one["model_time_ms"]


def test_energy_is_power_times_all_of_the_time():
    parts = costs_of({"profile_numbers": {"host_time": 100}}, samples=7)
    assert parts["time_ms"] == pytest.approx(
        sum(parts[name] for name in ("chip_time_ms", "wait_time_ms", "configuration_time_ms", "host_time_ms"))
    )
    assert parts["energy_mJ"] == pytest.approx(200 * parts["time_ms"] * 1e-3)


def test_bits_are_those_of_events_and_readings():
    costs = costs_of(events_out=120.0, readings=120 * 22)
    assert costs["bits_read"] == 120 * 32 + 120 * 22 * 8


def test_expected_events_follow_the_rates():
    drawn = layered(5, 120, 3)
    section = options(rates={"layer0": 0.1, "layer1": "25 Hz"})
    costs = expect(drawn, planned(drawn), section, 10)
    assert costs["events_in"] == pytest.approx(5 * 0.1 * 40 * 10)
    assert costs["events_out"] == pytest.approx((120 * 0.025 + 3 * 0.05) * 40 * 10)


def test_the_backend_estimates_a_run_and_a_step():
    backend = BrainScaleS2Backend({})
    assert isinstance(backend, Mapped)
    assert isinstance(backend, Estimating)
    found = backend.estimate(layered(5, 120, 3), 32)
    assert found.step is not None
    assert found.run.costs["time_ms"] > 0
    assert (found.shares[0].need, found.shares[0].limit.value) == (123, 512)
    assert backend.estimate(layered(5, 120, 3, weights=0.5), 32).step is None


def test_every_number_of_every_profile_has_a_source_and_a_tag():
    for machine in MACHINES:
        for name, limit in Profile.read(machine).numbers().items():
            assert limit.source, name
            assert limit.tag in {"V", "R", "D", "A"}, name
    assert set(NAMES) == {item.name for item in fields(Profile)}
    assert set(numbers_of(options())) <= set(NAMES)


def test_the_ideal_chip_has_no_spread_noise_or_saturation():
    numbers = Profile.read("ideal").numbers()
    ends = ("_spread", "_residual", "_noise", "_jitter", "_offset")
    silent = [name for name in NAMES if name.endswith(ends)]
    assert len(silent) > 15
    assert {numbers[name].value for name in (*silent, "saturation_knee")} == {0.0}


def test_calibration_leaves_less_than_the_published_ratio_by_default():
    numbers = {name: limit.value for name, limit in Profile.read("calibrated").numbers().items()}
    for name in ("tau_mem", "tau_syn", "threshold", "leak", "reset"):
        assert numbers[f"{name}_residual"] <= numbers[f"{name}_ratio"] * numbers[f"{name}_spread"]


def test_an_overridden_number_is_an_assumption_of_the_file():
    found = Profile.read("calibrated", {"wait": "30 us", "input_rate": "10 MHz"})
    assert (found.wait.value, found.wait.tag) == (30.0, "A")
    assert found.wait.source == "backends.brainscales2.profile_numbers.wait"
    assert found.input_rate.value == 10.0


@pytest.mark.parametrize(
    "numbers",
    [
        {"hemispheres": 3},
        {"columns": 0},
        {"labels": 1.5},
        {"speed_up": 0},
        {"output_rate": 0},
        {"threshold_level": 80},
        {"wait": "30 mV"},
        {"wait": "soon"},
        {"power": float("nan")},
        {"noise": 1},
    ],
)
def test_numbers_that_no_machine_has_are_refused(numbers):
    with pytest.raises(BackendError) as caught:
        Profile.read("calibrated", numbers)
    assert [item.code for item in caught.value.diagnostics] == ["B2-OPTION"]
