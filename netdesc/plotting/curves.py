"""Loss, accuracy and silent neurons over the epochs of a training."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netdesc.errors import DescriptionError, Diagnostic
from netdesc.plotting.colours import colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What a column is about is the last word of its name: ``validation_accuracy`` belongs to ``accuracy``.
PANELS = {"loss": "loss", "accuracy": "error (%)", "silent": "silent neurons (%)"}


def plot_curves(metrics: Path, picture: Path | None = None) -> Sequence[Axes]:
    """Draw the curves of a training.

    Parameters
    ----------
    metrics : Path
        CSV file with a column ``epoch`` and columns named after what they hold: ``train_loss``,
        ``validation_accuracy`` (0 to 1), ``silent_hidden`` (a fraction), and so on.
    picture : Path, optional
        Where the picture goes; its ending names the format.

    Returns
    -------
    sequence of matplotlib.axes.Axes
        One per quantity, left to right; accuracies are drawn as errors on a logarithmic scale.

    Raises
    ------
    DescriptionError
        If the file holds no epoch, or nothing to draw.
    """
    from matplotlib.figure import Figure

    columns = read_columns(metrics)
    groups = {panel: [name for name in columns if panel in name.split("_") or name.startswith(panel)]
              for panel in PANELS}
    panels = [panel for panel, names in groups.items() if names]
    if not columns.get("epoch") or not panels:
        raise DescriptionError(Diagnostic(f"{metrics} holds no epoch to draw"))
    figure = Figure(figsize=(4.2 * len(panels), 3.4), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0].tolist()
    for axis, panel in zip(axes, panels, strict=True):
        for index, name in enumerate(groups[panel]):
            _draw(axis, columns["epoch"], columns[name], (panel, name, colour(index)))
        axis.set_xlabel("epoch")
        axis.set_ylabel(PANELS[panel])
        axis.spines[["top", "right"]].set_visible(False)
        axis.legend(frameon=False)
    if picture is not None:
        figure.savefig(picture, dpi=150)
    return axes


def read_columns(metrics: Path) -> dict[str, list[float]]:
    """Read the columns of a metrics file that hold numbers.

    Parameters
    ----------
    metrics : Path
        CSV file with a header.

    Returns
    -------
    dict of str to list of float
        An empty cell is NaN; a column with any other text is left out.
    """
    with metrics.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns: dict[str, list[float]] = {}
    for name in rows[0] if rows else ():
        try:
            columns[name] = [float(row[name]) if row[name] else float("nan") for row in rows]
        except ValueError:
            continue
    return columns


def _draw(axis: Axes, epochs: Sequence[float], values: Sequence[float], look: tuple[str, str, str]) -> None:
    panel, name, shade = look
    shown = {
        "loss": list(values),
        "accuracy": [100 * (1 - value) for value in values],
        "silent": [100 * value for value in values],
    }[panel]
    label = " ".join(word for word in name.split("_") if word != panel) or panel
    axis.plot(epochs, shown, color=shade, label=label, marker="." if len(shown) < 30 else "")
    if panel == "accuracy" and all(value > 0 for value in shown):
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.yaxis.set_minor_formatter(lambda value, _: f"{value:g}")
