"""The folder that a training writes into."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from netdesc.description.model import Description
from netdesc.errors import RunDirectoryError
from netdesc.files import remove_drafts, replace_text
from netdesc.targets import explain
from netdesc.training.checkpoint import Past, read_past
from netdesc.training.continuation import note_stage, require_same
from netdesc.training.lock import hold, require_free
from netdesc.training.origin import Origin, write_record
from netdesc.training.records import EpochReport, Metrics, arrange_record


class Entry:
    """A file of a run directory, by its name in it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, directory: RunDirectory, kind: type[RunDirectory]) -> Path:
        return directory.path / self.name


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Paths in a run directory."""

    path: Path

    resolved = Entry("resolved.yaml")
    """The file as it was trained, every default written out."""
    record = Entry("run.json")
    """Model, seed, backends, versions and start of the training, as JSON."""
    digest = Entry("digest.txt")
    """SHA-256 of the resolved file."""
    versions = Entry("versions.json")
    """Versions of Python, the machine and the packages that compute."""
    metrics = Entry("metrics.csv")
    """One line per epoch; a copy of what the checkpoint holds."""
    checkpoint = Entry("checkpoint.h5")
    """All that is needed to go on, and what was trained so far."""
    weights = Entry("weights.h5")
    """Weights of the best epoch on the validation samples; of the last where there are none."""
    curve = Entry("curve.png")
    """Picture of loss and accuracy."""
    result = Entry("result.json")
    """Metrics of ``weights`` on the test samples."""

    @property
    def files(self) -> list[Path]:
        """Everything that a training writes there."""
        return [self.path / item.name for item in vars(RunDirectory).values() if isinstance(item, Entry)]

    @property
    def trained(self) -> list[Path]:
        """Files there that a finished epoch left behind."""
        return [path for path in (self.checkpoint, self.weights, self.metrics, self.result) if path.exists()]


@dataclass(frozen=True, slots=True)
class Run:
    """A training in its directory, about to start or to go on.

    Parameters
    ----------
    directory : RunDirectory
    origin : Origin
        What is trained from now on, the stages before included.
    past : Past or None
        What the checkpoint holds; None before the first epoch.
    notes : tuple of str
        What is worth knowing about the files that were found.
    """

    directory: RunDirectory
    origin: Origin
    past: Past | None = None
    notes: tuple[str, ...] = ()


def require_vacant(path: Path, *, resume: bool) -> None:
    """Refuse a directory that cannot be trained into, without changing anything.

    Parameters
    ----------
    path : Path
    resume : bool
        Whether a run that is there goes on.

    Raises
    ------
    RunDirectoryError
        If it is a file, is in use, holds a run and ``resume`` is False, or holds one that cannot go on.
    """
    if path.exists() and not path.is_dir():
        raise RunDirectoryError(f"expected a directory, got the file {path}; use another path")
    try:
        require_free(path)
    except OSError as error:
        raise RunDirectoryError(complain(path, error)) from error
    require_trainable(RunDirectory(path), resume=resume)


def require_trainable(directory: RunDirectory, *, resume: bool) -> None:
    """Refuse a directory whose run must stay as it is; see ``require_vacant``."""
    path, found = directory.path, directory.trained
    if found and not resume:
        raise RunDirectoryError(
            f"{path} already holds a run; use --resume to continue it, or another directory"
        )
    if found and not directory.checkpoint.exists():
        names = ", ".join(item.name for item in found)
        raise RunDirectoryError(
            f"{path} holds {names} but no checkpoint.h5, without which the training "
            "cannot continue; use another directory"
        )


@contextmanager
def open_directory(
    path: Path, description: Description, origin: Origin, *, backend: str, resume: bool
) -> Iterator[Run]:
    """Prepare a run directory, or find the run to go on with; nobody else trains into it meanwhile.

    What was written is removed again where the first epoch does not end.

    Parameters
    ----------
    path : Path
    description : Description
    origin : Origin
        Of that description, without stages.
    backend : str
    resume : bool
        Whether to go on with the run that is there, if there is one.

    Raises
    ------
    RunDirectoryError
        If the directory is in use, holds a run and ``resume`` is False, holds the run of another model or
        one that is damaged, or cannot be written.
    """
    directory = RunDirectory(path)
    require_vacant(path, resume=resume)
    with ExitStack() as stack:
        try:
            stack.enter_context(hold(path))
            require_trainable(directory, resume=resume)
            run = prepare_run(directory, description, origin, backend=backend)
        except OSError as error:
            raise RunDirectoryError(complain(path, error)) from error
        stack.callback(remove_start, directory)
        yield run


def prepare_run(directory: RunDirectory, description: Description, origin: Origin, *, backend: str) -> Run:
    """Compare with the run so far, and write down what is trained from now on.

    Raises
    ------
    RunDirectoryError
        If the checkpoint is damaged or belongs to another model.
    OSError
        If a file cannot be written.
    """
    from netdesc.description import dump

    past = read_past(directory.checkpoint, directory.record) if directory.checkpoint.exists() else None
    notes = () if past is None else require_same(past, origin, backend=backend, path=directory.path)
    stages = note_stage(
        () if past is None else past.stages,
        description.training,
        backend,
        epochs=0 if past is None else past.epoch,
    )
    run = Run(directory, replace(origin, stages=stages), past, notes)
    remove_drafts(directory.path)
    replace_text(directory.record, write_record(run.origin))
    replace_text(directory.resolved, dump(description))
    replace_text(directory.digest, description.digest + "\n")
    replace_text(directory.versions, json.dumps(origin.versions, indent=2) + "\n")
    return run


def remove_start(directory: RunDirectory) -> None:
    """Remove what describes a training none of whose epochs ended."""
    if not directory.trained:
        remove_drafts(directory.path)
        for path in (directory.record, directory.resolved, directory.digest, directory.versions):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def complain(path: Path, error: OSError) -> str:
    """Return the message for a directory that cannot be written."""
    return f"{path} cannot be written: {explain(error)}"


def write_metrics(path: Path, reports: tuple[EpochReport, ...]) -> None:
    """Write the table of all epochs, whole or not at all.

    Parameters
    ----------
    path : Path
    reports : tuple of EpochReport
        One per line, under a line with the names of the columns; what does not exist is left empty. Each
        of the costs has a column ``cost_NAME``.
    """
    text = io.StringIO()
    names = [field.name for field in fields(EpochReport) if field.name not in ("costs", "notes")]
    costs = dict.fromkeys(f"cost_{name}" for report in reports for name in report.costs)
    table = csv.DictWriter(text, [*names, *costs, "notes"], lineterminator="\n")
    table.writeheader()
    for report in reports:
        line = asdict(report)
        line.update({f"cost_{name}": value for name, value in line.pop("costs").items()})
        table.writerow({**line, "notes": "; ".join(report.notes)})
    replace_text(path, text.getvalue())


def write_result(path: Path, test: Metrics | None, best_epoch: int) -> None:
    """Write what the best weights reach on the test samples."""
    found = None if test is None else arrange_record(test)
    content: dict[str, Any] = {"best_epoch": best_epoch, "test": found}
    replace_text(path, json.dumps(content, indent=2) + "\n")
