"""Backends by name, found through entry points."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from netdesc.backend import Backend
from netdesc.errors import BackendError

GROUP = "netdesc.backends"
"""Entry-point group in which a package offers a backend."""

METHODS = ("passes", "load")
"""What the class of a backend has at least."""


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
        If there is no backend of that name, several packages offer one, it cannot be imported, or its entry
        point names something else.
    """
    found = _found()
    if name not in found:
        raise BackendError(_unknown(name, sorted(found)), f"backends.{name}")
    if len(found[name]) > 1:
        offers = ", ".join(_describe(point) for point in found[name])
        raise BackendError(
            f"{len(found[name])} installed packages offer a backend {name}: {offers}; uninstall all but one",
            f"backends.{name}",
        )
    return _import(name, found[name][0])


def _import(name: str, point: EntryPoint) -> type[Backend]:
    path = f"backends.{name}"
    try:
        found = point.load()
    except KeyboardInterrupt:
        raise
    except ImportError as error:
        raise BackendError(
            f"the backend {name} ({point.value}) cannot be imported: {_tell(error)}; install its "
            "requirements",
            path,
        ) from error
    # Importing runs a stranger's code, which may even end the program.
    except BaseException as error:
        raise BackendError(
            f"the backend {name} ({point.value}) cannot be imported: {_tell(error)}; this is a fault of the "
            f"backend {name}, report it to its authors",
            path,
        ) from error
    if not isinstance(found, type) or not all(callable(getattr(found, item, None)) for item in METHODS):
        raise BackendError(
            f"expected the entry point of the backend {name} ({point.value}) to name a class with the "
            f"methods {' and '.join(METHODS)}, got {found!r:.80}; this is a fault of the backend {name}, "
            "report it to its authors",
            path,
        )
    return cast("type[Backend]", found)


def _tell(error: BaseException) -> str:
    """Return the type of an exception and its text on one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}" if text else type(error).__name__


def _describe(point: EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else None
    return f"{point.value} of {package}" if package else point.value


def _found() -> dict[str, list[EntryPoint]]:
    """Return the entry points by name; one that is listed twice with the same value counts once."""
    found: dict[str, dict[str, EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, {}).setdefault(point.value, point)
    return {name: list(points.values()) for name, points in found.items()}


def _unknown(name: str, known: list[str]) -> str:
    if not known:
        return f"there is no backend {name!r}; none is installed, so install netdesc with pip"
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"there is no backend {name!r}; {hint}installed are {', '.join(known)}"
