"""What a kernel may ask of a cell: operations that are chosen by the type of the cell's parameters.

A kernel holds the parameters of its neurons as one named tuple of arrays, a *record*. Each operation takes
that record as ``cells`` and the index of a neuron as ``cell``; which code runs follows from the class of the
record, when a kernel is compiled. So there is one text of each kernel for all cells.

The state of a neuron is a tuple of numbers, its adjoint a tuple of the same length. Times are in ms. What
a cell means by its state is its own affair: kernels only carry it from one event to the next.
"""

# mypy: disable-error-code="empty-body"
from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any, TypeVar, cast

import numba
from numba import types
from numba.extending import overload

from netdesc.dynamics.fragments import FragmentCompiler

F = TypeVar("F", bound=Callable[..., Any])
State = tuple[float, ...]

NEVER = -1.0
"""Stands for the time of a spike that does not come."""


@dataclass(frozen=True, slots=True)
class Code:
    """The functions of a cell.

    Parameters
    ----------
    functions : mapping of str to callable
        One for every operation of this module, with the same parameters.
    width : int
        Numbers in a state.
    residuals : tuple of str
        Names of the numbers that the adjoint needs of a spike, in the order of the rows of ``kept``.
    """

    functions: Mapping[str, Callable[..., Any]]
    width: int
    residuals: tuple[str, ...]


_CODES: dict[type, Code] = {}
OPERATIONS: list[str] = []


def register(
    record: type, functions: Mapping[str, Any], width: int, residuals: tuple[str, ...] | None = None
) -> None:
    """Make a class of parameter records known to the kernels.

    Parameters
    ----------
    record : type
        A named tuple of arrays.
    functions : mapping of str to callable
        By the names of the operations; what has another name is ignored.
    width, residuals
        See ``Code``; without residuals, a cell runs forward only and has no adjoint.

    Raises
    ------
    KeyError
        If an operation is missing.
    """
    items = "".join(f"rows[row, {k}], " for k in range(width))
    space: dict[str, Any] = {}
    exec(f"def load(rows, row, cells):\n    return ({items})", space)
    given = {"quiet": quiet_by_crossing, **functions, "load": space["load"]}
    missing = set(FORWARD if residuals is None else REQUIRED) - set(given)
    if missing:
        raise KeyError(f"{record.__name__} lacks {', '.join(sorted(missing))}")
    known = {name: given[name] for name in (*OPERATIONS, "initial") if name in given}
    _CODES[record] = Code(known, width, residuals or ())


def find_code(record: type) -> Code:
    """Return the functions of a class of parameter records.

    Raises
    ------
    KeyError
        If it is not registered.
    """
    return _CODES[record]


def records_in(kind: object) -> list[type]:
    """Return the registered classes of records that a numba type holds, nested ones included."""
    if not isinstance(kind, types.BaseTuple):
        return []
    own = [kind.instance_class] if getattr(kind, "instance_class", None) in _CODES else []
    return own + [found for item in kind.types for found in records_in(item)]


def _implement(function: Callable[..., Any], parameters: list[str]) -> Callable[..., Any]:
    """Return what becomes part of a kernel: the function, or a call of one that is compiled once."""
    if not hasattr(function, "py_func"):
        return function
    names = ", ".join(parameters)
    space: dict[str, Any] = {"function": function}
    exec(f"def call({names}):\n    return function({names})", space)
    return cast(Callable[..., Any], space["call"])


def operation(stub: F) -> F:
    """Make an operation out of its signature and description.

    Parameters
    ----------
    stub : callable
        With a parameter ``cells``; its body is not used.

    Returns
    -------
    callable
        For kernels, and for the interpreter.
    """
    name = stub.__name__
    parameters = list(inspect.signature(stub).parameters)
    place = parameters.index("cells")

    def interpreted(*arguments: Any) -> Any:
        functions = _CODES[type(arguments[place])].functions
        return functions[name](*arguments)

    def choose(*arguments: Any, **named: Any) -> Callable[..., Any]:
        kinds = [*arguments, *named.values()]
        return _implement(_CODES[kinds[place].instance_class].functions[name], parameters)

    update_wrapper(interpreted, stub)
    update_wrapper(choose, stub)
    interpreted._operation = name  # type: ignore[attr-defined]
    OPERATIONS.append(name)
    if not numba.config.DISABLE_JIT:
        options = {"forceinline": True, "error_model": "numpy", "pipeline_class": FragmentCompiler}
        overload(interpreted, jit_options=options, strict=False)(choose)
    return cast(F, interpreted)


@operation
def load(rows: Any, row: int, cells: Any) -> State:
    """Return a state or an adjoint out of an array of shape (rows, width)."""


@operation
def begin(cells: Any, cell: int) -> State:
    """Return the state at 0."""


