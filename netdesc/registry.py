"""Backends by name, found through entry points."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from netdesc.backend import Backend
from netdesc.errors import BackendError, Diagnostic

GROUP = "netdesc.backends"
"""Entry-point group in which a package offers a backend."""


def names() -> tuple[str, ...]:
    """Return the names of all installed backends, sorted."""
    return tuple(sorted(_found()))


def backend_class(name: str) -> type[Backend]:
    """Import a backend.

    Parameters
    ----------
    name : str
        As listed by ``names``.

    Returns
    -------
    type
        A class that follows ``netdesc.backend.Backend``.

    Raises
    ------
    BackendError
        If there is no backend of that name, or it cannot be imported.
    """
    found = _found()
    if name not in found:
        raise BackendError(Diagnostic(_unknown(name, sorted(found)), f"backends.{name}"))
    try:
        return cast("type[Backend]", found[name].load())
    except (ImportError, AttributeError) as error:
        raise BackendError(Diagnostic(
            f"the backend {name} ({found[name].value}) cannot be imported: {error}; install what it needs",
            f"backends.{name}")) from error


def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _unknown(name: str, known: list[str]) -> str:
    if not known:
        return f"there is no backend {name!r}; none is installed, so install netdesc with pip"
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no backend {name!r}; {hint}installed are {', '.join(known)}"
