"""Effects over several noise seeds: medians and ranges."""

import numpy as np
import pytest

from netdesc.comparison import Settings, compare
from netdesc.comparison.effects import Effect, summarize
from netdesc.comparison.runs import Job, repeat

BARE = Effect("noise", "with and without", 0.0, 0.0, 0.0, None, None, None, None)


def effects(name, values):
    from dataclasses import replace

    return [replace(BARE, **{name: value}) for value in values]


def test_the_number_of_an_effect_is_its_median():
    found = summarize(effects("spikes", [0.3, 0.1, 0.2]))
    assert found.spikes == 0.2
    assert found.spread["spikes"] == (0.1, 0.3)
    assert found.repeats == 3


def test_a_number_that_one_stream_has_not_none_has():
    assert summarize(effects("accuracy", [0.1, None])).accuracy is None
    assert np.isnan(summarize(effects("spikes", [0.1, np.nan])).spikes)


@pytest.mark.parametrize(
    ("values", "clear"),
    [
        ([-0.3, -0.31, -0.29], True),
        ([0.0, 0.012, 0.014], False),
        ([-0.01, 0.01, 0.02], False),
        ([0.01, 0.03, 0.05], False),
        ([0.03, 0.04, 0.05], True),
        ([0.0, 0.0, 0.0], False),
    ],
)
def test_an_effect_that_may_be_nothing_with_another_stream_is_not_clear(values, clear):
    assert summarize(effects("accuracy", values)).is_clear("accuracy") is clear


def test_a_single_stream_is_taken_at_its_word():
    (found,) = effects("spikes", [0.1])
    assert found.is_clear("spikes")
    assert not found.is_clear("accuracy")


def test_what_has_no_noise_runs_once(small):
    outcome = compare(small, ["numba"], settings=Settings(attribute=False)).outcomes["numba"]
    assert repeat(outcome, Job(Settings(repeats=5))) == (outcome,)


def test_noise_runs_with_as_many_streams_as_asked_for(door, small):
    found = compare(small, ["numba", "bad=planted:jitter=0.05"], settings=Settings(repeats=4))
    by_cause = {item.source: item for item in found.attributions["bad"].effects}
    assert by_cause["jitter"].repeats == 4
    low, high = by_cause["jitter"].spread["spikes"]
    assert 0.0 < low < high
    assert by_cause["unexplained residual"].repeats == 1
    assert found.attributions["bad"].largest["spikes"] == "jitter"


def test_a_small_non_ideality_beside_much_noise_is_measured_without_it(door, small):
    found = compare(small, ["numba", "bad=planted:jitter=0.05+shift=0.3"])
    by_cause = {item.source: item for item in found.attributions["bad"].effects}
    assert by_cause["shift"].repeats == 1
    assert by_cause["shift"].shift == pytest.approx(0.3, abs=0.1)
