"""What the analog core asks of a circuit beyond ``netdesc.dynamics.protocol``.

``flagged`` is a record of circuits that may spike, see ``burst.Flagged``; ``cells`` holds their parameters.
"""

from __future__ import annotations

from typing import Any

from netdesc.dynamics.protocol import State, operation
from netdesc.events import Floats

NONE, CERTAIN, POSSIBLE, SOLVED = range(4)
"""What is known of the rest of an interval: no spike, a bracketed crossing, perhaps one, one found."""


@operation
def step(x: State, cells: Any, cell: int, s: float) -> tuple[State, float]:
    """Return the state after s ms without a spike, and 0.0 where no spike and no rail can have been met."""
    raise NotImplementedError


@operation
def may_spike(x: State, cells: Any, cell: int) -> bool:
    """Return whether a spike is possible if nothing arrives."""
    raise NotImplementedError


@operation
def clip(x: State, cells: Any, cell: int) -> tuple[State, int]:
    """Return the state within the rails, and 1 where it was outside."""
    raise NotImplementedError


@operation
def shift_threshold(x: State, cells: Any, cell: int, deviation: float) -> State:
    """Return the state with another threshold; the deviation is relative to threshold - rest."""
    raise NotImplementedError


@operation
def arrive_late(
    x: State, cells: Any, cell: int, receptor: int, weight: float, late: float, within: bool
) -> State:
    """Return the state after an arrival that was ``late`` ms ago; ``within`` a refractory period or not."""
    raise NotImplementedError


@operation
def receive(row: int, base: int, weights: Floats, state: Floats, cells: Any) -> int:
    """Add a row of signed weights to the circuits ``base`` and following.

    Returns
    -------
    int
        Arrivals that an input saturated.
    """
    raise NotImplementedError


@operation
def judge(q: int, flagged: Any, cells: Any) -> int:
    """Return what is known of a spike of a flagged circuit in what is left of the interval."""
    raise NotImplementedError


@operation
def confirm(q: int, flagged: Any, cells: Any) -> bool:
    """Return whether a circuit whose spike is possible does spike; its turning point is known."""
    raise NotImplementedError


@operation
def bracket_crossings(count: int, flagged: Any, cells: Any) -> None:
    """Find, for circuits whose spike is possible, where the voltage turns, and its value there."""
    raise NotImplementedError


@operation
def solve_crossings(count: int, flagged: Any, cells: Any) -> None:
    """Find bracketed crossings, up to ``flagged.error``."""
    raise NotImplementedError
