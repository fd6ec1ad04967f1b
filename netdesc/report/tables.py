"""Tables whose numbers come from the data of the report, each with its path."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True, slots=True)
class Number:
    """A number of the data.

    Parameters
    ----------
    path : tuple
        Keys and indices that lead to it.
    form : str
        Format specification, for example ``.3f``; ``%`` at its end shows a percentage.
    unit : str
        Follows the number.
    """

    path: tuple[str | int, ...]
    form: str = ".4g"
    unit: str = ""


def numbers(*path: str | int, **forms: str) -> tuple[Number, ...]:
    """Return the numbers at a path that have these names, each with its format."""
    return tuple(Number((*path, name), form) for name, form in forms.items())


Cell = str | Number | tuple[str | Number, ...]
"""Content of a cell: text, a number, or several of them in a row."""

DARK = {
    "#0072B2": "#5ab4ee",
    "#D55E00": "#ff9352",
    "#009E73": "#45cfa3",
    "#CC79A7": "#e3a5cc",
    "#56B4E9": "#8fd3ff",
    "#E69F00": "#ffc44d",
    "#000000": "#e8eaed",
    "#332288": "#a99bff",
    "#882255": "#ff8fc0",
    "#117733": "#7fd89a",
    "#999933": "#d6d67a",
    "#CC6677": "#ff9fae",
    "#44AA99": "#86e0d2",
    "#AA4499": "#eaa0de",
}
"""Lighter versions of the colours of populations and substrates, for a dark page."""

Row = tuple[Cell, ...]
"""A row of a table; the first cell, a text, names it."""


@dataclass(frozen=True, slots=True)
class Page:
    """The data of a report.

    Parameters
    ----------
    data : dict
        JSON data, see `netdesc.comparison.arrange`.
    """

    data: dict[str, Any]

    def at(self, path: Sequence[str | int]) -> Any:
        """Return the value at a path; None where the path ends early."""
        found: Any = self.data
        for key in path:
            if isinstance(found, dict):
                found = found.get(str(key))
            elif isinstance(found, list) and isinstance(key, int) and key < len(found):
                found = found[key]
            else:
                return None
        return found

    def compared(self, kind: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield titles and paths of everything of a kind that was compared, on every substrate."""
        for label, part in self.data["agreements"].items():
            for name in part[kind]:
                yield f"{name} on {label}", ("agreements", label, kind, name)

    def show(self, number: Number) -> str:
        """Return a number as text; a dash where it is not known."""
        value = self.at(number.path)
        if value is None:
            return "–"
        text = f"{value:{number.form}}"
        zero = not text.strip("+-0.%")
        return (text.lstrip("+-") if zero else text) + number.unit

    def number(self, number: Number) -> str:
        """Return a number as HTML that carries its path in the data."""
        path = escape(json.dumps(list(number.path), ensure_ascii=False), quote=True)
        form = escape(number.form + "|" + number.unit, quote=True)
        return f'<span data-path="{path}" data-form="{form}">{escape(self.show(number))}</span>'

    def name(self, text: str) -> str:
        """Return the name of a row as HTML, with the colour of its population or substrate."""
        network = self.data.get("network", {})
        colours = {item["name"]: item["colour"] for item in network.get("populations", ())}
        head = next((word for word in (text, text.partition(" on ")[0]) if word in colours), "")
        if not head:
            head = text.partition(" on ")[0].removesuffix(".v")
        shade = colours.get(head) or self.data.get("colours", {}).get(text)
        # The word joiner keeps the square and the beginning of the name on one line.
        return (f"{swatch(shade)}&#8288;" if shade else "") + breakable(text)

    def cell(self, content: Cell) -> str:
        """Return a cell of a table as HTML."""
        parts = content if isinstance(content, tuple) else (content,)
        kind = ' class="number"' if any(isinstance(part, Number) for part in parts) else ""
        inside = "".join(self.number(part) if isinstance(part, Number) else escape(part) for part in parts)
        return f"<td{kind}>{inside}</td>"

    def table(self, caption: str, header: Sequence[str], rows: Iterable[Row]) -> str:
        """Return a table of rows as long as the header as HTML; empty where there is no row."""
        lines = [
            f'<tr><th scope="row">{self.name(str(first))}</th>{"".join(map(self.cell, rest))}</tr>'
            for first, *rest in rows
        ]
        if not lines:
            return ""
        top = "".join(f'<th scope="col">{escape(word)}</th>' for word in header)
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(caption, quote=True)}">'
            f"<table><caption><span>{escape(caption)}</span></caption><thead><tr>{top}</tr></thead>"
            f"<tbody>{''.join(lines)}</tbody></table></div>"
        )


def breakable(name: str) -> str:
    """Return a name as HTML that may break after an underscore or a dot."""
    return escape(name).replace("_", "_<wbr>").replace(".", ".<wbr>")


def swatch(colour: str) -> str:
    """Return a small square in a colour, as in the charts."""
    return f'<i class="swatch" aria-hidden="true" style="--c:{colour};--d:{DARK.get(colour, colour)}"></i>'


def figure(place: str, label: str, *, wide: bool = False) -> str:
    """Return the element of a chart, by its identifier; the label describes it to screen readers, too."""
    kind = "chart wide" if wide else "chart"
    return (
        f'<figure><div class="{kind}" id="{place}" role="img" aria-label="{escape(label, quote=True)}">'
        f"</div><figcaption>{escape(label)}</figcaption></figure>"
    )
