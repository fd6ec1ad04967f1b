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

    It is ``; did you mean 'size'?``, or the list of the known names where none is near.
    """
    names = list(dict.fromkeys(known))
    return nearest(name, names) or (f"; use one of {', '.join(names)}" if names else "")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'size'?``, or an empty text where no known name is near."""
    name = _SYNONYMS.get(name.lower(), name)
    lowered = {item.lower(): item for item in reversed(list(dict.fromkeys(known)))}
    near = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return f"; did you mean '{lowered[near[0]]}'?" if near else ""
