"""Entry point: runs a command and turns every error into a message and an exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from netdesc.cli.app import assemble
from netdesc.cli.output import emit, tell
from netdesc.cli.watching import watch
from netdesc.errors import Diagnostic, NetdescError, record

# Newer versions of typer carry a copy of click, so the base of usage errors is asked for, not imported.
UsageError: type[Exception] = typer.BadParameter.__mro__[1]

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the name of the program; those of the process by default.

    Returns
    -------
    int
        Exit status: 0 done, 1 a check failed, 2 bad input, 3 the backend cannot do it, 130 interrupted.

    Raises
    ------
    SystemExit
        With status 141 if the reader of the output went away.
    """
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    as_json = "--json" in words
    try:
        with watch():
            status = assemble(words)(words, prog_name="netdesc", standalone_mode=False)
        if status == INTERRUPTED:
            tell("interrupted")
        return int(status or 0)
    except NetdescError as error:
        report(error.diagnostics, as_json=as_json)
        return error.exit_status
    except UsageError as error:
        message = getattr(error, "format_message", error.__str__)()
        report([Diagnostic(f"{message.rstrip('.')}; 'netdesc --help' lists what there is")], as_json=as_json)
        return 2
    except (KeyboardInterrupt, typer.Abort):
        tell("interrupted")
        return INTERRUPTED
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        report([Diagnostic(f"{where}{error.strerror or error}")], as_json=as_json)
        return 2


def report(diagnostics: Sequence[Diagnostic], *, as_json: bool) -> None:
    """Tell what is wrong: on standard output as JSON, or on standard error as text.

    Parameters
    ----------
    diagnostics : sequence of Diagnostic
    as_json : bool
        Whether ``--json`` was given.
    """
    if as_json:
        emit({"errors": [record(item) for item in diagnostics]})
        return
    for item in diagnostics:
        tell(str(item))
