"""The chip as arrays and as a drawing: whose circuit, whose row, how full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.events import Floats, Integers
from netdesc.maps import Panel, Tile
from netdesc_brainscales2.mapping.plan import Plan
from netdesc_brainscales2.options import Options

_LINE = 32
"""Circuits in a line of the drawing."""


@dataclass(frozen=True, slots=True)
class ChipMap:
    """What one execution instance puts where.

    Parameters
    ----------
    populations : tuple of str
        To which the numbers below refer.
    circuits : ndarray of int64, shape (hemispheres, columns)
        Number of the population; -1 where a circuit is free.
    rows : ndarray of int64, shape (hemispheres, rows)
        Number of the population most of whose events the row carries; -1 where it is free.
    cells : ndarray of int64, shape (hemispheres, rows, columns)
        Number of the population whose events a synapse listens to; -1 where it is free.
    """

    populations: tuple[str, ...]
    circuits: Integers
    rows: Integers
    cells: Integers

    @property
    def column_fill(self) -> Floats:
        """Share of its synapses that each circuit uses, shape (hemispheres, columns)."""
        share: Floats = np.mean(self.cells >= 0, axis=1, dtype=np.float64)
        return share

    @property
    def row_fill(self) -> Floats:
        """Share of its synapses that each row uses, shape (hemispheres, rows)."""
        share: Floats = np.mean(self.cells >= 0, axis=2, dtype=np.float64)
        return share


def chart(plan: Plan, instance: int, senders: Mapping[str, str], options: Options) -> ChipMap:
    """Return what one execution instance puts where.

    Parameters
    ----------
    plan : Plan
    instance : int
    senders : mapping of str to str
        Population whose events each block carries.
    options : Options
    """
    profile = options.profile
    halves, columns, rows = (int(item.value) for item in (profile.hemispheres, profile.columns, profile.rows))
    names = tuple(dict.fromkeys([*senders.values(), *(part.population for part in plan.parts)]))
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
            cells[half, row[here][used], column] = names.index(senders[wiring.block])
    most = np.array([np.sum(cells == number, axis=2) for number in range(len(names))])
    owner = np.where((cells >= 0).any(axis=2), np.argmax(most, axis=0), -1)
    return ChipMap(names, circuits.reshape(halves, columns), owner, cells)


def draw_instances(plan: Plan, senders: Mapping[str, str], options: Options) -> tuple[Panel, ...]:
    """Return two panels per execution instance, circuits and rows; ``senders`` as in ``chart``."""
    return tuple(
        panel
        for item in plan.instances
        for panel in draw(chart(plan, item.number, senders, options), item.number)
    )


def itemize(plan: Plan) -> Mapping[str, object]:
    """Return a plan as plain data.

    Returns
    -------
    mapping
        ``parts``, each with its instance, neurons and circuits; ``routes`` with bus, row select and label of
        every neuron; ``blocks`` with rows per sign, range and scale; ``read`` and ``replayed``.
    """
    return {
        "parts": [
            {
                "population": part.population,
                "start": part.start,
                "stop": part.stop,
                "instance": part.instance,
                "merged": part.merged,
                "circuits": part.circuits.tolist(),
            }
            for part in plan.parts
        ],
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
                "name": item.block,
                "rows_per_sign": item.rows,
                "steps_per_unit": abs(item.scale),
                "low": item.low,
                "high": item.high,
            }
            for item in plan.wirings
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


def draw(found: ChipMap, instance: int) -> tuple[Panel, ...]:
    """Return the circuits and the rows of an execution instance as tiles.

    Returns
    -------
    tuple of Panel
        The top hemisphere above the bottom one.
    """
    circuits, rows = int(np.sum(found.circuits >= 0)), int(np.sum(found.rows >= 0))
    return (
        Panel(
            f"{circuits} circuits of execution instance {instance}",
            _tiles(found.circuits, found.column_fill, found),
            "synapses of the circuit's column",
        ),
        Panel(
            f"{rows} rows of execution instance {instance}",
            _tiles(found.rows, found.row_fill, found),
            "synapses of the row",
        ),
    )


def _tiles(owners: Integers, fills: Floats, found: ChipMap) -> tuple[Tile, ...]:
    halves, count = owners.shape
    lines = -(-count // _LINE)
    tiles = []
    for half in range(halves):
        for place in range(count):
            owner = int(owners[half, place])
            y = (halves - half) * (lines + 1) - place // _LINE
            group = found.populations[owner] if owner >= 0 else ""
            tiles.append(Tile(float(place % _LINE), float(y), 0.9, 0.9, group, "", float(fills[half, place])))
    return tuple(tiles)
