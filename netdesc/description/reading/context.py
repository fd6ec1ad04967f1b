"""What is known while a file is being read: places, faults found so far, and where files are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from netdesc.errors import DescriptionError, Diagnostic, Location
from netdesc.formats.source import LARGEST

MOST_FAULTS = 500
"""Faults after which reading ends."""


@dataclass(slots=True)
class Reading:
    """State of reading one file.

    Parameters
    ----------
    places : mapping of str to Location
        Dotted path to place.
    directory : Path
        Where relative paths of the file begin.
    neuron_types : frozenset of str
        Names under ``neurons``.
    limit : float
        Bytes that what is read may take, ``simulation.max_memory``.
    diagnostics : list of Diagnostic
        Faults found so far.
    """

    places: Mapping[str, Location]
    directory: Path
    neuron_types: frozenset[str] = frozenset()
    limit: float = LARGEST
    diagnostics: list[Diagnostic] = field(default_factory=list)
    _refused: dict[str, bool] = field(default_factory=dict)

    def refuse(self, path: str, *, whole: bool) -> None:
        """Keep in mind that the schema refuses a value, or some of its keys, so that nobody reads it.

        Nothing of the value can be read where ``whole`` is true.
        """
        self._refused[path] = whole or self._refused.get(path, False)
        while path and "." in path:
            path = path.rpartition(".")[0]
            self._refused.setdefault(path, False)

    def refused(self, path: str, *, within: bool) -> bool:
        """Return whether the schema refuses a value or, ``within``, anything in it."""
        return path in self._refused and (within or self._refused[path])

    def fail(self, message: str, path: str, place: Location | None = None) -> None:
        """Note a fault at a path; its place is found from the path where none is given.

        Raises
        ------
        DescriptionError
            With all faults so far, where there are more than anyone reads.
        """
        self.diagnostics.append(Diagnostic(message, path, location=place or self.place(path)))
        if len(self.diagnostics) >= MOST_FAULTS:
            end = Diagnostic(f"more than {MOST_FAULTS} errors; correct the first ones and check again")
            raise DescriptionError([*self.diagnostics, end])

    def place(self, path: str) -> Location | None:
        """Return the place of a path or of its nearest parent."""
        while path and path not in self.places:
            path = path.rpartition(".")[0]
        return self.places.get(path)

    def absorb(self, error: DescriptionError, path: str, place: Location | None = None) -> None:
        """Note the faults of an error at a path, as `fail` does.

        The error comes from something that does not know the file; a path in its message is shortened to what
        the description says.
        """
        for item in error.diagnostics:
            self.fail(item.message.removeprefix(f"{self.directory}{os.sep}"), path, place)

    def sound(self, path: str) -> bool:
        """Tell whether no fault was found at a path or below it."""
        return not any(item.path == path or item.path.startswith(f"{path}.") for item in self.diagnostics)
