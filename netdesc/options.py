"""Values of the options of a backend: read, checked, and every fault told with its path."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from netdesc.errors import BackendError, DescriptionError, Diagnostic
from netdesc.limits import Limit
from netdesc.units import convert

Reader = Callable[[str, Any], Any]
"""Takes the name of an option, dotted within its section, and a value as it stands in a file."""


@dataclass(frozen=True, slots=True)
class Section:
    """The section of a backend in a file, and readers of what may stand there.

    All readers raise BackendError where a value is not possible.

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

    def read(
        self, readers: Mapping[str, Reader], options: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Diagnostic]]:
        """Read all options.

        Parameters
        ----------
        readers : mapping of str to Reader
            Of every option there is.
        options : mapping of str to value
            None for one that is not given.

        Returns
        -------
        values : dict of str to value
            Of the options that are given.
        faults : list of Diagnostic
            Of unknown names, then of values.
        """
        faults = [self.unknown(name, readers) for name in options if name not in readers]
        values: dict[str, Any] = {}
        for name, reader in readers.items():
            if options.get(name) is not None:
                try:
                    values[name] = reader(name, options[name])
                except BackendError as error:
                    faults.extend(error.diagnostics)
        return values, faults

    def choice(self, *choices: str) -> Reader:
        """Return a reader of one of some words."""

        def read(name: str, value: Any) -> str:
            # the reader of a file makes a truth value of a bare true
            text = "true" if value is True else value
            if text not in choices:
                raise self.error(name, f"expected one of {', '.join(choices)}, got {value!r}")
            return str(text)

        return read

    def whole(self, least: int = 1) -> Reader:
        """Return a reader of whole numbers from ``least`` on."""

        def read(name: str, value: Any) -> int:
            number = number_of(value)
            if number is None or number < least or not number.is_integer():
                raise self.error(name, f"expected a whole number of at least {least}, got {value!r}")
            return int(number)

        return read

    def flag(self, name: str, value: Any) -> bool:
        """Read true or false."""
        if not isinstance(value, bool):
            raise self.error(name, f"expected true or false, got {value!r}")
        return value

    def positive(self, unit: str, example: str) -> Reader:
        """Return a reader of numbers above 0, in a base unit, or of texts with a unit of that kind."""

        def read(name: str, value: Any) -> float:
            try:
                number = convert(value, unit, name) if isinstance(value, str) else number_of(value)
            except DescriptionError as error:
                raise self.error(name, str(error)) from error
            if number is None or not 0.0 < number < float("inf"):
                raise self.error(name, f"expected a number above 0, such as {example}, got {value!r}")
            return number

        return read

    def mapping(self, reader: Reader, example: str) -> Reader:
        """Return a reader of names and values."""

        def read(name: str, value: Any) -> dict[str, Any]:
            if not isinstance(value, Mapping):
                raise self.error(name, f"expected a mapping such as {example}, got {value!r}")
            faults, values = list[Diagnostic](), dict[str, Any]()
            for key, item in value.items():
                try:
                    values[str(key)] = reader(f"{name}.{key}", item)
                except BackendError as error:
                    faults.extend(error.diagnostics)
            if faults:
                raise BackendError(faults)
            return values

        return read

    def override(
        self,
        name: str,
        limits: Mapping[str, Limit],
        given: Mapping[str, Any],
        measure: Callable[[str, str], float | None],
    ) -> tuple[dict[str, Limit], list[Diagnostic]]:
        """Put numbers of a file in place of those of a machine.

        Parameters
        ----------
        name : str
            Of the option that holds them.
        limits : mapping of str to Limit
            Of the machine.
        given : mapping of str to number or text
            A number is in the unit of the limit.
        measure : callable
            Takes a text and the unit of the limit; returns the number in that unit, or None.

        Returns
        -------
        limits : dict of str to Limit
            Those that changed, with the tag ``A`` and the file as their source.
        faults : list of Diagnostic
            Unknown names, and what is not a number of 0 or more.
        """
        faults, changed = list[Diagnostic](), dict[str, Limit]()
        for key, value in given.items():
            if key not in limits:
                faults.append(self.unknown(f"{name}.{key}", limits, "a number of the machine"))
                continue
            old = limits[key]
            number = number_of(value)
            if number is None and isinstance(value, str):
                number = measure(value, old.unit)
            if number is None or not 0 <= number < float("inf"):
                unit = f" in {old.unit}" if old.unit else ""
                faults.append(
                    self.fault(
                        f"{name}.{key}",
                        f"expected a number{unit} of at least 0, got {value!r}; the default is {old.value:g}",
                    )
                )
                continue
            changed[key] = replace(old, value=number, source=f"{self.path}.{name}.{key}", tag="A")
        return changed, faults


def number_of(value: Any) -> float | None:
    """Return a value as a number; None for what is not one, truth values included."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
