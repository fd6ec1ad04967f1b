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
        help="Override values of the file, for example training.epochs=5.",
        show_default=False,
    ),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]

Backend = Annotated[
    str | None,
    typer.Option(
        "--backend",
        metavar="NAME",
        help="Backend to use; by default training.backend of the file, or numba.",
        show_default=False,
    ),
]

Weights = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="DIR",
        help="Run directory of a training, or its weights.h5; by default the weights of the file are used.",
        show_default=False,
    ),
]

Seed = Annotated[
    int | None,
    typer.Option("--seed", help="Seed of all random draws; simulation.seed by default.", show_default=False),
]
