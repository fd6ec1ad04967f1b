"""Forms of options: each reads a value, and describes itself to the schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from netdesc.errors import BackendError, DescriptionError, Diagnostic
from netdesc.limits import Limit
from netdesc.options.declaration import Form, Option, Part, Section, section_part
from netdesc.units import DIMENSIONS, convert, pattern

EXPRESSION = r"\$\{.+\}"
"""Pattern of a text that gives a number."""

NAME = "^[A-Za-z_][A-Za-z0-9_-]*$"
"""Pattern of what a user names."""


@dataclass(frozen=True, slots=True)
class Word:
    """One of some words, or of some whole numbers.

    Parameters
    ----------
    words : tuple of str or int
    former : mapping of str to str
        Former words, still accepted, and what they are called now.
    """

    words: tuple[Any, ...]
    former: Mapping[str, str] = field(default_factory=dict)

    def read(self, section: Section, name: str, value: Any) -> Any:
        """Return the word."""
        # The reader of a file makes a truth value of a bare true.
        word = "true" if value is True else value
        word = self.former.get(word, word) if isinstance(word, str) else word
        if word not in self.words:
            known = ", ".join(map(str, self.words))
            raise section.error(name, f"expected one of {known}, got {value!r}")
        return word

    def part(self, about: str) -> Part:
        """Return a part of the schema."""
        if isinstance(self.words[0], int):
            return {"type": "integer", "enum": [*self.words], "x-form": "integer", "description": about}
        words: list[Any] = []
        for word in self.words:
            words += [word, *(old for old, new in self.former.items() if new == word)]
        if "true" in words:
            return {"type": ["string", "boolean"], "enum": [*words, True], "description": about}
        return {"type": "string", "enum": words, "description": about}


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""

    def read(self, section: Section, name: str, value: Any) -> bool:
        """Return the truth value."""
        if not isinstance(value, bool):
            raise section.error(name, f"expected true or false, got {value!r}")
        return value

    def part(self, about: str) -> Part:
        """Return a part of the schema."""
        return {"type": "boolean", "description": about}


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number from ``least`` on."""

    least: int = 1

    def read(self, section: Section, name: str, value: Any) -> int:
        """Return the number."""
        number = number_of(value)
        if number is None or number < self.least or not number.is_integer():
            raise section.error(name, f"expected a whole number of at least {self.least}, got {value!r}")
        return int(number)

    def part(self, about: str) -> Part:
        """Return a part of the schema."""
        return {
            "type": ["integer", "number", "string"],
            "pattern": EXPRESSION,
            "x-form": "integer",
            "minimum": self.least,
            "description": f"{about} (count)",
        }


@dataclass(frozen=True, slots=True)
class Positive:
    """A number above 0, in a base unit, or a text with a unit of that kind.

    Parameters
    ----------
    unit : str
        Base unit; empty for a number without unit.
    example : str
    """

    unit: str
    example: str

    def read(self, section: Section, name: str, value: Any) -> float:
        """Return the number in the base unit."""
        try:
            number = convert(value, self.unit, name) if isinstance(value, str) else number_of(value)
        except DescriptionError as error:
            raise section.error(name, str(error)) from error
        if number is None or not 0.0 < number < float("inf"):
            raise section.error(name, f"expected a number above 0, such as {self.example}, got {value!r}")
        return number

    def part(self, about: str) -> Part:
        """Return a part of the schema."""
        if not self.unit:
            return {
                "type": ["number", "string"],
                "pattern": EXPRESSION,
                "x-form": "number",
                "exclusiveMinimum": 0,
                "description": f"{about} (number without unit)",
            }
        kind, example = DIMENSIONS[self.unit].name.partition(" ")[2], DIMENSIONS[self.unit].example
        return {
            "type": "string",
            "pattern": pattern(self.unit),
            "x-unit": self.unit,
            "x-sign": "positive",
            "description": f"{about} ({kind}, for example in {example})",
        }


@dataclass(frozen=True, slots=True)
class Table:
    """Values by name.

    Parameters
    ----------
    form : Form
        Of the values.
    about : str
        What a value is.
    keys : str
        What the names name, for example ``population``.
    pattern : str
        Of the names.
    expects : str
        What a name is, in words, where it is not simply a name.
    """

    form: Form
    about: str
    keys: str = "population"
    pattern: str = NAME
    expects: str = ""

    def read(self, section: Section, name: str, value: Any) -> dict[str, Any]:
        """Return the values by name."""
        if not isinstance(value, Mapping):
            raise section.error(name, f"expected a mapping such as {{{self.keys}: value}}, got {value!r}")
        wrong = [key for key in value if self.expects and not re.fullmatch(self.pattern, str(key))]
        if wrong:
            raise section.error(f"{name}.{wrong[0]}", f"expected {self.expects}, got {wrong[0]!r}")
        items = ((str(key), self.form, item) for key, item in value.items())
        values, faults = section.read_each(f"{name}.", items)
        if faults:
            raise BackendError(faults)
        return values

    def part(self, about: str) -> Part:
        """Return a part of the schema."""
        names: Part = {"pattern": self.pattern}
        if self.expects:
            names["x-expects"] = self.expects
        return {
            "type": "object",
            "x-names": self.keys,
            "propertyNames": names,
            "additionalProperties": self.form.part(self.about),
            "description": about,
        }


