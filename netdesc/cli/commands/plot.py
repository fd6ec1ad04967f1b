"""``netdesc plot``: pictures of a run or of trained weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from netdesc.cli.arguments import AsJson, argument, option
from netdesc.cli.output import emit, show, tell
from netdesc.cli.preparation import require_targets
from netdesc.errors import DescriptionError
from netdesc.formats import hdf5
from netdesc.formats.source import fault

if TYPE_CHECKING:
    from netdesc.events import Floats


PREFIX = "lam_"
"""How names of adjoint variables begin."""

MOST_PANELS = 60
"""Populations, recordings or parameters in one picture."""


class Kind(StrEnum):
    """What can be drawn of a file."""

    RASTER = "raster"
    TRACES = "traces"
    ADJOINTS = "adjoints"
    WEIGHTS = "weights"


def plot(
    result: Annotated[
        Path,
        argument(metavar="RESULT.h5", help="Result of run -o or gradient -o, or weights.h5 of a training."),
    ],
    *,
    output: Annotated[
        Path | None,
        option(
            "-o",
            "--output",
            metavar="PICTURE",
            help="Picture to write; RESULT-KIND.png beside the result by default.",
        ),
    ] = None,
    kind: Annotated[Kind | None, option(help="What to draw; by default everything in the file.")] = None,
    sample: Annotated[int, typer.Option(help="Sample to draw, counted from 0.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Draw spikes, recorded voltages and adjoints, or weights."""
    available = list_kinds(result)
    if kind is not None and kind not in available:
        held = ", ".join(item.value for item in available) or "nothing to draw"
        raise DescriptionError(f"{result} has no {kind.value}; it holds {held}")
    kinds = available if kind is None else [kind]
    if output is not None and len(kinds) > 1:
        others = ", ".join(item.value for item in kinds[1:])
        tell(f"{result} also holds {others}; draw it with --kind, or everything without -o")
        kinds = kinds[:1]
    pictures = {item.value: output or result.with_name(f"{result.stem}-{item.value}.png") for item in kinds}
    require_targets(
        {"-o" if output else f"--kind {name}": picture for name, picture in pictures.items()},
        [result],
        pictures=pictures.values(),
    )
    for name, picture in pictures.items():
        draw(result, Kind(name), picture, sample)
    if as_json:
        emit({"pictures": {name: str(picture) for name, picture in pictures.items()}})
    else:
        show("\n".join(f"{name}  {picture}" for name, picture in pictures.items()))


def list_kinds(result: Path) -> list[Kind]:
    """Return what can be drawn of a file.

    Raises
    ------
    DescriptionError
        If the file cannot be read, or is neither the result of a run nor trained weights.
    """
    with hdf5.opened(result) as file:
        groups = {name: file.group(name).names() for name in file.names() if file.is_group(name)}
    recorded = groups.get("recordings", [])
    held = {
        Kind.RASTER: bool(groups.get("spikes")),
        Kind.TRACES: any(not is_adjoint(name) for name in recorded),
        Kind.ADJOINTS: any(is_adjoint(name) for name in recorded),
        Kind.WEIGHTS: bool(groups.get("weights")),
    }
    kinds = [kind for kind, there in held.items() if there]
    if not kinds:
        raise fault(
            result,
            "expected results of a run or weights of a training, got neither; write them "
            "with netdesc run -o or netdesc train",
        )
    return kinds


def is_adjoint(name: str) -> bool:
    """Return whether a recording, ``population.variable``, is of an adjoint variable."""
    return name.rpartition(".")[2].startswith(PREFIX)


def draw(result: Path, kind: Kind, picture: Path, sample: int) -> None:
    """Draw one kind of picture.

    Raises
    ------
    DescriptionError
        If there is no such sample.
    """
    from netdesc.plotting import plot_raster, plot_traces, plot_weights
    from netdesc.results import read

    with drawing(result):
        if kind is Kind.WEIGHTS:
            plot_weights(require_few(result, read_weights(result)), picture)
            return
        found = read(result)
        if kind is Kind.RASTER:
            require_few(result, found.spikes)
            plot_raster(found, picture, sample=sample)
            return
        wanted = {
            name: item
            for name, item in found.recordings.items()
            if is_adjoint(name) is (kind is Kind.ADJOINTS)
        }
        plot_traces(replace(found, recordings=require_few(result, wanted)), picture, sample=sample)


@contextmanager
def drawing(result: Path) -> Iterator[None]:
    """Turn what matplotlib says about values that cannot be drawn into a message.

    Parameters
    ----------
    result : Path
        Whose values are drawn.

    Raises
    ------
    DescriptionError
    """
    import numpy as np

    try:
        # Glyphs that the font lacks and axes beyond float64 are no concern of the user's.
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            yield
    except (ValueError, OverflowError, FloatingPointError, IndexError, ZeroDivisionError) as error:
        raise fault(
            result,
            "expected names and values that fit into a picture, got others; look at the file "
            "with netdesc.results.read",
        ) from error


def require_few(result: Path, panels: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is drawn, one panel for each; refuse more than fit into a picture."""
    if len(panels) > MOST_PANELS:
        raise fault(
            result,
            f"expected at most {MOST_PANELS} populations or parameters, got {len(panels)}; "
            "draw them with matplotlib from netdesc.results.read",
        )
    return panels


def read_weights(result: Path) -> dict[str, Floats]:
    """Return the weights in a file, by key."""
    with hdf5.opened(result) as file:
        weights = file.group("weights")
        return {key: weights.floats(key).ravel() for key in weights.names()}
