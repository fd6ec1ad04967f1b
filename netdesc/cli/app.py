"""The tree of commands."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

COMMANDS = (
    "new",
    "check",
    "show",
    "graph",
    "run",
    "plot",
    "train",
    "evaluate",
    "gradient",
    "gradcheck",
    "compare",
    "test",
    "schema",
    "backends",
)
"""Names of the commands, each a function of the module of the same name in ``netdesc.cli.commands``."""


def assemble(words: Sequence[str]) -> typer.Typer:
    """Put together what is needed to understand a command line.

    Parameters
    ----------
    words : sequence of str
        The command line. Where it starts with a command only that one is imported, for typer takes
        longer to set up all of them than a file takes to check; the options that install completion
        for a shell are there without a command.
    """
    app = typer.Typer(
        name="netdesc",
        add_completion=not (words and words[0] in COMMANDS),
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(describe_program)
    wanted = words[:1] if words and words[0] in COMMANDS else COMMANDS
    for name in wanted:
        app.command(name)(getattr(import_module(f"netdesc.cli.commands.{name}"), name))
    return app


def print_version(wanted: bool) -> None:
    """Print the version and stop.

    Raises
    ------
    typer.Exit
        If it was wanted.
    """
    if wanted:
        from netdesc import __version__
        from netdesc.cli.output import show

        show(f"netdesc {__version__}")
        raise typer.Exit


def describe_program(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Describe spiking neural networks in YAML; simulate, differentiate and train them."""
