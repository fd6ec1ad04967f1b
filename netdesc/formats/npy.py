"""Arrays in NPY and NPZ files: the header is compared with the size before anything is allocated."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from io import BytesIO
from math import prod
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from netdesc.formats.numbers import require_kind
from netdesc.formats.source import (
    LARGEST,
    amount,
    beginning,
    fault,
    recognized,
    require_within,
    shape_text,
    size_of,
)

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000
MOST_MEMBERS = 1000

Array = NDArray[Any]


class Header(NamedTuple):
    """What an NPY file announces.

    Parameters
    ----------
    shape : tuple of int
    fortran : bool
        Whether the first axis varies fastest.
    dtype : numpy dtype
    start : int
        Offset of the first value, in bytes.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    start: int

    @property
    def nbytes(self) -> int:
        """Bytes that the values take."""
        return prod(self.shape) * self.dtype.itemsize


def read_npy(file: Path, *, limit: float = LARGEST, text: bool = False) -> Array:
    """Read an NPY file.

    Parameters
    ----------
    file : Path
    limit : float
        Bytes that the array may have.
    text : bool
        Whether texts of fixed length are accepted beside real numbers and truth values.

    Returns
    -------
    ndarray
        Of the type in the file; not checked for NaN, see `netdesc.formats.numbers.require_finite`.

    Raises
    ------
    DescriptionError
        If the file cannot be read, is not NPY, holds objects, records or complex numbers, is too large, or
        has not as many bytes as it announces.
    """
    size = size_of(file, "an NPY file")
    head = beginning(file)
    if not head.startswith(MAGIC):
        raise fault(file, f"expected an NPY file, got {recognized(head)}; write it with numpy.save")
    with file.open("rb") as stream:
        return _array(stream, size, file, "", limit=limit, text=text)


def read_npz(file: Path, *, limit: float = LARGEST, text: bool = False) -> dict[str, Array]:
    """Read all arrays of an NPZ file.

    Parameters
    ----------
    file : Path
    limit : float
        Bytes that all arrays together may have.
    text : bool
        As for `read_npy`.

    Returns
    -------
    dict of str to ndarray
        By the names under which they were saved, in the order of the file.

    Raises
    ------
    DescriptionError
        As `read_npy`; also where a member is not an array, is encrypted, or fails its checksum.
    """
    size_of(file, "an NPZ file")
    head = beginning(file)
    if not head.startswith(b"PK"):
        raise fault(file, f"expected an NPZ file, got {recognized(head)}; write it with numpy.savez")
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _require_members(file, members, limit)
            arrays = {}
            for member in members:
                with archive.open(member) as stream:
                    name = member.filename.removesuffix(".npy")
                    arrays[name] = _array(stream, member.file_size, file, name, limit=limit, text=text)
            return arrays
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        ValueError,
        OverflowError,
    ) as error:
        reason = "it is encrypted" if "password" in str(error) else "it is cut off or damaged"
        raise fault(
            file, f"expected a complete NPZ file, but {reason}; write it again with numpy.savez"
        ) from None


def _require_members(file: Path, members: list[zipfile.ZipInfo], limit: float) -> None:
    if not members:
        raise fault(file, "expected at least one array, got an empty NPZ file; write it again")
    if len(members) > MOST_MEMBERS:
        raise fault(file, f"expected at most {MOST_MEMBERS} arrays, got {len(members)}; use fewer")
    names = [member.filename for member in members]
    odd = next((name for name in names if not name.endswith(".npy")), None)
    if odd is not None:
        raise fault(
            file, f"expected arrays only, got the member {odd!r:.60}; write the file with numpy.savez"
        )
    if len(set(names)) < len(names):
        raise fault(file, "expected every array once, got a name twice; write the file with numpy.savez")
    total = sum(member.file_size for member in members)
    require_within(file, total, limit, f"{len(members)} arrays")


def _array(stream: IO[bytes], size: int, file: Path, name: str, *, limit: float, text: bool) -> Array:
    where = f"the array '{name}': " if name else ""
    header = _header(stream, file, where)
    require_kind(file, header.dtype, where, text=text)
    if header.nbytes != size - header.start:
        raise fault(
            file,
            f"{where}expected {shape_text(header.shape)} values of {header.dtype.itemsize} "
            f"bytes, {amount(header.nbytes)}, got {amount(size - header.start)}; it is cut off "
            "or damaged, write it again",
        )
    require_within(file, header.nbytes, limit, f"{where}{shape_text(header.shape)} values")
    content = stream.read(header.nbytes)
    if len(content) != header.nbytes:
        raise fault(
            file, f"{where}expected {amount(header.nbytes)}, got {amount(len(content))}; write the file again"
        )
    values = np.frombuffer(content, header.dtype)
    return values.reshape(header.shape, order="F" if header.fortran else "C")


def _header(stream: IO[bytes], file: Path, where: str) -> Header:
    """Read the header; a header is short, so its length is checked before it is read."""
    start = stream.read(8)
    wide = len(start) == 8 and start[6] > 1
    length_bytes = stream.read(4 if wide else 2)
    length = int.from_bytes(length_bytes, "little")
    readers: dict[bytes, Any] = {
        MAGIC + b"\x01\0": np.lib.format.read_array_header_1_0,
        MAGIC + b"\x02\0": np.lib.format.read_array_header_2_0,
    }
    if start not in readers or length > LONGEST_HEADER:
        raise fault(
            file,
            f"{where}expected an NPY header of version 1 or 2, got another one; "
            "write plain numbers with numpy.save",
        )
    text = stream.read(length)
    try:
        with warnings.catch_warnings():  # NumPy comments on headers of Python 2, which it reads all the same
            warnings.simplefilter("ignore")
            shape, fortran, dtype = readers[start](
                BytesIO(length_bytes + text), max_header_size=LONGEST_HEADER
            )
    except Exception:  # noqa: BLE001 - NumPy evaluates the text and lets through whatever that raises
        raise fault(
            file, f"{where}expected an NPY header, got one that is damaged; write the file again"
        ) from None
    if any(isinstance(side, bool) or side < 0 for side in shape):
        raise fault(file, f"{where}expected sides of at least 0, got {shape_text(shape)}; write it again")
    return Header(tuple(map(int, shape)), bool(fortran), dtype, 8 + len(length_bytes) + length)
