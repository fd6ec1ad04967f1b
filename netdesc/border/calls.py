"""Calls into a backend: whatever it raises ends as an error of netdesc that names it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from netdesc.errors import (
    BackendError,
    DescriptionError,
    Diagnostic,
    GraphError,
    LimitError,
    Location,
    NetdescError,
    NumericsError,
)

KNOWN = (BackendError, DescriptionError, GraphError, LimitError, NumericsError)
"""Errors that a backend may raise, with diagnostics that are well formed."""

FAULT = "FAULT"
"""Code of what the author of a backend has to mend."""

MEMORY = "MEMORY"
"""Code of a call that ran out of memory."""

LENGTH = 200
"""Characters of the text of an exception that a message repeats."""


@contextmanager
def guarded(backend: str, call: str) -> Iterator[None]:
    """Turn every exception of a backend into an error of netdesc.

    Parameters
    ----------
    backend : str
        Its name.
    call : str
        What is called, for example ``forward``.

    Raises
    ------
    NetdescError
        As raised by the backend, where it is well formed.
    BackendError
        With the name of the backend, the call and the text of the exception otherwise.
    KeyboardInterrupt
        Unchanged.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise
    except NetdescError as error:
        if type(error) in KNOWN and is_well_formed(error):
            raise
        raise BackendError(blame(backend, f"{call} raised {tell_exception(error)}")) from error
    except MemoryError as error:
        raise BackendError(
            f"{call} of the backend {backend} ran out of memory; use fewer samples in a batch, fewer "
            "recordings or a smaller network",
            f"backends.{backend}",
            MEMORY,
        ) from error
    except BaseException as error:
        raise BackendError(blame(backend, f"{call} raised {tell_exception(error)}")) from error


def is_well_formed(error: NetdescError) -> bool:
    """Return whether the diagnostics of an error can be printed and located."""
    items = getattr(error, "diagnostics", None)
    return (
        isinstance(items, tuple)
        and bool(items)
        and all(
            isinstance(item, Diagnostic)
            and isinstance(item.message, str)
            and isinstance(item.path, str)
            and isinstance(item.code, str)
            and isinstance(item.location, Location | None)
            for item in items
        )
    )


def tell_exception(error: BaseException) -> str:
    """Return the type of an exception and the first line of its text."""
    try:
        text = " ".join(str(error).split())
    except Exception:  # noqa: BLE001 (the text of a stranger's exception is a stranger's code)
        text = ""
    text = text if len(text) <= LENGTH else f"{text[: LENGTH - 3]}..."
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def wrong(backend: str, call: str, expected: str, got: str) -> BackendError:
    """Return the error about a call that returned something of another kind than expected."""
    return BackendError(blame(backend, f"{call} returned a wrong result: expected {expected}, got {got}"))


def blame(backend: str, fact: str) -> Diagnostic:
    """Return a diagnostic of a fault that the author of a backend has to mend."""
    return Diagnostic(
        f"{fact}; this is a fault of the backend {backend}, report it to its authors",
        f"backends.{backend}",
        FAULT,
    )
