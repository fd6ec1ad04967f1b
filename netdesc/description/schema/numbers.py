"""Scalars of the tree to numbers in base units, with their ranges."""

from __future__ import annotations

import math
from typing import Any

from netdesc import units
from netdesc.description.reading.context import Reading
from netdesc.description.reading.suggestion import nearest
from netdesc.description.reading.tree import Node, named
from netdesc.errors import DescriptionError, Location

LARGEST = 1e300
"""Largest magnitude of a number in its base unit."""

LARGEST_INTEGER = 2**53
"""Largest magnitude of a whole number."""


def number(node: Node, part: dict[str, Any], path: str, reading: Reading) -> float | None:
    """Read a number without unit, in the range that a part of the schema gives."""
    value = quantity(node, "", path, reading)
    return value if value is None or check_range(value, part, path, reading, node.place) else None


def integer(node: Node, part: dict[str, Any], path: str, reading: Reading) -> int | str | None:
    """Read a whole number in the range of a part, or one of its ``x-words`` that may stand in its place."""
    words = part.get("x-words", ())
    if isinstance(node.value, str) and words:
        if node.value in words:
            return node.value
        reading.fail(
            f"expected a whole number or one of {', '.join(words)}, got {named(node)}"
            f"{nearest(node.value, words)}",
            path,
            node.place,
        )
        return None
    value = number(node, part, path, reading)
    if value is None:
        return None
    if abs(value) > LARGEST_INTEGER:
        reading.fail(
            f"{value:.3g} is too large for a whole number; at most {LARGEST_INTEGER} is accepted",
            path,
            node.place,
        )
        return None
    if not is_whole(value):
        reading.fail(f"expected a whole number, got {units.number_text(value)}", path, node.place)
        return None
    return node.value if isinstance(node.value, int) else round(value)


def quantity(node: Node, unit: str, path: str, reading: Reading, needed_by: str = "") -> float | None:
    """Read a quantity in its base unit, empty for a number without unit.

    ``needed_by`` says in messages who needs it; where it is empty, the last key of the path does.
    """
    value = node.value
    who = needed_by or _last_name(path)
    if isinstance(value, str):
        try:
            value = units.convert(value, unit, who)
        except DescriptionError as error:
            reading.absorb(error, path, node.place)
            return None
        return value if check_magnitude(value, path, reading, node.place) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        due = units.DIMENSIONS[unit]
        example = f"5 {due.example}".strip()
        reading.fail(
            f"expected {due.name} for {who}, got {named(node)}; write for example {example}", path, node.place
        )
        return None
    if isinstance(value, float) and not math.isfinite(value):
        reading.fail(f"expected a finite number for {who}, got {value}; correct it", path, node.place)
        return None
    if not check_magnitude(value, path, reading, node.place):
        return None
    if unit and not node.base:
        reading.fail(units.missing(value, unit, who), path, node.place)
        return None
    return float(value)


def check_magnitude(value: float, path: str, reading: Reading, place: Location | None) -> bool:
    """Return whether sums and products of a number in its base unit do not overflow; note a fault if not."""
    if abs(value) <= LARGEST:
        return True
    found = f"{value:g}" if isinstance(value, float) else "a larger whole number"
    reading.fail(
        f"expected a magnitude of at most {LARGEST:g}, got {found}; use a smaller value", path, place
    )
    return False


def check_range(
    value: float, part: dict[str, Any], path: str, reading: Reading, place: Location | None
) -> bool:
    """Return whether a number in its base unit is in the range of a part; note a fault if not."""
    text = units.format_quantity(value, part.get("x-unit", ""))
    wanted = violated(value, part)
    if wanted:
        reading.fail(
            f"{text} is out of range; {part.get('x-what', _last_name(path))} must be {wanted}", path, place
        )
    return not wanted


def is_number(value: object) -> bool:
    """Return whether a value is a finite number whose sums and products do not overflow."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def is_whole(value: float) -> bool:
    """Return whether a number counts something.

    An expression such as ``${0.1 * 30}`` may deviate from the whole number by a rounding.
    """
    return abs(value) <= LARGEST_INTEGER and abs(value - round(value)) <= 1e-9 * max(1.0, abs(value))


def violated(value: float, part: dict[str, Any]) -> str:
    """Return the range that a number is out of, in words such as ``at least 0``; empty if it is in range."""
    least, most = part.get("minimum"), part.get("maximum")
    if least is not None and most is not None and not least <= value <= most:
        return f"between {least} and {most}"
    if least is not None and value < least:
        return f"at least {least}"
    above, below = part.get("exclusiveMinimum"), part.get("exclusiveMaximum")
    if part.get("x-sign") == "positive" or above is not None:
        above = above or 0
    if above is not None and value <= above:
        return f"greater than {above}"
    if below is not None and value >= below:
        return f"less than {below}"
    return "at least 0" if part.get("x-sign") == "nonnegative" and value < 0 else ""


def _last_name(path: str) -> str:
    head, _, last = path.rpartition(".")
    while last.isdigit():
        head, _, last = head.rpartition(".")
    return last or "this"