@dataclass(frozen=True, slots=True)
class Sequences:
    """A list of values of one form.

    Parameters
    ----------
    form : Form
        Of the values.
    about : str
        What a value is.
    """

    form: Form
    about: str

    def read(self, section: Section, name: str, value: Any) -> list[Any]:
        """Return the values."""
        if not isinstance(value, list | tuple | set | frozenset):
            raise section.error(name, f"{value!r} is not a list, such as [17, 300]")
        return [self.form.read(section, name, item) for item in value]

    def part(self, about: str) -> Part:
        """Return a part of the schema."""
        return {"type": "array", "items": self.form.part(self.about), "description": about}


@dataclass(frozen=True, slots=True)
class Kinds:
    """One of some kinds, each with options of its own: a word, or a mapping with one key.

    Parameters
    ----------
    kinds : mapping of str to (str, tuple of Option)
        What each is, and its options.
    """

    kinds: Mapping[str, tuple[str, tuple[Option, ...]]]

    def read(self, section: Section, name: str, value: Any) -> tuple[str, dict[str, Any]]:
        """Return the kind and its options."""
        kind, given = _kind(value)
        if kind not in self.kinds:
            raise section.error(name, f"expected one of {', '.join(self.kinds)}, got {kind}")
        options = self.kinds[kind][1]
        defaults = {item.name: item.default for item in options if item.stated}
        values, faults = section.read(options, {**defaults, **given}, within=f"{name}.{kind}")
        if faults:
            raise BackendError(faults)
        return kind, values

    def part(self, about: str) -> Part:
        """Return a part of the schema."""
        return {
            "type": ["string", "object"],
            "x-form": "choice",
            "if": {"type": "string"},
            "then": {"enum": [*self.kinds]},
            "properties": {name: section_part(items, about) for name, (about, items) in self.kinds.items()},
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
            "description": about,
        }


def _kind(value: Any) -> tuple[str, Mapping[str, Any]]:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and len(value) == 1:
        kind, given = next(iter(value.items()))
        return str(kind), given or {}
    return str(getattr(value, "kind", value)), getattr(value, "options", {})


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of a file in place of those of a machine.

    Parameters
    ----------
    limits : callable
        Returns the numbers of the machine by name.
    measure : callable
        Takes a text and the unit of a number; returns the number in that unit, or None.
    words : mapping of str to str
        Words of names that are written differently in text, for example ``dram`` and ``DRAM``.
    others : mapping of str to callable
        Numbers of machines of other names, mentioned where they deviate.
    """

    limits: Callable[[], Mapping[str, Limit]]
    measure: Callable[[str, str], float | None]
    words: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, Callable[[], Mapping[str, Limit]]] = field(default_factory=dict)

    def read(self, section: Section, name: str, value: Any) -> dict[str, float]:
        """Return the numbers in the units of the machine."""
        if not isinstance(value, Mapping):
            raise section.error(name, f"expected a mapping such as {{number: value}}, got {value!r}")
        limits, numbers, faults = self.limits(), dict[str, float](), list[Diagnostic]()
        for key, item in value.items():
            if key not in limits:
                faults.append(section.unknown(f"{name}.{key}", limits, "a number of the machine"))
                continue
            old, number = limits[key], number_of(item)
            if number is None and isinstance(item, str):
                number = self.measure(item, old.unit)
            if number is None or not 0 <= number < float("inf"):
                unit = f" in {old.unit}" if old.unit else ""
                message = f"expected a number{unit} of at least 0, got {item!r}; the default is {old.value:g}"
                faults.append(section.fault(f"{name}.{key}", message))
                continue
            numbers[str(key)] = number
        if faults:
            raise BackendError(faults)
        return numbers

    def part(self, about: str) -> Part:
        """Return a part of the schema, in which every number has its value, unit and source."""
        parts, others = {}, {machine: limits() for machine, limits in self.others.items()}
        for name, item in self.limits().items():
            read_as = (
                base for base in DIMENSIONS if base and self.measure(f"1 {base}", item.unit) is not None
            )
            base = next(read_as, "")
            form = {
                "pattern": pattern(base) if base else EXPRESSION,
                "x-form": "amount" if base else "number",
            }
            parts[name] = {
                "type": ["number", "string"],
                **form,
                "minimum": 0,
                "description": f"{self._describe(name, item, others)} "
                f"({item.unit or 'number without unit'}; {item.source})",
            }
        return {
            "type": "object",
            "properties": parts,
            "additionalProperties": False,
            "description": about,
        }

    def _describe(self, name: str, item: Limit, others: Mapping[str, Mapping[str, Limit]]) -> str:
        text = name.replace("_", " ")
        for word, written in self.words.items():
            text = re.sub(rf"\b{word}\b", written, text)
        values = [f"{item.value:.12g}"]
        values += [
            f"{limits[name].value:.12g} {machine}"
            for machine, limits in others.items()
            if limits[name].value != item.value
        ]
        return f"{text[:1].upper()}{text[1:]}: {', '.join(values)}"


def number_of(value: Any) -> float | None:
    """Return a value as a number; None for what is not one, truth values included."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
