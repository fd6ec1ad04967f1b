"""A plan as stable text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netdesc.display import number_ranges
from netdesc_brainscales2.mapping.plan import Part, Plan, Route
from netdesc_brainscales2.options import Options


def render(plan: Plan, options: Options) -> str:
    """Write a plan as text, the same on every machine.

    Returns
    -------
    str
        Instance by instance circuits and rows in use; population by population circuits, hemispheres, columns
        and scale; events by bus, row selects and labels; projection by projection cells and range; notes.
    """
    return "\n".join(_lines(plan, options)) + "\n"


def summary(plan: Plan, options: Options) -> str:
    """Return a map in a line."""
    count = max(1, len(plan.instances))
    rows = max((rows_used(plan, number) for number in range(len(plan.instances))), default=0)
    return (
        f"{plan.used} of {options.profile.circuits.value:g} circuits and {rows} of "
        f"{2 * options.profile.rows.value:g} rows in the fullest of "
        f"{count} execution instance{'s' if count > 1 else ''}; chip {options.chip}, {options.machine}"
    )


def rows_used(plan: Plan, instance: int) -> int:
    """Return how many rows of both hemispheres have a synapse in an instance."""
    found = set[tuple[int, int]]()
    for item in plan.wirings:
        here = item.instance == instance
        for rows, circuits in item.cells():
            pairs = np.stack([circuits[here] // plan.columns, rows[here]], axis=-1).reshape(-1, 2)
            found.update(map(tuple, np.unique(pairs[pairs[:, 1] >= 0], axis=0).tolist()))
    return len(found)


def _lines(plan: Plan, options: Options) -> Iterator[str]:
    yield f"placement of {plan.name}: {summary(plan, options)}"
    for item in plan.instances:
        replayed = f", replays {', '.join(item.replayed)}" if item.replayed else ""
        parts = [part for part in plan.parts if part.instance == item.number]
        circuits = plan.occupied(item.number)
        yield (f"instance {item.number}: {circuits} circuits, {rows_used(plan, item.number)} rows{replayed}")
        for part in parts:
            yield f"  {_part(plan, part)}"
        for route in plan.routes:
            if route.instance == item.number:
                yield f"  {_route(route)}"
    for wiring in plan.wirings:
        demand = wiring.demand
        yield (
            f"synapses {demand.block.name}: {demand.block.size}, words {demand.low} to {demand.high} in "
            f"{demand.rows} rows per sign, {abs(demand.scale):.4g} steps per unit of weight"
        )
    for sampled in plan.sampled:
        yield (
            f"read {sampled.population}: {len(sampled.neurons)} membranes by the "
            f"{sampled.converter.upper()} every {sampled.every:g} ms"
        )
    for note in plan.notes:
        yield f"note {note}"


def _part(plan: Plan, part: Part) -> str:
    halves = np.unique(part.circuits // plan.columns).tolist()
    words = " and ".join(("top", "bottom")[half] for half in halves)
    merged = f" x {part.merged}" if part.merged > 1 else ""
    return (
        f"{part.population}[{part.start}:{part.stop}]: {part.size}{merged} circuits, {words}, columns "
        f"{number_ranges(np.unique(part.circuits % plan.columns).tolist())}, "
        f"{plan.scales[part.population]:.4g} steps per unit of weight"
    )


def _route(route: Route) -> str:
    origin = "from the host" if route.external else "on the chip"
    parts = []
    for bus in np.unique(route.bus[route.bus >= 0]).tolist():
        here = route.bus == bus
        parts.append(
            f"bus {bus}: {int(here.sum())} with row selects "
            f"{number_ranges(np.unique(route.select[here]).tolist())}, "
            f"labels up to {int(route.label[here].max())}"
        )
    return f"events of {route.population} {origin}; {'; '.join(parts)}"
