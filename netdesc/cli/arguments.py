"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(metavar="FILE", help="YAML file of the model.", show_default=False)]

Overrides = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KEY.PATH=VALUE",
        help="Values that replace those of the file, for example training.epochs=5.",
        show_default=False,
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]

Backend = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="Backend that does the work; training.backend of the file, or numba, otherwise.",
        show_default=False,
    ),
]

Weights = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="DIR",
        help="Run directory of a training, or its weights.h5; the weights of the file otherwise.",
        show_default=False,
    ),
]

Seed = Annotated[
    int | None,
    typer.Option("--seed", help="Root of the random draws; simulation.seed otherwise.", show_default=False),
]
