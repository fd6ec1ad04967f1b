"""A network as a picture: populations as boxes from left to right, projections as arrows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from netdesc.description.model import Constant, Distribution, Explicit, Parameter
from netdesc.graph.ir import Edge, NetworkGraph, Node
from netdesc.plotting.colours import colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from netdesc.events import Floats

WIDTH, HEIGHT = 1.5, 0.62
"""Size of a box."""

ACROSS, DOWN = 4.0, 1.7
"""Distance between the middles of boxes that are neighbours."""

PLAIN, TRAINED = "#555555", "#D55E00"
"""Colours of arrows."""

MARGIN, LOOPS = 0.6, 0.65
"""Space above and below the middles of boxes, and more where populations have projections to themselves."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where the boxes of a network stand.

    Parameters
    ----------
    places : mapping of str to (float, float)
        Middle of the box of each population.
    columns : mapping of str to int
    margin : float
        Space above and below.
    """

    places: Mapping[str, Point]
    columns: Mapping[str, int]
    margin: float = MARGIN

    @property
    def size(self) -> Point:
        """Width and height of the picture, in the units of the places."""
        xs, ys = zip(*self.places.values(), strict=True)
        return max(xs) - min(xs) + ACROSS, max(ys) - min(ys) + 2.0 * self.margin

    def is_edge(self, name: str, *, top: bool) -> bool:
        """Return whether a population is the first or the last of its column."""
        number, own = self.columns[name], self.places[name][1]
        column = [y for other, (_, y) in self.places.items() if self.columns[other] == number]
        return own == (max(column) if top else min(column))


class Route(NamedTuple):
    """How an arrow runs.

    Parameters
    ----------
    start, end : (float, float)
    text : (float, float)
        Where its text stands.
    bend : float
        As a part of its length.
    align : str
        Side of the text that is at its place.
    """

    start: Point
    end: Point
    text: Point
    bend: float
    align: str = "center"


def lay_out_graph(graph: NetworkGraph) -> Arrangement:
    """Place populations in columns, each behind all that it hears of; those of a cycle share a column."""
    import networkx as nx

    parts = nx.condensation(nx.DiGraph(graph.network))
    columns: dict[str, int] = {}
    for number, generation in enumerate(nx.topological_generations(parts)):
        for part in generation:
            columns |= dict.fromkeys(parts.nodes[part]["members"], number)
    order = [node.name for node in graph.nodes]
    places: dict[str, Point] = {}
    for number in sorted(set(columns.values())):
        names = [name for name in order if columns[name] == number]
        top = 0.5 * DOWN * (len(names) - 1)
        places |= {name: (ACROSS * number, top - DOWN * place) for place, name in enumerate(names)}
    loops = any(edge.pre == edge.post for edge in graph.edges)
    return Arrangement({name: places[name] for name in order}, columns, MARGIN + LOOPS * loops)


def draw_graph(axis: Axes, graph: NetworkGraph, title: str = "") -> None:
    """Draw a network.

    Parameters
    ----------
    axis : matplotlib.axes.Axes
    graph : NetworkGraph
        After any pass: what is written in the file before synapses are drawn, numbers afterwards.
    title : str
    """
    arrangement = lay_out_graph(graph)
    parallel = Counter[frozenset[str]]()
    for edge in graph.edges:
        ends = frozenset((edge.pre, edge.post))
        _draw_edge(axis, edge, arrangement, parallel[ends])
        parallel[ends] += 1
    for number, node in enumerate(graph.nodes):
        _draw_node(axis, node, arrangement.places[node.name], colour(number))
    xs, ys = zip(*arrangement.places.values(), strict=True)
    axis.set_xlim(min(xs) - ACROSS / 2, max(xs) + ACROSS / 2)
    axis.set_ylim(min(ys) - arrangement.margin, max(ys) + arrangement.margin)
    axis.set_aspect("equal")
    axis.set_axis_off()
    axis.set_title(title, fontsize=10)


def describe_node(node: Node) -> str:
    """Return what stands in the box of a population."""
    shape = " x ".join(map(str, node.shape)) if len(node.shape) > 1 else str(node.size)
    return f"{node.name}\n{shape} {node.model}"


def describe_edge(edge: Edge) -> str:
    """Return what stands at the arrow of a projection."""
    rows = [edge.rule.kind if edge.synapses is None else f"{edge.synapses.size} synapses"]
    rows.append(f"weight {_describe_values(edge.weight, edge.weights)}")
    rows.append(f"delay {_describe_values(edge.delay, edge.delays)} ms")
    trained = [name for name, item in (("weight", edge.weight), ("delay", edge.delay)) if item.train]
    if trained:
        rows.append(f"trained: {', '.join(trained)}")
    return "\n".join(rows)


def _describe_values(parameter: Parameter, values: Floats | None) -> str:
    if values is not None and len(values):
        low, high = float(values.min()), float(values.max())
        return f"{low:.3g}" if low == high else f"{values.mean():.3g} ({low:.3g} to {high:.3g})"
    match parameter.init:
        case Constant(number):
            return f"{number:.3g}"
        case Distribution(kind, parameters):
            return f"{kind}({', '.join(f'{value:.3g}' for value in parameters.values())})"
        case Explicit(array):
            return f"of {array.size} values"


def _draw_node(axis: Axes, node: Node, place: Point, shade: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = place
    style = "round,pad=0,rounding_size=0.12" if node.kind != "source" else "square,pad=0"
    axis.add_patch(
        FancyBboxPatch(
            (x - WIDTH / 2, y - HEIGHT / 2),
            WIDTH,
            HEIGHT,
            boxstyle=style,
            facecolor="white",
            edgecolor=shade,
            linewidth=2.0,
            linestyle="--" if node.kind == "readout" else "-",
            zorder=3,
        )
    )
    axis.text(x, y, describe_node(node), ha="center", va="center", fontsize=8, zorder=4)


def _draw_edge(axis: Axes, edge: Edge, arrangement: Arrangement, before: int) -> None:
    """Draw an arrow with its text; ``before`` counts those drawn already between the two populations."""
    from matplotlib.patches import FancyArrowPatch

    shade = TRAINED if edge.weight.train or edge.delay.train else PLAIN
    route = _route(edge, arrangement, before)
    axis.add_patch(
        FancyArrowPatch(
            route.start,
            route.end,
            connectionstyle=f"arc3,rad={route.bend}",
            arrowstyle="-|>",
            mutation_scale=12,
            color=shade,
            linewidth=1.4,
            zorder=2,
            shrinkA=0,
            shrinkB=1,
        )
    )
    axis.text(
        *route.text,
        describe_edge(edge),
        ha=route.align,
        va="center",
        fontsize=6.5,
        color=shade,
        zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.9},
    )


def _route(edge: Edge, arrangement: Arrangement, before: int) -> Route:
    if edge.pre == edge.post:
        return _loop(edge.pre, arrangement, before)
    if arrangement.columns[edge.pre] == arrangement.columns[edge.post]:
        return _within(edge, arrangement, before)
    (x0, y0), (x1, y1) = arrangement.places[edge.pre], arrangement.places[edge.post]
    far = arrangement.columns[edge.post] - arrangement.columns[edge.pre] > 1
    bend = (0.25 if far and y0 == y1 else 0.0) + 0.3 * (-1) ** before * -(-before // 2)
    return _curve((x0 + WIDTH / 2, y0), (x1 - WIDTH / 2, y1), bend)


def _loop(name: str, arrangement: Arrangement, before: int) -> Route:
    """Return an arrow from a population to itself: above or below, or at its right if both are taken."""
    x, y = arrangement.places[name]
    more = 0.4 * before
    top = arrangement.is_edge(name, top=True)
    if top or arrangement.is_edge(name, top=False):
        up = 1.0 if top else -1.0
        edge, side = y + up * HEIGHT / 2, up * 0.3 * WIDTH
        return Route((x + side, edge), (x - side, edge), (x, edge + up * (0.55 + more)), 0.9 + more)
    right, side = x + WIDTH / 2, 0.3 * HEIGHT
    text = (right + 0.08, y - HEIGHT / 2 - 0.12 - more)
    return Route((right, y - side), (right, y + side), text, 1.4 + more, "left")


def _within(edge: Edge, arrangement: Arrangement, before: int) -> Route:
    """Return an arrow between populations of one column: down at the right, up at the left."""
    (x0, y0), (x1, y1) = arrangement.places[edge.pre], arrangement.places[edge.post]
    side = 1.0 if y1 < y0 else -1.0
    shift, touch = side * 0.3 * WIDTH, side * HEIGHT / 2
    bend = -0.15 - 0.1 * before - (0.25 if abs(y1 - y0) > 1.5 * DOWN else 0.0)
    curve = _curve((x0 + shift, y0 - touch), (x1 + shift, y1 + touch), bend)
    return curve._replace(
        text=(curve.text[0] + 0.08 * side, curve.text[1]), align="left" if side > 0 else "right"
    )


def _curve(start: Point, end: Point, bend: float) -> Route:
    dx, dy = end[0] - start[0], end[1] - start[1]
    return Route(start, end, (start[0] + (dx + bend * dy) / 2, start[1] + (dy - bend * dx) / 2), bend)
