"""``netdesc test``: what files expect of their results."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from netdesc.cli.arguments import AsJson, Backend, Weights, argument
from netdesc.cli.expectations import Check, check_expectations
from netdesc.cli.output import emit, show, table
from netdesc.cli.unused import read_model
from netdesc.errors import DescriptionError, Diagnostic, NetdescError, record


def test(
    files: Annotated[
        list[Path],
        argument(
            metavar="FILE... [KEY.PATH=VALUE]...",
            help="YAML files with a section expect, and overrides for all of them.",
        ),
    ],
    *,
    backend: Backend = None,  # noqa: PT028
    weights: Weights = None,  # noqa: PT028
    as_json: AsJson = False,  # noqa: PT028
) -> None:
    """Check results against the expectations in files.

    A model whose accuracy is expected is trained first, unless --weights are given. Exit status 1 if an
    expectation is not met or a file cannot be run.
    """
    from netdesc.compiled import choose_backend

    files, overrides = divide(files)
    checks: dict[str, list[Check]] = {}
    faults: dict[str, tuple[Diagnostic, ...]] = {}
    for file in files:
        try:
            model = read_model(file, overrides)
            checks[str(file)] = check_expectations(model, backend or choose_backend(model), weights)
        except NetdescError as error:
            faults[str(file)] = error.diagnostics
            if len(files) == 1:
                raise
    good = not faults and all(item.met for found in checks.values() for item in found)
    if as_json:
        emit(
            {
                "passed": good,
                "files": {name: [asdict(item) for item in found] for name, found in checks.items()},
                "errors": {name: [record(item) for item in found] for name, found in faults.items()},
            }
        )
    else:
        show(arrange(checks, faults))
    if not good:
        raise typer.Exit(1)


def divide(words: list[Path]) -> tuple[list[Path], list[str]]:
    """Return the files on a command line, and the overrides: words with an equals sign that name no file.

    Raises
    ------
    DescriptionError
        If there is no file among them.
    """
    overrides = [word for word in words if "=" in str(word) and not word.exists()]
    files = [word for word in words if word not in overrides]
    if not files:
        raise DescriptionError("there is no file to test; name one before the overrides")
    return files, [str(word) for word in overrides]


def arrange(checks: dict[str, list[Check]], faults: dict[str, tuple[Diagnostic, ...]]) -> str:
    """Return checks as one table, and a line that sums up.

    Parameters
    ----------
    checks : dict of str to list of Check
        By file.
    faults : dict of str to tuple of Diagnostic
        By file that could not be run.
    """
    rows = [
        (name, item.name, item.expected, item.found, "ok" if item.met else "FAILED")
        for name, found in checks.items()
        for item in found
    ]
    rows += [(name, "", "", str(item), "FAILED") for name, found in faults.items() for item in found]
    failed = sum(row[-1] == "FAILED" for row in rows)
    line = f"{len(rows) - failed} of {len(rows)} expectations met"
    return f"{table(('file', 'what', 'expected', 'found', ''), rows)}\n{line}"
