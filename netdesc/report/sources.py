"""Sources of deviation: the effects of the non-idealities of each substrate."""

from __future__ import annotations

from typing import Any

from netdesc.report.tables import Cell, Number, Page, Row, figure

COLUMNS = (
    ("spikes", "van Rossum distance per neuron", ".3g"),
    ("unmatched", "unmatched (of both runs)", ".2%"),
    ("shift", "mean shift of matched spikes (ms)", ".3g"),
    ("gradient", "gradient: 1 − cosine", ".3g"),
    ("norm_ratio", "gradient norm ratio, with / without", ".3g"),
    ("accuracy", "change in accuracy", "+.2%"),
    ("loss", "change in loss", "+.3g"),
)
"""Key, heading and format of the numbers of an effect."""

CHARTS = (("spikes", "spikes"), ("gradient", "the gradient"), ("accuracy", "accuracy"))


def sources(page: Page) -> str:
    """Return the effect of each non-ideality of each substrate."""
    data = page.data
    if not data["attributions"]:
        if data["trained_separately"]:
            return (
                "<p>Not measured: the substrates were trained separately, so their weights differ anyway.</p>"
            )
        return "<p>Not measured.</p>"
    tables = "".join(_table(page, label) for label in data["attributions"])
    charts = "".join(
        figure(f"attribution-{name}", f"Effect of each source of deviation on {words}")
        for name, words in CHARTS
        if any(
            effect[name] is not None for part in data["attributions"].values() for effect in part["effects"]
        )
    )
    return (
        "<p>Each row compares two runs that differ in one non-ideality: with it and without it. Effects need "
        f"not add up.{_describe_seeds(data)}</p>"
        f'<div class="charts">{charts}</div>{tables}'
    )


def _table(page: Page, label: str) -> str:
    part = page.data["attributions"][label]
    rows: list[Row] = [
        (
            item["source_of_deviation"],
            *_effect(page, ("attributions", label, "effects", k)),
            item["how"] + "".join(f"; {text}" for text in item["diagnostics"]),
        )
        for k, item in enumerate(part["effects"])
    ]
    rows.append(("all together", *_effect(page, ("attributions", label, "whole")), part["whole"]["how"]))
    header = ("source of deviation", *(words for _, words, _ in COLUMNS), "runs compared")
    return page.table(f"{label}: one non-ideality at a time", header, rows)


def _effect(page: Page, path: tuple[str | int, ...]) -> tuple[Cell, ...]:
    """Return the numbers of an effect, with their range over the noise seeds."""
    return tuple(_ranged(page, path, name, form) for name, _, form in COLUMNS)


def _describe_seeds(data: dict[str, Any]) -> str:
    count = max(
        (effect["repeats"] for part in data["attributions"].values() for effect in part["effects"]), default=1
    )
    if count == 1:
        return ""
    return (
        f" On noisy substrates the numbers are medians over {count} noise seeds, followed by their range; "
        "an effect whose sign depends on the seed is marked as within noise."
    )


def _ranged(page: Page, path: tuple[str | int, ...], name: str, form: str) -> Cell:
    number, spread = Number((*path, name), form), page.at((*path, "spread", name))
    if spread is None or spread[0] == spread[1]:
        return number
    ends = tuple(Number((*path, "spread", name, end), form) for end in range(2))
    mark = ", within noise" if page.at((*path, "clear", name)) is False else ""
    return (number, " (", ends[0], " to ", ends[1], f"{mark})")
