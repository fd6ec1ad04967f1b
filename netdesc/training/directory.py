"""The folder that a training writes into."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from netdesc.description.model import Description
from netdesc.errors import NetdescError
from netdesc.files import remove_drafts, replace_text
from netdesc.training.continuation import find_differences, note_stage
from netdesc.training.records import EpochReport, Metrics

PACKAGES = ("netdesc", "numpy", "numba", "networkx", "h5py", "PyYAML")
"""Packages whose versions are noted."""


class RunDirectoryError(NetdescError):
    """A run directory is taken, missing, or holds another model."""


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Paths in a run directory.

    Parameters
    ----------
    path : Path
    """

    path: Path

    @property
    def resolved(self) -> Path:
        """The file as it was trained, every default written out."""
        return self.path / "resolved.yaml"

    @property
    def record(self) -> Path:
        """Digest, backend and the resolved file as JSON, to compare with before going on."""
        return self.path / "run.json"

    @property
    def digest(self) -> Path:
        """SHA-256 of the resolved file."""
        return self.path / "digest.txt"

    @property
    def versions(self) -> Path:
        """Versions of everything that had a say."""
        return self.path / "versions.json"

    @property
    def metrics(self) -> Path:
        """One line per epoch."""
        return self.path / "metrics.csv"

    @property
    def checkpoint(self) -> Path:
        """All that is needed to go on."""
        return self.path / "checkpoint.h5"

    @property
    def weights(self) -> Path:
        """Weights of the best epoch on the validation samples; of the last where there are none."""
        return self.path / "weights.h5"

    @property
    def curve(self) -> Path:
        """Picture of loss and accuracy."""
        return self.path / "curve.png"

    @property
    def result(self) -> Path:
        """Metrics of ``weights`` on the test samples."""
        return self.path / "result.json"


def open_directory(path: Path, description: Description, *, backend: str, resume: bool) -> RunDirectory:
    """Prepare a run directory, or find the run to go on with.

    Parameters
    ----------
    path : Path
    description : Description
    backend : str
    resume : bool
        Whether to go on with the run that is there, if there is one.

    Returns
    -------
    RunDirectory

    Raises
    ------
    RunDirectoryError
        If the directory holds a run and ``resume`` is False; if it holds the run of another model; or if
        it cannot be written.
    """
    directory = RunDirectory(path)
    if path.exists() and not path.is_dir():
        raise RunDirectoryError(f"{path} is a file; name a directory")
    if directory.record.exists() and not resume:
        raise RunDirectoryError(f"{path} already holds a run; resume it, or name another directory")
    record = require_same(directory, description, backend) if directory.record.exists() else None
    try:
        path.mkdir(parents=True, exist_ok=True)
        remove_drafts(path)
        note_origin(directory, description, backend, record=record)
    except OSError as error:
        raise RunDirectoryError(
            f"{path} cannot be written: {error.strerror}; name another directory") from error
    return directory


def note_origin(directory: RunDirectory, description: Description, backend: str, *,
                record: Mapping[str, Any] | None) -> None:
    """Write down what is trained and with what.

    Parameters
    ----------
    directory : RunDirectory
    description : Description
    backend : str
    record : mapping or None
        Of the run so far, where there is one.
    """
    from netdesc.description import dump

    replace_text(directory.resolved, dump(description))
    replace_text(directory.digest, description.digest + "\n")
    replace_text(directory.versions, json.dumps(collect_versions(), indent=2) + "\n")
    stages = note_stage(record, description.training, backend, epochs=count_epochs(directory.metrics))
    content = {"digest": description.digest, "stages": stages, "resolved": description.resolved}
    replace_text(directory.record, json.dumps(content, indent=2) + "\n")


def count_epochs(path: Path) -> int:
    """Return the number of lines in a table of metrics, without that of the names; 0 without a table."""
    return max(0, len(path.read_text(encoding="utf-8").splitlines()) - 1) if path.exists() else 0


def read_stages(directory: RunDirectory) -> list[dict[str, Any]]:
    """Return the stages of a run, as ``note_stage`` orders them."""
    stages: list[dict[str, Any]] = json.loads(directory.record.read_text(encoding="utf-8"))["stages"]
    return stages


def collect_versions() -> dict[str, str]:
    """Return the versions of Python, the machine and the packages that compute."""
    versions = {"python": platform.python_version(), "machine": platform.machine(),
                "system": platform.system()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def require_same(directory: RunDirectory, description: Description, backend: str) -> Mapping[str, Any]:
    """Refuse to go on with the run of another model.

    Parameters
    ----------
    directory : RunDirectory
    description : Description
    backend : str

    Returns
    -------
    mapping
        The record of the run so far.

    Raises
    ------
    RunDirectoryError
        With every difference that matters.
    """
    try:
        record: Mapping[str, Any] = json.loads(directory.record.read_text(encoding="utf-8"))
        now = json.loads(json.dumps(description.resolved))
        ran_on = str(record["stages"][-1]["backend"])
        faults = find_differences(record["resolved"], now, backends=(ran_on, backend))
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RunDirectoryError(f"{directory.record} cannot be read ({error}); "
                                "train into a new directory") from error
    if faults:
        raise RunDirectoryError(
            f"{directory.path} holds the run of another model: {'; '.join(faults)}. Only training.epochs, "
            "training.early_stopping, training.on_device and the backend may change on the way; change the "
            "rest back, or name another directory")
    return record


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
    names = [field.name for field in fields(EpochReport) if field.name != "costs"]
    costs = dict.fromkeys(f"cost_{name}" for report in reports for name in report.costs)
    table = csv.DictWriter(text, [*names, *costs], lineterminator="\n")
    table.writeheader()
    for report in reports:
        line = asdict(report)
        line.update({f"cost_{name}": value for name, value in line.pop("costs").items()})
        table.writerow(line)
    replace_text(path, text.getvalue())


def write_result(path: Path, test: Metrics | None, best_epoch: int) -> None:
    """Write what the best weights reach on the test samples.

    Parameters
    ----------
    path : Path
    test : Metrics or None
    best_epoch : int
    """
    content: dict[str, Any] = {"best_epoch": best_epoch, "test": None if test is None else asdict(test)}
    replace_text(path, json.dumps(content, indent=2) + "\n")
