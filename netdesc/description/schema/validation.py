"""What the schema refuses, found by the library jsonschema, which learns the keywords of our own here."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from netdesc import units
from netdesc.description.reading.tree import Node
from netdesc.description.schema.document import Part, resolved, schema
from netdesc.description.schema.numbers import LARGEST, LARGEST_INTEGER, is_number, is_whole, violated
from netdesc.errors import DescriptionError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Found = Iterator["ValidationError"]

_NAMED = ("properties", "patternProperties")
_INWARD = (*_NAMED, "items", "additionalProperties")
"""Keywords that lead from a value to one within it; those in ``_NAMED`` by a name."""

_BY_CELL = ("value", "parameter")
"""Forms whose numbers are read with the cell that needs them, not here."""

_LEAF = frozenset(
    ("type", "pattern", "minimum", "x-form", "x-unit", "x-sign", "x-what", "description", "default")
)
"""Keywords of a part that `_fits` decides by itself."""

_LIST = frozenset(("type", "items", "minItems", "maxItems", "description", "x-expects"))
"""Those of a list of such parts."""

_NUMERIC = ("number", "integer", "share", "amount")
"""Forms whose numbers are finite."""

_SHORT, _SIGNED = 60, frozenset("+-eE$")


@dataclass(frozen=True, slots=True)
class Fault:
    """A keyword of the schema that a value does not fit.

    Parameters
    ----------
    where : tuple of str or int
        Keys and indices from the root to the value.
    parts : tuple of dict
        What the schema says of every value on the way, the root first: the outermost part that says how
        the value is read.
    schema : dict
        The innermost part of the schema, which has the keyword.
    keyword : str
        For example ``required``.
    value : object
        What does not fit: the value, or one of its keys.
    """

    where: tuple[str | int, ...]
    parts: tuple[Part, ...]
    schema: Part
    keyword: str
    value: Any

    @property
    def part(self) -> Part:
        """What the schema says of the value."""
        return self.parts[-1]


def find_faults(root: Node, part: Part) -> Iterator[Fault]:
    """Yield everything in a tree that a part of the schema, the whole or one without ``$ref``, refuses.

    There are several for one value where it does not fit several keywords.
    """
    validator = _whole() if part is schema() else _validator_class()(part)
    for error in validator.iter_errors(_data(root)):
        parts, inner = _trail(part, list(error.absolute_schema_path)[:-1])
        yield Fault(tuple(error.absolute_path), parts, inner, str(error.validator), error.instance)


def _data(node: Node) -> Any:
    """Return a tree as plain data in which arrays remain arrays."""
    value = node.value
    if isinstance(value, dict):
        return {key: _data(item) for key, item in value.items()}
    return [_data(item) for item in value] if isinstance(value, list) else value


def _trail(part: Part, steps: list[str | int]) -> tuple[tuple[Part, ...], Part]:
    """Return the part of every value on a path of the schema, and the part at its end."""
    here: Any = resolved(part)
    parts, rest = [here], deque(steps)
    while rest:
        step = rest.popleft()
        here = here[step]
        if step in _NAMED:
            here = here[rest.popleft()]
        if not isinstance(here, dict):
            continue
        here = resolved(here)
        if step in _INWARD:
            parts.append(here)
        elif parts[-1].keys().isdisjoint(("type", "x-form")) or parts[-1].get("x-form") == "raw":
            parts[-1] = here
    return tuple(parts), here


@cache
def _whole() -> Any:
    return _validator_class()(schema())


@cache
def _validator_class() -> Any:
    from jsonschema.validators import Draft7Validator, extend

    own = {
        "x-unit": _unit,
        "x-sign": _sign,
        "x-form": _form,
        "pattern": _pattern,
        "items": _items,
        "additionalProperties": _additional,
    }
    arrays = Draft7Validator.TYPE_CHECKER.redefine(
        "array", lambda checker, value: isinstance(value, list | np.ndarray)
    )
    return extend(Draft7Validator, own, type_checker=arrays)  # type: ignore[no-untyped-call]


def _refused(wrong: bool) -> Found:
    # The library's sentences reach nobody: `netdesc.description.schema.sentences` has those of our own.
    if wrong:
        from jsonschema.exceptions import ValidationError

        yield ValidationError("")


def _unit(validator: Any, unit: str, value: Any, part: Part) -> Found:
    if part.get("x-form") not in _BY_CELL and isinstance(value, str | int | float):
        yield from _refused(not isinstance(value, bool) and _converted(value, unit) is None)


def _converted(value: Any, unit: str) -> float | None:
    try:
        number = units.convert(value, unit, "") if isinstance(value, str) else None
    except DescriptionError:
        return None
    return number if number is not None and abs(number) <= LARGEST else None


def _sign(validator: Any, sign: str, value: Any, part: Part) -> Found:
    if part.get("x-form") in _BY_CELL:
        return
    number = _converted(value, part["x-unit"]) if isinstance(value, str) else value
    if number is not None and is_number(number):
        yield from _refused(bool(violated(number, {"x-sign": sign})))


def _form(validator: Any, form: str, value: Any, part: Part) -> Found:
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _refused(
            (form in _NUMERIC and not is_number(value)) or (form == "integer" and not is_whole(value))
        )


def _pattern(validator: Any, pattern: str, value: Any, part: Part) -> Found:
    yield from _refused(isinstance(value, str) and compiled(pattern).search(value) is None)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of the schema as Python's ``search`` needs it."""
    # JSON Schema's $ is the end of the text; Python's also comes before a last line break.
    return re.compile(re.sub(r"(?<!\\)\$", r"\\Z", pattern))


