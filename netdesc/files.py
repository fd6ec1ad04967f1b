"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import platform
import re
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from netdesc.errors import OutputError
from netdesc.targets import explain, find_place

if TYPE_CHECKING:
    import h5py

DRAFT = re.compile(r"\.netdesc-(?P<machine>[0-9a-f]{8})-(?P<process>[0-9]+)-[0-9a-f]{8}\.draft")
"""Names of files that are not complete yet: where and by which process they are written."""

OLD = 24 * 3600.0
"""Seconds after which a draft is left over, whoever wrote it."""

BLOCK = 2**20
"""Bytes by which an HDF5 file in memory grows."""


def replace_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    It is written beside its place and moved there once it is safely on the disk. A symbolic link stays
    and its target is replaced; an existing file keeps its permissions, a new one has those of the umask.

    Parameters
    ----------
    path : Path
        Its old content stays until the new one is complete, whatever happens meanwhile.
    content : bytes

    Raises
    ------
    OutputError
        If the disk does not take it, or the path is anything but absent or a regular file; no half-written
        file is left.
    """
    place = find_place(path)
    remove_drafts(place.parent)
    draft = place.with_name(f".netdesc-{_machine()}-{os.getpid()}-{os.urandom(4).hex()}.draft")
    try:
        try:
            _write(draft, content, place)
            draft.replace(place)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {explain(error)}") from error
    synchronize(place.parent)


def replace_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8, whole or not at all; OutputError as in `replace_bytes`."""
    # Names of files may hold bytes that are no characters.
    replace_bytes(path, text.encode("utf-8", "backslashreplace"))


def image_of(fill: Callable[[h5py.File], None]) -> bytes:
    """Return the bytes of an HDF5 file, made in memory: the library crashes where a disk is full.

    ``fill`` puts groups, datasets and attributes into the open file that it is given.
    """
    import h5py

    with h5py.File("image", "w", driver="core", backing_store=False, block_size=BLOCK) as file:
        fill(file)
        file.flush()
        return bytes(file.id.get_file_image())


def remove_drafts(folder: Path) -> None:
    """Remove what netdesc left half-written when it was killed.

    Parameters
    ----------
    folder : Path
        Drafts of processes that are at work, and all that is not ours, stay.
    """
    try:
        drafts = [(item, found) for item in os.scandir(folder) if (found := DRAFT.fullmatch(item.name))]
    except OSError:
        return
    for item, found in drafts:
        try:
            left = found["machine"] == _machine() and not is_alive(int(found["process"]))
            if left or time.time() - item.stat(follow_symlinks=False).st_mtime > OLD:
                os.unlink(item.path)
        except OSError:
            continue


def synchronize(path: Path) -> None:
    """Wait until a file or directory is on the disk, as far as its file system can promise that."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)


def _write(draft: Path, content: bytes, place: Path) -> None:
    """Write a new file, with the permissions of the one that it will replace."""
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        if place.exists():
            os.chmod(draft, place.stat().st_mode & 0o777)
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    finally:
        os.close(handle)


def _machine() -> str:
    """Return what tells processes of other machines and containers from ours."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{zlib.crc32(f'{platform.node()} {space}'.encode()):08x}"


def is_alive(process: int) -> bool:
    """Return whether a process of this machine may still run."""
    if os.name == "nt":
        # There is no signal that does nothing; drafts go when they are old.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
