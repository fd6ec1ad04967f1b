"""A plan as plain data and as a drawing: whose circuit, whose row, how full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.maps import Panel, Tile
from netdesc_brainscales2.mapping.plan import Plan
from netdesc_brainscales2.options import Options

_LINE = 32
"""Circuits in a line of the drawing."""


def itemize(plan: Plan) -> Mapping[str, object]:
    """Return a plan as plain data.

    Returns
    -------
    mapping
        ``parts``, each with its instance, neurons and circuits; ``routes`` with bus, row select and label of
        every neuron; ``blocks`` with rows per sign, range and scale; ``read`` and ``replayed``.
    """
    return {
        "parts": [{**asdict(part), "circuits": part.circuits.tolist()} for part in plan.parts],
        "routes": [
            {
                "population": item.population,
                "instance": item.instance,
                "external": item.external,
                "bus": item.bus.tolist(),
                "row_select": item.select.tolist(),
                "label": item.label.tolist(),
            }
            for item in plan.routes
        ],
        "blocks": [
            {
                "name": item.block.name,
                "rows_per_sign": item.rows,
                "steps_per_unit": abs(item.scale),
                "low": item.low,
                "high": item.high,
            }
            for item in (wiring.demand for wiring in plan.wirings)
        ],
        "read": [
            {
                "population": item.population,
                "neurons": item.neurons.tolist(),
                "converter": item.converter,
                "every_ms": item.every,
            }
            for item in plan.sampled
        ],
        "replayed": [list(item.replayed) for item in plan.instances],
    }


def draw(plan: Plan, options: Options) -> tuple[Panel, ...]:
    """Return two panels per execution instance, circuits and rows.

    Returns
    -------
    tuple of Panel
        The top hemisphere above the bottom one. A row belongs to the population most of whose events it
        carries.
    """
    senders = (wiring.demand.pre for wiring in plan.wirings)
    names = tuple(dict.fromkeys([*senders, *(part.population for part in plan.parts)]))
    panels = []
    for item in plan.instances:
        circuits, cells = _occupy(plan, item.number, names, options)
        most = np.array([np.sum(cells == number, axis=2) for number in range(len(names))])
        rows = np.where((cells >= 0).any(axis=2), np.argmax(most, axis=0), -1)
        for owners, axis, noun, place in (
            (circuits, 1, "circuits", "circuit's column"),
            (rows, 2, "rows", "row"),
        ):
            title = f"{int(np.sum(owners >= 0))} {noun} of execution instance {item.number}"
            tiles = _tiles(owners, np.mean(cells >= 0, axis=axis, dtype=np.float64), names)
            panels.append(Panel(title, tiles, f"synapses of the {place}"))
    return tuple(panels)


def _occupy(plan: Plan, instance: int, names: tuple[str, ...], options: Options) -> tuple[Integers, Integers]:
    """Return whose a circuit is, and to whose events a synapse listens: numbers in ``names``, -1 where free.

    Returns
    -------
    circuits : ndarray of int64, shape (hemispheres, columns)
    cells : ndarray of int64, shape (hemispheres, rows, columns)
    """
    profile = options.profile
    halves, columns, rows = (int(item.value) for item in (profile.hemispheres, profile.columns, profile.rows))
    circuits = np.full(halves * columns, -1, dtype=np.int64)
    for part in plan.parts:
        if part.instance == instance:
            circuits[part.circuits] = names.index(part.population)
    cells = np.full((halves, rows, columns), -1, dtype=np.int64)
    for wiring in plan.wirings:
        here = wiring.instance == instance
        for row, circuit in wiring.cells():
            used = row[here] >= 0
            half, column = np.divmod(circuit[here][used], columns)
            cells[half, row[here][used], column] = names.index(wiring.demand.pre)
    return circuits.reshape(halves, columns), cells


def _tiles(owners: Integers, fills: Floats, names: tuple[str, ...]) -> tuple[Tile, ...]:
    halves, count = owners.shape
    lines = -(-count // _LINE)
    tiles = []
    for half in range(halves):
        for place in range(count):
            owner = int(owners[half, place])
            y = (halves - half) * (lines + 1) - place // _LINE
            group = names[owner] if owner >= 0 else ""
            tiles.append(Tile(float(place % _LINE), float(y), 0.9, 0.9, group, "", float(fills[half, place])))
    return tuple(tiles)
