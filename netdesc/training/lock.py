"""One training at a time in a run directory."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from netdesc.errors import RunDirectoryError
from netdesc.files import is_alive

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

NAME = "run.lock"
"""File in the run directory; it names the process that trains."""


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Keep other trainings out of a directory; makes the directory where it does not exist.

    The system releases the lock when the process ends, however it ends. A directory that was made here and
    is still empty is removed in the end.

    Raises
    ------
    RunDirectoryError
        If another training holds the directory; names its process.
    OSError
        If the directory cannot be written.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    handle = acquire(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)
        if made:
            with suppress(OSError):
                folder.rmdir()


def require_free(folder: Path) -> None:
    """Refuse a directory that another training holds, without taking it.

    Raises
    ------
    RunDirectoryError
    """
    path = folder / NAME
    if not path.is_file():
        return
    handle = os.open(path, os.O_RDWR)
    try:
        claim(handle, path)
    finally:
        os.close(handle)


def acquire(path: Path) -> int:
    """Return the handle of the lock file, once it is locked and names this process."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        try:
            claim(handle, path)
            if is_same(handle, path):
                note_holder(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        # A training that ended between the two steps has removed the file.
        os.close(handle)


def claim(handle: int, path: Path) -> None:
    """Lock a file, or raise ``RunDirectoryError`` with its holder."""
    if fcntl is not None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                raise RunDirectoryError(complain(path, read_holder(handle))) from None
    # Without locks in the file system the process named in the file decides.
    holder = read_holder(handle)
    if holder and not is_gone(holder):
        raise RunDirectoryError(f"{complain(path, holder)}; if that process has ended, delete {path}")


def complain(path: Path, holder: dict[str, Any]) -> str:
    """Return the message for a directory that is taken."""
    who = "another process is training into it"
    if holder:
        who = f"process {holder['pid']} on {holder['host']} has been training into it since {holder['since']}"
    return f"{path.parent} is in use: {who}; wait until it ends, or use another directory"


def note_holder(handle: int) -> None:
    """Write this process into a lock file."""
    holder = {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(holder).encode() + b"\n", 0)


def read_holder(handle: int) -> dict[str, Any]:
    """Return process, host and time in a lock file; empty where they are not there."""
    try:
        data = json.loads(os.pread(handle, 1000, 0))
        return {"pid": int(data["pid"]), "host": str(data["host"]), "since": str(data["since"])}
    except (ValueError, LookupError, TypeError):
        return {}


def is_gone(holder: dict[str, Any]) -> bool:
    """Return whether a process of this host has ended."""
    here = holder["host"] == socket.gethostname()
    return here and (holder["pid"] == os.getpid() or not is_alive(holder["pid"]))


def is_same(handle: int, path: Path) -> bool:
    """Return whether a handle belongs to the file that is there now."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
