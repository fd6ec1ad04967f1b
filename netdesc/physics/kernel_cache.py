"""Compiled kernels on disk: one checked file per kernel and signature.

The name of a file is a hash of all source files that the kernel's own file imports, directly or not, of
the compiler's version and of the processor's features, so that no kernel outlives a change of an equation,
wherever the file is read from. Its content carries a checksum: a damaged, truncated or foreign file
means that the kernel is compiled again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import re
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.serialize import dumps

log = logging.getLogger("netdesc.kernels")
"""Receives ``compiling NAME`` and ``compiled NAME`` at level INFO, and what is wrong with the cache."""

MAGIC = b"netdesc kernel 1\n"
LARGEST = 2**28
"""Bytes that a file of the cache may have."""

ABANDONED = 3600.0
"""Seconds after which an unfinished file is taken for that of a killed process."""

UNFINISHED = ".unfinished"

_IMPORT = re.compile(
    rb"^[ \t]*(?:from|import)[ \t]+(\.*)([\w.]*)(?:[ \t]*import[ \t]+(\([^)]*\)|[^\n]*))?", re.MULTILINE
)
_NAME = re.compile(rb"[A-Za-z_]\w*")


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
        self._cache_file = KernelFiles(self.kernel, Path(function.__code__.co_filename))

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the compiled kernel, or None if it has to be compiled."""
        try:
            found = super().load_overload(signature, target)
        except Exception as error:  # noqa: BLE001 - whatever a file of another origin makes numba raise
            log.debug("%s cannot be loaded: %r", self.kernel, error)
            found = None
        if found is None:
            log.info("compiling %s", self.kernel)
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


KernelCache._impl_class = _Reduction


class KernelFiles:
    """The files of one kernel.

    Parameters
    ----------
    kernel : str
        Module and name.
    source : Path
        File in which it is written.
    """

    def __init__(self, kernel: str, source: Path) -> None:
        self.kernel = kernel
        self.source = source

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
        """Save a compiled kernel under a key, or say once that there is no place for it.

        Parameters
        ----------
        key : object
        data : object
        """
        folder = open_folder()
        if folder is None or folder in _refused:
            return
        content = dumps(data)
        try:
            remove_abandoned(folder)
            write_checked(folder / self._name(key), content)
        except OSError as error:
            _refused.add(folder)
            log.warning(
                "cannot write compiled kernels to %s (%s); the next process compiles them again. "
                "Set NUMBA_CACHE_DIR to a folder that can be written", folder, error.strerror or error)

    def _name(self, key: object) -> str:
        digest = hashlib.sha256(repr((self.kernel, digest_sources(self.source), key)).encode())
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
    log.warning("no cache of compiled kernels in %s (%s); kernels are compiled in every process. "
                "Set NUMBA_CACHE_DIR to a folder of your own", folder, fault)
    return None


def find_fault(status: os.stat_result) -> str:
    """Return why a file or folder must not be trusted; empty if it may.

    Parameters
    ----------
    status : os.stat_result

    Returns
    -------
    str
    """
    if not hasattr(os, "geteuid"):
        return ""
    if status.st_uid not in (os.geteuid(), 0):
        return "it belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "other users may write to it"
    return ""


def read_checked(path: Path) -> bytes | None:
    """Return the content of a file of the cache.

    Parameters
    ----------
    path : Path

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
    if not content.startswith(MAGIC) or content[len(MAGIC):start] != _checksum(path, content[start:]):
        return None
    return content[start:]


def _checksum(path: Path, content: bytes) -> bytes:
    """Return the checksum of a content under a name, so that one file in place of another is noticed."""
    return hashlib.sha256(path.name.encode() + b"\0" + content).digest()


def write_checked(path: Path, content: bytes) -> None:
    """Write a file of the cache; other processes see it whole or not at all.

    Parameters
    ----------
    path : Path
    content : bytes

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
    """Remove, once per process, what killed processes left unfinished.

    Parameters
    ----------
    folder : Path
    """
    before = time.time() - ABANDONED
    for path in folder.glob(f"*{UNFINISHED}"):
        if path.stat(follow_symlinks=False).st_mtime < before:
            path.unlink(missing_ok=True)


@cache
def digest_sources(source: Path) -> str:
    """Return a hash of a file, of every file that it imports, directly or not, and of the compiler.

    Parameters
    ----------
    source : Path
        Of a package that stands on ``sys.path``.

    Returns
    -------
    str
        Hexadecimal; independent of where the packages are installed.
    """
    versions = f"{numba.__version__} {llvmlite.__version__} {sys.version_info[:3]}"
    digest = hashlib.sha256(versions.encode())
    found, waiting = {}, [source]
    while waiting:
        file = waiting.pop()
        if file not in found:
            content, imported = _read_source(file)
            found[file] = hashlib.sha256(content).hexdigest()
            waiting += imported
    for name, part in sorted((file.name, part) for file, part in found.items()):
        digest.update(f" {name} {part}".encode())
    return digest.hexdigest()


@cache
def _read_source(file: Path) -> tuple[bytes, tuple[Path, ...]]:
    content = file.read_bytes()
    return content, tuple(_find_imported(file, content))


def _find_imported(file: Path, content: bytes) -> Iterator[Path]:
    """Yield the files of what a source imports from its own packages: netdesc's and the file's."""
    top = _find_top(file)
    for dots, module, names in _IMPORT.findall(content):
        root = module.decode().partition(".")[0]
        if dots:
            start = file.parents[len(dots) - 1]
        elif root == top.name:
            start = top.parent
        elif root == "netdesc":
            start = Path(str(sys.modules[root].__file__)).parent.parent
        else:
            continue
        path = start.joinpath(*module.decode().split("."))
        yield from _find_files(path)
        for name in _NAME.findall(names):
            yield from _find_files(path / name.decode())


def _find_files(path: Path) -> Iterator[Path]:
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            yield file


def _find_top(file: Path) -> Path:
    folder = file.parent
    while (folder.parent / "__init__.py").is_file():
        folder = folder.parent
    return folder
