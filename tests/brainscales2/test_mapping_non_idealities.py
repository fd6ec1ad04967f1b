from itertools import pairwise

import pytest
from chip_programs import layered, planned
from netdesc_brainscales2.backend import BrainScaleS2Backend
from netdesc_brainscales2.options import Options


def test_each_non_ideality_starts_where_the_one_before_it_ends():
    section = {"chip": 3, "profile_numbers": {"power": 150}}
    pairs = BrainScaleS2Backend(section).non_idealities()
    assert list(pairs) == [
        "time grid",
        "weight quantization",
        "shortest refractory period",
        "mismatch",
        "saturation",
        "noise",
        "read-out",
    ]
    for (_, end), (start, _) in pairwise(pairs.values()):
        assert end == start
    assert pairs["read-out"][1] == section


def test_settings_without_a_non_ideality_do_not_list_it():
    ideal = BrainScaleS2Backend({"profile": "ideal"})
    assert list(ideal.non_idealities()) == ["time grid", "weight quantization"]
    assert "noise" not in BrainScaleS2Backend({"noise": False}).non_idealities()


def test_the_first_settings_are_almost_those_of_the_equations():
    first = Options.read(next(iter(BrainScaleS2Backend({}).non_idealities().values()))[0])
    assert not first.noise
    assert not first.calibrate
    assert first.profile.event_grid.value < 1e-6
    assert {
        getattr(first.profile, name).value
        for name in ("tau_mem_spread", "gain_spread", "threshold_offset", "saturation_knee", "refractory_low")
    } == {0.0}


def test_fine_words_need_no_more_rows():
    section = BrainScaleS2Backend({"scales": {"layer2": 40}}).non_idealities()["weight quantization"][0]
    now = {"scales": {"layer2": 40}}
    fine, coarse = (planned(layered(5, 40, 3), **item) for item in (section, now))
    assert [item.demand.rows for item in fine.wirings] == [item.demand.rows for item in coarse.wirings]
    assert fine.scales["layer2"] == pytest.approx(coarse.scales["layer2"] * 2**16)
