"""The network as a drawing that scales, reads in light and dark, and can be read out."""

from __future__ import annotations

from html import escape
from typing import Any

WIDTH, HEIGHT, GAP, ROW = 150, 50, 110, 90


def draw(network: dict[str, Any]) -> str:
    """Draw populations as boxes, from the stage of the sources on the left, and projections as arrows.

    Parameters
    ----------
    network : dict
        ``populations`` and ``projections`` of `netdesc.comparison.arrange`.

    Returns
    -------
    str
        An SVG element.
    """
    places = place(network["populations"])
    width = max(x for x, _ in places.values()) + WIDTH + 20
    height = max(y for _, y in places.values()) + HEIGHT + 60
    words = "; ".join(
        f"{item['name']} from {item['pre']} to {item['post']}, {item['synapses']} synapses"
        for item in network["projections"]
    )
    parts = [_arrow(item, places, number) for number, item in enumerate(network["projections"])]
    parts += [_box(item, *places[item["name"]]) for item in network["populations"]]
    return (
        f'<svg class="network" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape("Network: " + words, quote=True)}" style="max-width: {2 * width}px">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        'orient="auto"><path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>'
        f"{''.join(parts)}</svg>"
    )


def place(populations: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Return the upper left corner of every population, which has a ``name`` and a ``stage``."""
    filled: dict[int, int] = {}
    result = {}
    for item in populations:
        row = filled.get(item["stage"], 0)
        filled[item["stage"]] = row + 1
        result[item["name"]] = (10 + item["stage"] * (WIDTH + GAP), 50 + row * (HEIGHT + ROW))
    return result


def _box(item: dict[str, Any], x: int, y: int) -> str:
    middle = x + WIDTH / 2
    return (
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="8"/>'
        f'<text x="{middle}" y="{y + 21}" text-anchor="middle">{escape(item["name"])}</text>'
        f'<text class="sub" x="{middle}" y="{y + 38}" text-anchor="middle">'
        f"{item['size']} {escape(item['model'])}</text>"
    )


def _arrow(item: dict[str, Any], places: dict[str, tuple[int, int]], number: int) -> str:
    (x, y), (to_x, to_y) = places[item["pre"]], places[item["post"]]
    words = f"{item['synapses']} synapses" + (", trained" if item["trained"] else "")
    if item["pre"] == item["post"]:
        start, end, top = x + WIDTH * 0.3, x + WIDTH * 0.7, y - 38
        path = f"M{start} {y}C{start - 25} {top} {end + 25} {top} {end} {y}"
        return _labelled(path, x + WIDTH / 2, y - 34, item["name"], words)
    # Arrows side by side or back would run into each other on straight lines.
    forward = to_x > x
    start, end = (x + WIDTH, to_x) if forward else (x + WIDTH / 2, to_x + WIDTH / 2)
    from_y, into_y = (y + HEIGHT / 2, to_y + HEIGHT / 2) if forward else (y + HEIGHT, to_y + HEIGHT)
    sag = 0 if forward else 40 + 8 * (number % 3)
    path = (
        f"M{start} {from_y}C{(start + end) / 2} {from_y + sag} {(start + end) / 2} {into_y + sag} "
        f"{end} {into_y}"
    )
    return _labelled(path, (start + end) / 2, (from_y + into_y) / 2 + sag - 10, item["name"], words)


def _labelled(path: str, x: float, y: float, name: str, words: str) -> str:
    shown = name if len(name) <= 17 else name[:16] + "…"
    return (
        f'<g><title>{escape(name)}: {escape(words)}</title><path d="{path}" marker-end="url(#tip)"/>'
        f'<text class="sub" x="{x}" y="{y}" text-anchor="middle">{escape(shown)}</text></g>'
    )
