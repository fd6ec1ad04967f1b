"""Texts of a description that may name files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from netdesc.description.reading.tree import Node

TEXTS = ("name", "description")
"""Keys of the description whose text is for people."""

QUANTITY = re.compile(r"[-+.0-9eE]+ \S+")
"""A number with its unit, of which a description may have many."""


def list_mentions(root: Node) -> tuple[str, ...]:
    """Return every text that may be the name of a file, each once.

    Parameters
    ----------
    root : Node
        The whole description.

    Returns
    -------
    tuple of str
        For example ``weights.h5:matrix``; many of them name nothing.
    """
    sections = (node for key, node in root.mapping.items() if key not in TEXTS)
    return tuple(dict.fromkeys(text for node in sections for text in _texts(node, set())))


def _texts(node: Node, seen: set[int]) -> Iterator[str]:
    if isinstance(node.value, str):
        if not QUANTITY.fullmatch(node.value):
            yield node.value
    elif isinstance(node.value, dict | list) and id(node.value) not in seen:
        # An alias is visited once, however often it is used.
        seen.add(id(node.value))
        for item in node.mapping.values() or node.items:
            yield from _texts(item, seen)
