"""Standard output and error that may be closed, full, or read by nobody any more."""

from __future__ import annotations

import errno
import os
import sys
from typing import TextIO

from netdesc.errors import OutputError
from netdesc.targets import explain

BROKEN_PIPE = 141
"""Exit status where the reader of the output went away, as of a shell."""


class ReaderGoneError(SystemExit):
    """Nobody reads standard output any more, so the program ends without a message."""

    def __init__(self) -> None:
        super().__init__(BROKEN_PIPE)


class OutputLostError(OutputError):
    """Standard output is closed or full."""


def open_streams() -> None:
    """Prepare standard output and error for any text, and keep files from taking the place of closed ones."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The next file that is opened would have this number, and messages would end up in it.
            if os.open(os.devnull, os.O_RDWR) != number:
                break
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def can_encode(text: str) -> bool:
    """Return whether standard output has every character of a text."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeError:
        return False
    return True


def write_output(text: str) -> None:
    """Write to standard output, at once.

    Raises
    ------
    ReaderGoneError
        If nobody reads it any more.
    OutputLostError
        If it is closed or full.
    """
    if sys.stdout is None:
        raise OutputLostError("standard output is closed, so the result cannot be printed")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        refuse_output(error)


def refuse_output(error: OSError | ValueError) -> None:
    """Raise what a failed write to standard output means, and write no more to it.

    Parameters
    ----------
    error : OSError or ValueError
        The latter where the stream is closed.

    Raises
    ------
    ReaderGoneError, OutputLostError
    """
    silence(sys.stdout)
    number = getattr(error, "errno", None)
    if isinstance(error, BrokenPipeError) or (os.name == "nt" and number == errno.EINVAL):
        raise ReaderGoneError from None
    reason = explain(error) if isinstance(error, OSError) else "it is closed"
    raise OutputLostError(f"standard output cannot be written: {reason}") from None


def write_message(text: str) -> None:
    """Write to standard error where it can be written; its loss changes no result."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        silence(sys.stderr)


def silence(stream: TextIO | None) -> None:
    """Lead a stream to nowhere: the interpreter writes what is left of it once more when it ends."""
    try:
        number = stream.fileno() if stream is not None else -1
        if number >= 0:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
    except (OSError, ValueError):
        return
