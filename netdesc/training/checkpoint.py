"""Training states as HDF5 files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from netdesc.errors import RunDirectoryError
from netdesc.events import Floats
from netdesc.training.flat_parameters import FlatParameters
from netdesc.training.optimizers import OptimizerState
from netdesc.training.origin import Origin, Stage, Wiring, read_stages
from netdesc.training.records import FORMER, EpochReport
from netdesc.training.sealed import Content, read_sealed, write_sealed
from netdesc.training.task import State

FORMAT = 2
"""Version of the format of the files."""

UNSEALED = 1
"""Version without checksum and origin, which is still read."""

Malformed = (LookupError, ValueError, TypeError, AttributeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Past:
    """A checkpoint and what it says about the run so far.

    Parameters
    ----------
    path : Path
        Of the checkpoint.
    content : Content
    epoch : int
        Epochs that are over.
    resolved : mapping
        The file that was trained, as plain data.
    stages : tuple of dict
        Backends that trained.
    origin : Origin or None
        None in a file of an earlier version.
    """

    path: Path
    content: Content
    epoch: int
    resolved: Mapping[str, Any]
    stages: tuple[Stage, ...]
    origin: Origin | None

    @property
    def wiring(self) -> Mapping[str, Wiring]:
        """Synapses by block; empty where they were not noted."""
        return self.origin.wiring if self.origin else {}


def save_state(path: Path, state: State, flat: FlatParameters, *, origin: Origin) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : Path
    state : State
    flat : FlatParameters
    origin : Origin
        Its seed is the root of all random streams. With the number of the epoch it is the whole random
        state: each epoch draws from streams of its own.
    """
    arrays = join_paths("parameters", flat.split(state.values))
    arrays |= join_paths("best", flat.split(state.best_values))
    for name, moment in state.optimizer.moments.items():
        arrays |= join_paths(f"optimizer/{name}", flat.split(moment))
    attributes = {
        "format": FORMAT,
        "epoch": state.epoch,
        "step": state.step,
        "seed": origin.seed,
        "digest": origin.digest,
        "best_epoch": state.best_epoch,
        "optimizer_steps": state.optimizer.steps,
    }
    texts = {"reports": json.dumps([asdict(report) for report in state.reports]), "origin": origin.write()}
    write_sealed(path, attributes, arrays=arrays, texts=texts)


def join_paths(group: str, parts: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return parameters by their path in a file, below a group."""
    return {f"{group}/{key}": values for key, values in parts.items()}


def require_format(path: Path, content: Content) -> int:
    """Return the format of a file.

    Raises
    ------
    RunDirectoryError
        If this version of netdesc does not read it.
    """
    found = content.attributes.get("format", UNSEALED)
    if not isinstance(found, int | np.integer) or found not in (FORMAT, UNSEALED):
        raise RunDirectoryError(
            f"{path} has format {found}, expected {FORMAT} or {UNSEALED}; use the "
            "version of netdesc that wrote it"
        )
    if found == FORMAT and not content.sealed:
        raise RunDirectoryError(
            f"{path} has no checksum; it was edited or repacked after it was "
            "written, so use a copy of the original file"
        )
    return int(found)


def read_past(path: Path, record: Path) -> Past:
    """Read a checkpoint.

    Parameters
    ----------
    path : Path
    record : Path
        ``run.json`` of an earlier version; the checkpoints of this one hold everything themselves.

    Raises
    ------
    RunDirectoryError
        If a file is damaged or of another format.
    """
    content = read_sealed(path)
    version = require_format(path, content)
    source = path if version == FORMAT else record
    try:
        epoch = int(content.attributes["epoch"])
        if version == FORMAT:
            origin = Origin.read(content.texts["origin"])
            return Past(path, content, epoch, origin.resolved, origin.stages, origin)
        data = json.loads(record.read_text(encoding="utf-8"))
        return Past(path, content, epoch, dict(data["resolved"]), read_stages(data), None)
    except OSError as error:
        raise RunDirectoryError(
            f"{source} cannot be read: {error.strerror or error}; train into a new directory"
        ) from error
    except Malformed as error:
        raise RunDirectoryError(
            f"{source} is damaged: it does not hold the record of a training; train into a new directory"
        ) from error


def restore_state(content: Content, flat: FlatParameters, path: Path) -> State:
    """Return the training state in a checkpoint that was read; the path is for messages.

    Raises
    ------
    RunDirectoryError
        If something is missing, has another size or is not finite; everything at once.
    """
    kinds = sorted({name.split("/")[0] for name in content.group("optimizer")})
    groups = {name: content.group(name) for name in ("parameters", "best")}
    groups |= {name: content.group(f"optimizer/{name}") for name in kinds}
    wanted = flat.split(flat.low)
    faults = [fault for name, parts in groups.items() for fault in find_misfits(name, parts, wanted)]
    if faults:
        raise RunDirectoryError(
            f"{path} does not fit this model: {'; '.join(faults)}; train into a new directory"
        )
    attributes = content.attributes
    try:
        reports = tuple(read_report(item) for item in json.loads(content.texts["reports"]))
        state = State(
            epoch=int(attributes["epoch"]),
            step=int(attributes["step"]),
            values=join_parts(groups["parameters"], flat),
            optimizer=OptimizerState(
                int(attributes["optimizer_steps"]), {name: join_parts(groups[name], flat) for name in kinds}
            ),
            best_values=join_parts(groups["best"], flat),
            best_epoch=int(attributes["best_epoch"]),
            reports=reports,
        )
    except Malformed as error:
        raise RunDirectoryError(
            f"{path} is damaged: it does not hold a training state; train into a new directory"
        ) from error
    if len(reports) != state.epoch or not 1 <= state.best_epoch <= state.epoch:
        raise RunDirectoryError(
            f"{path} is damaged: expected the reports of {state.epoch} epochs, got "
            f"{len(reports)}; train into a new directory"
        )
    return state


def find_misfits(group: str, found: Mapping[str, Floats], wanted: Mapping[str, Floats]) -> Iterator[str]:
    """Yield what is wrong with the parameters in a group of a file, beside those of a model, both by key."""
    yield from (f"{group} has no {key}" for key in wanted if key not in found)
    yield from (f"{group} has {key}, which this model does not train" for key in found if key not in wanted)
    both = [key for key in wanted if key in found]
    for key in both:
        if found[key].shape != wanted[key].shape:
            size = wanted[key].size
            yield f"{group} has {found[key].size} values for {key}, but this model has {size}"
    for key in both:
        if not np.isfinite(found[key]).all():
            yield f"{group} has a value of {key} that is not finite"


def read_report(item: Mapping[str, Any]) -> EpochReport:
    """Return the report of an epoch from JSON data.

    Raises
    ------
    ValueError, TypeError, LookupError, AttributeError
        If the data are something else.
    """
    item = {name: item[former] for name, former in FORMER.items() if former in item} | dict(item)
    numbers = {
        field.name: item[field.name]
        for field in fields(EpochReport)
        if field.name in item and field.name not in ("costs", "notes")
    }
    if not all(value is None or isinstance(value, int | float) for value in numbers.values()):
        raise ValueError("a report holds something that is not a number")
    costs = {str(name): float(cost) for name, cost in item.get("costs", {}).items()}
    return EpochReport(**numbers, costs=costs, notes=tuple(str(note) for note in item.get("notes", ())))


def join_parts(parts: Mapping[str, Floats], flat: FlatParameters) -> Floats:
    """Return the arrays of a group as one vector, shape (n,)."""
    return flat.join({key: np.asarray(part, dtype=np.float64) for key, part in parts.items()})
