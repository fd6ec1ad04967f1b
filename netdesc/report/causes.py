"""Why substrates part: the effects of their departures."""

from __future__ import annotations

from typing import Any

from netdesc.report.tables import Cell, Number, Page, Row, figure


def causes(page: Page) -> str:
    """Return how much of each deviation is due to what."""
    data = page.data
    if not data["attributions"]:
        apart = "the substrates were trained apart, and differ in their weights first of all"
        return f"<p>Causes were not looked for{': ' + apart if data['trained_apart'] else ''}.</p>"
    tables = []
    for label, part in data["attributions"].items():
        rows: list[Row] = [
            (
                item["cause"],
                *_effect(page, ("attributions", label, "effects", k)),
                item["how"] + "".join(f"; {text}" for text in item["diagnostics"]),
            )
            for k, item in enumerate(part["effects"])
        ]
        rows.append(("all together", *_effect(page, ("attributions", label, "whole")), part["whole"]["how"]))
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
        f"not add up.{_tell_repeats(data)}</p>"
        f'<div class="charts">{charts}</div>{"".join(tables)}'
    )


def _effect(page: Page, path: tuple[str | int, ...]) -> tuple[Cell, ...]:
    """Return the numbers of an effect, with their range where there are streams of noise."""
    forms = (
        ("spikes", ".3g"),
        ("unmatched", ".2%"),
        ("shift", ".3g"),
        ("gradient", ".3g"),
        ("length", ".3g"),
        ("accuracy", "+.2%"),
        ("loss", "+.3g"),
    )
    return tuple(_ranged(page, path, name, form) for name, form in forms)


def _tell_repeats(data: dict[str, Any]) -> str:
    count = max(
        (effect["repeats"] for part in data["attributions"].values() for effect in part["effects"]), default=1
    )
    if count == 1:
        return ""
    return (
        " Where there is noise, numbers are medians over several streams of it, with their range behind; "
        "an effect that may be 0 with another stream is said to be within its noise."
    )


def _ranged(page: Page, path: tuple[str | int, ...], name: str, form: str) -> Cell:
    number, spread = Number((*path, name), form), page.at((*path, "spread", name))
    if spread is None or spread[0] == spread[1]:
        return number
    ends = tuple(Number((*path, "spread", name, end), form) for end in range(2))
    mark = " (within its noise)" if page.at((*path, "clear", name)) is False else ""
    return (number, f"{mark} from ", ends[0], " to ", ends[1])
