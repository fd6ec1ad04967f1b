"""Planted faults and non-idealities are found and named."""

import pytest

from netdesc.comparison import compare


def verdict(model, fault):
    found = compare(model, ["numba", f"bad=planted:fault={fault}"])
    return found.verdicts["bad"], found


def test_without_a_fault_it_agrees(door, small):
    assert verdict(small, "none")[0].level == "agrees"


@pytest.mark.parametrize("fault", ["sign", "delay", "packet", "adjoint"])
def test_a_fault_that_no_non_ideality_explains_is_reported_as_one(door, small, fault):
    found, comparison = verdict(small, fault)
    assert found.level != "agrees"
    assert "unexplained residual" in comparison.attributions["bad"].largest.values()
    assert any("no listed non-ideality" in reason for reason in found.reasons)


def test_only_a_fault_raises_an_alert(door, small):
    assert verdict(small, "none")[0].alerts == ()
    departing = compare(small, ["numba", "bad=planted:gain=0.6+shift=3.0+jitter=0.1"])
    assert departing.verdicts["bad"].level == "deviates"
    assert departing.verdicts["bad"].alerts == ()


@pytest.mark.parametrize(
    ("fault", "hint"),
    [
        ("sign", "First deviating spike: hidden"),
        ("delay", "a constant shift such as a delay causes"),
        ("packet", "First deviating spike: hidden"),
        ("adjoint", "opposite direction"),
    ],
)
def test_an_alert_tells_how_a_fault_shows(door, small, fault, hint):
    (alert,) = verdict(small, fault)[0].alerts
    assert "this may be a fault" in alert
    assert hint in alert


@pytest.mark.parametrize("fault", ["none", "sign", "delay", "packet"])
def test_a_fault_is_seen_behind_larger_non_idealities_of_a_chip(door, small, fault):
    chip = f"bad=planted:fault={fault}+inner=spinnaker2+options={{scheme: published}}"
    found = compare(small, ["numba", chip])
    assert {"time grid", "scheme published"} < {item.source for item in found.attributions["bad"].effects}
    assert bool(found.verdicts["bad"].alerts) is (fault != "none")


def test_a_swapped_sign_of_a_weight_shows_in_the_spikes(door, small):
    found, _ = verdict(small, "sign")
    assert any(text.startswith("hidden:") and "missing" in text for text in found.findings)
    assert any("deviating spike: hidden" in text for text in found.findings)


def test_a_delay_off_by_a_tick_is_a_constant_shift(door, small):
    found, _ = verdict(small, "delay")
    assert any(
        "hidden" in text and "1 ms late, a constant shift such as a delay causes" in text
        for text in found.findings
    )


def test_a_dropped_packet_shows_where_spikes_part_first(door, small):
    found, comparison = verdict(small, "packet")
    assert any("deviating spike: hidden" in text for text in found.findings)
    assert comparison.agreements["bad"].spikes["input"].earliest is None


def test_a_swapped_sign_of_the_gradient_is_named(door, small):
    found, _ = verdict(small, "adjoint")
    assert any("opposite direction" in text for text in found.findings)


@pytest.mark.parametrize(("gain", "shift", "cause"), [(0.6, 0.01, "gain"), (0.999, 3.0, "shift")])
def test_the_larger_of_two_non_idealities_is_named(door, small, gain, shift, cause):
    found = compare(small, ["numba", f"bad=planted:gain={gain}+shift={shift}"])
    attribution = found.attributions["bad"]
    assert {item.source for item in attribution.effects} == {"gain", "shift", "unexplained residual"}
    assert attribution.largest["spikes"] == cause
    assert any(cause in reason for reason in found.verdicts["bad"].reasons)
    assert attribution.effects[-1].spikes < 1e-6


def test_delays_that_a_substrate_tells_of_are_a_cause(small):
    found = compare(small, ["numba", "chip=spinnaker2:scheme=off_grid+tick=2 ms"])
    effects = {item.source: item for item in found.attributions["chip"].effects}
    assert effects["delays"].spikes > 0.1
    assert effects["unexplained residual"].spikes < 0.01
    assert found.attributions["chip"].largest["spikes"] == "delays"