@operation
def refractory(cells: Any, cell: int) -> float:
    """Return the refractory period in ms."""


@operation
def horizon(cells: Any) -> float:
    """Return how far ahead a spike is worth predicting while more may arrive, in ms."""


@operation
def above(x: State, cells: Any, cell: int) -> bool:
    """Tell whether a state is at the threshold or beyond it."""


@operation
def flow(x: State, cells: Any, cell: int, s: float) -> State:
    """Return the state after s ms without events."""


@operation
def held(x: State, cells: Any, cell: int, s: float) -> State:
    """Return the state after s ms of a refractory period."""


@operation
def arrive(x: State, cells: Any, cell: int, receptor: int, weight: float) -> State:
    """Return the state after the arrival of a spike."""


@operation
def crossing(x: State, cells: Any, cell: int, s: float) -> float:
    """Return the first time within s ms at which the threshold is reached from below; ``NEVER`` without."""


@operation
def quiet(x: State, cells: Any, cell: int, s: float) -> float:
    """Return a time, at most the first within s ms at which the threshold is reached, s or more without."""


@operation
def spike(x: State, cells: Any, cell: int) -> State:
    """Return the state after a spike."""


@operation
def release(x: State, cells: Any, cell: int) -> State:
    """Return the state with which integration starts again after a refractory period."""


def quiet_by_crossing(x: State, cells: Any, cell: int, s: float) -> float:
    """Return what ``quiet`` is for a cell without a bound of its own."""
    span = min(s, horizon(cells))
    moment = crossing(x, cells, cell, span)
    return moment if moment >= 0.0 else span


FORWARD = tuple(OPERATIONS)
"""What a cell needs that runs forward only."""


@operation
def keep_spike(x: State, kept: Any, k: int, cells: Any, cell: int) -> None:
    """Write what the adjoint needs of the state just before spike k into its column of ``kept``."""


@operation
def keep_release(x: State, kept: Any, k: int, cells: Any, cell: int) -> None:
    """Write what the adjoint needs of the state at the end of the refractory period of spike k."""


@operation
def voltage(x: State, cells: Any, cell: int) -> float:
    """Return the membrane voltage."""


@operation
def current(x: State, cells: Any, cell: int) -> float:
    """Return the total synaptic current."""


@operation
def subtract(x: State, cells: Any, cell: int, drop: float) -> State:
    """Return the state after a spike that lowers the membrane voltage by ``drop``."""


@operation
def needs_states(cells: Any) -> bool:
    """Tell whether the adjoint needs the states between events, so that they are computed once more."""


@operation
def recall(kept: Any, k: int, cells: Any, cell: int) -> State:
    """Return the state just before spike k; only where the adjoint needs states."""


@operation
def flow_adjoint(lam: State, x: State, cells: Any, cell: int, s: float) -> State:
    """Return the adjoint s ms earlier, before an interval without events that starts at state x."""


@operation
def held_adjoint(lam: State, x: State, cells: Any, cell: int, s: float) -> State:
    """Return the adjoint s ms earlier, within a refractory period."""


@operation
def arrive_adjoint(
    lam: State, x: State, cells: Any, cell: int, receptor: int, weight: float, within: bool
) -> tuple[State, float, float]:
    """Cross an arrival backward.

    Returns
    -------
    tuple of (state, float, float)
        The adjoint before it, dL/d(arrival time), and dL/dw; x is the state before, and ``within`` says
        whether it falls into a refractory period.
    """


@operation
def release_adjoint(lam: State, kept: Any, k: int, cells: Any, cell: int) -> tuple[State, float]:
    """Cross the end of the refractory period of spike k backward.

    Returns
    -------
    tuple of (state, float)
        The adjoint before it, and dL/d(its time).
    """


@operation
def spike_adjoint(
    lam: State, kept: Any, k: int, cells: Any, cell: int, force: float, floor: float
) -> tuple[State, float, bool]:
    """Cross spike k backward: the spike jump.

    Parameters
    ----------
    lam : tuple of float
        Adjoint just after it.
    kept : ndarray
    k : int
    cells, cell
    force : float
        dL/dt of the spike by all but the neuron's own reset.
    floor : float
        Relative to the distance from reset to threshold: see ``slope``.

    Returns
    -------
    tuple of (state, float, bool)
        The adjoint just before it, the total dL/dt, and whether the slope was raised to the floor.
    """


@operation
def forget(lam: State, cells: Any, cell: int) -> State:
    """Return the adjoint before a spike at 0 of a neuron that starts above: its time depends on nothing."""


@operation
def slope(kept: Any, k: int, cells: Any, cell: int, floor: float) -> float:
    """Return the slope at the threshold at spike k, not below the floor, in the unit of the adjoint."""


REQUIRED = tuple(OPERATIONS)
"""What every cell has; families of cells have operations of their own beside them."""
