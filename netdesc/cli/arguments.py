"""Arguments and options that several commands share, and options that belong together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer


def option(*names: str, metavar: str | None = None, help: str) -> Any:
    """Return an option that may be left out; its help says what holds then."""
    return typer.Option(*names, metavar=metavar, help=help, show_default=False)


def argument(*, metavar: str, help: str) -> Any:
    """Return an argument; its help says what holds where it is left out."""
    return typer.Argument(metavar=metavar, help=help, show_default=False)


File = Annotated[Path, argument(metavar="FILE", help="YAML file of the model.")]

Overrides = Annotated[
    list[str] | None,
    argument(metavar="KEY.PATH=VALUE", help="Override values of the file, for example training.epochs=5."),
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]

Backend = Annotated[
    str | None,
    option(
        "--backend", metavar="NAME", help="Backend to use; by default training.backend of the file, or numba."
    ),
]

Weights = Annotated[
    Path | None,
    option(
        "--weights",
        metavar="DIR",
        help="Run directory of a training, or its weights.h5; by default the weights of the file are used.",
    ),
]

Seed = Annotated[int | None, option("--seed", help="Seed of all random draws; simulation.seed by default.")]


def expand_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose groups of options are parameters of their own, as typer expects them.

    Parameters
    ----------
    command : callable
        Each parameter whose type is a dataclass is a group: its fields are options, annotated as typer's
        parameters are.

    Returns
    -------
    callable
        Takes the fields of all groups by name, in place of the groups.
    """
    types = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in types.items() if isinstance(kind, type) and is_dataclass(kind)}
    parameters: list[Parameter] = []
    for item in signature(command).parameters.values():
        if item.name in groups:
            hints = get_type_hints(groups[item.name], include_extras=True)
            parameters += [
                field.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[field.name])
                for field in signature(groups[item.name]).parameters.values()
            ]
        else:
            parameters.append(item.replace(annotation=types[item.name]))

    @wraps(command)
    def run(**given: Any) -> None:
        records = {
            name: kind(**{item.name: given.pop(item.name) for item in fields(kind)})
            for name, kind in groups.items()
        }
        command(**given, **records)

    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {item.name: item.annotation for item in parameters}
    return run
