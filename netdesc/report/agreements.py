"""How far spikes, voltages, gradients and weights agree, as charts and tables."""

from __future__ import annotations

from netdesc.report.tables import Number, Page, Row, figure


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
        "voltage-traces",
        "Voltages of the chosen sample and population; a neuron has the same dashes everywhere",
        wide=True,
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
