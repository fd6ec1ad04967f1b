"""Where a network goes on a device, as a picture; and the picture of a network with and without that."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from netdesc.maps import Panel
from netdesc.plotting.colours import colour
from netdesc.plotting.graph import draw_graph, lay_out_graph
from netdesc.plotting.picture import drawn, new_figure, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from netdesc.graph.ir import NetworkGraph

NOBODY = "#EEEEEE"
"""Colour of what is not used."""

SCALE = 1.15
"""Inches per unit of a drawn network."""

LABELLED = 400
"""More tiles than this have no labels."""


class View(NamedTuple):
    """A network at some moment of its way to a device."""

    title: str
    graph: NetworkGraph


def plot_network(
    views: Sequence[View], panels: Sequence[Panel] = (), path: Path | str | None = None
) -> Sequence[Axes]:
    """Draw a network, and where it goes on a device.

    Parameters
    ----------
    views : sequence of View
        One below the other.
    panels : sequence of Panel
        Below the views.
    path : Path, str or None
        Where the picture goes; its ending names the format. None to show it in a notebook.

    Returns
    -------
    sequence of matplotlib.axes.Axes
        One per view, then one per panel.
    """
    sizes = [lay_out_graph(view.graph).size for view in views]
    tall = [SCALE * height for _, height in sizes] + [_height(panel) for panel in panels]
    width = max([6.4, *(SCALE * across for across, _ in sizes), *(9.0 for _ in panels)])
    figure = new_figure((width, sum(tall)), path)
    grid = figure.subplots(len(tall), 1, squeeze=False, height_ratios=tall)
    axes: list[Axes] = grid[:, 0].tolist()
    for axis, view in zip(axes, views, strict=False):
        draw_graph(axis, view.graph, drawn(view.title))
    populations = [node.name for view in views for node in view.graph.nodes]
    for axis, panel in zip(axes[len(views) :], panels, strict=True):
        draw_panel(axis, panel, populations)
    save(figure, path)
    return axes


def draw_panel(axis: Axes, panel: Panel, known: Sequence[str] = ()) -> None:
    """Draw a part of a device: tiles in the colour of their group, filled from below.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    panel : Panel
    known : sequence of str
        Groups that have the first colours, such as the populations of a network.
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Patch, Rectangle

    present = dict.fromkeys(tile.group for tile in panel.tiles if tile.group)
    shades = {group: colour(number) for number, group in enumerate(dict.fromkeys([*known, *present]))}
    for group in ("", *present):
        shade = shades[group] if group else NOBODY
        tiles = [tile for tile in panel.tiles if tile.group == group]
        back = [Rectangle((tile.x, tile.y), tile.width, tile.height) for tile in tiles]
        axis.add_collection(
            PatchCollection(
                back,
                facecolor=shade,
                edgecolor=shade if group else "none",
                alpha=0.25 if group else 1.0,
                linewidth=0.8,
            )
        )
        full = [
            Rectangle((tile.x, tile.y), tile.width, tile.height * min(max(tile.fill, 0.0), 1.0))
            for tile in tiles
            if tile.fill > 0.0
        ]
        axis.add_collection(PatchCollection(full, facecolor=shade, edgecolor="none"))
    if len(panel.tiles) <= LABELLED:
        for tile in panel.tiles:
            axis.text(
                tile.x + tile.width / 2,
                tile.y + tile.height / 2,
                tile.label,
                ha="center",
                va="center",
                fontsize=5,
            )
    axis.autoscale_view()
    axis.set_aspect("equal")
    axis.set_axis_off()
    fill = f"; filled: fraction of {panel.fill}" if panel.fill else ""
    axis.set_title(f"{panel.title}{fill}", fontsize=10)
    axis.legend(
        handles=[Patch(facecolor=shades[group], label=group) for group in present],
        frameon=False,
        fontsize=7,
        loc="upper left",
        bbox_to_anchor=(1.0, 1.0),
    )


def _height(panel: Panel) -> float:
    """Return the height of a panel in inches, for a width of about seven."""
    wide = max(tile.x + tile.width for tile in panel.tiles) - min(tile.x for tile in panel.tiles)
    high = max(tile.y + tile.height for tile in panel.tiles) - min(tile.y for tile in panel.tiles)
    return min(max(7.0 * high / wide, 1.5), 9.0) + 0.5
