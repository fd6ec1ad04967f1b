"""What is known of every substrate by itself, and of the network."""

from __future__ import annotations

from html import escape
from typing import Any

from netdesc.report.network import draw
from netdesc.report.tables import Number, Page, Row, figure


def curves(page: Page) -> str:
    """Return the training curves."""
    if not any(item["curves"] for item in page.data["substrates"].values()):
        return f"<p>Weights: {escape(page.data['weights'])}. There are no curves of a training.</p>"
    return (
        f"<p>Weights: {escape(page.data['weights'])}.</p>"
        f'<div class="charts">{figure("curves-loss", "Loss over the epochs")}'
        f"{figure('curves-accuracy', 'Accuracy over the epochs')}</div>"
    )


def costs(page: Page) -> str:
    """Return resources, time and energy, counts of what was lost, and numbers of the machines."""
    parts = page.data["substrates"]
    rows: list[Row] = [
        (
            f"{kind}: {name.replace('_', ' ')}",
            *(Number(("substrates", label, key, name), ".6g") for label in parts),
        )
        for key, kind in (
            ("seconds", "seconds of the host"),
            ("spikes", "spikes a sample"),
            ("costs", "cost"),
            ("health", "count"),
        )
        for name in dict.fromkeys(name for part in parts.values() for name in part[key])
    ]
    times = "".join(f"<li>{escape(label)}: {escape(part['time'])}</li>" for label, part in parts.items())
    table = page.table(
        "Costs and counts of the compared samples; seconds include compiling at first use",
        ("quantity", *parts),
        rows,
    )
    return f"<ul>{times}</ul>{table}{''.join(_limits(page, label) for label in parts)}"


def _limits(page: Page, label: str) -> str:
    limits: list[Row] = [
        (
            name,
            Number(("substrates", label, "limits", name, "value"), ".6g", f" {item['unit']}".rstrip()),
            item["tag"],
            item["source"],
        )
        for name, item in page.data["substrates"][label]["limits"].items()
    ]
    if not limits:
        return ""
    title = f"{label}: numbers of the machine"
    table = page.table(title, ("number", "value", "tag", "source"), limits)
    return f"<details><summary>{escape(title)}</summary>{table}</details>"


def maps(page: Page) -> str:
    """Return where populations stand on the machines."""
    parts = []
    for k, (label, part) in enumerate(page.data["substrates"].items()):
        if part["map"]:
            charts = "".join(
                figure(f"map-{k}-{number}", f"{label}: {panel['title']}", wide=True)
                for number, panel in enumerate(part["map"]["panels"])
            )
            text = f'<pre tabindex="0" aria-label="Map of {escape(label, quote=True)}">'
            text += f"{escape(part['map']['text'])}</pre>"
            parts.append(f'<h3>{escape(label)}</h3><div class="charts">{charts}</div>{text}')
    return "".join(parts) or "<p>No substrate has a map.</p>"


def notes(page: Page) -> str:
    """Return what was approximated, and why substrates refused."""
    parts = []
    for label, items in (
        *((label, part["notes"]) for label, part in page.data["substrates"].items()),
        *page.data["refusals"].items(),
    ):
        lines = "".join(f"<li>{escape(_place(item))}</li>" for item in items)
        parts.append(f"<h3>{escape(label)}</h3>" + (f"<ul>{lines}</ul>" if lines else "<p>Nothing.</p>"))
    return "".join(parts)


def _place(item: dict[str, Any]) -> str:
    where = f"line {item['line']}" if item["line"] else ""
    head = " ".join(filter(None, (where, item["code"], item["path"])))
    return ": ".join(filter(None, (head, item["message"])))


def network(page: Page) -> str:
    """Return the network graph and its tables."""
    items = page.data["network"]
    rows: list[Row] = [
        (
            item["name"],
            item["pre"],
            item["post"],
            *(
                Number(("network", "projections", k, name), form)
                for name, form in (
                    ("synapses", "d"),
                    ("weight_mean", ".4g"),
                    ("weight_spread", ".4g"),
                    ("delay_low", ".4g"),
                    ("delay_high", ".4g"),
                )
            ),
            ", ".join(item["trained"]) or "nothing",
        )
        for k, item in enumerate(items["projections"])
    ]
    return draw(items) + page.table(
        "Projections",
        (
            "projection",
            "from",
            "to",
            "synapses",
            "mean weight",
            "spread of weights",
            "least delay (ms)",
            "largest delay (ms)",
            "trained",
        ),
        rows,
    )


def file(page: Page) -> str:
    """Return the resolved file and its hash."""
    return (
        f"<p>SHA-256 of the description: <code>{page.data['digest']}</code></p>"
        f'<pre tabindex="0" aria-label="Resolved file">{escape(page.data["resolved"])}</pre>'
    )
