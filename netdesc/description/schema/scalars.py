"""Scalars of YAML 1.2's core schema."""

from __future__ import annotations

import re

from netdesc.description.reading.tree import Scalar

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = frozenset((".nan", ".NaN", ".NAN"))
_LONGEST_INTEGER = 300


def scalar(text: str) -> Scalar:
    """Read a plain scalar.

    Parameters
    ----------
    text : str
        Not quoted in the file.

    Returns
    -------
    str, int, float, bool or None
        By YAML 1.2: ``1e-3`` is a number; ``no``, ``on`` and ``1:30`` are texts.
    """
    if text in _NULL:
        return None
    if text[0] not in "+-.0123456789":
        return _BOOLEAN.get(text, text)
    if _INTEGER.fullmatch(text):
        # Python refuses to read integers of thousands of digits; such a number is no count anyway.
        return int(text, base_of(text)) if len(text) < _LONGEST_INTEGER else float(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITY.fullmatch(text):
        return float("-inf") if text[0] == "-" else float("inf")
    return float("nan") if text in _NAN else text


def base_of(text: str) -> int:
    """Return the base of an integer as YAML 1.2 writes it: 8, 10 or 16."""
    return {"0o": 8, "0x": 16}.get(text[:2], 10)
