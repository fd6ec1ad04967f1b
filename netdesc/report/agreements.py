"""How far spikes, voltages, gradients and weights agree, as charts and tables."""

from __future__ import annotations

from netdesc.report.tables import Number, Page, Row, figure

Column = tuple[str, str, str]
"""Key, heading and format of a number."""

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
"""Numbers of a population."""

PARAMETERS = (
    ("count", "values", "d"),
    ("changed", "changed", "d"),
    ("flipped", "opposite sign", "d"),
    ("zeroed", "rounded to 0", "d"),
    ("largest", "largest change", ".3g"),
    ("rms", "rms change", ".3g"),
)
"""Numbers of a parameter."""


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
    shifts = figure(
        "deviations",
        "Shifts of matched spikes of the selected population, all compared samples; all "
        "substrates have the same bins",
        wide=True,
    )
    settings = data["settings"]
    caption = (
        f"Spikes against {data['reference']}. Spikes at most {settings['window']:g} ms apart are matched; "
        f"missing: only on {data['reference']}; extra: only on the substrate; unmatched: missing and extra, "
        "as a fraction of the spikes of both runs. Distances are means per neuron and sample (van Rossum "
        f"with tau = {settings['tau']:g} ms, Victor-Purpura with a cost of {settings['cost']:g}/ms)"
    )
    table = _compared(page, "spikes", caption, ("population", *SPIKES))
    return f'<div class="charts">{rasters}</div>{shifts}{table}'


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
    caption = f"Root mean square deviation of the voltage from {data['reference']}"
    return charts + _compared(page, "voltages", caption, ("voltage", ("rmse", "deviation", ".4g")))


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
    each: list[Row] = [
        (f"{title}, sample {k}", Number((*path, "cosines", k), ".5f"), Number((*path, "norm_ratios", k)))
        for title, path in page.compared("gradients")
        for k in range(len(page.at((*path, "cosines"))))
    ]
    label = (
        f"Cosine between the gradient of each sample and that on {data['reference']}; "
        "none where a gradient is zero"
    )
    samples = figure("cosines", label, wide=True)
    ratio = f"norm ratio, substrate / {data['reference']}"
    caption = (
        f"Gradient of the mean loss of the batch against {data['reference']}. Norm ratio: Euclidean norm of "
        f"the gradient on the substrate over its norm on {data['reference']}"
    )
    columns = (("cosine", "cosine", ".5f"), ("norm_ratio", ratio, ".4g"), ("entries", "entries", "d"))
    table = _compared(page, "gradients", caption, ("parameter", *columns))
    rest = page.table("Gradient of each sample", ("parameter", "cosine", ratio), each)
    return (
        f'<div class="charts">{charts}</div>{samples}{table}'
        f"<details><summary>Each sample</summary>{rest}</details>"
    )


def weights(page: Page) -> str:
    """Return which effective weights and delays differ from the nominal ones."""
    caption = "Effective weights and delays against the nominal ones"
    return _compared(page, "parameters", caption, ("parameter", *PARAMETERS))


def _compared(page: Page, kind: str, caption: str, header: tuple[str, *tuple[Column, ...]]) -> str:
    """Return a table of everything of a kind that was compared, on every substrate."""
    first, *columns = header
    rows: list[Row] = [
        (title, *(Number((*path, key), form) for key, _, form in columns))
        for title, path in page.compared(kind)
    ]
    return page.table(caption, (first, *(words for _, words, _ in columns)), rows)
