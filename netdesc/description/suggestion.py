"""The nearest valid name for a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_SYNONYMS = {
    "gaussian": "normal",
    "gauss": "normal",
    "random": "uniform",
    "full": "all_to_all",
    "dense": "all_to_all",
    "excitation": "excitatory",
    "inhibition": "inhibitory",
}
"""What people write who come from elsewhere."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name.

    Parameters
    ----------
    name : str
        As written.
    known : iterable of str
        Names that would be right.

    Returns
    -------
    str
        ``; did you mean 'size'?``, or the list of the known names where none is near.
    """
    names = list(dict.fromkeys(known))
    name = _SYNONYMS.get(name.lower(), name)
    lowered = {item.lower(): item for item in reversed(names)}
    near = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{lowered[near[0]]}'?"
    return f"; use one of {', '.join(names)}" if names else ""
