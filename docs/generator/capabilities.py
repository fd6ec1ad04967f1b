"""What a backend can do, as the command line prints it."""

from __future__ import annotations

from netdesc.border.schema import list_options
from netdesc.capabilities import default_text, list_capabilities
from netdesc.registry import backend_class


def write_capabilities(name: str) -> str:
    """Return what `netdesc backends` prints of a backend, as sections of its page.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    options = [
        f"| `{item.name}` | `{default_text(item)}` | {item.description} |" for item in list_options(name)
    ]
    lines = [f"| {key} | {text} |" for key, text in list_capabilities(backend_class(name)({}).limits)]
    head = "The output of `netdesc backends`, generated from the code when this page was built."
    tables = ["## Table of options", "", "| option | default | effect |", "|---|---|---|", *options, ""]
    tables += ["## Capabilities", "", head, "", "| property | value |", "|---|---|", *lines, ""]
    return "\n".join(tables)
