"""Options of a backend, declared once: reading, the schema and every table come from the declaration."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, Protocol

from netdesc.errors import BackendError, Diagnostic
from netdesc.limits import Limit

Part = dict[str, Any]


class Form(Protocol):
    """What may stand as an option: how it is read, and how the schema describes it."""

    def read(self, section: Section, name: str, value: Any) -> Any:
        """Return a value in base units; raise BackendError where it is not possible."""
        ...

    def part(self, about: str) -> Part:
        """Return a part of the schema with a description."""
        ...


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a backend.

    Parameters
    ----------
    name : str
    about : str
        What it sets, for tables and editors; a default that depends on something else is part of it.
    form : Form
    default : object
        As in a file; None where it depends on something else.
    stated : bool
        Whether the schema fills in the default.
    """

    name: str
    about: str
    form: Form
    default: Any = None
    stated: bool = True

    @property
    def description(self) -> str:
        """What it sets, with its unit."""
        return str(self.form.part(self.about)["description"])

    def part(self) -> Part:
        """Return the part of the schema for this option."""
        part = self.form.part(self.about)
        if not self.stated:
            return part
        if self.default is None:
            kinds = part["type"]
            part["type"] = [*([kinds] if isinstance(kinds, str) else kinds), "null"]
            if "enum" in part:
                part["enum"] = [*part["enum"], None]
        return {**part, "default": self.default}


def option(
    about: str, form: Form, default: Any = None, *, name: str = "", stated: bool = True, value: Any = MISSING
) -> Any:
    """Return a field of a dataclass that holds an option.

    Parameters
    ----------
    about, form, default, stated
        As for `Option`.
    name : str
        Of the option; that of the field by default.
    value : object or callable
        Default of the field where it is not that of the option; a callable makes it.
    """
    start = default if value is MISSING else value
    metadata = {"option": Option(name, about, form, default, stated)}
    if callable(start):
        return field(default_factory=start, metadata=metadata)
    if isinstance(start, dict | list):
        return field(default_factory=start.copy, metadata=metadata)
    return field(default=start, metadata=metadata)


def declared(settings: type) -> tuple[Option, ...]:
    """Return the options that the fields of a dataclass hold, in their order."""
    found = ((item.name, item.metadata.get("option")) for item in fields(settings))
    return tuple(replace(item, name=item.name or name) for name, item in found if item is not None)


def section_part(options: Iterable[Option], about: str) -> Part:
    """Return the part of the schema for a mapping of options."""
    return {
        "type": "object",
        "properties": {item.name: item.part() for item in options},
        "additionalProperties": False,
        "description": about,
    }


@dataclass(frozen=True, slots=True)
class Section:
    """The section of a backend in a file.

    Parameters
    ----------
    path : str
        For example ``backends.spinnaker2``.
    code : str
        Of the diagnostics.
    """

    path: str
    code: str

    def fault(self, name: str, message: str) -> Diagnostic:
        """Return what is wrong with an option."""
        return Diagnostic(message, f"{self.path}.{name}", self.code)

    def error(self, name: str, message: str) -> BackendError:
        """Return an error that says what is wrong with an option."""
        return BackendError(self.fault(name, message))

    def unknown(
        self, name: str, known: Collection[str], kind: str = "an option of this backend"
    ) -> Diagnostic:
        """Return the fault of a name that does not exist, with the closest one that does."""
        close = get_close_matches(name.rpartition(".")[2], known, 1)
        hint = f"did you mean {close[0]}? " if close else ""
        return self.fault(name, f"is not {kind}; {hint}It has {', '.join(known)}")

    def absent(
        self, option: str, names: Iterable[str], known: Collection[str], noun: str
    ) -> Iterator[Diagnostic]:
        """Yield the fault of every name under an option that is none of the ``known`` ones."""
        for name in names:
            if name not in known:
                message = f"there is no {noun} {name}; there are {', '.join(sorted(known))}"
                yield self.fault(f"{option}.{name}", message)

    def read(
        self, options: Sequence[Option], given: Mapping[str, Any], within: str = ""
    ) -> tuple[dict[str, Any], list[Diagnostic]]:
        """Read all options.

        Parameters
        ----------
        options : sequence of Option
            All there are.
        given : mapping of str to value
            None for one that is not given.
        within : str
            Option that holds them, for messages.

        Returns
        -------
        values : dict of str to value
            Of the options that are given.
        faults : list of Diagnostic
            Of unknown names, then of values.
        """
        start = f"{within}." if within else ""
        names = [item.name for item in options]
        faults = [self.unknown(f"{start}{name}", names) for name in given if name not in names]
        values, wrong = self.read_each(
            start,
            (
                (item.name, item.form, given[item.name])
                for item in options
                if given.get(item.name) is not None
            ),
        )
        return values, faults + wrong

    def read_each(
        self, start: str, items: Iterable[tuple[str, Form, Any]]
    ) -> tuple[dict[str, Any], list[Diagnostic]]:
        """Return every value by its name, which follows ``start`` in paths, and all faults."""
        values, faults = dict[str, Any](), list[Diagnostic]()
        for name, form, value in items:
            try:
                values[name] = form.read(self, f"{start}{name}", value)
            except BackendError as error:
                faults.extend(error.diagnostics)
        return values, faults


def replaced(section: Section, name: str, old: Mapping[str, Limit], new: Mapping[str, float]) -> Part:
    """Return numbers of a machine that a file replaces: assumptions, with the file as their source.

    Parameters
    ----------
    section : Section
    name : str
        Of the option that holds them.
    old : mapping of str to Limit
    new : mapping of str to float
    """
    return {
        key: replace(old[key], value=value, source=f"{section.path}.{name}.{key}", tag="A")
        for key, value in new.items()
    }
