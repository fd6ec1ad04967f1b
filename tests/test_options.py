"""Options of a backend: declared once, read from Python, described to the schema."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc.errors import BackendError
from netdesc.limits import Limit
from netdesc.options import (
    Count,
    Flag,
    Kinds,
    Numbers,
    Option,
    Positive,
    Section,
    Sequences,
    Table,
    Word,
    declared,
    number_of,
    option,
    replaced,
)

SECTION = Section("backends.stranger", "ST-OPTION")
LIMITS = {"rows": Limit(256, "", "manual", "V"), "interval": Limit(1.7, "us", "manual", "V")}
NUMBERS = Numbers(lambda: LIMITS, lambda text, unit: 2.0 if (text, unit) == ("2 us", "us") else None)


def faults(form, value, name="size"):
    with pytest.raises(BackendError) as caught:
        form.read(SECTION, name, value)
    return [(item.path, item.code, item.message) for item in caught.value.diagnostics]


@dataclass(frozen=True)
class Settings:
    size: int = option("Neurons per core", Count(), 4)
    mode: str = option("How it runs", Word(("slow", "fast"), {"quick": "fast"}), "slow")
    heavy: bool = option("Whether it is heavy", Flag(), False, name="loud")
    pace: float | None = option("Length of a step; that of the device by default", Positive("ms", "1 ms"))
    other: int = 3


OPTIONS = declared(Settings)


def test_the_fields_of_a_dataclass_declare_options_with_defaults():
    assert Settings() == Settings(4, "slow", False, None, 3)
    assert [(item.name, item.default) for item in OPTIONS] == [
        ("size", 4),
        ("mode", "slow"),
        ("loud", False),
        ("pace", None),
    ]


def test_an_option_describes_itself_to_the_schema():
    size, mode, _, pace = (item.part() for item in OPTIONS)
    assert size["minimum"] == 1
    assert (size["default"], size["description"]) == (4, "Neurons per core (count)")
    assert mode["enum"] == ["slow", "fast", "quick"]
    assert (pace["type"], pace["x-unit"], pace["default"]) == (["string", "null"], "ms", None)
    assert pace["description"].endswith("by default (time, for example in ms)")


def test_all_faults_of_a_section_are_reported_at_once():
    values, wrong = SECTION.read(OPTIONS, {"sise": 3, "size": 0, "mode": "quick", "loud": "yes"})
    assert values == {"mode": "fast"}
    assert [(item.path, item.message.split(";")[0]) for item in wrong] == [
        ("backends.stranger.sise", "is not an option of this backend"),
        ("backends.stranger.size", "expected a whole number of at least 1, got 0"),
        ("backends.stranger.loud", "expected true or false, got 'yes'"),
    ]
    assert "did you mean size?" in wrong[0].message


def test_an_option_that_is_not_given_is_left_out():
    assert SECTION.read(OPTIONS, {"size": None}) == ({}, [])


@given(st.integers(-3, 10), st.integers(0, 3))
def test_whole_numbers_start_at_the_least(number, least):
    if number >= least:
        assert Count(least).read(SECTION, "size", float(number)) == number
    else:
        assert faults(Count(least), number)


@pytest.mark.parametrize("value", [True, 1.5, math.nan, math.inf, "many", [3]])
def test_what_is_no_whole_number_is_refused(value):
    assert faults(Count(), value)[0][:2] == ("backends.stranger.size", "ST-OPTION")


def test_a_bare_true_is_a_word_where_a_word_is_expected():
    assert Word(("nominal", "true")).read(SECTION, "adjoint", True) == "true"


def test_quantities_come_in_the_unit_of_the_option():
    assert Positive("1/ms", "50 Hz").read(SECTION, "rates.a", "50 Hz") == pytest.approx(0.05)
    assert Positive("ms", "1 ms").read(SECTION, "tick", 0.5) == 0.5


@pytest.mark.parametrize("value", ["5 mV", 0, -1.0, math.inf, math.nan, False, "fast"])
def test_what_is_no_positive_time_is_refused(value):
    assert faults(Positive("ms", "1 ms"), value, "tick")[0][0] == "backends.stranger.tick"


def test_a_table_reports_the_faults_of_all_its_values():
    form = Table(Count(), "Neurons per slice")
    found = faults(form, {"a": 2, "b": 0, "c": "x"}, "slices")
    assert [path for path, _, _ in found] == ["backends.stranger.slices.b", "backends.stranger.slices.c"]
    assert "such as {population: value}" in faults(form, 3)[0][2]


def test_names_of_a_table_follow_their_pattern():
    cores = Table(Sequences(Count(0), "Number"), "Numbers", "chip", "^[0-9]+,[0-9]+$", "a chip as x,y")
    assert cores.read(SECTION, "dead", {"0,1": [3]}) == {"0,1": [3]}
    assert faults(cores, {"0;1": [3]}, "dead") == [
        ("backends.stranger.dead.0;1", "ST-OPTION", "expected a chip as x,y, got '0;1'")
    ]
    assert "is not a list" in faults(cores, {"0,1": 3}, "dead")[0][2]


def test_a_kind_is_a_word_or_a_mapping_with_its_options():
    step = Option("step", "Length of a step", Positive("ms", "1 ms"), "0.1 ms")
    form = Kinds({"event": ("Exact", ()), "grid": ("Step by step", (step,))})
    assert form.read(SECTION, "solver", "event") == ("event", {})
    assert form.read(SECTION, "solver", {"grid": {}}) == ("grid", {"step": 0.1})
    assert form.read(SECTION, "solver", {"grid": {"step": "2 ms"}}) == ("grid", {"step": 2.0})
    assert faults(form, {"grid": {"step": 0}}, "solver")[0][0] == "backends.stranger.solver.grid.step"
    assert faults(form, "exact", "solver")[0][2] == "expected one of event, grid, got exact"


def test_numbers_of_a_machine_are_replaced_with_their_new_source():
    numbers = NUMBERS.read(SECTION, "profile", {"rows": 128, "interval": "2 us"})
    changed = replaced(SECTION, "profile", LIMITS, numbers)
    assert changed["rows"] == Limit(128, "", "backends.stranger.profile.rows", "A")
    assert changed["interval"].value == 2.0


def test_a_text_of_a_bare_number_is_in_the_unit_of_the_limit():
    assert NUMBERS.read(SECTION, "profile", {"interval": "1.7"}) == {"interval": 1.7}


def test_numbers_that_a_machine_does_not_have_are_refused_with_those_it_has():
    found = faults(NUMBERS, {"row": 1, "interval": "5 mV", "rows": -1}, "profile")
    assert [message.partition(";")[0] for _, _, message in found] == [
        "is not a number of the machine",
        "expected a number in us of at least 0, got '5 mV'",
        "expected a number of at least 0, got -1",
    ]


@given(st.one_of(st.booleans(), st.none(), st.text(alphabet="abc"), st.lists(st.integers())))
def test_what_is_no_number_is_none(value):
    assert number_of(value) is None
