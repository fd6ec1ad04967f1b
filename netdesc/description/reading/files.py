"""The text of a file, or a clear word on why there is none."""

from __future__ import annotations

from pathlib import Path

from netdesc.errors import DescriptionError, Location

LARGEST = 16 * 2**20
"""Bytes that a description may have."""

_BINARY = {
    b"\x89HDF": "an HDF5 file",
    b"\x93NUM": "an NPY file",
    b"PK\x03\x04": "a ZIP archive",
    b"\x89PNG": "a PNG picture",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a compressed file",
    b"\xff\xfe": "text in UTF-16; save it with the encoding UTF-8",
    b"\xfe\xff": "text in UTF-16; save it with the encoding UTF-8",
}


def text_of(file: Path) -> str:
    """Read the text of a description.

    Raises
    ------
    DescriptionError
        If the file does not exist, is a directory, cannot be read, is too large, is binary, or is not UTF-8.
    """
    try:
        if file.is_dir():
            raise _fault(file, "this is a directory; name a YAML file in it")
        size = file.stat().st_size
        if size > LARGEST:
            raise _fault(
                file,
                f"the file has {size / 2**20:.0f} MiB; at most {LARGEST // 2**20} MiB are read. "
                "Keep large matrices in CSV, NPY or HDF5 files",
            )
        with file.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise _fault(file, f"there is no such file{_neighbours(file)}") from None
    except OSError as error:
        raise _fault(file, f"the file cannot be read: {error.strerror}") from error
    return _decoded(file, content)


def _decoded(file: Path, content: bytes) -> str:
    for magic, what in _BINARY.items():
        if content.startswith(magic):
            raise _fault(file, f"expected a YAML file, got {what}")
    if content[1:2] == b"\0" or (content[:1] == b"\0" and content[1:2] not in (b"\0", b"")):
        raise _fault(file, "expected a YAML file, got text in UTF-16; save it with the encoding UTF-8")
    if b"\0" in content:
        raise _fault(file, "this is a binary file, not a YAML file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", errors="replace")
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
        raise DescriptionError(
            f"byte 0x{content[error.start]:02x} is not UTF-8; save the file with the encoding UTF-8",
            location=Location(str(file), line, column),
        ) from None


def _neighbours(file: Path) -> str:
    other = file.with_suffix(".yml" if file.suffix == ".yaml" else ".yaml")
    return f"; did you mean {other.name}?" if other != file and other.is_file() else ""


def _fault(file: Path, message: str) -> DescriptionError:
    return DescriptionError(message, location=Location(str(file), 1, 1))
