"""A chart of ratios by contestant and case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from page import TITLES, find_ratios


def draw(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the ratios of a work, smallest to largest and the median, on a logarithmic axis."""
    mpl.rcParams["svg.hashsalt"] = "peers"
    bars = [
        (f"{result['name']}, {record['label']}", find_ratios(record, result))
        for record in records
        for result in record["results"]
        if find_ratios(record, result)
    ]
    figure = Figure(figsize=(8.0, 1.2 + 0.26 * len(bars)), layout="constrained")
    axes = figure.subplots()
    for place, (name, ratios) in enumerate(bars):
        middle = median(ratios)
        color = "tab:blue" if name.startswith("netdesc") else "tab:orange"
        axes.plot([min(ratios), max(ratios)], [place, place], color=color, linewidth=2.0)
        axes.plot([middle], [place], "o", color=color)
    axes.axvline(1.0, color="0.6", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(bars)), [name for name, _ in bars])
    axes.invert_yaxis()
    axes.set_xlabel("time / time of netdesc, event-driven")
    axes.set_title(TITLES[records[0]["work"]])
    figure.savefig(path, metadata={"Date": None})
