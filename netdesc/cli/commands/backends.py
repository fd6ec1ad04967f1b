"""``netdesc backends``: what each installed backend can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from netdesc.capabilities import arrange_capabilities, arrange_options, default_text, list_capabilities
from netdesc.cli.arguments import AsJson
from netdesc.cli.output import emit, show, table
from netdesc.errors import NetdescError

if TYPE_CHECKING:
    from netdesc.limits import Limits
    from netdesc.options import Option


def backends(as_json: AsJson = False) -> None:
    """List backends and what they can do.

    A backend that cannot be used is listed with the reason.
    """
    from netdesc.border.schema import list_options
    from netdesc.registry import names

    known = {name: ask(name) for name in names()}
    if as_json:
        emit(
            {
                name: {"error": found}
                if isinstance(found, str)
                else {**arrange_capabilities(found), "options": arrange_options(list_options(name))}
                for name, found in known.items()
            }
        )
        return
    tables = (
        f"{name}\n{table(('', ''), [('cannot be used', found)])}"
        if isinstance(found, str)
        else f"{name}\n{table(('', ''), list_capabilities(found))}{tabulate_options(list_options(name))}"
        for name, found in known.items()
    )
    show("\n\n".join(tables))


def tabulate_options(options: Sequence[Option]) -> str:
    """Return the options of a backend as a table below a blank line; an empty text without options."""
    rows = [(item.name, default_text(item), item.description) for item in options]
    return f"\n\n{table(('option', 'default', ''), rows)}" if rows else ""


def ask(name: str) -> Limits | str:
    """Return what a backend can do, or why it cannot be used.

    Returns
    -------
    Limits or str
        The reason on one line.
    """
    from netdesc.border import configure

    try:
        return configure(name, {}).limits
    except NetdescError as error:
        return "; ".join(" ".join(item.message.split()) for item in error.diagnostics)
