"""What commands print: results on standard output, messages on standard error."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from netdesc.cli.streams import can_encode, write_message, write_output
from netdesc.escapes import visible, visible_json

STAGES = logging.getLogger("netdesc.stages")
"""Is told what begins, for example ``simulating on numba``; empty where results come."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def plain(value: object) -> Json:
    """Return arrays, mappings, sequences and numbers, nested at will, as plain JSON data.

    It has ``None`` where a number is not finite, for JSON has no word for it.

    Raises
    ------
    TypeError
        If the value holds something that JSON cannot say.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def emit(value: object) -> None:
    """Print one JSON object on standard output, numbers with every digit that tells them apart.

    Parameters
    ----------
    value : object
        See `plain`.
    """
    STAGES.info("")
    data = plain(value)
    text = json.dumps(data, allow_nan=False, ensure_ascii=False)
    if not can_encode(text):
        text = json.dumps(data, allow_nan=False)
    write_output(visible_json(text) + "\n")


def show(text: str) -> None:
    """Print a result for people on standard output.

    Parameters
    ----------
    text : str
        Without the last line break.
    """
    STAGES.info("")
    write_output(visible(text.rstrip("\n")) + "\n")


def tell(text: str) -> None:
    """Print a message on standard error, where it disturbs no result.

    Parameters
    ----------
    text : str
        Without the last line break.
    """
    write_message(visible(text) + "\n")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table for people, its columns aligned: the header, then a line per row of the same length."""
    lines = [[visible(cell, one_line=True) for cell in row] for row in (header, *rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(line).rstrip() for line in padded)
