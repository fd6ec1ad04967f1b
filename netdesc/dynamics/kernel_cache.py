"""Compiled kernels on disk: one checked file per kernel and signature.

The name of a file is a hash of all that the kernel depends on, of the compiler's version and of the
processor's features, so that no kernel outlives a change of an equation, wherever the file is read from.
Its content carries a checksum: a damaged, truncated or foreign file means that the kernel is compiled again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.serialize import dumps

from netdesc.dynamics.kernel_census import count_functions
from netdesc.dynamics.kernel_digest import digest_kernel, digest_records
from netdesc.dynamics.kernel_loading import Stored, restore, store

log = logging.getLogger("netdesc.kernels")
"""Receives ``compiling NAME: N functions`` and ``compiled NAME`` at level INFO, what is wrong with the cache,
and at level DEBUG ``translated NAME`` for each of the functions of a kernel."""

MAGIC = b"netdesc kernel 2\n"
LARGEST = 2**28
"""Bytes that a file of the cache may have."""

ABANDONED = 3600.0
"""Seconds after which an unfinished file is taken for that of a killed process."""

UNFINISHED = ".unfinished"


class KernelCache(FunctionCache):  # type: ignore[misc]
    """What numba asks for a kernel before it compiles it, and gives it to afterwards.

    Parameters
    ----------
    function : callable
        The kernel, not compiled.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self.kernel = f"{function.__module__}.{function.__qualname__}"
        self.function = function
        self._cache_file = KernelFiles(self.kernel, function)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the compiled kernel, or None if it has to be compiled."""
        try:
            stored = self._cache_file.load(self._index_key(signature, target.codegen()))
            found = None if stored is None else restore(target, stored)
        except Exception as error:  # noqa: BLE001 - whatever a file of another origin makes numba raise
            log.debug("%s cannot be loaded: %r", self.kernel, error)
            found = None
        if found is None:
            log.info("compiling %s: %d functions", self.kernel, count_functions(self.function, signature))
        return found

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep a compiled kernel where that is possible."""
        super().save_overload(signature, compiled)
        log.info("compiled %s", self.kernel)


class _Nowhere(_CacheLocator):  # type: ignore[misc]
    """Stands where numba looks for a folder; `KernelFiles` knows its own."""

    def __init__(self, file: str) -> None:
        self._py_file = file

    def ensure_cache_path(self) -> None:
        """Do nothing: the folder is made when something is written."""

    def get_cache_path(self) -> str:
        return ""

    def get_source_stamp(self) -> str:
        return ""

    def get_disambiguator(self) -> str:
        return ""

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> _Nowhere:
        return cls(file)


class _Reduction(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Nowhere,)

    def reduce(self, compiled: Any) -> Stored:
        return store(compiled)


KernelCache._impl_class = _Reduction


class KernelFiles:
    """The files of one kernel.

    Parameters
    ----------
    kernel : str
        Module and name.
    function : callable
        Not compiled.
    """

    def __init__(self, kernel: str, function: Callable[..., Any]) -> None:
        self.kernel = kernel
        self.function = function
        self._digest = ""

    def flush(self) -> None:
        """Do nothing: a file that does not fit is never found."""

    def load(self, key: object) -> Any:
        """Return what was saved under a key; None where there is nothing, or nothing whole.

        Parameters
        ----------
        key : object
            Signature, processor and bytecode.
        """
        folder = open_folder()
        content = None if folder is None else read_checked(folder / self._name(key))
        return None if content is None else pickle.loads(content)

    def save(self, key: object, data: object) -> None:
        """Save a compiled kernel under a key, or say once that there is no place for it."""
        folder = open_folder()
        if folder is None or folder in _refused:
            return
        content = dumps(data)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            remove_abandoned(folder)
            write_checked(folder / self._name(key), content)
        except OSError as error:
            _refused.add(folder)
            log.warning(
                "cannot write compiled kernels to %s (%s); the next process compiles them again. "
                "Set NUMBA_CACHE_DIR to a folder that can be written",
                folder,
                error.strerror or error,
            )

    def _name(self, key: object) -> str:
        self._digest = self._digest or digest_kernel(self.function)
        records = digest_records(key[0] if isinstance(key, tuple) and key else ())
        digest = hashlib.sha256(repr((self.kernel, self._digest, records, key)).encode())
        return f"{self.kernel}-{digest.hexdigest()[:32]}.kernel"


_refused: set[Path] = set()


def open_folder() -> Path | None:
    """Return the folder of compiled kernels, made where it is missing.

    Returns
    -------
    Path or None
        Below ``NUMBA_CACHE_DIR`` where that is set, otherwise below ``XDG_CACHE_HOME`` or ``~/.cache``. None,
        with one warning per process, where there is no such folder or somebody else could write to it.
    """
    base = os.environ.get("NUMBA_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or ""
    return _open_folder(base)


@cache
def _open_folder(base: str) -> Path | None:
    try:
        folder = (Path(base) if base else Path.home() / ".cache").absolute() / "netdesc" / "kernels"
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        fault = find_fault(folder.stat())
    except (OSError, RuntimeError, ValueError) as error:
        fault = getattr(error, "strerror", None) or str(error)
        folder = Path(base or "~/.cache")
    if not fault:
        return folder
    log.warning(
        "no cache of compiled kernels in %s (%s); kernels are compiled in every process. "
        "Set NUMBA_CACHE_DIR to a folder of your own",
        folder,
        fault,
    )
    return None


def find_fault(status: os.stat_result) -> str:
    """Return why a file or folder must not be trusted; empty if it may."""
    if not hasattr(os, "geteuid"):
        return ""
    if status.st_uid not in (os.geteuid(), 0):
        return "it belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "other users may write to it"
    return ""


def read_checked(path: Path) -> bytes | None:
    """Return the content of a file of the cache.

    Returns
    -------
    bytes or None
        None where there is no such file, it is no regular file, belongs to somebody else, or is damaged.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with open(handle, "rb") as stream:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST or find_fault(status):
            return None
        try:
            content = stream.read(LARGEST)
        except OSError:
            return None
    start = len(MAGIC) + hashlib.sha256().digest_size
    if not content.startswith(MAGIC) or content[len(MAGIC) : start] != _checksum(path, content[start:]):
        return None
    return content[start:]


def _checksum(path: Path, content: bytes) -> bytes:
    """Return the checksum of a content under a name, so that one file in place of another is noticed."""
    return hashlib.sha256(path.name.encode() + b"\0" + content).digest()


def write_checked(path: Path, content: bytes) -> None:
    """Write a file of the cache; other processes see it whole or not at all.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=UNFINISHED)
    try:
        with open(handle, "wb") as stream:
            stream.write(MAGIC + _checksum(path, content) + content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@cache
def remove_abandoned(folder: Path) -> None:
    """Remove, once per process, what killed processes left unfinished."""
    before = time.time() - ABANDONED
    for path in folder.glob(f"*{UNFINISHED}"):
        # another process may finish or remove it meanwhile
        with suppress(FileNotFoundError):
            if path.stat(follow_symlinks=False).st_mtime < before:
                path.unlink()
