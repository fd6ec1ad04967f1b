"""Groups, datasets and attributes of an HDF5 file, and nothing outside of it.

HDF5 can point to other files (external links, external storage, virtual datasets), can announce shapes of
which nothing is stored, and a damaged file raises all kinds of errors. Here every name is resolved link by
link within the file, and shape, type and stored size are compared before a dataset is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from netdesc.errors import DescriptionError
from netdesc.formats.numbers import Floats, Integers, as_floats, as_integers, require_kind
from netdesc.formats.source import (
    LARGEST,
    beginning,
    fault,
    recognized,
    require_within,
    shape_text,
    size_of,
)
from netdesc.formats.storage import Shape, find, reading, require_shape, require_stored

if TYPE_CHECKING:
    import h5py

MAGIC = b"\x89HDF\r\n\x1a\n"
"""How HDF5 data begin."""

LARGEST_BLOCK = 2**13
"""Bytes that are searched for the beginning of the data."""


class Group:
    """A group of an open file; names are paths within it.

    Parameters
    ----------
    group : h5py.Group
    file : Path
        For messages.
    limit : float
        Bytes that one dataset may take.
    """

    __slots__ = ("_group", "_limit", "file")

    def __init__(self, group: h5py.Group, file: Path, limit: float) -> None:
        self._group, self.file, self._limit = group, file, limit

    @property
    def path(self) -> str:
        """Where the group is in the file, for example ``/spikes``."""
        return str(self._group.name)

    def __contains__(self, name: str) -> bool:
        return find(self._group, name, self.file) is not None

    def names(self) -> list[str]:
        """Return the names in the group, groups and datasets alike, in the order of the file."""
        with reading(self.file, self.path):
            return list(self._group)

    def is_group(self, name: str) -> bool:
        """Return whether a name is that of a group."""
        import h5py

        return isinstance(find(self._group, name, self.file), h5py.Group)

    def group(self, name: str) -> Group:
        """Return a group.

        Raises
        ------
        DescriptionError
            If it is not there, or not a group.
        """
        import h5py

        found = self._require(name)
        if not isinstance(found, h5py.Group):
            raise self._fault(f"expected {self._where(name)} to be a group, got a dataset; name the group")
        return Group(found, self.file, self._limit)

    def floats(self, name: str, shape: Shape | None = None, *, missing: bool = False) -> Floats:
        """Read a dataset of finite real numbers.

        Parameters
        ----------
        name : str
        shape : tuple of int or None, optional
            As it must be; None for a side of any length, or for any shape.
        missing : bool
            Whether NaN is accepted, for a value that is not there.

        Raises
        ------
        DescriptionError
            If it is not there, has another shape or type, is not stored wholly within the file, is too
            large, or has a value that is not finite.
        """
        values = self._numbers(name, shape)
        return as_floats(self.file, values, f"{self._where(name)}: ", missing=missing)

    def integers(self, name: str, shape: Shape | None = None, *, least: int = 0) -> Integers:
        """Read a dataset of whole numbers of at least ``least``; see `floats`.

        Raises
        ------
        DescriptionError
            As `floats`, or if a value is not whole or less than ``least``.
        """
        values = self._numbers(name, shape)
        return as_integers(self.file, values, f"{self._where(name)}: ", least=least)

    def ragged(self, name: str) -> list[NDArray[Any]]:
        """Read a dataset whose items are rows of different lengths.

        Returns
        -------
        list of ndarray
            Of real numbers; not checked for NaN.

        Raises
        ------
        DescriptionError
            As `floats`.
        """
        import h5py

        data = self._dataset(name)
        kind = h5py.check_vlen_dtype(data.dtype)
        if not isinstance(kind, np.dtype):
            raise self._fault(
                f"expected {self._where(name)} to hold rows of different lengths, got "
                f"values of type {data.dtype}; write it with a vlen type"
            )
        require_kind(self.file, kind, f"{self._where(name)}: ")
        require_shape(data, self.file, (None,))
        require_stored(data, self.file)
        require_within(self.file, data.size * 100.0, self._limit, f"{data.size} rows")
        # Many rows may refer to the same stored values, so what is read is counted as it comes.
        step = max(1, int(self._limit // max(size_of(self.file, "an HDF5 file"), 1)))
        rows: list[NDArray[Any]] = []
        total = 0
        with reading(self.file, self._where(name)):
            for start in range(0, data.size, min(step, 4096)):
                rows.extend(data[start : start + min(step, 4096)])
                total += sum(row.nbytes + 100 for row in rows[start:])
                require_within(self.file, total, self._limit, f"{len(rows)} rows")
        return rows

    def text(self, name: str) -> str:
        """Read a dataset that is one text.

        Raises
        ------
        DescriptionError
            If it is not there, or is not a text in UTF-8.
        """
        import h5py

        data = self._dataset(name)
        if h5py.check_string_dtype(data.dtype) is None or data.shape != ():
            raise self._fault(
                f"expected {self._where(name)} to be a text, got "
                f"{shape_text(data.shape)} values of type {data.dtype}; write a text"
            )
        with reading(self.file, self._where(name)):
            require_stored(data, self.file)
            return str(data.asstr()[()])

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the group that are single numbers, texts or short rows of numbers.

        Returns
        -------
        dict of str to int, float, str or ndarray
            In the order of the file.

        Raises
        ------
        DescriptionError
            If they are damaged.
        """
        found: dict[str, Any] = {}
        with reading(self.file, f"the attributes of {self.path}"):
            for name in self._group.attrs:
                value = self._group.attrs[name]
                found[name] = value.item() if isinstance(value, np.generic) else value
        return found

    def number(self, name: str) -> float:
        """Read an attribute that is one finite number.

        Raises
        ------
        DescriptionError
            If it is not there or is something else.
        """
        value = self.attributes().get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            got = "nothing" if value is None else repr(value)[:60]
            raise self._fault(
                f"expected the attribute {name} of {self.path} to be a finite number, "
                f"got {got}; write the file again"
            )
        return float(value)

    def integer(self, name: str, *, least: int = 0) -> int:
        """Read an attribute that is one whole number of at least ``least``.

        Raises
        ------
        DescriptionError
            If it is not there or is something else.
        """
        value = self.number(name)
        if value != int(value) or value < least:
            raise self._fault(
                f"expected the attribute {name} of {self.path} to be a whole number of "
                f"at least {least}, got {value:g}; write the file again"
            )
        return int(value)

    def _numbers(self, name: str, shape: Shape | None) -> NDArray[Any]:
        data = self._dataset(name)
        with reading(self.file, self._where(name)):
            require_kind(self.file, data.dtype, f"{self._where(name)}: ")
            require_shape(data, self.file, shape)
            need = prod(data.shape) * max(data.dtype.itemsize, 8)
            require_within(
                self.file, need, self._limit, f"{self._where(name)} with {shape_text(data.shape)} values"
            )
            require_stored(data, self.file)
            return np.asarray(data[()])

    def _dataset(self, name: str) -> h5py.Dataset:
        import h5py

        found = self._require(name)
        if not isinstance(found, h5py.Dataset) or found.shape is None:
            kind = "a group" if isinstance(found, h5py.Group) else "no values"
            raise self._fault(f"expected {self._where(name)} to be a dataset, got {kind}; name a dataset")
        return found

    def _require(self, name: str) -> Any:
        found = find(self._group, name, self.file)
        if found is None:
            with reading(self.file, self.path):
                held = ", ".join(self.names()[:12]) or "nothing"
            raise self._fault(f"expected {self._where(name)}, but {self.path} holds {held}; correct the name")
        return found

    def _fault(self, what: str) -> DescriptionError:
        return fault(self.file, what)

    def _where(self, name: str) -> str:
        return f"{self.path.rstrip('/')}/{name.lstrip('/')}"


@contextmanager
def opened(file: Path, *, limit: float = LARGEST) -> Iterator[Group]:
    """Open an HDF5 file for reading.

    Parameters
    ----------
    file : Path
    limit : float
        Bytes that one dataset may take.

    Yields
    ------
    Group
        The root of the file.

    Raises
    ------
    DescriptionError
        If the file is missing, is not a regular file, is not HDF5, is cut off or damaged.
    """
    import h5py

    size_of(file, "an HDF5 file")
    if not is_hdf5(file):
        raise fault(file, f"expected an HDF5 file, got {recognized(beginning(file))}; name another file")
    with reading(file, "the file"):
        handle = h5py.File(file, "r")
    with handle:
        yield Group(handle, file, limit)


def is_hdf5(file: Path) -> bool:
    """Return whether a regular file is HDF5, at its beginning or behind a user block."""
    head = beginning(file, LARGEST_BLOCK + len(MAGIC))
    return any(head[start : start + len(MAGIC)] == MAGIC for start in (0, *(2**k for k in range(9, 14))))