def _items(validator: Any, part: Part, value: Any, whole: Part) -> Found:
    if isinstance(value, np.ndarray):
        yield from _array_items(validator, part, value)
    elif isinstance(value, list):
        leaf = part.keys() <= _LEAF or ("items" in part and part.keys() <= _LIST)
        for index, item in enumerate(value):
            if not (leaf and _fits(item, part)):
                yield from validator.descend(item, part, path=index)


def _array_items(validator: Any, part: Part, values: Any) -> Found:
    if values.ndim > 1:
        for index, row in enumerate(values):
            yield from validator.descend(row, part, path=index)
        return
    # Numbers of an array are in base units, without the text that a file needs.
    kept = {key: item for key, item in part.items() if key not in ("type", "pattern", "x-unit")}
    numeric = {"x-form": "number", **kept}
    for index in _doubtful(values, part):
        yield from validator.descend(values[index].item(), numeric, path=int(index))


def _doubtful(values: Any, part: Part) -> Any:
    """Return the indices of numbers that may not fit."""
    if not part.keys() <= _LEAF or values.dtype.kind == "b":
        return range(len(values))
    numbers, sign = values.astype(float), part.get("x-sign")
    right = (abs(numbers) <= LARGEST) & (numbers >= part.get("minimum", 0 if sign else -LARGEST))
    if sign == "positive":
        right &= numbers > 0
    if part.get("x-form") == "integer":
        right &= (numbers % 1 == 0) & (abs(numbers) <= LARGEST_INTEGER)
    return np.flatnonzero(~right)


def _fits(value: Any, part: Part) -> bool:
    """Return whether a value surely fits; False leaves it to the library.

    Lists of a million numbers depend on the speed of this.
    """
    if type(value) is int:
        return part.get("x-form") == "integer" and part.get("minimum", 0) <= value <= LARGEST_INTEGER
    if type(value) is str:
        plain = len(value) < _SHORT and "x-unit" in part and part.get("x-sign") != "positive"
        # Without sign and exponent, what has the form of the quantity is in range, too.
        return plain and _SIGNED.isdisjoint(value) and compiled(part["pattern"]).search(value) is not None
    if type(value) is list and "items" in part:
        inner = part["items"]
        return (
            part.get("minItems", 0) <= len(value) <= part.get("maxItems", len(value))
            and inner.keys() <= _LEAF
            and all(_fits(item, inner) for item in value)
        )
    return False


def _additional(validator: Any, others: Any, value: Any, part: Part) -> Found:
    if not isinstance(value, dict) or others is True:
        return
    known, patterns = part.get("properties", {}), [*part.get("patternProperties", ())]
    for key, item in value.items():
        if key in known or any(compiled(pattern).search(key) for pattern in patterns):
            continue
        if isinstance(others, dict):
            yield from validator.descend(item, others, path=key)
        else:
            for error in _refused(True):
                error.instance = key
                yield error
