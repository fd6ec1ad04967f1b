"""Quantities: text in a file, floats in base units inside.

The base units are PyNN's, which are consistent with each other: ms, mV, nA, nF, MOhm, uS; rates are
in 1/ms and memory in bytes. A unit is named by its base unit throughout, for example ``"mV"`` for any
voltage; the empty text stands for a number without unit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, DecimalException
from typing import NamedTuple

from netdesc.errors import DescriptionError

Exponents = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Dimension:
    """What a quantity measures.

    Parameters
    ----------
    base : str
        Base unit; empty for a number without unit.
    name : str
        With its article, for messages: ``a voltage``.
    example : str
        Unit that people write most.
    exponents : tuple of int
        Powers of time, voltage, current and memory.
    """

    base: str
    name: str
    example: str
    exponents: Exponents


class Quantity(NamedTuple):
    """A number in a base unit.

    Parameters
    ----------
    value : float
    unit : str
        Base unit; empty for a number without unit.
    """

    value: float
    unit: str


class _Scale(NamedTuple):
    base: str
    power: int
    factor: int = 1


DIMENSIONS: Mapping[str, Dimension] = {
    item.base: item
    for item in (
        Dimension("", "a number without unit", "", (0, 0, 0, 0)),
        Dimension("ms", "a time", "ms", (1, 0, 0, 0)),
        Dimension("mV", "a voltage", "mV", (0, 1, 0, 0)),
        Dimension("nA", "a current", "nA", (0, 0, 1, 0)),
        Dimension("nF", "a capacitance", "nF", (1, -1, 1, 0)),
        Dimension("uS", "a conductance", "nS", (0, -1, 1, 0)),
        Dimension("MOhm", "a resistance", "MOhm", (0, 1, -1, 0)),
        Dimension("1/ms", "a rate", "Hz", (-1, 0, 0, 0)),
        Dimension("mV/ms", "a slope of voltage", "mV/ms", (-1, 1, 0, 0)),
        Dimension("B", "a size of memory", "GiB", (0, 0, 0, 1)),
    )
}
"""Every dimension by its base unit."""

_UNITS: dict[str, _Scale] = {
    "s": _Scale("ms", 3), "ms": _Scale("ms", 0), "us": _Scale("ms", -3), "ns": _Scale("ms", -6),
    "V": _Scale("mV", 3), "mV": _Scale("mV", 0), "uV": _Scale("mV", -3),
    "A": _Scale("nA", 9), "mA": _Scale("nA", 6), "uA": _Scale("nA", 3), "nA": _Scale("nA", 0),
    "pA": _Scale("nA", -3),
    "F": _Scale("nF", 9), "uF": _Scale("nF", 3), "nF": _Scale("nF", 0), "pF": _Scale("nF", -3),
    "S": _Scale("uS", 6), "mS": _Scale("uS", 3), "uS": _Scale("uS", 0), "nS": _Scale("uS", -3),
    "pS": _Scale("uS", -6),
    "Ohm": _Scale("MOhm", -6), "kOhm": _Scale("MOhm", -3), "MOhm": _Scale("MOhm", 0),
    "GOhm": _Scale("MOhm", 3),
    "Hz": _Scale("1/ms", -3), "kHz": _Scale("1/ms", 0), "MHz": _Scale("1/ms", 3),
    "1/s": _Scale("1/ms", -3), "1/ms": _Scale("1/ms", 0),
    "mV/ms": _Scale("mV/ms", 0), "V/s": _Scale("mV/ms", 0),
    "B": _Scale("B", 0), "kB": _Scale("B", 3), "MB": _Scale("B", 6), "GB": _Scale("B", 9),
    "TB": _Scale("B", 12),
    "KiB": _Scale("B", 0, 2**10), "MiB": _Scale("B", 0, 2**20), "GiB": _Scale("B", 0, 2**30),
    "TiB": _Scale("B", 0, 2**40),
}  # fmt: skip

_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
UNITS_OF_TIME: Mapping[str, float] = {"s": 1e3, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
"""Units in which files may hold times, each in ms."""

# A space is due before "1/ms": "0.021/ms" must not be read as 0.02 per millisecond.
_QUANTITY = re.compile(rf"\s*({_NUMBER})(?:\s*([A-Za-zµμΩ]+(?:/[A-Za-z]+)?)|\s+(1/m?s))\s*")
_BARE = re.compile(rf"\s*{_NUMBER}\s*")


def parse(text: str, expected: str = "") -> Quantity:
    """Read a quantity such as ``20 ms``.

    Parameters
    ----------
    text : str
        A number and a unit; the space between them may be left out.
    expected : str
        Base unit that is due, for the message about an unknown unit.

    Returns
    -------
    Quantity
        In the base unit, correctly rounded: ``9 nS`` is exactly the float 0.009 uS.

    Raises
    ------
    DescriptionError
        If the text is no quantity, or the unit is not known.
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise DescriptionError(f"'{text}' is not a number with a unit, such as 20 ms")
    number, unit = match[1], (match[2] or match[3])
    unit = unit.replace("µ", "u").replace("μ", "u").replace("Ω", "Ohm")
    if unit not in _UNITS:
        raise DescriptionError(f"'{unit}' in '{text}' is not a known unit{_nearest_unit(unit, expected)}")
    scale = _UNITS[unit]
    try:
        value = float(Decimal(number).scaleb(scale.power) * scale.factor)
    except DecimalException:  # an exponent beyond all doubles, towards zero or infinity
        value = float(number)
    if value in (float("inf"), float("-inf")):
        raise DescriptionError(f"'{text}' is too large for a number")
    return Quantity(value, scale.base)


