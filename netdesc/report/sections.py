"""The parts of a report, from its data to HTML."""

from __future__ import annotations

from html import escape
from typing import Any

from netdesc.report.network import draw
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
        f"Against {data['reference']}: spikes of {data['batch']['samples']} samples within "
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


def spikes(page: Page) -> str:
    """Return rasters, deviations of spike times, and distances."""
    data = page.data
    rasters = "".join(
        figure(f"raster-{k}", f"Spikes on {label}, chosen sample and population")
        for k, label in enumerate(data["substrates"])
    )
    rows: list[Row] = [
        (
            f"{name} on {label}",
            *(
                Number(("agreements", label, "spikes", name, key), form)
                for key, form in (
                    ("matched", "d"),
                    ("missing", "d"),
                    ("extra", "d"),
                    ("deviation_mean", "+.3g"),
                    ("deviation_rms", ".3g"),
                    ("first_mean", "+.3g"),
                    ("first_absolute", ".3g"),
                    ("van_rossum", ".3g"),
                    ("victor_purpura", ".3g"),
                )
            ),
        )
        for label, part in data["agreements"].items()
        for name in part["spikes"]
    ]
    deviations = figure(
        "deviations", "How much later matched spikes of the chosen population are, all samples", wide=True
    )
    return f'<div class="charts">{rasters}</div>{deviations}' + page.table(
        f"Spikes against {data['reference']}: times in ms; distances of van Rossum (tau "
        f"{data['settings']['tau']:g} ms) and Victor-Purpura ({data['settings']['cost']:g} a ms), "
        "mean of a neuron in a sample",
        (
            "population",
            "matched",
            "missing",
            "extra",
            "mean deviation",
            "rms deviation",
            "first spike",
            "first spike, absolute",
            "van Rossum",
            "Victor-Purpura",
        ),
        rows,
    )


def voltages(page: Page) -> str:
    """Return voltage traces."""
    rows: list[Row] = [
        (f"{key} on {label}", Number(("agreements", label, "voltages", key, "rmse")))
        for label, part in page.data["agreements"].items()
        for key in part["voltages"]
    ]
    return figure(
        "voltages", "Voltages of the chosen sample and population on all substrates", wide=True
    ) + page.table(
        f"Root mean square of the difference from {page.data['reference']}", ("voltage", "difference"), rows
    )


def gradients(page: Page) -> str:
    """Return clouds of gradients, and how they turn from sample to sample."""
    data = page.data
    keys = list(dict.fromkeys(key for part in data["agreements"].values() for key in part["gradients"]))
    if not keys:
        return "<p>No gradients were compared.</p>"
    charts = "".join(
        figure(f"gradient-{k}", f"Gradient by {key}: every substrate against {data['reference']}")
        for k, key in enumerate(keys)
    )
    rows: list[Row] = [
        (
            f"{key} on {label}",
            *(
                Number(("agreements", label, "gradients", key, name), form)
                for name, form in (("cosine", ".5f"), ("ratio", ".4g"), ("entries", "d"))
            ),
        )
        for label, part in data["agreements"].items()
        for key in part["gradients"]
    ]
    each: list[Row] = [
        (
            f"{key} on {label}, sample {k}",
            Number(("agreements", label, "gradients", key, "cosines", k), ".5f"),
            Number(("agreements", label, "gradients", key, "ratios", k), ".4g"),
        )
        for label, part in data["agreements"].items()
        for key, item in part["gradients"].items()
        for k in range(len(item["cosines"]))
    ]
    samples = figure("cosines", "Cosine between the gradients of every sample", wide=True)
    table = page.table(
        f"Gradient of the batch against {data['reference']}",
        ("parameter", "cosine", "length over that of the reference", "entries"),
        rows,
    )
    rest = page.table("Gradient of every sample", ("parameter", "cosine", "length ratio"), each)
    return (
        f'<div class="charts">{charts}</div>{samples}{table}'
        f"<details><summary>Sample by sample</summary>{rest}</details>"
    )


def curves(page: Page) -> str:
    """Return the training curves."""
    if not any(item["curves"] for item in page.data["substrates"].values()):
        return f"<p>Weights: {escape(page.data['weights'])}. There are no curves of a training.</p>"
    return (
        f"<p>Weights: {escape(page.data['weights'])}.</p>"
        f'<div class="charts">{figure("curves-loss", "Loss over the epochs")}'
        f"{figure('curves-accuracy', 'Accuracy over the epochs')}</div>"
    )


def weights(page: Page) -> str:
    """Return which weights and delays were run with other values than written."""
    forms = (
        ("count", "d"),
        ("changed", "d"),
        ("flipped", "d"),
        ("zeroed", "d"),
        ("largest", ".3g"),
        ("rms", ".3g"),
    )
    rows: list[Row] = [
        (
            f"{key} on {label}",
            *(Number(("agreements", label, "parameters", key, name), form) for name, form in forms),
        )
        for label, part in page.data["agreements"].items()
        for key in part["parameters"]
    ]
    return page.table(
        "Weights and delays as run, against those that were written",
        ("parameter", "entries", "changed", "other sign", "became 0", "largest change", "rms change"),
        rows,
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


SECTIONS = (
    ("causes", "Why they part", causes),
    ("spikes", "Spikes", spikes),
    ("voltages", "Voltages", voltages),
    ("gradients", "Gradients", gradients),
    ("training", "Training", curves),
    ("weights", "Weights as run", weights),
    ("costs", "Costs and counts", costs),
    ("maps", "Maps", maps),
    ("notes", "Notes and refusals", notes),
    ("network", "Network", network),
    ("file", "File", file),
)
"""Identifier, heading and content of every section behind the first screen."""
