"""How objects look in a console and in a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

MOST_ROWS = 12
"""Rows of a table in a notebook."""

MOST_NAMES = 4
"""Names listed in one line."""


def summarize(kind: str, facts: Mapping[str, object]) -> str:
    """Return one line about an object, such as ``Trace(batch=1, spikes='input 3, output 2')``.

    Facts that are empty or None are left out.
    """
    parts = [f"{name}={value}" for name, value in facts.items() if value not in (None, "")]
    return f"{kind}({', '.join(parts)})"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun, whose plural ends with s unless it is given."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def number_ranges(numbers: Iterable[int]) -> str:
    """Return ascending numbers as text, runs as ``first-last``."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return " ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)


def enumerate_names(names: Iterable[str]) -> str:
    """Return names in one line, the first few of many.

    Returns
    -------
    str
        In brackets; empty where there are none.
    """
    listed = [name if len(name) <= 40 else f"{name[:37]}..." for name in names]
    if not listed:
        return ""
    more = f", ... {len(listed) - MOST_NAMES} more" if len(listed) > MOST_NAMES else ""
    return f"[{', '.join(listed[:MOST_NAMES])}{more}]"


def html_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a small table as HTML.

    Parameters
    ----------
    title : str
    header : sequence of str
    rows : iterable of sequences
        As long as the header; of many, the first `MOST_ROWS` are shown.
    """
    lines = [list(row) for row in rows]
    head = "".join(f"<th style='text-align:left'>{escape(cell)}</th>" for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in lines[:MOST_ROWS]
    )
    more = f"<p>... {len(lines) - MOST_ROWS} more rows</p>" if len(lines) > MOST_ROWS else ""
    return f"<p><b>{escape(title)}</b></p><table><tr>{head}</tr>{body}</table>{more}"
