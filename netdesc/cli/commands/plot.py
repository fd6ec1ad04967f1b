"""``netdesc plot``: pictures of a run or of trained weights."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netdesc.cli.arguments import AsJson
from netdesc.cli.output import emit, tell
from netdesc.cli.output import show as print_text
from netdesc.cli.preparation import require_targets
from netdesc.errors import DescriptionError, Diagnostic

if TYPE_CHECKING:
    from netdesc.events import Floats


PREFIX = "lam_"
"""How names of adjoint variables begin."""


class Kind(StrEnum):
    """What can be drawn of a file."""

    RASTER = "raster"
    TRACES = "traces"
    ADJOINTS = "adjoints"
    WEIGHTS = "weights"


def plot(
    result: Annotated[
        Path,
        typer.Argument(
            metavar="RESULT.h5",
            help="Of run -o or gradient -o, or weights.h5 of a training.",
            show_default=False,
        ),
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PICTURE",
            help="RESULT-KIND.png beside it otherwise.",
            show_default=False,
        ),
    ] = None,
    kind: Annotated[
        Kind | None,
        typer.Option(help="What to draw; all that the file holds otherwise.", show_default=False),
    ] = None,
    sample: Annotated[int, typer.Option(help="Which sample, counted from 0.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Draw spikes, recorded voltages and adjoints, or weights."""
    available = list_kinds(result)
    if kind is not None and kind not in available:
        held = ", ".join(item.value for item in available) or "nothing to draw"
        raise DescriptionError(Diagnostic(f"{result} has no {kind.value}; it holds {held}"))
    kinds = available if kind is None else [kind]
    if output is not None and len(kinds) > 1:
        others = ", ".join(item.value for item in kinds[1:])
        tell(f"{result} holds {others} as well; --kind draws them, or no -o everything")
        kinds = kinds[:1]
    pictures = {item.value: output or result.with_name(f"{result.stem}-{item.value}.png") for item in kinds}
    for name, picture in pictures.items():
        require_targets(None, picture)
        draw(result, Kind(name), picture, sample)
    if as_json:
        emit({"pictures": {name: str(picture) for name, picture in pictures.items()}})
    else:
        print_text("\n".join(f"{name}  {picture}" for name, picture in pictures.items()))


def list_kinds(result: Path) -> list[Kind]:
    """Return what can be drawn of a file.

    Parameters
    ----------
    result : Path

    Returns
    -------
    list of Kind

    Raises
    ------
    DescriptionError
        If the file is neither the result of a run nor trained weights.
    OSError
        If it is not there.
    """
    import h5py

    if not result.is_file():
        raise DescriptionError(Diagnostic(f"{result} does not exist; netdesc run FILE -o {result} writes it"))
    try:
        with h5py.File(result, "r") as file:
            groups: dict[str, Any] = {name: list(file[name]) for name in file if hasattr(file[name], "keys")}
    except OSError as error:
        raise DescriptionError(Diagnostic(f"{result} is not an HDF5 file: {error}")) from error
    recorded = groups.get("recordings", ())
    held = {
        Kind.RASTER: bool(groups.get("spikes")),
        Kind.TRACES: any(not is_adjoint(name) for name in recorded),
        Kind.ADJOINTS: any(is_adjoint(name) for name in recorded),
        Kind.WEIGHTS: bool(groups.get("weights")),
    }
    kinds = [kind for kind, there in held.items() if there]
    if not kinds:
        raise DescriptionError(Diagnostic(f"{result} holds neither a run nor weights of netdesc"))
    return kinds


def is_adjoint(name: str) -> bool:
    """Return whether a recording, ``population.variable``, is of an adjoint variable."""
    return name.rpartition(".")[2].startswith(PREFIX)


def draw(result: Path, kind: Kind, picture: Path, sample: int) -> None:
    """Draw one kind of picture.

    Parameters
    ----------
    result : Path
    kind : Kind
    picture : Path
    sample : int

    Raises
    ------
    DescriptionError
        If there is no such sample.
    """
    from netdesc.plotting import plot_raster, plot_traces, plot_weights
    from netdesc.results import read

    if kind is Kind.RASTER:
        plot_raster(read(result), picture, sample=sample)
    elif kind in (Kind.TRACES, Kind.ADJOINTS):
        found = read(result)
        wanted = {
            name: item
            for name, item in found.recordings.items()
            if is_adjoint(name) is (kind is Kind.ADJOINTS)
        }
        plot_traces(replace(found, recordings=wanted), picture, sample=sample)
    else:
        plot_weights(read_weights(result), picture)


def read_weights(result: Path) -> dict[str, Floats]:
    """Return the weights in a file, by key."""
    import h5py
    import numpy as np

    with h5py.File(result, "r") as file:
        return {key: np.asarray(item[()], dtype=np.float64).ravel() for key, item in file["weights"].items()}
