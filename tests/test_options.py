"""Readers of the options of a backend."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.errors import BackendError
from netdesc.limits import Limit
from netdesc.options import Section, number_of

SECTION = Section("backends.stranger", "ST-OPTION")
LIMITS = {"rows": Limit(256, "", "manual", "V"), "interval": Limit(1.7, "us", "manual", "V")}


def told(reader, value, name="size"):
    with pytest.raises(BackendError) as caught:
        reader(name, value)
    return [(item.path, item.code, item.message) for item in caught.value.diagnostics]


def test_all_faults_of_a_section_are_told_at_once():
    readers = {"size": SECTION.whole(), "mode": SECTION.choice("slow", "fast"), "loud": SECTION.flag}
    values, faults = SECTION.read(readers, {"sise": 3, "size": 0, "mode": "fast", "loud": "yes"})
    assert values == {"mode": "fast"}
    assert [(item.path, item.message.split(";")[0]) for item in faults] == [
        ("backends.stranger.sise", "is not an option of this backend"),
        ("backends.stranger.size", "expected a whole number of at least 1, got 0"),
        ("backends.stranger.loud", "expected true or false, got 'yes'"),
    ]
    assert "did you mean size?" in faults[0].message


def test_an_option_that_is_not_given_is_left_out():
    assert SECTION.read({"size": SECTION.whole()}, {"size": None}) == ({}, [])


@given(st.integers(-3, 10), st.integers(0, 3))
def test_whole_numbers_start_at_the_least(number, least):
    if number >= least:
        assert SECTION.whole(least)("size", float(number)) == number
    else:
        assert told(SECTION.whole(least), number)


@pytest.mark.parametrize("value", [True, 1.5, math.nan, math.inf, "many", [3]])
def test_what_is_no_whole_number_is_refused(value):
    assert told(SECTION.whole(), value)[0][:2] == ("backends.stranger.size", "ST-OPTION")


def test_a_bare_true_is_a_word_where_a_word_is_due():
    assert SECTION.choice("nominal", "true")("adjoint", True) == "true"


def test_quantities_come_in_the_unit_of_the_option():
    assert SECTION.positive("1/ms", "50 Hz")("rates.a", "50 Hz") == pytest.approx(0.05)
    assert SECTION.positive("ms", "1 ms")("tick", 0.5) == 0.5


@pytest.mark.parametrize("value", ["5 mV", 0, -1.0, math.inf, math.nan, False, "fast"])
def test_what_is_no_positive_time_is_refused(value):
    assert told(SECTION.positive("ms", "1 ms"), value, "tick")[0][0] == "backends.stranger.tick"


def test_a_mapping_tells_the_faults_of_all_its_values():
    reader = SECTION.mapping(SECTION.whole(), "{population: value}")
    faults = told(reader, {"a": 2, "b": 0, "c": "x"}, "slices")
    assert [path for path, _, _ in faults] == ["backends.stranger.slices.b", "backends.stranger.slices.c"]
    assert "such as {population: value}" in told(reader, 3)[0][2]


def test_numbers_of_a_machine_are_replaced_with_their_new_source():
    changed, faults = SECTION.override(
        "profile",
        LIMITS,
        {"rows": 128, "interval": "2 us"},
        lambda text, unit: 2.0 if (text, unit) == ("2 us", "us") else None,
    )
    assert not faults
    assert changed["rows"] == Limit(128, "", "backends.stranger.profile.rows", "A")
    assert changed["interval"].value == 2.0


def test_a_text_of_a_bare_number_is_in_the_unit_of_the_limit():
    changed, faults = SECTION.override("profile", LIMITS, {"interval": "1.7"}, lambda text, unit: None)
    assert not faults
    assert changed["interval"].value == 1.7


def test_numbers_that_a_machine_does_not_have_are_refused_with_those_it_has():
    changed, faults = SECTION.override(
        "profile", LIMITS, {"row": 1, "interval": "5 mV", "rows": -1}, lambda text, unit: None
    )
    assert not changed
    assert [item.message.partition(";")[0] for item in faults] == [
        "is not a number of the machine",
        "expected a number in us of at least 0, got '5 mV'",
        "expected a number of at least 0, got -1",
    ]


@given(st.one_of(st.booleans(), st.none(), st.text(alphabet="abc"), st.lists(st.integers())))
def test_what_is_no_number_is_none(value):
    assert number_of(value) is None
