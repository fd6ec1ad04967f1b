"""The bytes of a file, decompressed where it is a gzip file."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from netdesc.formats.source import amount, beginning, fault, size_of

GZIP = b"\x1f\x8b"
"""How a gzip file begins."""


class Content:
    """The bytes of an open file, never more than a limit of them.

    Parameters
    ----------
    stream : binary file
        Plain or decompressing.
    file : Path
        For messages.
    limit : float
        Bytes that may be read in total.
    """

    __slots__ = ("_count", "_file", "_limit", "_stream")

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, file: Path, limit: float) -> None:
        self._stream, self._file, self._limit, self._count = stream, file, limit, 0

    def read(self, count: int) -> bytes:
        """Return the next bytes.

        Returns
        -------
        bytes
            Fewer than asked for only at the end of the file.

        Raises
        ------
        DescriptionError
            If the file is cut off or damaged, or has more bytes than the limit.
        """
        pieces, missing = [], count
        while missing:
            piece = self._next(min(missing, 1 << 22))
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
            self._count += len(piece)
            if self._count > self._limit:
                raise fault(
                    self._file,
                    f"expected at most {amount(self._limit)} of content, got more; use a smaller file",
                )
        return b"".join(pieces)

    def _next(self, count: int) -> bytes:
        try:
            return self._stream.read(count)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            what = "ends too early" if isinstance(error, EOFError) else "is damaged"
            raise fault(self._file, f"expected a complete gzip file, but it {what}; copy it again") from None
        except OSError as error:
            raise fault(self._file, f"cannot be read: {error.strerror or error}") from None


@contextmanager
def opened(file: Path, expected: str, *, limit: float) -> Iterator[Content]:
    """Open a plain or gzip file for reading.

    Parameters
    ----------
    file : Path
    expected : str
        What it should be, with its article, for messages.
    limit : float
        Bytes that may be read, decompressed.

    Raises
    ------
    DescriptionError
        If it cannot be opened; later, while reading, if it is damaged or too large.
    """
    size_of(file, expected)
    packed = beginning(file, 2) == GZIP
    with file.open("rb") as plain:
        stream = gzip.GzipFile(fileobj=plain) if packed else plain
        yield Content(stream, file, limit)
