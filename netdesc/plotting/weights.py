"""Weights as histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from netdesc.errors import DescriptionError
from netdesc.events import Floats
from netdesc.parameters import UNITS, quantity_of
from netdesc.plotting.colours import NEUTRAL
from netdesc.plotting.picture import drawn, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_weights(weights: Mapping[str, Floats], path: Path | str | None = None) -> Sequence[Axes]:
    """Draw how weights and delays are distributed, one panel per parameter.

    Parameters
    ----------
    weights : mapping of str to ndarray of float64
        By key, for example ``input_to_hidden.weight``.
    path : Path, str or None
        Where the picture goes; its ending names the format. None to show it in a notebook.

    Returns
    -------
    sequence of matplotlib.axes.Axes
        One per parameter.

    Raises
    ------
    DescriptionError
        If there is nothing to draw.
    """
    if not weights:
        raise DescriptionError("there are no weights to draw")
    figure = new_figure((4.0 * len(weights), 3.2), path)
    axes: list[Axes] = figure.subplots(1, len(weights), squeeze=False)[0].tolist()
    for axis, (key, values) in zip(axes, weights.items(), strict=True):
        axis.hist(values, bins=min(60, max(10, len(values) // 20)), color=NEUTRAL)
        axis.set_xlabel(f"{drawn(key)} ({unit})" if (unit := UNITS[quantity_of(key)]) else drawn(key))
        axis.set_ylabel("synapses")
        axis.spines[["top", "right"]].set_visible(False)
    save(figure, path)
    return axes
