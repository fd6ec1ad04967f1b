"""Training curves, costs, placement, capabilities and notes of each substrate, and the network."""

from __future__ import annotations

from html import escape
from typing import Any

from netdesc.capabilities import TAGS
from netdesc.report.network import draw
from netdesc.report.tables import Number, Page, Row, figure, numbers


def curves(page: Page) -> str:
    """Return the training curves."""
    known = page.data["curves"]
    if not known:
        return f"<p>Weights: {escape(page.data['weights'])}. No training curves.</p>"
    rows: list[Row] = [
        (
            label if label in page.data["substrates"] else "shared weights",
            *(
                Number(("curves", label, name, len(columns[name]) - 1), form) if columns.get(name) else "–"
                for name, form in (
                    ("epoch", ".0f"),
                    ("loss", ".4g"),
                    ("accuracy", ".1%"),
                    ("validation_loss", ".4g"),
                    ("validation_accuracy", ".1%"),
                )
            ),
        )
        for label, columns in known.items()
    ]
    header = ("training", "epochs", "loss", "accuracy", "validation loss", "validation accuracy")
    return (
        f"<p>Weights: {escape(page.data['weights'])}.</p>"
        f'<div class="charts">{figure("curves-loss", "Loss over the epochs")}'
        f"{figure('curves-accuracy', 'Accuracy over the epochs')}</div>"
        + page.table("The last epoch", header, rows)
    )


COSTS = (
    ("spikes", "Spikes per sample, by population", ".6g"),
    (
        "costs",
        "Costs of all compared samples. Events, packets and bytes are counted in the run; times and "
        "energies are estimates computed from these counts",
        ".6g",
    ),
    ("estimated", "Costs estimated before the run", ".6g"),
    ("health", "Counts of events delivered, shifted or lost", ".6g"),
    ("seconds", "Seconds on the host, including compilation at first use", ".3g"),
)
"""Keys of the costs of a substrate, with captions and formats."""


def costs(page: Page) -> str:
    """Return counted and estimated costs, counts of lost events, and time on the host."""
    parts = page.data["substrates"]
    times = "".join(f"<li>{escape(label)}: {escape(part['time'])}</li>" for label, part in parts.items())
    numbers = "".join(_numbers(page, label) for label in parts)
    return f"<ul>{times}</ul>" + "".join(_cost(page, *item) for item in COSTS) + numbers


def _numbers(page: Page, label: str) -> str:
    """Return the numbers from which the costs of a machine are computed."""
    found = page.data["substrates"][label]["numbers"]
    if not found:
        return ""
    rows = [_number(("substrates", label, "numbers"), name, item) for name, item in found.items()]
    header = ("number", "value", "tag", "source")
    tags = ", ".join(f"{tag} {word}" for tag, word in TAGS.items())
    caption = f"{label}: numbers used for times and energies. Tags: {tags}"
    table = page.table(caption, header, rows)
    return f"<details><summary>{escape(label)}: assumptions for times and energies</summary>{table}</details>"


def _number(path: tuple[str, ...], name: str, item: dict[str, Any]) -> Row:
    """Return a row for a number of a machine: value with its unit, tag and source."""
    value = Number((*path, name, "value"), "g", f" {item['unit']}".rstrip())
    return name.replace("_", " "), value, item["tag"], item["source"]


def _cost(page: Page, key: str, caption: str, form: str) -> str:
    """Return one table; rows of zeros are folded."""
    parts = page.data["substrates"]
    shown: list[Row] = []
    zeros: list[Row] = []
    if not any(part[key] for part in parts.values()):
        return ""
    for name in dict.fromkeys(name for part in parts.values() for name in part[key]):
        row = (name.replace("_", " "), *(Number(("substrates", label, key, name), form) for label in parts))
        nothing = not any(part[key].get(name) for part in parts.values())
        (zeros if nothing else shown).append(row)
    header = (key.replace("health", "count"), *parts)
    folded = page.table(f"{caption}: zero on every substrate", header, zeros)
    behind = f"<details><summary>{len(zeros)} rows of zeros</summary>{folded}</details>"
    return page.table(caption, header, shown) + (behind if zeros else "")


def capabilities(page: Page) -> str:
    """Return the capabilities of the backends, as ``netdesc backends`` prints them."""
    return "".join(_capability(page, label) for label in page.data["capabilities"])


def _capability(page: Page, label: str) -> str:
    found = page.data["capabilities"][label]
    rows: list[Row] = [
        (name, found[name] if isinstance(found[name], str) else ", ".join(found[name]) or "none", "", "")
        for name in found
        if name != "numbers"
    ]
    path = ("capabilities", label, "numbers")
    rows += [(name, *_number(path, name, item)[1:]) for name, item in found["numbers"].items()]
    table = page.table(f"{label}: capabilities", ("capability", "value", "tag", "source"), rows)
    return f"<details><summary>{escape(label)}</summary>{table}</details>"


def placement(page: Page) -> str:
    """Return where populations are placed on the machines."""
    parts = []
    for k, (label, part) in enumerate(page.data["substrates"].items()):
        if part["placement"]:
            charts = "".join(
                figure(f"placement-{k}-{number}", f"{label}: {panel['title']}", wide=True)
                for number, panel in enumerate(part["placement"]["panels"])
            )
            text = f'<pre tabindex="0" aria-label="Resource placement on {escape(label, quote=True)}">'
            text += f"{escape(part['placement']['text'])}</pre>"
            parts.append(f'<h3>{escape(label)}</h3><div class="charts">{charts}</div>{text}')
    return "".join(parts) or "<p>No substrate reports a resource placement.</p>"


def notes(page: Page) -> str:
    """Return approximations, and why substrates refused the model."""
    parts = []
    for label, items in (
        *((label, part["notes"]) for label, part in page.data["substrates"].items()),
        *page.data["refusals"].items(),
    ):
        lines = "".join(f"<li>{escape(_place(item))}</li>" for item in items)
        parts.append(f"<h3>{escape(label)}</h3>" + (f"<ul>{lines}</ul>" if lines else "<p>None.</p>"))
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
            *numbers("network", "projections", k, synapses="d", weight_mean=".4g", weight_spread=".4g"),
            *numbers("network", "projections", k, delay_low=".4g", delay_high=".4g"),
            ", ".join(item["trained"]) or "–",
        )
        for k, item in enumerate(items["projections"])
    ]
    return draw(items) + page.table(
        "Projections, with the effective weights and delays of the reference",
        (
            "projection",
            "from",
            "to",
            "synapses",
            "mean weight",
            "standard deviation of weights",
            "smallest delay (ms)",
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
