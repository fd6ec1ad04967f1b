"""A file before it is opened: is it there, is it a file, how large may its content become."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from netdesc.errors import DescriptionError
from netdesc.targets import KINDS

LARGEST = 16 * 2**30
"""Bytes that the content of a file may take in memory where the caller gives no limit of its own."""

MAGIC = {
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "an NPY file",
    b"PK\x03\x04": "a ZIP archive, as NPZ and spreadsheets are",
    b"\x1f\x8b": "a gzip file",
    b"\x89PNG": "a PNG picture",
    b"%PDF": "a PDF document",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
"""How files of other formats begin, for messages."""


def fault(file: Path, what: str) -> DescriptionError:
    """Return the error about a file that cannot be used.

    Parameters
    ----------
    file : Path
    what : str
        Of the form ``expected X, got Y; use Z``.
    """
    return DescriptionError(f"{file}: {what}")


@contextmanager
def at(path: str) -> Iterator[None]:
    """Add the dotted path of the object that names a file to every error about the file."""
    try:
        yield
    except DescriptionError as error:
        raise DescriptionError(replace(item, path=item.path or path) for item in error.diagnostics) from error


def size_of(file: Path, expected: str) -> int:
    """Return the size of a regular file.

    Parameters
    ----------
    file : Path
    expected : str
        What it should be, with its article, for messages: ``an HDF5 file``.

    Returns
    -------
    int
        In bytes, at least 1.

    Raises
    ------
    DescriptionError
        If there is no such file, it is empty, cannot be read, or is a folder, a pipe or a device.
    """
    try:
        found = file.stat()
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise fault(file, f"expected {expected}, but there is no such file; correct the path") from None
        raise fault(file, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    for is_kind, name in KINDS:
        if is_kind(found.st_mode):
            raise fault(file, f"expected {expected}, got {name}; name a regular file")
    if not os.access(file, os.R_OK):
        raise fault(file, "cannot be read: permission denied; change the permissions of the file")
    if not found.st_size:
        raise fault(file, f"expected {expected}, got an empty file; write it again")
    return found.st_size


def beginning(file: Path, count: int = 16) -> bytes:
    """Return the first bytes of a file.

    Parameters
    ----------
    file : Path
        A regular file.
    count : int

    Raises
    ------
    DescriptionError
        If it cannot be read.
    """
    try:
        with file.open("rb") as stream:
            return stream.read(count)
    except OSError as error:
        raise fault(file, f"cannot be read: {error.strerror}") from None


def recognized(head: bytes) -> str:
    """Return what a file seems to be, from its first bytes; ``something else`` where that is not known."""
    return next((name for magic, name in MAGIC.items() if head.startswith(magic)), "something else")


def require_within(file: Path, need: float, limit: float, what: str) -> None:
    """Refuse content that would take more memory than a limit, in bytes.

    ``what`` says what needs it, for example ``1000000 x 1000000 numbers``.
    """
    if need > limit:
        raise fault(
            file,
            f"expected at most {amount(limit)} in memory, got {what}, {amount(need)}; use a smaller file",
        )


def amount(count: float) -> str:
    """Return a number of bytes with a unit, for example ``1.5 GiB``."""
    for unit, size in (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.4g} {unit}"
    return f"{count:.0f} bytes"


def shape_text(shape: tuple[int, ...]) -> str:
    """Return a shape for messages, for example ``3 x 4``."""
    return " x ".join(map(str, shape)) if shape else "a single number"
