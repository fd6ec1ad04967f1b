"""The first screen, and the selection of sample and population."""

from __future__ import annotations

from html import escape
from typing import Any

from netdesc.capabilities import TAGS
from netdesc.comparison.verdict import AGREES, CLOSE, DEVIATES, REFUSED
from netdesc.display import counted
from netdesc.report.tables import Number, Page, Row, breakable, numbers

CLASSES = {AGREES: "agrees", CLOSE: "close", DEVIATES: "deviates", REFUSED: "refused"}

MEASURES = {
    False: (
        ("accuracy", "accuracy", ".1%"),
        ("matched_fraction", "spikes matched", ".1%"),
        ("cosine", "gradient cosine", ".3f"),
    ),
    True: (("accuracy", "accuracy", ".1%"), ("loss", "loss", ".3g")),
}
"""Numbers on the first screen, for shared weights and for substrates that were trained separately."""

POWERS = ("mW", "W", "nJ", "pJ", "mJ", "nJ/B", "pJ/bit")
"""Units of the numbers that energies are computed from."""

SHOWN = 3
"""Sources of deviation on the first screen."""


def verdict(page: Page) -> str:
    """Return the first screen: where the substrates agree, where they deviate, and why."""
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
            Number(("overview", label, "accuracy"), ".1%"),
            Number(("overview", label, "accuracy_test", "p_value"), ".2g"),
            *numbers("overview", label, loss=".4g", matched_fraction=".1%", missing="d", extra="d"),
            *numbers("overview", label, cosine=".4f", time=".4g", energy=".4g"),
            item["largest_source"],
        )
        for label, item in data["overview"].items()
    ]
    table = page.table(
        f"Against {data['reference']}. p: McNemar's exact test of the accuracies on the same samples. "
        f"Matched: fraction of the reference's spikes with a spike at most {data['settings']['window']:g} ms "
        f"apart, in {counted(data['batch']['samples'], 'compared sample')}. Gradient cosine: lowest of all "
        "projections. Time and energy: estimates per sample",
        (
            "substrate",
            "verdict",
            "accuracy",
            "p",
            "loss",
            "spikes matched",
            "missing",
            "extra",
            "gradient cosine",
            "time, est. (ms)",
            "energy, est. (mJ)",
            "largest source of deviation",
        ),
        rows,
    )
    for level, name in CLASSES.items():
        table = table.replace(f"<td>{level}</td>", f'<td class="level {name}">{level}</td>')
    return f'{alerts}<div class="tiles">{tiles}</div>{_estimates(page)}{table}'


def _estimates(page: Page) -> str:
    """Return the assumptions behind estimated energies; nothing where there are no energies."""
    lines = []
    for label, part in page.data["substrates"].items():
        if page.data["overview"][label]["energy"] is None:
            continue
        numbers = ", ".join(
            f"{escape(name.replace('_', ' '))} "
            + page.number(Number(("substrates", label, "numbers", name, "value"), "g", f" {item['unit']}"))
            + f" ({TAGS.get(item['tag'], item['tag'])})"
            for name, item in part["numbers"].items()
            if item["unit"] in POWERS
        )
        energy = page.number(Number(("overview", label, "energy"), ".3g", " mJ"))
        lines.append(f"<li>{breakable(label)}: {energy} per sample, from {numbers or 'its profile'}</li>")
    if not lines:
        return ""
    return (
        '<div class="estimates"><p><strong>Energies are estimates, not measurements.</strong> They are '
        'computed from counted events and these numbers; <a href="#costs">Costs and counts</a> gives their '
        f"sources.</p><ul>{''.join(lines)}</ul></div>"
    )


def _tile(page: Page, label: str) -> str:
    item = page.data["overview"][label]
    found = page.data["verdicts"].get(label)
    name = CLASSES.get(item["level"], "reference")
    head = f'<h3>{breakable(label)} <span class="level {name}">{escape(item["level"])}</span></h3>'
    measures = "".join(
        _measure(page, ("overview", label, key), words, form)
        for key, words, form in MEASURES[bool(page.data["trained_separately"])]
    )
    body = f"<dl>{measures}</dl>" if measures else ""
    return f'<article class="tile {name}">{head}{body}{_why(page, label)}{_findings(found)}</article>'


def _measure(page: Page, path: tuple[str | int, ...], words: str, form: str) -> str:
    """Return a number, with a bar as long as its share of 1 where it is one."""
    value = page.at(path)
    if value is None:
        return ""
    bar = "" if path[-1] == "loss" else _bar(min(max(float(value), 0.0), 1.0))
    return f"<div><dt>{words}</dt><dd>{page.number(Number(path, form))}{bar}</dd></div>"


def _bar(share: float) -> str:
    return f'<i class="bar" aria-hidden="true"><i style="width:{100 * share:.1f}%"></i></i>'


def _why(page: Page, label: str) -> str:
    """Return the sources with the largest effects on spikes, with bars."""
    if page.data["overview"][label]["level"] == AGREES:
        return ""
    effects = page.data["attributions"].get(label, {}).get("effects", [])
    known = [(item["spikes"], k) for k, item in enumerate(effects) if item["clear"]["spikes"]]
    largest = sorted(known, reverse=True)[:SHOWN]
    if not largest:
        return ""
    lines = "".join(
        f"<li><span>{escape(effects[k]['source_of_deviation'])}</span>"
        f"{_bar(value / largest[0][0])}"
        f"{page.number(Number(('attributions', label, 'effects', k, 'spikes'), '.2g'))}</li>"
        for value, k in largest
    )
    return f'<p class="faint">Largest effects on spikes (van Rossum distance)</p><ol class="why">{lines}</ol>'


def _findings(item: dict[str, Any] | None) -> str:
    if item is None:
        return '<p class="faint">Reference of the comparison.</p>'
    if item["level"] == REFUSED:
        first, *rest = item["findings"]
        more = "".join(f"<li>{escape(text)}</li>" for text in rest)
        behind = f"<details><summary>{len(rest)} more</summary><ul>{more}</ul></details>" if rest else ""
        return f'<p class="refusal">{escape(first)}</p>{behind}'
    reasons = "".join(f'<li class="strong">{escape(text)}</li>' for text in item["reasons"])
    findings = "".join(f"<li>{escape(text)}</li>" for text in item["findings"])
    return f"<details><summary>All findings</summary><ul>{reasons}{findings}</ul></details>"


def controls(page: Page) -> str:
    """Return the selection of sample and population."""
    labels = page.data["batch"]["labels"]
    samples = "".join(
        f'<option value="{k}">{k}{"" if labels is None else f" (label {labels[k]})"}</option>'
        for k in range(page.data["batch"]["samples"])
    )
    names = [item["name"] for item in page.data["network"]["populations"]]
    spiking = [item["name"] for item in page.data["network"]["populations"] if item["type"] != "source"]
    chosen = spiking[0] if spiking else names[0]
    populations = "".join(
        f"<option{' selected' if name == chosen else ''}>{escape(name)}</option>" for name in names
    )
    return (
        f'<div class="controls" role="group" aria-label="Data shown in the charts">'
        f'<label for="sample">Sample <select id="sample">{samples}</select></label>'
        f'<label for="population">Population <select id="population">{populations}</select>'
        "</label></div>"
    )