def pattern(unit: str) -> str:
    """Return the regular expression of what `convert` reads in a unit, or of ``${...}``, for editors."""
    words = [name.replace("u", "[uµμ]", 1) for name, scale in _UNITS.items() if scale.base == unit]
    words = [name.replace("Ohm", "(Ohm|Ω)") for name in words]
    close = "|".join(name for name in words if not name.startswith("1/"))
    apart = "|".join(name for name in words if name.startswith("1/"))
    alternatives = f"(\\s*({close})|\\s+({apart}))" if apart else f"\\s*({close})"
    return rf"^\s*{_NUMBER.replace('?:', '')}{alternatives}\s*$|\$\{{.+\}}"


def is_quantity(text: str) -> bool:
    """Tell whether a text has the form of a number with a unit, known or not."""
    return _QUANTITY.fullmatch(text) is not None


def convert(text: str, unit: str, needed_by: str) -> float:
    """Read a quantity of a given dimension.

    Parameters
    ----------
    text : str
        For example ``4 nS``.
    unit : str
        Base unit of the result; empty where a number without unit is due.
    needed_by : str
        Who needs it, for the message: a cell such as ``IF_cond_exp``, or a key.

    Returns
    -------
    float
        In the base unit.

    Raises
    ------
    DescriptionError
        If the text is no quantity, its unit is not known, or it measures something else.
    """
    dimension = DIMENSIONS[unit]
    if _BARE.fullmatch(text):
        raise DescriptionError(
            f"'{text}' is text; {_due(dimension, needed_by, text.strip())}, without quotes"
        )
    if not is_quantity(text):
        due = _due(dimension, needed_by, "5") if unit else f"{needed_by} needs one, for example 5"
        raise DescriptionError(f"'{text}' is not a number; {due}")
    found = parse(text, unit)
    if found.unit != unit:
        number = _QUANTITY.fullmatch(text)
        due = _due(dimension, needed_by, number[1] if number else "5")
        raise DescriptionError(f"{text} is {DIMENSIONS[found.unit].name}; {due}")
    return found.value


def missing(number: float, unit: str, needed_by: str) -> str:
    """Return the message, with its fix, about a bare number where a quantity of a unit is expected."""
    text = number_text(number)
    return f"{text} has no unit; {_due(DIMENSIONS[unit], needed_by, text)}"


def format_quantity(value: float, unit: str) -> str:
    """Write a value in its base unit, empty for none, so that `parse` gives exactly the same float.

    For example ``20 ms``; rates in Hz where that loses nothing.
    """
    if not unit:
        return number_text(value)
    if unit == "1/ms":
        hertz = f"{number_text(round(value * 1000, 9))} Hz"
        return hertz if parse(hertz).value == value else f"{number_text(value)} kHz"
    return f"{number_text(value)} {unit}"


def format_memory(size: float) -> str:
    """Write a number of bytes for people, with three digits, for example ``14.9 GiB``."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:.3g} {unit}" if size < 1e6 else f"{size:.1e} {unit}"


def number_text(value: float) -> str:
    """Write a float in its shortest form, without a trailing ``.0``.

    Returns
    -------
    str
        Reads back as the same float.
    """
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def unit_of(exponents: Exponents) -> str | None:
    """Return the base unit with given powers of time, voltage, current and memory, or None."""
    return next((unit for unit, item in DIMENSIONS.items() if item.exponents == exponents), None)


def _due(dimension: Dimension, needed_by: str, number: str) -> str:
    if not dimension.base:
        return f"{needed_by} needs a number without unit, for example {number}"
    return f"{needed_by} needs {dimension.name}, for example {number} {dimension.example}"


def _nearest_unit(unit: str, expected: str) -> str:
    wanted = [known for known, scale in _UNITS.items() if not expected or scale.base == expected]
    by_case = [known for known in (*wanted, *_UNITS) if known.lower() == unit.lower()]
    if by_case:
        return f"; did you mean {by_case[0]}?"
    name = DIMENSIONS[expected].name if expected else "a quantity"
    return f"; units of {name} are {', '.join(wanted)}"
