"""What a backend can do, as the command line prints it."""

from __future__ import annotations

from netdesc.capabilities import list_capabilities
from netdesc.registry import backend_class


def write_capabilities(name: str) -> str:
    """Return what `netdesc backends` prints of a backend, as a section of its page.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    lines = [f"| {key} | {text} |" for key, text in list_capabilities(backend_class(name)({}).limits)]
    head = "The output of `netdesc backends`, generated from the code when this page was built."
    return "\n".join(["## Capabilities", "", head, "", "| property | value |", "|---|---|", *lines, ""])
