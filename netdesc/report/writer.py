"""A comparison as one file: HTML, or the table of all its numbers."""

from __future__ import annotations

import csv
import io
import json
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from netdesc.comparison import Comparison, arrange, flatten
from netdesc.escapes import neutral_cell
from netdesc.files import replace_text
from netdesc.report import accuracy, agreements, machines, sources
from netdesc.report.opening import controls, verdict
from netdesc.report.tables import Page

SECTIONS = (
    ("accuracy", "Accuracy", accuracy.accuracy),
    ("sources", "Sources of deviation", sources.sources),
    ("spikes", "Spikes", agreements.spikes),
    ("voltages", "Voltages", agreements.voltages),
    ("gradients", "Gradients", agreements.gradients),
    ("training", "Training", machines.curves),
    ("weights", "Effective weights", agreements.weights),
    ("costs", "Costs and counts", machines.costs),
    ("placement", "Resource placement", machines.placement),
    ("capabilities", "Capabilities", machines.capabilities),
    ("notes", "Notes and refusals", machines.notes),
    ("network", "Network", machines.network),
    ("file", "Resolved file", machines.file),
)
"""Identifier, heading and content of every section below the first screen."""


POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
"""Prevents the page from loading anything."""


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
    table.writerows(
        (neutral_cell(name), "" if value is None else neutral_cell(value)) for name, value in flatten(data)
    )
    replace_text(Path(path), text.getvalue())


def render(data: dict[str, Any]) -> str:
    """Return a report as one self-contained HTML page.

    Parameters
    ----------
    data : dict
        As `netdesc.comparison.arrange` returns it.
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
        '<a class="skip" href="#verdict">Skip to the verdict</a>'
        f'<header><h1>{escape(data["name"])}</h1><p class="faint">{escape(data["summary"])}. Reference: '
        f"{escape(data['reference'])}. Weights: {escape(data['weights'])}. {_imprint(data)}</p></header>"
        '<main><section id="verdict" aria-labelledby="verdict-title"><h2 id="verdict-title">Verdict</h2>'
        f"{verdict(page)}</section>"
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>'
        "<noscript><p>Charts need JavaScript; tables do not.</p></noscript>"
        f"{controls(page)}{bodies}</main>"
        '<footer><p class="faint">This page loads nothing from the network. Charts: plotly.js.</p>'
        '<details><summary>Licence of plotly.js</summary><pre tabindex="0">'
        f"{escape(_asset('plotly/LICENSE'))}</pre></details></footer>"
        f'<script type="application/json" id="data">{_embed(data)}</script>'
        f"<script>{_asset('plotly/plotly-basic.min.js')}</script><script>{_asset('charts.js')}</script></body></html>\n"
    )


def _imprint(data: dict[str, Any]) -> str:
    """Return version and date."""
    date = data["created"].replace("T", " ").replace("+00:00", " UTC")
    return f"netdesc {escape(data['version'])}, {escape(date)}."


def _embed(data: dict[str, Any]) -> str:
    # "<" cannot end the element or begin a comment where it is escaped.
    return json.dumps(data, allow_nan=False, ensure_ascii=False).replace("<", "\\u003c")


def _asset(name: str) -> str:
    return files("netdesc.report").joinpath("assets", name).read_text(encoding="utf-8")
