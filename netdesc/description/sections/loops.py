"""Cycles of projections without delay, which a grid cannot run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netdesc.description.model import Choice, Parameter
from netdesc.description.reading.context import Reading
from netdesc.description.sections.values import lowest


def check_loops(
    backends: Mapping[str, Any],
    loop_delay: str | None,
    projections: Mapping[str, dict[str, Any] | None],
    reading: Reading,
) -> None:
    """Note a fault where a grid solver meets a cycle of zero delay, at the first projection of the cycle.

    The sections are as read; the loop delay is ``simulation.loop_delay``, None where it is not known.
    """
    solver = (backends.get("numba") or {}).get("solver")
    if not isinstance(solver, Choice) or solver.kind != "grid" or loop_delay != "exact":
        return
    cycle = _cycle([(name, item) for name, item in projections.items() if item and _may_be_zero(item)])
    if cycle:
        chain = " -> ".join(cycle)
        path = f"projections.{cycle[0]}"
        reading.fail(
            f"the cycle {chain} has no delay, and a grid cannot step through it; give one of them a delay, "
            "use solver: event, or write loop_delay: one_tick under simulation",
            f"{path}.delay" if f"{path}.delay" in reading.places else path,
        )


def _may_be_zero(data: dict[str, Any]) -> bool:
    delay = data.get("delay")
    return isinstance(delay, Parameter) and lowest(delay.init) == 0 and getattr(delay.init, "kind", "") == ""


def _cycle(edges: list[tuple[str, dict[str, Any]]]) -> list[str]:
    """Return the names of the projections of a cycle, shortest first found from the first edge on."""
    for name, data in edges:
        paths = [[(name, target)] for target in data.get("post") or ()]
        seen: set[str] = set()
        while paths:
            path = paths.pop(0)
            here = path[-1][1]
            if here == data.get("pre"):
                return [step[0] for step in path]
            if here not in seen:
                seen.add(here)
                paths += [
                    [*path, (other, target)]
                    for other, item in edges
                    if item.get("pre") == here
                    for target in item.get("post") or ()
                ]
    return []
