"""Arrays of bytes in IDX files, compressed or not."""

from __future__ import annotations

import gzip
import zlib
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netdesc.errors import DescriptionError, Diagnostic

GZIP = b"\x1f\x8b"
"""How a compressed file begins."""

UNSIGNED_BYTES = 0x08
"""Code of the only type of element that is read."""


def find_idx(folder: Path, name: str, axes: int, path: str) -> Path:
    """Find an IDX file by its usual names.

    Parameters
    ----------
    folder : Path
    name : str
        For example ``train-images``.
    axes : int
        3 for images, 1 for labels.
    path : str
        Dotted path in the description, for the message.

    Returns
    -------
    Path

    Raises
    ------
    DescriptionError
        If none of the names is there; the message tells all of them.
    """
    names = [f"{name}{link}idx{axes}-ubyte{ending}" for link in "-." for ending in (".gz", "")]
    for candidate in names:
        if (folder / candidate).is_file():
            return folder / candidate
    what = "is not a folder" if not folder.is_dir() else f"holds none of {', '.join(names)}"
    raise DescriptionError(Diagnostic(f"{folder} {what}; a relative path begins at the folder of the YAML "
                                      "file, and the files are those of the original set", path=path))


def read_idx(file: Path, axes: int, path: str) -> NDArray[np.uint8]:
    """Read a whole IDX file of bytes.

    Parameters
    ----------
    file : Path
        Plain or gzip, whatever its name says.
    axes : int
        How many the array must have.
    path : str
        Dotted path in the description, for messages.

    Returns
    -------
    ndarray of uint8
        With that many axes, none of length 0.

    Raises
    ------
    DescriptionError
        If the file cannot be read, is not IDX, holds another type or shape, or is too short or too long.
    """
    content = read_bytes(file, path)
    head = 4 + 4 * axes
    if content[:2] != b"\0\0" or len(content) < 4:
        raise fault(file, "is not an IDX file: it does not begin with two zero bytes", path)
    if content[2] != UNSIGNED_BYTES:
        raise fault(file, f"holds elements of type 0x{content[2]:02x}; unsigned bytes, 0x08, are due", path)
    if content[3] != axes:
        raise fault(file, f"holds an array of {content[3]} axes; {axes} are due", path)
    if len(content) < head:
        raise fault(file, f"ends after {len(content)} bytes, within its head", path)
    shape = tuple(int(side) for side in np.frombuffer(content, ">u4", axes, offset=4))
    if len(content) - head != prod(shape):
        raise fault(file, f"announces {' x '.join(map(str, shape))} bytes but holds {len(content) - head}; "
                          "it is cut off or damaged", path)
    if 0 in shape:
        raise fault(file, f"is empty: {' x '.join(map(str, shape))}", path)
    return np.frombuffer(content, np.uint8, offset=head).reshape(shape)


def read_bytes(file: Path, path: str) -> bytes:
    """Return the content of a file, decompressed where it is compressed.

    Parameters
    ----------
    file : Path
    path : str
        Dotted path in the description, for messages.

    Returns
    -------
    bytes

    Raises
    ------
    DescriptionError
        If the file cannot be read, or its compression is damaged.
    """
    try:
        content = file.read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP) else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise fault(file, f"is cut off or damaged ({error})", path) from error
    except OSError as error:
        raise fault(file, f"cannot be read: {error.strerror}", path) from error


def fault(file: Path, what: str, path: str) -> DescriptionError:
    """Return the error about a file that cannot be used, with the fix."""
    return DescriptionError(Diagnostic(f"{file} {what}; put a sound copy in its place", path=path))
