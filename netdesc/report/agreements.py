"""How far spikes, voltages, gradients and weights agree, as charts and tables."""

from __future__ import annotations

from netdesc.report.tables import Number, Page, Row, figure, numbers

SPIKES = (
    ("matched", "matched", "d"),
    ("missing", "missing", "d"),
    ("extra", "extra", "d"),
    ("unmatched_fraction", "unmatched (of both runs)", ".2%"),
    ("deviation_mean", "mean shift (ms)", "+.3g"),
    ("deviation_rms", "rms shift (ms)", ".3g"),
    ("first_mean", "first spike: mean shift (ms)", "+.3g"),
    ("first_absolute", "first spike: mean absolute shift (ms)", ".3g"),
    ("van_rossum", "van Rossum distance", ".3g"),
    ("victor_purpura", "Victor-Purpura distance", ".3g"),
)
"""Key, heading and format of the numbers of a population."""

PARAMETERS = (
    ("count", "values", "d"),
    ("changed", "changed", "d"),
    ("flipped", "opposite sign", "d"),
    ("zeroed", "rounded to 0", "d"),
    ("largest", "largest change", ".3g"),
    ("rms", "rms change", ".3g"),
)


def spikes(page: Page) -> str:
    """Return rasters, shifts of matched spikes, and distances."""
    data = page.data
    rasters = "".join(
        figure(
            f"raster-{k}",
            f"{label}: spikes of the selected population and sample"
            + ("" if label == data["reference"] else f", matched and unmatched against {data['reference']}"),
        )
        for k, label in enumerate(data["substrates"])
    )
    rows: list[Row] = [
        (
            f"{name} on {label}",
            *(Number(("agreements", label, "spikes", name, key), form) for key, _, form in SPIKES),
        )
        for label, part in data["agreements"].items()
        for name in part["spikes"]
    ]
    shifts = figure(
        "deviations",
        "Shifts of matched spikes of the selected population, all compared samples; all "
        "substrates have the same bins",
        wide=True,
    )
    settings = data["settings"]
    return f'<div class="charts">{rasters}</div>{shifts}' + page.table(
        f"Spikes against {data['reference']}. Spikes at most {settings['window']:g} ms apart are matched; "
        f"missing: only on {data['reference']}; extra: only on the substrate; unmatched: missing and extra, "
        "as a fraction of the spikes of both runs. Distances are means per neuron and sample (van Rossum "
        f"with tau = {settings['tau']:g} ms, Victor-Purpura with a cost of {settings['cost']:g}/ms)",
        ("population", *(words for _, words, _ in SPIKES)),
        rows,
    )


def voltages(page: Page) -> str:
    """Return voltage traces with thresholds and spikes."""
    data = page.data
    others = list(data["agreements"]) or [data["reference"]]
    charts = "".join(
        figure(
            f"voltage-{k}",
            f"{label} (thin line) and {data['reference']} (wide pale line): voltages of the selected "
            "population and sample, one panel per neuron; dotted: threshold; triangles: spikes",
            wide=True,
        )
        for k, label in enumerate(others)
    )
    rows: list[Row] = [
        (f"{key} on {label}", Number(("agreements", label, "voltages", key, "rmse")))
        for label, part in data["agreements"].items()
        for key in part["voltages"]
    ]
    return charts + page.table(
        f"Root mean square deviation of the voltage from {data['reference']}", ("voltage", "deviation"), rows
    )


def gradients(page: Page) -> str:
    """Return clouds of gradients, and cosines and norm ratios of every sample."""
    data = page.data
    keys = list(dict.fromkeys(key for part in data["agreements"].values() for key in part["gradients"]))
    if not keys:
        return "<p>No gradients were compared.</p>"
    charts = "".join(
        figure(f"gradient-{k}", f"Gradient of {key}: each substrate against {data['reference']}")
        for k, key in enumerate(keys)
    )
    rows: list[Row] = [
        (
            f"{key} on {label}",
            *numbers("agreements", label, "gradients", key, cosine=".5f", norm_ratio=".4g", entries="d"),
        )
        for label, part in data["agreements"].items()
        for key in part["gradients"]
    ]
    each: list[Row] = [
        (
            f"{key} on {label}, sample {k}",
            Number(("agreements", label, "gradients", key, "cosines", k), ".5f"),
            Number(("agreements", label, "gradients", key, "norm_ratios", k), ".4g"),
        )
        for label, part in data["agreements"].items()
        for key, item in part["gradients"].items()
        for k in range(len(item["cosines"]))
    ]
    label = (
        f"Cosine between the gradient of each sample and that on {data['reference']}; "
        "none where a gradient is zero"
    )
    samples = figure("cosines", label, wide=True)
    ratio = f"norm ratio, substrate / {data['reference']}"
    table = page.table(
        f"Gradient of the mean loss of the batch against {data['reference']}. Norm ratio: Euclidean norm of "
        f"the gradient on the substrate over its norm on {data['reference']}",
        ("parameter", "cosine", ratio, "entries"),
        rows,
    )
    rest = page.table("Gradient of each sample", ("parameter", "cosine", ratio), each)
    return (
        f'<div class="charts">{charts}</div>{samples}{table}'
        f"<details><summary>Each sample</summary>{rest}</details>"
    )


def weights(page: Page) -> str:
    """Return which effective weights and delays differ from the nominal ones."""
    rows: list[Row] = [
        (
            f"{key} on {label}",
            *(Number(("agreements", label, "parameters", key, name), form) for name, _, form in PARAMETERS),
        )
        for label, part in page.data["agreements"].items()
        for key in part["parameters"]
    ]
    return page.table(
        "Effective weights and delays against the nominal ones",
        ("parameter", *(words for _, words, _ in PARAMETERS)),
        rows,
    )
