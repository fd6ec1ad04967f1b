"""Training states and weights as HDF5 files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from netdesc.errors import NetdescError
from netdesc.events import Floats
from netdesc.files import image_of, replace_bytes
from netdesc.program import Program
from netdesc.training.directory import RunDirectoryError
from netdesc.training.layout import Layout
from netdesc.training.optimizers import OptimizerState
from netdesc.training.records import EpochReport
from netdesc.training.task import State

if TYPE_CHECKING:
    import h5py

FORMAT = 1
"""Version of the layout of the files."""


def save_state(path: Path, state: State, layout: Layout, *, seed: int) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : Path
    state : State
    layout : Layout
    seed : int
        Root of all random streams. With the number of the epoch it is the whole random state: each
        epoch draws from streams of its own.
    """
    def fill(file: h5py.File) -> None:
        file.attrs.update({
            "format": FORMAT, "epoch": state.epoch, "step": state.step, "seed": seed,
            "best_epoch": state.best_epoch, "optimizer_steps": state.optimizer.steps})
        write_parts(file, "parameters", layout.split(state.values))
        write_parts(file, "best", layout.split(state.best_values))
        for name, moment in state.optimizer.moments.items():
            write_parts(file, f"optimizer/{name}", layout.split(moment))
        file["reports"] = json.dumps([asdict(report) for report in state.reports])

    replace_bytes(path, image_of(fill))


def write_parts(file: h5py.File, group: str, parts: Mapping[str, Floats]) -> None:
    """Write parameters into a group, one dataset each.

    Parameters
    ----------
    file : h5py.File
    group : str
    parts : mapping of str to ndarray of float64
    """
    for key, values in parts.items():
        file[f"{group}/{key}"] = values


def load_state(path: Path, layout: Layout) -> State:
    """Read a checkpoint.

    Parameters
    ----------
    path : Path
    layout : Layout
        Of the program that is trained.

    Returns
    -------
    State

    Raises
    ------
    RunDirectoryError
        If the file is not a checkpoint of this program.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return read_state(file, layout)
    except (OSError, KeyError, ValueError, TypeError, NetdescError) as error:
        raise RunDirectoryError(f"{path} is not a checkpoint of this model ({error}); "
                                "train into a new directory") from error


def read_state(file: h5py.File, layout: Layout) -> State:
    """Read a training state from an open file.

    Parameters
    ----------
    file : h5py.File
    layout : Layout

    Returns
    -------
    State

    Raises
    ------
    RunDirectoryError
        If the file is of another format.
    """
    attributes: Mapping[str, Any] = file.attrs
    if attributes["format"] != FORMAT:
        raise RunDirectoryError(f"format {attributes['format']} is not {FORMAT}, which this version reads")
    moments = {name: join_group(group, layout) for name, group in file["optimizer"].items()}
    return State(
        epoch=int(attributes["epoch"]), step=int(attributes["step"]),
        values=join_group(file["parameters"], layout),
        optimizer=OptimizerState(int(attributes["optimizer_steps"]), moments),
        best_values=join_group(file["best"], layout), best_epoch=int(attributes["best_epoch"]),
        reports=tuple(EpochReport(**report) for report in json.loads(file["reports"][()])))


def join_group(group: h5py.Group, layout: Layout) -> Floats:
    """Read a vector from the datasets of a group, shape (n,)."""
    return layout.join({key: np.asarray(group[key][()], dtype=np.float64) for key in layout.keys})


def save_weights(path: Path, values: Mapping[str, Floats], *, epoch: int, digest: str) -> None:
    """Write trained parameters, whole or not at all.

    Parameters
    ----------
    path : Path
    values : mapping of str to ndarray of float64, shape (k,)
        By the keys of the program, in the units of the file and ms.
    epoch : int
        After which they were taken.
    digest : str
        Of the description that was trained.
    """
    def fill(file: h5py.File) -> None:
        file.attrs.update({"format": FORMAT, "epoch": epoch, "digest": digest})
        write_parts(file, "weights", values)

    replace_bytes(path, image_of(fill))


def load_weights(path: Path, program: Program) -> dict[str, Floats]:
    """Read trained parameters.

    Parameters
    ----------
    path : Path
        A run directory, or the file ``weights.h5`` in it.
    program : Program
        Whose parameters they must fit.

    Returns
    -------
    dict of str to ndarray of float64, shape (k,)
        For ``Machine.write``.

    Raises
    ------
    RunDirectoryError
        If there is no such file, or it does not fit; all misfits at once.
    """
    import h5py

    file_path = path / "weights.h5" if path.is_dir() else path
    if not file_path.is_file():
        raise RunDirectoryError(f"{file_path} does not exist; name the run directory of a training")
    try:
        with h5py.File(file_path, "r") as file:
            found = {key: np.asarray(item[()], dtype=np.float64) for key, item in file["weights"].items()}
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise RunDirectoryError(f"{file_path} holds no weights ({error}); "
                                "name the run directory of a training") from error
    require_fit(found, program.trainable(), file_path)
    return found


def require_fit(found: Mapping[str, Floats], wanted: Mapping[str, Floats], path: Path) -> None:
    """Refuse parameters that are not those of a program.

    Parameters
    ----------
    found, wanted : mapping of str to ndarray
    path : Path
        Where they were found.

    Raises
    ------
    RunDirectoryError
        With every misfit.
    """
    faults = [f"{path} has no {key}; train this model first" for key in wanted if key not in found]
    faults += [f"{path} has {key}, which this model does not train; use the file it was trained with"
               for key in found if key not in wanted]
    faults += [f"{path} has {found[key].size} values for {key}, but this model has {wanted[key].size}; "
               "use the file it was trained with"
               for key in wanted if key in found and found[key].shape != wanted[key].shape]
    faults += [f"{path} has a value of {key} that is not finite" for key in wanted
               if key in found and not np.isfinite(found[key]).all()]
    if faults:
        raise RunDirectoryError("; ".join(faults))
