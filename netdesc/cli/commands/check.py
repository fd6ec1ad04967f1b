"""``netdesc check``: is the file right, and can a backend do it."""

from __future__ import annotations

from typing import Annotated

import typer

from netdesc.cli.arguments import AsJson, File, Overrides, option
from netdesc.cli.checking import check_file


def check(
    file: File,
    overrides: Overrides = None,
    backend: Annotated[
        list[str] | None,
        option(
            "--backend",
            metavar="NAME",
            help="Check whether this backend can run it; may be repeated. By default, every backend that "
            "the file names.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Validate a file and its data, optionally for a backend."""
    status = check_file(file, overrides or (), backend or (), as_json=as_json)
    if status:
        raise typer.Exit(status)
