"""What ends a command that nobody foresaw: a message, an exit status, and a log file for a bug."""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
import time
import traceback
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from netdesc.cli.output import tell
from netdesc.errors import Diagnostic, NetdescWarning
from netdesc.escapes import visible
from netdesc.targets import explain

BUG = 70
"""Exit status of a bug: an internal software error, as in ``sysexits.h``."""

LINES = 200
"""Warnings and messages of libraries that are kept for a log file, at most."""

LOGS = 20
"""Log files that are kept, at most."""

PREFIX = "netdesc-error-"
"""How names of log files begin."""

DAMAGED = ("zipfile", "zlib", "_lzma", "yaml", "struct", "_csv", "json", "h5py", "_pickle")
"""Modules whose exceptions are about the content of files."""


class Journal(logging.Handler):
    """What libraries report while a command runs; kept for a log file, not shown.

    Messages of netdesc itself are shown.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: deque[str] = deque(maxlen=LINES)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message of a logger, or show one of netdesc."""
        if record.name.partition(".")[0] == "netdesc":
            tell(record.getMessage())
        else:
            self.lines.append(f"{record.name}: {record.getMessage()}")

    def take_warning(
        self,
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        """Keep a warning, or show one that is in our words."""
        if issubclass(category, NetdescWarning):
            tell(f"warning: {message}")
        else:
            self.lines.append(f"{filename}:{lineno}: {category.__name__}: {message}")

    def take_thread(self, arguments: threading.ExceptHookArgs) -> None:
        """Keep an exception of a thread."""
        self.lines.extend(
            traceback.format_exception(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)
        )

    def take_unraisable(self, arguments: sys.UnraisableHookArgs) -> None:
        """Keep an exception that could not be raised."""
        self.lines.append(f"{arguments.err_msg}: {arguments.exc_value!r}")


@contextmanager
def keep_journal() -> Iterator[Journal]:
    """Keep warnings and messages of libraries away from the terminal.

    Yields
    ------
    Journal
        What was kept.
    """
    journal, root = Journal(), logging.getLogger()
    before = warnings.showwarning, threading.excepthook, sys.unraisablehook
    root.addHandler(journal)
    warnings.showwarning = journal.take_warning
    threading.excepthook, sys.unraisablehook = journal.take_thread, journal.take_unraisable
    try:
        yield journal
    finally:
        warnings.showwarning, threading.excepthook, sys.unraisablehook = before
        root.removeHandler(journal)


def judge(error: BaseException, journal: Journal, words: Sequence[str]) -> tuple[Diagnostic, int]:
    """Return the message and the exit status of an exception that nothing else caught.

    Parameters
    ----------
    error : BaseException
    journal : Journal
        For the log file, if it is a bug.
    words : sequence of str
        The command line.

    Returns
    -------
    message : Diagnostic
    status : int
        2 for files and descriptions, 3 for too little memory, 70 for a bug.
    """
    module = type(error).__module__.partition(".")[0]
    if isinstance(error, MemoryError):
        return Diagnostic(
            "the machine has run out of memory; use a smaller batch, fewer or shorter "
            "recordings, or a smaller network"
        ), 3
    if isinstance(error, RecursionError):
        return Diagnostic("the description is nested too deeply; use fewer levels"), 2
    if isinstance(error, UnicodeError):
        return Diagnostic(
            "a file or an argument holds bytes that are not UTF-8; save it with the encoding UTF-8"
        ), 2
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
        return Diagnostic(f"{where}{explain(error) if full else error.strerror or error}"), 2
    if isinstance(error, EOFError) or module in DAMAGED:
        return Diagnostic("a file ends too early or is damaged; put an intact copy in its place"), 2
    log = write_log(error, journal, words)
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" in {Path(item.filename).name}, line {item.lineno}" for item in place)
    kept = f"with the log file {log}" if log else "with this message (no log file could be written)"
    return Diagnostic(
        f"this is a bug in netdesc ({type(error).__name__}{where}); please report it in the "
        f"issue tracker of netdesc, {kept}"
    ), BUG


def write_log(error: BaseException, journal: Journal, words: Sequence[str]) -> Path | None:
    """Write what is needed to find a bug.

    Returns
    -------
    Path or None
        None where no folder can be written.
    """
    import platform
    import tempfile

    from netdesc import __version__

    content = visible(
        "\n".join(
            [
                f"netdesc {__version__}, Python {platform.python_version()}, {platform.platform()}",
                f"command: netdesc {' '.join(words)}",
                f"folder: {os.getcwd()}",
                "",
                "".join(traceback.format_exception(error)),
                *journal.lines,
                "",
            ]
        )
    )
    name = f"{PREFIX}{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(4).hex()}.log"
    for folder in (find_state_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / name
            with open(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600),
                "w",
                encoding="utf-8",
                errors="backslashreplace",
            ) as file:
                file.write(content)
            for old in sorted(folder.glob(f"{PREFIX}*.log"))[:-LOGS]:
                old.unlink(missing_ok=True)
        except OSError:
            continue
        return path
    return None


def find_state_folder() -> Path:
    """Return the folder for log files of this user, which need not exist."""
    home = Path(os.path.expanduser("~"))
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or home) / "netdesc" / "Logs"
    if sys.platform == "darwin":
        return home / "Library" / "Logs" / "netdesc"
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if os.path.isabs(state) else home / ".local" / "state") / "netdesc"
