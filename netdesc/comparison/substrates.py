"""What is compared: backends with options of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from netdesc.description import describe_text, dump
from netdesc.errors import DescriptionError, Diagnostic

if TYPE_CHECKING:
    from netdesc.compiled import Model


@dataclass(frozen=True, slots=True)
class Substrate:
    """A backend, possibly with other options than those of the file.

    Parameters
    ----------
    label : str
        Its name in a comparison.
    backend : str
        Name of an installed backend.
    overrides : tuple of str
        ``key.path=value`` below ``backends.NAME``.
    """

    label: str
    backend: str
    overrides: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Substrate:
        """Read a substrate as it stands on a command line.

        Parameters
        ----------
        text : str
            ``BACKEND``, ``BACKEND:KEY=VALUE+KEY=VALUE`` or ``LABEL=BACKEND:KEY=VALUE``, for example
            ``numba:solver.grid.timestep=1 ms`` or ``coarse=numba:solver.grid.timestep=1 ms``.

        Raises
        ------
        DescriptionError
            If there is no name of a backend.
        """
        head, _, options = text.strip().partition(":")
        label, equals, backend = head.partition("=")
        backend = (backend if equals else label).strip()
        if not backend or (equals and not label.strip()):
            raise DescriptionError(
                f"expected the name of a backend, got '{text}'; use for example numba, "
                "spinnaker2:tick=0.5 ms or coarse=numba:solver.grid.timestep=1 ms"
            )
        changes = tuple(part.strip() for part in options.split("+") if part.strip())
        return cls(label.strip() if equals else text.strip(), backend, changes)


def parse_list(text: str) -> tuple[Substrate, ...]:
    """Read substrates that are separated by commas; commas within brackets separate nothing.

    Raises
    ------
    DescriptionError
        As `Substrate.parse`, or if two have the same label.
    """
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[{(") - (character in "]})")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return distinct(Substrate.parse(part) for part in parts)


def distinct(substrates: Iterable[Substrate]) -> tuple[Substrate, ...]:
    """Return substrates once no two of them have the same label.

    Raises
    ------
    DescriptionError
        If two have the same label.
    """
    chosen = tuple(substrates)
    labels = [item.label for item in chosen]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise DescriptionError(
            Diagnostic(f"expected each substrate once, got {label} twice; use a label: other={label}")
            for label in twice
        )
    return chosen


def vary(model: Model, substrate: Substrate) -> Model:
    """Return a model with the options of a substrate.

    Returns
    -------
    Model
        The same where the substrate has no options of its own.

    Raises
    ------
    DescriptionError
        If an option is unknown or invalid.
    """
    if not substrate.overrides:
        return model
    description = model.description
    changes = [f"backends.{substrate.backend}.{item}" for item in substrate.overrides]
    varied = describe_text(dump(description), f"<{substrate.label}>", changes)
    # The rest stays as it was read, with its places in the file.
    return replace(
        model,
        description=replace(
            description, backends=varied.backends, resolved=varied.resolved, digest=varied.digest
        ),
    )


def with_options(model: Model, backend: str, options: Mapping[str, Any]) -> Model:
    """Return a model with other options of one backend: its whole section, units resolved."""
    description = model.description
    backends = {**description.backends, backend: options}
    return replace(model, description=replace(description, backends=backends))
