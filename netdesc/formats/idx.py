"""Arrays of bytes in IDX files, compressed or not."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from netdesc.formats.compressed import GZIP, Content, opened
from netdesc.formats.source import LARGEST, beginning, fault, recognized, require_within, shape_text, size_of

UNSIGNED_BYTES = 0x08
"""Code of the only type of element that is read."""


def read_idx(file: Path, axes: int) -> NDArray[np.uint8]:
    """Read a whole IDX file of bytes.

    Parameters
    ----------
    file : Path
        Plain or gzip, whatever its name.
    axes : int
        How many the array must have.

    Returns
    -------
    ndarray of uint8
        With that many axes, none of length 0; read-only.

    Raises
    ------
    DescriptionError
        If the file cannot be read, is not IDX, holds another type or shape, is too large, or has not as
        many bytes as it announces.
    """
    with opened(file, "an IDX file", limit=float("inf")) as content:
        shape = _shape(content, file, axes)
        count = prod(shape)
        require_within(file, count, LARGEST, f"{shape_text(shape)} bytes")
        # Only decompression shows how many bytes a gzip file holds.
        stored = count if beginning(file, 2) == GZIP else size_of(file, "an IDX file") - 4 - 4 * axes
        if stored != count:
            raise _fault_of_size(file, shape, f"{stored} bytes")
        # One byte more than announced: a file that is too long is as wrong as one that is too short.
        values = content.read(count + 1)
    if len(values) != count:
        raise _fault_of_size(file, shape, f"{len(values)} bytes" if len(values) < count else "more bytes")
    return np.frombuffer(values, np.uint8).reshape(shape)


def _shape(content: Content, file: Path, axes: int) -> tuple[int, ...]:
    head = content.read(4 + 4 * axes)
    if len(head) < 4 or head[:2] != b"\0\0":
        raise fault(
            file,
            f"expected an IDX file, which begins with two zero bytes, got {recognized(head)}; "
            "use the files of the original set",
        )
    if head[2] != UNSIGNED_BYTES:
        raise fault(
            file,
            f"expected elements of type 0x08, unsigned bytes, got type 0x{head[2]:02x}; "
            "write the values as bytes",
        )
    if head[3] != axes:
        raise fault(
            file,
            f"expected an array of {axes} axes, got {head[3]}; check that images and labels "
            "are not exchanged",
        )
    if len(head) < 4 + 4 * axes:
        raise fault(file, f"expected a header of {4 + 4 * axes} bytes, got {len(head)}; copy the file again")
    shape = tuple(int(side) for side in np.frombuffer(head, ">u4", axes, offset=4))
    if 0 in shape:
        raise fault(
            file, f"expected at least one value, got an array of {shape_text(shape)}; use a file with samples"
        )
    return shape


def _fault_of_size(file: Path, shape: tuple[int, ...], got: str) -> Exception:
    return fault(
        file,
        f"expected {shape_text(shape)} bytes after the header, got {got}; it is cut off or "
        "damaged, copy it again",
    )
