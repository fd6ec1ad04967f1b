"""A comparison as one file: HTML, or the table of all its numbers."""

from __future__ import annotations

import csv
import io
import json
from html import escape
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from netdesc.comparison import Comparison, arrange, flatten
from netdesc.errors import DescriptionError, Diagnostic
from netdesc.escapes import neutral_cell
from netdesc.files import replace_text
from netdesc.report.opening import controls, verdict
from netdesc.report.sections import SECTIONS
from netdesc.report.tables import Page

POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
"""Keeps the page from loading anything."""


def write(comparison: Comparison | dict[str, Any], path: Path | str) -> None:
    """Write a report, whole or not at all.

    Parameters
    ----------
    comparison : Comparison or dict
        The latter as `netdesc.comparison.arrange` returns it.
    path : Path or str
        HTML file; replaced if it exists.

    Raises
    ------
    DescriptionError
        If Plotly is not installed.
    OutputError
        If the file cannot be written.
    """
    data = arrange(comparison) if isinstance(comparison, Comparison) else comparison
    replace_text(Path(path), render(data))


def write_csv(comparison: Comparison | dict[str, Any], path: Path | str) -> None:
    """Write every value of a comparison as a table with the columns ``path`` and ``value``.

    Parameters
    ----------
    comparison : Comparison or dict
    path : Path or str
        CSV file; replaced if it exists.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    data = arrange(comparison) if isinstance(comparison, Comparison) else comparison
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("path", "value"))
    table.writerows((neutral_cell(name), "" if value is None else neutral_cell(value))
                    for name, value in flatten(data))
    replace_text(Path(path), text.getvalue())


def render(data: dict[str, Any]) -> str:
    """Return a report as HTML that needs nothing but itself.

    Parameters
    ----------
    data : dict
        As `netdesc.comparison.arrange` returns it.

    Returns
    -------
    str

    Raises
    ------
    DescriptionError
        If Plotly is not installed.
    """
    page = Page(data)
    title = escape(f"{data['name']}: {', '.join([*data['substrates'], *data['refusals']])}")
    links = "".join(f'<li><a href="#{name}">{escape(words)}</a></li>' for name, words, _ in SECTIONS)
    bodies = "".join(
        f'<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{escape(words)}</h2>'
        f"{content(page)}</section>"
        for name, words, content in SECTIONS
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<title>{title}</title><link rel="icon" href="data:,">'
        f"<style>{_asset('style.css')}</style></head><body>"
        '<a class="skip" href="#verdict">To the verdict</a>'
        f'<header><h1>{escape(data["name"])}</h1><p class="faint">{escape(data["summary"])}. Reference: '
        f"{escape(data['reference'])}. Weights: {escape(data['weights'])}.</p></header>"
        '<main><section id="verdict" aria-labelledby="verdict-title"><h2 id="verdict-title">Verdict</h2>'
        f"{verdict(page)}</section>"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>'
        "<noscript><p>Charts need scripts; every table is complete without.</p></noscript>"
        f"{controls(page)}{bodies}</main>"
        '<footer><p class="faint">Made by netdesc. Nothing on this page comes from the network.</p></footer>'
        f'<script type="application/json" id="data">{_embed(data)}</script>'
        f"<script>{_plotly()}</script><script>{_asset('charts.js')}</script></body></html>\n"
    )


def _embed(data: dict[str, Any]) -> str:
    # "<" cannot end the element or begin a comment where it is escaped.
    return json.dumps(data, allow_nan=False, ensure_ascii=False).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return files("netdesc.report").joinpath("assets", name).read_text(encoding="utf-8")


def require_plotly() -> None:
    """Refuse, before anything runs, to write a report that cannot be written.

    Raises
    ------
    DescriptionError
        If Plotly is not installed.
    """
    try:
        available = find_spec("plotly.offline") is not None
    except ImportError:
        available = False
    if not available:
        raise DescriptionError(
            Diagnostic("reports need plotly; install it with: pip install 'netdesc[report]'")
        )


def _plotly() -> str:
    require_plotly()
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())
