"""What a file says that the command at hand does not use, with its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netdesc.cli.output import tell
from netdesc.errors import Diagnostic, locate

if TYPE_CHECKING:
    from netdesc.api import Model
    from netdesc.description.model import Description

ADJOINTS = ("lam_v", "lam_i")
"""Recordings that only a run backward has."""


def read_model(file: Path, overrides: Sequence[str] | None) -> Model:
    """Read a file, and report what no command uses of it.

    Raises
    ------
    DescriptionError
        With everything that is wrong, each with its place.
    """
    from netdesc.api import load

    model = load(file, overrides or ())
    for item in list_unused(model):
        tell(str(item))
    return model


def list_unused(model: Model) -> list[Diagnostic]:
    """Return what a valid file says without effect on any command.

    Sections that belong to another command, such as ``training`` in ``run``, are not listed.

    Returns
    -------
    list of Diagnostic
        With their places.
    """
    description = model.description
    return [locate(item, description.locations) for item in _find(description)]


def _find(description: Description) -> Iterator[Diagnostic]:
    if description.sweep:
        yield Diagnostic(
            "warning: sweeps are not available yet, so this section has no effect; use "
            "overrides such as simulation.seed=1, one run for each",
            "sweep",
        )
    if not description.backends:
        return
    from netdesc.registry import names

    installed = names()
    for name in description.backends:
        if name not in installed:
            yield Diagnostic(
                f"warning: the backend {name} is not installed, so its options have no effect "
                f"and are not checked; installed are {', '.join(installed)}",
                f"backends.{name}",
            )


def list_unrecorded(model: Model) -> list[Diagnostic]:
    """Return the recordings that a run forward does not make, with their places."""
    return [
        locate(
            Diagnostic(
                f"warning: {item.variable} is not recorded by run; use gradient", f"record.{item.population}"
            ),
            model.description.locations,
        )
        for item in model.description.record
        if item.variable in ADJOINTS
    ]
