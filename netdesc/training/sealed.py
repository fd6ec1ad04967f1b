"""HDF5 files that carry a checksum of their own bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netdesc.errors import DescriptionError, RunDirectoryError
from netdesc.events import Floats
from netdesc.files import image_of, replace_bytes
from netdesc.formats.hdf5 import MAGIC, Group, opened
from netdesc.formats.source import fault, size_of

if TYPE_CHECKING:
    import h5py

BLOCK = 512
"""Bytes before the HDF5 data, which HDF5 calls the user block and ignores."""

MARK = b"netdesc sha256 "
"""How the user block begins; 64 hexadecimal digits follow."""

DEPTH = 2
"""Groups within groups that are read; a link that leads in a circle would never end."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a file holds.

    Parameters
    ----------
    attributes : mapping of str to object
        Attributes of the root.
    arrays : mapping of str to ndarray
        By path, for example ``weights/input_to_hidden.weight``.
    texts : mapping of str to str
        Datasets of text, by path.
    sealed : bool
        Whether the file has a checksum, which then agrees.
    """

    attributes: Mapping[str, Any]
    arrays: Mapping[str, Floats]
    texts: Mapping[str, str]
    sealed: bool = True

    def group(self, name: str) -> dict[str, Floats]:
        """Return the arrays in a group, by the rest of their path."""
        return {
            path[len(name) + 1 :]: values
            for path, values in self.arrays.items()
            if path.startswith(f"{name}/")
        }


def write_sealed(
    path: Path, attributes: Mapping[str, Any], *, arrays: Mapping[str, Floats], texts: Mapping[str, str]
) -> None:
    """Write attributes of the root, and arrays and texts by path, to a file, whole or not at all."""

    def fill(file: h5py.File) -> None:
        file.attrs.update(attributes)
        for name, values in {**arrays, **texts}.items():
            file[name] = values

    image = image_of(fill)
    replace_bytes(path, seal(image) + image)


def seal(image: bytes | memoryview) -> bytes:
    """Return the user block that goes before HDF5 data."""
    return (MARK + sha256(image).hexdigest().encode() + b"\n").ljust(BLOCK, b"\0")


def read_sealed(path: Path) -> Content:
    """Read a file whole, once its checksum agrees.

    Raises
    ------
    RunDirectoryError
        If the file does not agree with its checksum, or is not an HDF5 file that netdesc writes.
    """
    try:
        size_of(path, "an HDF5 file")
        sealed = check_seal(path, path.read_bytes())
        with opened(path) as root:
            return read_content(root, sealed=sealed)
    except DescriptionError as error:
        raise RunDirectoryError(error.diagnostics) from error
    except OSError as error:
        raise RunDirectoryError(f"{path} cannot be read: {error.strerror or error}") from error


def check_seal(path: Path, data: bytes) -> bool:
    """Return whether the content of a file has a checksum, which files of earlier versions have not.

    Raises
    ------
    RunDirectoryError
        If it does not agree, or the file is not HDF5.
    """
    if data.startswith(MAGIC):
        return False
    if data[BLOCK : BLOCK + len(MAGIC)] != MAGIC and not data.startswith(MARK):
        raise RunDirectoryError(f"{path} is not an HDF5 file")
    if data[:BLOCK] != seal(memoryview(data)[BLOCK:]):
        raise RunDirectoryError(
            f"{path} does not match its checksum: it was damaged or edited after it was written"
        )
    return True


def read_content(root: Group, *, sealed: bool) -> Content:
    """Read all attributes, texts and groups of numbers of a file.

    Raises
    ------
    DescriptionError
        If a dataset is damaged, not stored in the file, or neither numbers nor text.
    """
    texts = {name: root.text(name) for name in root.names() if not root.is_group(name)}
    arrays = {
        path: values
        for name in root.names()
        if root.is_group(name)
        for path, values in iterate_arrays(root.group(name), name)
    }
    return Content(root.attributes(), arrays, texts, sealed)


def iterate_arrays(group: Group, path: str, depth: int = 0) -> Iterator[tuple[str, Floats]]:
    """Yield path and values of all datasets in a group.

    Raises
    ------
    DescriptionError
        As ``read_content``, or if groups lie in more than a few others.
    """
    for name in group.names():
        inner = f"{path}/{name}"
        if not group.is_group(name):
            yield inner, group.floats(name, (None,))
        elif depth < DEPTH:
            yield from iterate_arrays(group.group(name), inner, depth + 1)
        else:
            raise fault(
                group.file,
                f"expected at most {DEPTH + 1} groups within each other; use a file that a training wrote",
            )
