"""The first screen, the choice of what to look at, and the causes."""

from __future__ import annotations

from html import escape
from typing import Any

from netdesc.report.tables import Number, Page, Row, figure

CLASSES = {"agrees": "agrees", "is close": "close", "parts": "parts", "cannot run it": "refused"}


def verdict(page: Page) -> str:
    """Return the first screen: where the substrates agree, where they part, and why."""
    data = page.data
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
                )
            ),
            item["cause"],
        )
        for label, item in data["overview"].items()
    ]
    table = page.table(
        f"Against {data['reference']}: spikes of the compared samples ({data['batch']['samples']}) within "
        f"{data['settings']['window']:g} ms, gradient of the worst projection",
        (
            "substrate",
            "verdict",
            "accuracy",
            "loss",
            "spikes matched",
            "missing",
            "extra",
            "gradient cosine",
            "largest cause",
        ),
        rows,
    )
    for level, name in CLASSES.items():
        table = table.replace(f"<td>{level}</td>", f'<td class="level {name}">{level}</td>')
    cards = "".join(_card(item) for item in data["verdicts"].values())
    return table + f'<div class="cards">{cards}</div>'


def _card(item: dict[str, Any]) -> str:
    level = item["level"]
    reasons = "".join(f'<li class="why">{escape(text)}</li>' for text in item["reasons"])
    findings = "".join(f"<li>{escape(text)}</li>" for text in item["findings"])
    return (
        f'<article class="card"><h3>{escape(item["label"])} <span class="level {CLASSES[level]}">'
        f"{escape(level)}</span></h3><ul>{reasons}{findings}</ul></article>"
    )


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


def causes(page: Page) -> str:
    """Return how much of each deviation is due to what."""
    data = page.data
    if not data["attributions"]:
        return "<p>Causes were not looked for.</p>"
    tables = []
    for label, part in data["attributions"].items():
        rows: list[Row] = [
            (
                item["cause"],
                *_effect(("attributions", label, "effects", k)),
                item["how"] + "".join(f"; {text}" for text in item["diagnostics"]),
            )
            for k, item in enumerate(part["effects"])
        ]
        rows.append(("all together", *_effect(("attributions", label, "whole")), part["whole"]["how"]))
        tables.append(
            page.table(
                f"{label}: its departures, one at a time",
                (
                    "cause",
                    "spikes: distance a neuron",
                    "without partner",
                    "shift (ms)",
                    "gradient: 1 - cosine",
                    "gradient: length",
                    "accuracy",
                    "loss",
                    "runs compared",
                ),
                rows,
            )
        )
    charts = "".join(
        figure(f"attribution-{name}", f"Effect of every cause on {words}")
        for name, words in (("spikes", "spikes"), ("gradient", "the gradient"), ("accuracy", "accuracy"))
        if any(
            effect[name] is not None for part in data["attributions"].values() for effect in part["effects"]
        )
    )
    return (
        "<p>Every row switches on one thing that sets a substrate apart from the equations; effects need "
        f'not add up.</p><div class="charts">{charts}</div>{"".join(tables)}'
    )


def _effect(path: tuple[str | int, ...]) -> tuple[Number, ...]:
    forms = (
        ("spikes", ".3g"),
        ("unmatched", ".2%"),
        ("shift", ".3g"),
        ("gradient", ".3g"),
        ("length", ".3g"),
        ("accuracy", "+.2%"),
        ("loss", "+.3g"),
    )
    return tuple(Number((*path, name), form) for name, form in forms)
