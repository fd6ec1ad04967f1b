"""What can go wrong, and how it is reported: file, line, column, path, fact and fix."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple


class Location(NamedTuple):
    """A place in a text file.

    Parameters
    ----------
    file : str
        Path as the user gave it.
    line, column : int
        Counted from 1.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One thing that is wrong, or worth knowing, about a model.

    Parameters
    ----------
    message : str
        What was found, what was expected, and a fix.
    path : str
        Dotted path of the object in the description, for example ``populations.hidden.size``.
    code : str
        Stable identifier of a substrate's limit, for example ``B2-FANIN``; ``FAULT`` for a fault of a
        backend; empty otherwise.
    location : Location or None
        Where the object stands in the file; filled in from the path by whoever knows the file.
    """

    message: str
    path: str = ""
    code: str = ""
    location: Location | None = None

    def __str__(self) -> str:
        head = " ".join(str(part) for part in (self.location, self.code, self.path) if part)
        return f"{head}: {self.message}" if head else self.message


def record(diagnostic: Diagnostic) -> dict[str, str | int | None]:
    """Return a diagnostic as JSON data.

    Parameters
    ----------
    diagnostic : Diagnostic

    Returns
    -------
    dict
        With the keys ``code``, ``path``, ``file``, ``line``, ``column`` and ``message``; the place is
        null where none is known.
    """
    place = diagnostic.location
    return {
        "code": diagnostic.code,
        "path": diagnostic.path,
        "file": place.file if place else None,
        "line": place.line if place else None,
        "column": place.column if place else None,
        "message": diagnostic.message,
    }


class NetdescError(Exception):
    """Base class of all errors of netdesc, with all diagnostics at once.

    Parameters
    ----------
    diagnostics : str, Diagnostic, or iterable of Diagnostic
        What is wrong.
    path, code, location
        Of the one diagnostic that a string becomes, as for `Diagnostic`.
    """

    exit_status = 2

    def __init__(
        self,
        diagnostics: str | Diagnostic | Iterable[Diagnostic],
        path: str = "",
        code: str = "",
        location: Location | None = None,
    ) -> None:
        if isinstance(diagnostics, str):
            diagnostics = Diagnostic(diagnostics, path, code, location)
        if isinstance(diagnostics, Diagnostic):
            diagnostics = (diagnostics,)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        super().__init__("\n".join(str(item) for item in self.diagnostics))

    def located(self, locations: Mapping[str, Location]) -> NetdescError:
        """Return the same error with places filled in from the paths of its diagnostics.

        Parameters
        ----------
        locations : mapping of str to Location
            Dotted path to place. A path that is absent falls back on its nearest parent.

        Returns
        -------
        NetdescError
            Of the same class.
        """
        return type(self)(locate(item, locations) for item in self.diagnostics)


class DescriptionError(NetdescError):
    """The file is not a valid description."""


class OutputError(NetdescError):
    """A file cannot be written, or must not be."""


class RunDirectoryError(NetdescError):
    """A run directory is taken, missing or damaged, or holds another model."""


class GraphError(NetdescError):
    """The description is well formed, yet no network can be built from it."""


class LimitError(NetdescError):
    """The network exceeds a limit of the substrate."""

    exit_status = 3


class BackendError(NetdescError):
    """The backend does not support the model, fails, or is not installed."""

    exit_status = 3


class NumericsError(NetdescError):
    """A computation overflowed or is not defined."""

    exit_status = 1


class NetdescWarning(UserWarning):
    """Something worth knowing, in words for users; the command line shows it on standard error."""


def locate(diagnostic: Diagnostic, locations: Mapping[str, Location]) -> Diagnostic:
    """Fill in the place of a diagnostic from its path.

    Parameters
    ----------
    diagnostic : Diagnostic
        Kept as it is where it already has a place.
    locations : mapping of str to Location
        Dotted path to place; the nearest parent of the path serves where the path is absent.

    Returns
    -------
    Diagnostic
        With a place where one is known.
    """
    path = diagnostic.path
    while diagnostic.location is None:
        if path in locations:
            return replace(diagnostic, location=locations[path])
        if not path:
            break
        path = path.rpartition(".")[0]
    return diagnostic
