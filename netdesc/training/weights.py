"""Trained weights as HDF5 files."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.connection import Connection
from netdesc.description.model import Description
from netdesc.errors import RunDirectoryError
from netdesc.events import Floats
from netdesc.program import Program
from netdesc.training.checkpoint import FORMAT, Malformed, find_misfits, join_paths, require_format
from netdesc.training.continuation import HARMLESS, compare_settings
from netdesc.training.origin import Origin, compare_wiring, describe_wiring, find_drawn
from netdesc.training.sealed import read_sealed, write_sealed

LOG = logging.getLogger("netdesc.training")
"""Reports what is worth knowing, one line each, at the level ``WARNING``."""

NETWORK = ("simulation", "populations", "projections")
"""Sections whose values matter to trained weights."""


def save_weights(
    path: Path,
    values: Mapping[str, Floats],
    *,
    epoch: int,
    origin: Origin,
    connections: Mapping[str, Connection] = MappingProxyType({}),
) -> None:
    """Write trained parameters, whole or not at all.

    Parameters
    ----------
    path : Path
    values : mapping of str to ndarray of float64, shape (k,)
        By the keys of the program, in the units of the file and ms.
    epoch : int
        After which they were taken.
    origin : Origin
        Of the training.
    connections : mapping of str to Connection
        Which neurons the parameters join, for those who read the file without the model: the file then
        has ``populations`` (JSON: names of source and target by key), ``synapses/KEY/shape`` (their sizes;
        the values are row-major where every pair has one synapse), and ``pre`` and ``post`` beside it, the
        indices of every synapse, where not every pair has one.
    """
    attributes = {"format": FORMAT, "epoch": epoch, "digest": origin.digest, "seed": origin.seed}
    arrays: dict[str, NDArray[Any]] = dict(join_paths("weights", values))
    ends = {key: [connections[key].pre, connections[key].post] for key in values if key in connections}
    texts = {"origin": origin.write(), "populations": json.dumps(ends)}
    for key in values:
        if key in connections:
            joined, place = connections[key], f"synapses/{key}"
            arrays[f"{place}/shape"] = np.array(joined.shape, dtype=np.int64)
            if not joined.dense:
                arrays[f"{place}/pre"], arrays[f"{place}/post"] = joined.pairs()
    write_sealed(path, attributes, arrays=arrays, texts=texts)


def load_weights(path: Path, program: Program, description: Description | None = None) -> dict[str, Floats]:
    """Read trained parameters.

    What the model has otherwise than the one that was trained is reported by the logger
    ``netdesc.training``, one warning each.

    Parameters
    ----------
    path : Path
        A run directory, or the file ``weights.h5`` in it.
    program : Program
        Whose parameters they must fit.
    description : Description or None
        Of that program, to compare with the one that was trained; None to compare synapses only.

    Returns
    -------
    dict of str to ndarray of float64, shape (k,)
        For ``Machine.write``.

    Raises
    ------
    RunDirectoryError
        If there is no such file, it is damaged, or it does not fit; all misfits at once.
    """
    file_path = path / "weights.h5" if path.is_dir() else path
    if not file_path.is_file():
        raise RunDirectoryError(f"{file_path} does not exist; use the run directory of a training")
    content = read_sealed(file_path)
    version = require_format(file_path, content)
    found = {key: np.asarray(part, dtype=np.float64) for key, part in content.group("weights").items()}
    if not found:
        raise RunDirectoryError(f"{file_path} holds no weights; use the run directory of a training")
    faults = list(find_misfits("weights", found, program.trainable()))
    if faults:
        raise RunDirectoryError(
            f"{file_path} does not fit this model: {'; '.join(faults)}; use the file it was trained with, or "
            "train this model first"
        )
    if version != FORMAT:
        LOG.warning(
            "%s has no checksum; it was written by an earlier version of netdesc, and whether it "
            "belongs to this model was not checked",
            file_path,
        )
        return found
    try:
        origin = Origin.read(content.texts["origin"])
    except Malformed as error:
        raise RunDirectoryError(
            f"{file_path} is damaged: it does not record what was trained; use the run "
            "directory of a training"
        ) from error
    require_origin(origin, program, description, path=file_path)
    return found


def require_origin(origin: Origin, program: Program, description: Description | None, *, path: Path) -> None:
    """Refuse weights, by their origin and path, of a network with other synapses; report what else differs.

    Raises
    ------
    RunDirectoryError
        If the synapses are others, or something that is drawn and not trained has another seed.
    """
    faults = list(compare_wiring(origin.wiring, describe_wiring(program)))
    if origin.seed != program.seed and description is not None:
        faults += [f"{drawn} is drawn with another seed" for drawn in find_drawn(description)]
    if faults:
        if origin.seed != program.seed:
            faults.append(f"simulation.seed was {origin.seed}, now it is {program.seed}")
        raise RunDirectoryError(
            f"{path} belongs to another network: {'; '.join(faults)}; use the file it was trained with"
        )
    if description is None or description.digest == origin.digest:
        return
    for difference in compare_settings(
        origin.resolved, description.resolved, sections=NETWORK, free=(*HARMLESS, *list_trained(description))
    ):
        LOG.warning("%s was trained with another network: %s", path, difference)


def list_trained(description: Description) -> Iterator[str]:
    """Yield the paths of values that the weights replace, and of what only training needs."""
    for name, projection in description.projections.items():
        for key, parameter in (("weight", projection.weight), ("delay", projection.delay)):
            if parameter.train:
                yield f"projections.{name}.{key}"
