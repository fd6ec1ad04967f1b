"""Entry point: runs a command and turns every error into a message and an exit status."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from pathlib import Path

from netdesc.cli import INTERRUPTED
from netdesc.cli.faults import judge, keep_journal
from netdesc.cli.output import emit, tell
from netdesc.cli.streams import BROKEN_PIPE, OutputLostError, ReaderGoneError, open_streams, refuse_output
from netdesc.cli.watching import watch
from netdesc.errors import Diagnostic, NetdescError, record


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the name of the program; those of the process by default.

    Returns
    -------
    int
        Exit status: 0 done, 1 a check failed, 2 bad input, 3 the backend cannot do it, 70 a bug in netdesc,
        130 interrupted, 141 the reader of the output went away.
    """
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    open_streams()
    try:
        status = run(words)
        flush_output()
    except KeyboardInterrupt:
        status = INTERRUPTED
    except ReaderGoneError:
        return BROKEN_PIPE
    except OutputLostError as error:
        report(error.diagnostics, as_json=False)
        return error.exit_status
    if status == INTERRUPTED:
        tell("interrupted")
    return status


def run(words: Sequence[str]) -> int:
    """Run a command and report its errors.

    Returns
    -------
    int
        Exit status.

    Raises
    ------
    ReaderGoneError, OutputLostError
        If standard output cannot be written.
    """
    with keep_journal() as journal:
        try:
            with watch():
                return execute(words)
        except OutputLostError:
            raise
        except NetdescError as error:
            faults, status = error.diagnostics, error.exit_status
        except usage_error() as error:
            message = getattr(error, "format_message", error.__str__)().rstrip(".")
            faults, status = (Diagnostic(f"{message}; 'netdesc --help' lists the commands"),), 2
        except SystemExit as error:
            # The library that reads the command line ends with 1 where a pipe is closed.
            if isinstance(error.__context__, OSError) and error.__context__.errno == errno.EPIPE:
                raise ReaderGoneError from None
            raise
        except abort() as error:
            if not isinstance(error.__cause__, EOFError):
                return INTERRUPTED
            fault, status = judge(error.__cause__, journal, words)
            faults = (fault,)
        except Exception as error:  # noqa: BLE001 -- the last net: no traceback on a terminal
            fault, status = judge(error, journal, words)
            faults = (fault,)
    report(faults, as_json="--json" in words)
    return status


def execute(words: Sequence[str]) -> int:
    """Execute a command and return its exit status.

    The library that reads command lines takes longer to import than a file takes to check, so the plainest
    of commands, ``check FILE``, does without it.
    """
    if len(words) == 2 and words[0] == "check" and not words[1].startswith("-"):
        from netdesc.cli.checking import check_file

        return check_file(Path(words[1]), (), (), as_json=False)
    from netdesc.cli.app import assemble

    return int(assemble(words)(list(words), prog_name="netdesc", standalone_mode=False) or 0)


def usage_error() -> type[Exception]:
    """Return the base of usage errors; newer versions of typer carry a copy of click, so it is looked up."""
    from typer import BadParameter

    base: type[Exception] = BadParameter.__mro__[1]
    return base


def abort() -> type[Exception]:
    """Return the error of a command that the user ends."""
    from typer import Abort

    return Abort


def flush_output() -> None:
    """Write what is left of standard output now, not when the interpreter ends and can only complain."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError) as error:
        refuse_output(error)


def report(diagnostics: Sequence[Diagnostic], *, as_json: bool) -> None:
    """Report what is wrong: on standard output as JSON, or on standard error as text.

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
