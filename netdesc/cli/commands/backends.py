"""``netdesc backends``: what each installed backend can do."""

from __future__ import annotations

from netdesc.capabilities import arrange_capabilities, list_capabilities
from netdesc.cli.arguments import AsJson
from netdesc.cli.output import emit, table
from netdesc.cli.output import show as print_text


def backends(as_json: AsJson = False) -> None:
    """List backends and what they can do."""
    from netdesc.registry import backend_class, names

    known = {name: backend_class(name)({}).limits for name in names()}
    if as_json:
        emit({name: arrange_capabilities(limits) for name, limits in known.items()})
        return
    tables = (f"{name}\n{table(('', ''), list_capabilities(limits))}" for name, limits in known.items())
    print_text("\n\n".join(tables))
