"""How long work is followed: a bar on a terminal, or lines on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from netdesc.cli.output import tell

if TYPE_CHECKING:
    from netdesc.training import EpochReport, Progress


@contextmanager
def follow(epochs: int, *, quiet: bool = False) -> Iterator[Progress]:
    """Follow a training on standard error.

    Parameters
    ----------
    epochs : int
        How many there will be at most.
    quiet : bool
        Whether to write plain lines even on a terminal.

    Yields
    ------
    Progress
        To be told of every epoch.
    """
    if quiet or not sys.stderr.isatty():
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
