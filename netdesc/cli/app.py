"""The tree of commands."""

from __future__ import annotations

from typing import Annotated

import typer

from netdesc.cli.commands.backends import backends
from netdesc.cli.commands.check import check
from netdesc.cli.commands.evaluate import evaluate
from netdesc.cli.commands.gradcheck import gradcheck
from netdesc.cli.commands.gradient import gradient
from netdesc.cli.commands.new import new
from netdesc.cli.commands.run import run
from netdesc.cli.commands.schema import schema
from netdesc.cli.commands.show import show
from netdesc.cli.commands.train import train
from netdesc.cli.output import show as print_text

app = typer.Typer(
    name="netdesc",
    help="Describe spiking neural networks in YAML; simulate, differentiate and train them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def print_version(wanted: bool) -> None:
    """Print the version and stop.

    Parameters
    ----------
    wanted : bool

    Raises
    ------
    typer.Exit
        If it was wanted.
    """
    if wanted:
        from netdesc import __version__

        print_text(f"netdesc {__version__}")
        raise typer.Exit


@app.callback()
def describe_program(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Describe spiking neural networks in YAML; simulate, differentiate and train them."""


for command in (new, check, show, run, train, evaluate, gradient, gradcheck, schema, backends):
    app.command()(command)
