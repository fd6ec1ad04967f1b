"""A network as a small SVG picture for notebooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

import networkx as nx

from netdesc.graph.ir import Edge, NetworkGraph, Node

WIDTH, HEIGHT = 130, 44
"""Size of a box, in pixels."""

ACROSS, DOWN = 210, 90
"""Distance of neighbouring boxes."""

MOST = 40
"""Populations drawn at most; larger networks have a table alone."""

Places = Mapping[str, tuple[float, float]]


def draw_svg(graph: NetworkGraph) -> str:
    """Draw populations as boxes from left to right and projections as arrows.

    Returns
    -------
    str
        An SVG element; empty for more than `MOST` populations.
    """
    if not 0 < len(graph.nodes) <= MOST:
        return ""
    places = _places(graph)
    width = max(x for x, _ in places.values()) + WIDTH + 40
    height = max(y for _, y in places.values()) + HEIGHT + 40
    inner = "".join([*(_arrow(edge, places) for edge in graph.edges), *_boxes(graph.nodes, places)])
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width:g}' height='{height:g}' viewBox='0 0 "
        f"{width:g} {height:g}' role='img' aria-label='network' font-family='sans-serif' "
        "font-size='11'><defs><marker id='netdesc-tip' viewBox='0 0 10 10' refX='9' refY='5' markerWidth='7' "
        f"markerHeight='7' orient='auto'><path d='M0 0L10 5L0 10z' fill='#777'/></marker></defs>{inner}</svg>"
    )


def _places(graph: NetworkGraph) -> Places:
    """Return the upper left corner of every box: populations of a cycle share a column."""
    parts = nx.condensation(nx.DiGraph(graph.network))
    column = {
        name: number
        for number, generation in enumerate(nx.topological_generations(parts))
        for part in generation
        for name in parts.nodes[part]["members"]
    }
    filled: dict[int, int] = {}
    places = {}
    for node in graph.nodes:
        number = column[node.name]
        row = filled.get(number, 0)
        filled[number] = row + 1
        places[node.name] = (20.0 + ACROSS * number, 30.0 + DOWN * row)
    return places


def _boxes(nodes: tuple[Node, ...], places: Places) -> Iterator[str]:
    for node in nodes:
        x, y = places[node.name]
        shape = " x ".join(map(str, node.shape)) if len(node.shape) > 1 else str(node.size)
        corner = 0 if node.kind == "source" else 8
        dashes = " stroke-dasharray='5 3'" if node.kind == "readout" else ""
        name = node.name if len(node.name) <= 18 else f"{node.name[:15]}..."
        yield (
            f"<rect x='{x:g}' y='{y:g}' width='{WIDTH}' height='{HEIGHT}' rx='{corner}' fill='#fff' "
            f"stroke='#0072B2' stroke-width='2'{dashes}/><text x='{x + WIDTH / 2:g}' y='{y + 18:g}' "
            f"text-anchor='middle' fill='#000'>{escape(name)}</text><text x='{x + WIDTH / 2:g}' "
            f"y='{y + 34:g}' text-anchor='middle' fill='#000'>{escape(f'{shape} {node.model}')}</text>"
        )


def _arrow(edge: Edge, places: Places) -> str:
    (x0, y0), (x1, y1) = places[edge.pre], places[edge.post]
    trained = edge.weight.train or edge.delay.train
    style = f"fill='none' stroke='{'#D55E00' if trained else '#777'}' marker-end='url(#netdesc-tip)'"
    title = f"<title>{escape(edge.name)}{', trained' if trained else ''}</title>"
    middle = HEIGHT / 2
    if edge.pre == edge.post:
        path = f"M{x0 + 40:g} {y0:g}C{x0 + 40:g} {y0 - 26:g} {x0 + 90:g} {y0 - 26:g} {x0 + 90:g} {y0:g}"
    elif x0 == x1:
        side = 20.0 if y1 > y0 else 0.0
        at = x0 + WIDTH / 2 - 10 + side
        path = f"M{at:g} {y0 + (HEIGHT if y1 > y0 else 0):g}L{at:g} {y1 + (0 if y1 > y0 else HEIGHT):g}"
    else:
        start, end = (x0 + WIDTH, y0 + middle), (x1, y1 + middle)
        bend = 26.0 if x1 - x0 > ACROSS and y0 == y1 else 0.0
        path = (
            f"M{start[0]:g} {start[1]:g}C{start[0] + 40:g} {start[1] + 2 * bend:g} {end[0] - 40:g} "
            f"{end[1] + 2 * bend:g} {end[0]:g} {end[1]:g}"
        )
    return f"<path d='{path}' {style}>{title}</path>"
