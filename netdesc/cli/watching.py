"""What a command is doing while it works: a line that changes on a terminal, plain lines elsewhere.

Parts of netdesc report their work to loggers below ``netdesc``; this module shows what they report.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from netdesc.cli.output import STAGES, tell
from netdesc.escapes import visible

if TYPE_CHECKING:
    from netdesc.training import EpochReport, Progress


KERNELS = "netdesc.kernels"
COMPILING = "compiling kernels, once per machine"
PATIENCE = 2.0
"""Seconds that a stage may take before it is worth a line where there is no terminal."""

SILENCE = 10.0
"""Seconds after which a new stage is written at once there, however short it may be."""


class Lines:
    """Writes a stage as a line once it has taken a while."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self._written = time.monotonic()
        self._compiling = False

    def count(self, done: int, total: int) -> None:
        """Say once that kernels are compiled; the numbers change too often for lines."""
        if not self._compiling:
            self._compiling = True
            self.show(COMPILING)

    def show(self, text: str) -> None:
        """Replace the present stage."""
        self.close()
        if text and time.monotonic() - self._written > SILENCE:
            self._write(text)
        elif text:
            self._timer = threading.Timer(PATIENCE, self._write, (text,))
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Forget the present stage."""
        if self._timer is not None:
            self._timer.cancel()

    def _write(self, text: str) -> None:
        self._written = time.monotonic()
        with suppress(OSError, ValueError):
            tell(text)


class Spinner:
    """Shows the present stage and how long it has taken in the last line of a terminal.

    Does nothing while another display, such as the bar of a training, has that line.
    """

    def __init__(self) -> None:
        from rich.console import Console
        from rich.errors import LiveError
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._taken = LiveError
        self._counting = False

    def count(self, done: int, total: int) -> None:
        """Show how many functions of the kernels that are compiled are done."""
        text = f"{COMPILING}: {done} of {total} functions"
        if self._progress.task_ids and self._counting:
            self._progress.update(self._progress.task_ids[0], description=text)
        else:
            self.show(text)
            self._counting = True

    def show(self, text: str) -> None:
        """Replace the present stage."""
        self._counting = False
        for task in self._progress.task_ids:
            self._progress.remove_task(task)
        if text:
            self._progress.add_task(text, total=None)
            with suppress(self._taken):
                self._progress.start()
        else:
            self._progress.stop()

    def close(self) -> None:
        """Clear the line."""
        self._progress.stop()


class Watcher(logging.Handler):
    """Turns what parts of netdesc report into a display."""

    def __init__(self, display: Lines | Spinner) -> None:
        super().__init__(logging.DEBUG)
        self._display = display
        self._stage = ""
        self._compiling = 0
        self._compiled = 0
        self._done = 0
        self._total = 0
        self._began = 0.0
        self._seconds = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record: a stage, a kernel that is being compiled, or a message."""
        if record.name == STAGES.name:
            self._stage = visible(record.getMessage(), one_line=True)
            self._display.show(self._stage)
        elif record.name == KERNELS and record.levelno <= logging.INFO:
            self._follow(record.getMessage())
        else:
            self._display.show("")
            tell(record.getMessage())
            self._display.show(self._stage)

    def finish(self) -> None:
        """Clear the display, and say what was compiled."""
        self._display.close()
        if self._compiled:
            count = f"{self._compiled} kernel{'s' if self._compiled > 1 else ''}"
            tell(f"compiled {count} in {self._seconds:.0f} s, once per machine")

    def _follow(self, text: str) -> None:
        """Follow the kernels: ``compiling NAME: N functions``, ``translated NAME`` and ``compiled NAME``."""
        what, _, rest = text.partition(" ")
        if what == "compiling":
            if not self._compiling:
                self._began = time.monotonic()
                self._total = self._done + int(rest.rpartition(": ")[2].partition(" ")[0])
            self._compiling += 1
        elif what == "compiled":
            self._compiling -= 1
            self._compiled += 1
            if not self._compiling:
                self._done = self._total
                self._seconds += time.monotonic() - self._began
                self._display.show(self._stage)
        elif what == "translated":
            # the number of functions is an estimate
            self._done = min(self._done + 1, self._total - 1)
        else:
            self._display.show(text if what == "deriving" else self._stage)
        if self._compiling:
            self._display.count(self._done, self._total)


@contextmanager
def watch() -> Iterator[None]:
    """Show on standard error what the loggers below ``netdesc`` report."""
    source = logging.getLogger("netdesc")
    watcher = Watcher(Spinner() if _is_terminal() else Lines())
    kernels = logging.getLogger(KERNELS)
    before = source.level, source.propagate, kernels.level
    source.addHandler(watcher)
    source.setLevel(logging.INFO)
    kernels.setLevel(logging.DEBUG)
    source.propagate = False
    try:
        yield
    finally:
        source.removeHandler(watcher)
        source.setLevel(before[0])
        source.propagate = before[1]
        kernels.setLevel(before[2])
        watcher.finish()


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def follow(epochs: int, *, quiet: bool = False) -> Iterator[Progress]:
    """Follow a training on standard error.

    Parameters
    ----------
    epochs : int
        How many there will be at most.
    quiet : bool
        Whether to write plain lines even on a terminal.
    """
    if quiet or not _is_terminal():
        yield lambda report: tell(f"epoch {report.epoch}/{report.epochs}  {summarize(report)}")
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Display

    columns = (
        TextColumn("epoch"),
        MofNCompleteColumn(),
        BarColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Display(*columns, console=Console(stderr=True)) as display:
        bar = display.add_task("compiling", total=epochs)
        yield lambda report: display.update(bar, completed=report.epoch, description=summarize(report))


def summarize(report: EpochReport) -> str:
    """Say in a line how an epoch went."""
    parts = [f"loss {report.loss:#.4g}"]
    if report.accuracy is not None:
        parts.append(f"accuracy {100 * report.accuracy:.1f} %")
    if report.validation_accuracy is not None:
        parts.append(f"validation {100 * report.validation_accuracy:.1f} %")
    elif report.validation_loss is not None:
        parts.append(f"validation loss {report.validation_loss:#.4g}")
    parts.append(f"silent {100 * report.silent_fraction:.1f} %")
    return "  ".join(parts)
