"""The folder that a training writes into."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from netdesc.description.model import Description
from netdesc.errors import NetdescError
from netdesc.training.files import remove_drafts, replace_text
from netdesc.training.records import EpochReport, Metrics

PACKAGES = ("netdesc", "numpy", "numba", "networkx", "h5py", "PyYAML")
"""Packages whose versions are noted."""

EXTENDABLE = (("training", "epochs"), ("training", "early_stopping"))
"""What may change between a training and its continuation."""


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
        If the directory holds a run and ``resume`` is False; if it holds the run of another model or
        backend; or if it cannot be written.
    """
    directory = RunDirectory(path)
    if path.exists() and not path.is_dir():
        raise RunDirectoryError(f"{path} is a file; name a directory")
    if directory.record.exists() and not resume:
        raise RunDirectoryError(f"{path} already holds a run; resume it, or name another directory")
    if directory.record.exists():
        require_same(directory, description, backend)
    try:
        path.mkdir(parents=True, exist_ok=True)
        remove_drafts(path)
        note_origin(directory, description, backend)
    except OSError as error:
        raise RunDirectoryError(
            f"{path} cannot be written: {error.strerror}; name another directory") from error
    return directory


def note_origin(directory: RunDirectory, description: Description, backend: str) -> None:
    """Write down what is trained and with what.

    Parameters
    ----------
    directory : RunDirectory
    description : Description
    backend : str
    """
    from netdesc.description import dump

    replace_text(directory.resolved, dump(description))
    replace_text(directory.digest, description.digest + "\n")
    replace_text(directory.versions, json.dumps(collect_versions(), indent=2) + "\n")
    record = {"digest": description.digest, "backend": backend, "resolved": description.resolved}
    replace_text(directory.record, json.dumps(record, indent=2) + "\n")


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


def require_same(directory: RunDirectory, description: Description, backend: str) -> None:
    """Refuse to go on with the run of another model.

    Parameters
    ----------
    directory : RunDirectory
    description : Description
    backend : str

    Raises
    ------
    RunDirectoryError
        With every difference that matters.
    """
    try:
        record = json.loads(directory.record.read_text(encoding="utf-8"))
        before, ran_on = flatten(record["resolved"]), record["backend"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunDirectoryError(f"{directory.record} cannot be read ({error}); "
                                "train into a new directory") from error
    now = flatten(json.loads(json.dumps(description.resolved)))
    faults = [f"{path} was {before.get(path, 'absent')}, now it is {now.get(path, 'absent')}"
              for path in sorted(before.keys() | now.keys())
              if before.get(path) != now.get(path) and not may_change(path, now)]
    if ran_on != backend:
        faults.append(f"the backend was {ran_on}, now it is {backend}")
    if faults:
        raise RunDirectoryError(
            f"{directory.path} holds the run of another model: {'; '.join(faults)}. Only training.epochs and "
            "training.early_stopping may change on the way; change the rest back, or name another directory")


def may_change(path: str, now: Mapping[str, str]) -> bool:
    """Return whether a setting may differ when a run goes on.

    Parameters
    ----------
    path : str
        Dotted.
    now : mapping of str to str
        All settings, flat.

    Returns
    -------
    bool
        False for the number of epochs where the learning rate depends on it.
    """
    if path == "training.epochs" and now.get("training.schedule.cosine.epochs") == "null":
        return False
    return any(path == ".".join(free) or path.startswith(".".join(free) + ".") for free in EXTENDABLE)


def flatten(tree: object, path: str = "") -> dict[str, str]:
    """Return the leaves of plain data by dotted path.

    Parameters
    ----------
    tree : object
        Mappings and leaves; a list counts as a leaf.
    path : str
        Of the tree itself.

    Returns
    -------
    dict of str to str
        Leaves as JSON text.
    """
    return dict(iterate_leaves(tree, path))


def iterate_leaves(tree: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield dotted path and JSON text of every leaf; see ``flatten``."""
    if isinstance(tree, Mapping) and tree:
        for key, branch in tree.items():
            yield from iterate_leaves(branch, f"{path}.{key}" if path else str(key))
    else:
        yield path, json.dumps(tree)


def write_metrics(path: Path, reports: tuple[EpochReport, ...]) -> None:
    """Write the table of all epochs, whole or not at all.

    Parameters
    ----------
    path : Path
    reports : tuple of EpochReport
        One per line, under a line with the names of the columns; what does not exist is left empty.
    """
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in fields(EpochReport)], lineterminator="\n")
    table.writeheader()
    table.writerows(asdict(report) for report in reports)
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
