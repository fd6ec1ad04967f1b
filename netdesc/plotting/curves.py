"""Loss, accuracy and silent neurons over the epochs of a training."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from netdesc.errors import DescriptionError
from netdesc.plotting.colours import colour
from netdesc.plotting.picture import new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRAINING, VALIDATION = "training", "validation"


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity over the epochs.

    Parameters
    ----------
    label : str
        With its unit.
    columns : mapping of str to str
        Column of the metrics file to name in the legend.
    show : callable
        From the value in the file to the value drawn.
    logarithmic : bool
    """

    label: str
    columns: Mapping[str, str]
    show: Callable[[float], float]
    logarithmic: bool = False


PANELS = (
    Panel("loss", {"loss": TRAINING, "validation_loss": VALIDATION}, lambda value: value),
    Panel(
        "error (%)",
        {"accuracy": TRAINING, "validation_accuracy": VALIDATION},
        lambda value: 100 * (1 - value),
        logarithmic=True,
    ),
    Panel("silent neurons (%)", {"silent_fraction": TRAINING}, lambda value: 100 * value),
)


def plot_curves(metrics: Path, path: Path | str | None = None) -> Sequence[Axes]:
    """Draw the curves of a training.

    Parameters
    ----------
    metrics : Path
        CSV file of a training: the fields of `netdesc.training.EpochReport`, one line per epoch.
    path : Path, str or None
        Where the picture goes; its ending names the format. None to show it in a notebook.

    Returns
    -------
    sequence of matplotlib.axes.Axes
        One per quantity, left to right; accuracies are drawn as errors on a logarithmic scale.

    Raises
    ------
    DescriptionError
        If the file holds no epoch, or nothing to draw.
    """
    columns = read_columns(metrics)
    panels = [panel for panel in PANELS if any(drawable(columns, name) for name in panel.columns)]
    if not columns.get("epoch") or not panels:
        raise DescriptionError(f"{metrics} holds no epoch to draw")
    figure = new_figure((4.2 * len(panels), 3.4), path)
    axes: list[Axes] = figure.subplots(1, len(panels), squeeze=False)[0].tolist()
    for axis, panel in zip(axes, panels, strict=True):
        _draw(axis, panel, columns)
    save(figure, path)
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


def drawable(columns: Mapping[str, Sequence[float]], name: str) -> bool:
    """Return whether a column is there and holds a number."""
    return any(math.isfinite(value) for value in columns.get(name, ()))


def _draw(axis: Axes, panel: Panel, columns: Mapping[str, Sequence[float]]) -> None:
    from matplotlib.ticker import MaxNLocator

    positive = True
    for index, (name, label) in enumerate(panel.columns.items()):
        if drawable(columns, name):
            shown = [panel.show(value) for value in columns[name]]
            positive = positive and min(value for value in shown if math.isfinite(value)) > 0
            axis.plot(
                columns["epoch"],
                shown,
                color=colour(index),
                label=label,
                marker="." if len(shown) < 30 else "",
            )
    if panel.logarithmic and positive:
        _space_logarithmically(axis)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=7, steps=[1, 2, 5, 10]))
    axis.set_xlabel("epoch")
    axis.set_ylabel(panel.label)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False)


def _space_logarithmically(axis: Axes) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
