"""What commands print: results on standard output, messages on standard error."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence

from netdesc.cli.streams import can_encode, write_message, write_output
from netdesc.escapes import visible, visible_json

STAGES = logging.getLogger("netdesc.stages")
"""Called with what begins, for example ``simulating on numba``; empty where results come."""


def emit(value: object) -> None:
    """Print what `plain` takes as one JSON object on standard output, with every significant digit."""
    from netdesc.plain import plain

    STAGES.info("")
    data = plain(value)
    text = json.dumps(data, allow_nan=False, ensure_ascii=False)
    if not can_encode(text):
        text = json.dumps(data, allow_nan=False)
    write_output(visible_json(text) + "\n")


def show(text: str) -> None:
    """Print a result for people, without its last line break, on standard output."""
    STAGES.info("")
    write_output(visible(text.rstrip("\n")) + "\n")


def tell(text: str) -> None:
    """Print a message, without its last line break, on standard error, where it disturbs no result."""
    write_message(visible(text) + "\n")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table for people, its columns aligned: the header, then a line per row of the same length."""
    lines = [[visible(cell, one_line=True) for cell in row] for row in (header, *rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "\n".join("  ".join(line).rstrip() for line in padded)
