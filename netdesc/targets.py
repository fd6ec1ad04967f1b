"""Where files may be written: in the place of nothing or of a regular file, and of nothing that is read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from netdesc.errors import OutputError

Identity = tuple[int, int, str]
"""Device and inode of a file; of its folder, and its name, where there is no file yet."""

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
"""What a file may be other than regular."""

REASONS = {
    errno.ENOSPC: "no space is left on the device; free some, or write to another place",
    errno.EDQUOT: "the disk quota is used up; free some space, or write to another place",
    errno.EFBIG: "the file would be larger than the file system or the limits of this shell allow",
    errno.EROFS: "the file system is read-only; write to another place",
    errno.EACCES: "permission denied; write to another place",
    errno.EPERM: "permission denied; write to another place",
    errno.ENOENT: "the folder does not exist; create it first",
    errno.ENOTDIR: "a part of the path is a file, not a folder; use another place",
    errno.ELOOP: "symbolic links form a loop; use another place",
    errno.ENAMETOOLONG: "the name is too long; use a shorter one",
    errno.EIO: "the device reports an error; write to another place",
}
"""Why a file cannot be written, and what to do, by error number."""


def explain(error: OSError) -> str:
    """Return why a file cannot be written."""
    return REASONS.get(error.errno or 0) or f"{error.strerror or error}; write to another place"


def find_place(path: Path) -> Path:
    """Return where a file written to a path is, all symbolic links followed.

    Returns
    -------
    Path
        Of a regular file, or of nothing.

    Raises
    ------
    OutputError
        If there is something other than a regular file, the file is write-protected, or its folder is
        missing or cannot be written.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = None
    except (OSError, ValueError) as error:
        reason = (
            explain(error)
            if isinstance(error, OSError)
            else ("a file name cannot contain a zero byte; use another name")
        )
        raise OutputError(f"{path}: {reason}") from None
    if mode is not None and not stat.S_ISREG(mode):
        kind = next((name for holds, name in KINDS if holds(mode)), "not a regular file")
        raise OutputError(f"{path} is {kind}; name a file")
    place = Path(os.path.realpath(path))
    if not place.parent.is_dir():
        raise OutputError(
            f"{path}: there is no folder {place.parent if path.is_symlink() else path.parent}; "
            "create it first"
        )
    if mode is not None and not os.access(place, os.W_OK):
        raise OutputError(f"{path} is write-protected; name another file, or change its permissions")
    if not os.access(place.parent, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: the folder {place.parent} is write-protected; write to another place")
    return place


def identify(path: Path) -> Identity | None:
    """Return what two paths to one file have in common.

    Returns
    -------
    (int, int, str) or None
        The same for links, hard links and detours; None where not even the folder exists.
    """
    try:
        found = path.stat()
        return found.st_dev, found.st_ino, ""
    except (OSError, ValueError):
        pass
    try:
        place = Path(os.path.realpath(path))
        folder = place.parent.stat()
    except (OSError, ValueError):
        return None
    return folder.st_dev, folder.st_ino, place.name


def require_apart(targets: Mapping[str, Path | None], inputs: Iterable[Path] = ()) -> None:
    """Refuse targets that cannot be written, that are read as well, or that are one and the same.

    Parameters
    ----------
    targets : mapping of str to Path or None
        By what names them, for example ``--csv``; None for what is not written.
    inputs : iterable of Path
        Files that the same command reads.

    Raises
    ------
    OutputError
        With every fault.
    """
    faults = list(_find_faults({name: path for name, path in targets.items() if path is not None}, inputs))
    if faults:
        raise OutputError(item for fault in faults for item in fault.diagnostics)


def _find_faults(targets: Mapping[str, Path], inputs: Iterable[Path]) -> Iterator[OutputError]:
    read = {identify(path): path for path in inputs}
    seen: dict[Identity, str] = {}
    for name, path in targets.items():
        try:
            find_place(path)
        except OutputError as error:
            yield error
            continue
        identity = identify(path)
        if identity is None:
            continue
        if identity in read:
            same = "" if str(read[identity]) == str(path) else f" (it is the same file as {read[identity]})"
            yield OutputError(f"{path} is read by this command{same}; give {name} another place")
        elif identity in seen:
            yield OutputError(f"{path} is the target of both {seen[identity]} and {name}; give them two")
        seen.setdefault(identity, name)
