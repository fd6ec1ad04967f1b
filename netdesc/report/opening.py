"""The first screen, and the choice of what to look at."""

from __future__ import annotations

from html import escape
from typing import Any

from netdesc.comparison.verdict import AGREES, CLOSE, PARTS, REFUSED
from netdesc.report.tables import Number, Page, Row, breakable

CLASSES = {AGREES: "agrees", CLOSE: "close", PARTS: "parts", REFUSED: "refused"}

MEASURES = {
    False: (
        ("accuracy", "accuracy", ".1%"),
        ("matched_fraction", "spikes matched", ".1%"),
        ("cosine", "gradient cosine", ".3f"),
    ),
    True: (("accuracy", "accuracy", ".1%"), ("loss", "loss", ".3g")),
}
"""Numbers on the first screen, for the same weights and for substrates that were trained apart."""

SHOWN = 3
"""Causes on the first screen."""


def verdict(page: Page) -> str:
    """Return the first screen: where the substrates agree, where they part, and why."""
    data = page.data
    alerts = "".join(
        f'<p class="alert"><strong>{escape(label)}</strong> {escape(text)}</p>'
        for label, item in data["verdicts"].items()
        for text in item["alerts"]
    )
    tiles = "".join(_tile(page, label) for label in data["overview"])
    rows: list[Row] = [
        (
            label,
            item["level"],
            *(
                Number(("overview", label, name), form, unit)
                for name, form, unit in (
                    ("accuracy", ".1%", ""),
                    ("loss", ".4g", ""),
                    ("matched_fraction", ".1%", ""),
                    ("missing", "d", ""),
                    ("extra", "d", ""),
                    ("cosine", ".4f", ""),
                    ("time", ".4g", ""),
                    ("energy", ".4g", ""),
                )
            ),
            item["cause"],
        )
        for label, item in data["overview"].items()
    ]
    table = page.table(
        f"Against {data['reference']}: spikes of the compared samples ({data['batch']['samples']}) within "
        f"{data['settings']['window']:g} ms, gradient of the worst projection, time and energy of a sample",
        (
            "substrate",
            "verdict",
            "accuracy",
            "loss",
            "spikes matched",
            "missing",
            "extra",
            "gradient cosine",
            "time (ms)",
            "energy (mJ)",
            "largest cause",
        ),
        rows,
    )
    for level, name in CLASSES.items():
        table = table.replace(f"<td>{level}</td>", f'<td class="level {name}">{level}</td>')
    return f'{alerts}<div class="tiles">{tiles}</div>{table}'


def _tile(page: Page, label: str) -> str:
    item = page.data["overview"][label]
    found = page.data["verdicts"].get(label)
    name = CLASSES.get(item["level"], "reference")
    head = f'<h3>{breakable(label)} <span class="level {name}">{escape(item["level"])}</span></h3>'
    measures = "".join(
        _measure(page, ("overview", label, key), words, form)
        for key, words, form in MEASURES[bool(page.data["trained_apart"])]
    )
    body = f"<dl>{measures}</dl>" if measures else ""
    return f'<article class="tile {name}">{head}{body}{_why(page, label)}{_findings(found)}</article>'


def _measure(page: Page, path: tuple[str | int, ...], words: str, form: str) -> str:
    """Return a number, with a bar as long as its share of 1 where it is one."""
    value = page.at(path)
    if value is None:
        return ""
    width = 100.0 * min(max(float(value), 0.0), 1.0)
    bar = f'<i class="bar" aria-hidden="true"><i style="width:{width:.1f}%"></i></i>'
    shown = page.number(Number(path, form))
    return f"<div><dt>{words}</dt><dd>{shown}{bar if path[-1] != 'loss' else ''}</dd></div>"


def _why(page: Page, label: str) -> str:
    """Return the three causes that do most to the spikes, with bars."""
    if page.data["overview"][label]["level"] == AGREES:
        return ""
    effects = page.data["attributions"].get(label, {}).get("effects", [])
    known = [(item["spikes"], k) for k, item in enumerate(effects) if item["clear"]["spikes"]]
    largest = sorted(known, reverse=True)[:SHOWN]
    if not largest:
        return ""
    lines = "".join(
        f"<li><span>{escape(effects[k]['cause'])}</span>"
        f'<i class="bar" aria-hidden="true"><i style="width:{100 * value / largest[0][0]:.1f}%"></i></i>'
        f"{page.number(Number(('attributions', label, 'effects', k, 'spikes'), '.2g'))}</li>"
        for value, k in largest
    )
    return f'<p class="faint">What moves its spikes most, as a distance</p><ol class="why">{lines}</ol>'


def _findings(item: dict[str, Any] | None) -> str:
    if item is None:
        return '<p class="faint">What the others are compared with.</p>'
    if item["level"] == REFUSED:
        first, *rest = item["findings"]
        more = "".join(f"<li>{escape(text)}</li>" for text in rest)
        behind = f"<details><summary>{len(rest)} more</summary><ul>{more}</ul></details>" if rest else ""
        return f'<p class="refusal">{escape(first)}</p>{behind}'
    reasons = "".join(f'<li class="strong">{escape(text)}</li>' for text in item["reasons"])
    findings = "".join(f"<li>{escape(text)}</li>" for text in item["findings"])
    return f"<details><summary>All findings</summary><ul>{reasons}{findings}</ul></details>"


def controls(page: Page) -> str:
    """Return the choice of sample and population."""
    labels = page.data["batch"]["labels"]
    samples = "".join(
        f'<option value="{k}">{k}{"" if labels is None else f" (label {labels[k]})"}</option>'
        for k in range(page.data["batch"]["samples"])
    )
    names = [item["name"] for item in page.data["network"]["populations"]]
    spiking = [item["name"] for item in page.data["network"]["populations"] if item["kind"] != "source"]
    chosen = spiking[0] if spiking else names[0]
    populations = "".join(
        f"<option{' selected' if name == chosen else ''}>{escape(name)}</option>" for name in names
    )
    return (
        f'<div class="controls" role="group" aria-label="What the charts show">'
        f'<label for="sample">Sample <select id="sample">{samples}</select></label>'
        f'<label for="population">Population <select id="population">{populations}</select>'
        "</label></div>"
    )
