"""What a backend can do, as every table of it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from netdesc.limits import Limit, Limits
from netdesc.options import Option

LISTS = ("models", "trainable", "losses", "recordings", "gradients")
"""Sets among the limits."""

TAGS = {"V": "verified", "R": "reported", "D": "derived", "A": "assumed"}
"""What the tags of numbers mean."""


def arrange_capabilities(limits: Limits) -> dict[str, object]:
    """Return limits as JSON data."""
    return {
        "time": limits.time,
        **{name: sorted(getattr(limits, name)) for name in LISTS},
        "numbers": arrange_numbers(limits.numbers),
    }


def arrange_numbers(numbers: Mapping[str, Limit]) -> dict[str, dict[str, object]]:
    """Return numbers with unit, source and tag as JSON data."""
    return {
        name: {"value": item.value, "unit": item.unit, "source": item.source, "tag": item.tag}
        for name, item in numbers.items()
    }


def list_capabilities(limits: Limits) -> list[tuple[str, str]]:
    """Return limits as lines of a table.

    Returns
    -------
    list of (str, str)
        What, and what it is: first how time advances, then what is known, then every number.
    """
    lists = [(name, ", ".join(sorted(getattr(limits, name))) or "none") for name in LISTS]
    numbers = [
        (name, f"{item.value:g} {item.unit} ({item.source})".replace("  ", " "))
        for name, item in limits.numbers.items()
    ]
    return [("time", limits.time), *lists, *numbers]


def arrange_options(options: Iterable[Option]) -> dict[str, object]:
    """Return options as JSON data: their parts of the schema by name."""
    return {item.name: item.part() for item in options}


def default_text(option: Option) -> str:
    """Return the default of an option as a file has it; a dash where it depends on something else."""
    if isinstance(option.default, bool):
        return "true" if option.default else "false"
    return "-" if option.default is None else str(option.default)
