"""Quantities."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netdesc import units
from netdesc.errors import DescriptionError

finite = st.floats(allow_nan=False, allow_infinity=False, width=64).filter(lambda value: abs(value) < 1e290)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("20 ms", 20.0, "ms"),
        ("1 s", 1000.0, "ms"),
        ("1500us", 1.5, "ms"),
        ("-65 mV", -65.0, "mV"),
        ("9 nS", 0.009, "uS"),
        ("0.2 nF", 0.2, "nF"),
        ("200 pF", 0.2, "nF"),
        ("100 Hz", 0.1, "1/ms"),
        ("3 1/s", 0.003, "1/ms"),
        ("16 GiB", 16 * 2.0**30, "B"),
        ("1e3 kOhm", 1.0, "MOhm"),
        ("5 µs", 0.005, "ms"),
        ("10 MΩ", 10.0, "MOhm"),
        ("2 mV/ms", 2.0, "mV/ms"),
        (".5 nA", 0.5, "nA"),
        ("+3. V", 3000.0, "mV"),
    ],
)
def test_a_quantity_is_read_in_base_units(text: str, value: float, unit: str) -> None:
    assert units.parse(text) == (value, unit)


@pytest.mark.parametrize(
    "text", ["", "ms", "20", "20 20 ms", "1e400 ms", "nan ms", "0x10 ms", "20 ms ms", "0.021/ms"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(DescriptionError):
        units.parse(text)


@pytest.mark.parametrize("exponent", ["400", "1000000", "4007186869514707", "99999999999999999999"])
@pytest.mark.parametrize("digits", ["9.8", "-1", "0.0"])
def test_exponents_beyond_all_numbers_are_zero_or_refused(digits: str, exponent: str) -> None:
    assert units.parse(f"{digits}e-{exponent} ms").value == 0.0
    if float(digits):
        with pytest.raises(DescriptionError, match="is too large for a number"):
            units.parse(f"{digits}e{exponent} ms")
    else:
        assert units.parse(f"{digits}e{exponent} ms").value == 0.0


@given(finite, st.sampled_from([unit for unit in units.DIMENSIONS if unit]))
def test_a_written_quantity_reads_back_as_the_same_float(value: float, unit: str) -> None:
    assert units.parse(units.format_quantity(value, unit)) == (value, unit)


@given(finite)
def test_a_written_number_reads_back_as_the_same_float(value: float) -> None:
    assert float(units.number_text(value)) == value


@given(
    st.integers(-(10**6), 10**6), st.sampled_from([("s", "ms"), ("mV", "uV"), ("uS", "nS"), ("kHz", "Hz")])
)
def test_a_thousand_of_the_smaller_unit_is_one_of_the_larger(count: int, pair: tuple[str, str]) -> None:
    large, small = pair
    assert units.parse(f"{count} {large}") == units.parse(f"{count}000 {small}")


def test_a_wrong_unit_is_told_with_its_dimension_and_a_fix() -> None:
    with pytest.raises(DescriptionError) as caught:
        units.convert("5 mV", "uS", "IF_cond_exp")
    assert str(caught.value) == "5 mV is a voltage; IF_cond_exp needs a conductance, for example 5 nS"


def test_a_missing_unit_is_told_with_a_fix() -> None:
    assert units.missing(20.0, "ms", "tau_mem") == "20 has no unit; tau_mem needs a time, for example 20 ms"


def test_base_units_are_consistent_with_each_other() -> None:
    power = {unit: item.exponents for unit, item in units.DIMENSIONS.items()}

    def product(*names: str) -> tuple[int, ...]:
        return tuple(sum(column) for column in zip(*(power[name] for name in names), strict=True))

    assert product("nF", "MOhm") == power["ms"]
    assert product("nA", "MOhm") == product("mV")
    assert product("uS", "mV") == power["nA"]
    assert product("1/ms", "ms") == power[""]
    assert product("mV/ms", "ms") == power["mV"]


def test_no_two_dimensions_are_alike() -> None:
    assert len({item.exponents for item in units.DIMENSIONS.values()}) == len(units.DIMENSIONS)


@pytest.mark.parametrize(
    ("size", "text"), [(10.0, "10 B"), (2048.0, "2 KiB"), (1.6e10, "14.9 GiB"), (2.0**90, "1.1e+15 TiB")]
)
def test_memory_is_written_for_people(size: float, text: str) -> None:
    assert units.format_memory(size) == text
