"""Neuron types: their units, records and what must hold between their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from netdesc import units
from netdesc.description.model import Choice, Constant, Explicit, Neuron, Parameter, Value
from netdesc.description.reading.context import Reading
from netdesc.description.sections.matrices import check_shape
from netdesc.dynamics.equations import KIND, Equations
from netdesc.models import catalogue


class Cell(NamedTuple):
    """What a neuron model needs besides its parameters.

    Parameters
    ----------
    voltage, weight, current : str
        Base units; empty for numbers without unit.
    spiking : bool
    conductance : bool
        Whether synapses are conductances, so that a weight cannot take either sign.
    """

    voltage: str
    weight: str
    current: str
    spiking: bool = True
    conductance: bool = False


CELLS: Mapping[str, Cell] = {
    "LIF": Cell("", "", ""),
    "LI": Cell("", "", "", spiking=False),
    "IF_curr_exp": Cell("mV", "nA", "nA"),
    "IF_cond_exp": Cell("mV", "uS", "nA", conductance=True),
    "IF_cond_alpha": Cell("mV", "uS", "nA", conductance=True),
    "Izhikevich": Cell("mV", "mV", "nA"),
}
"""Models of language version 1 that are not given by equations."""


def equations_of(neuron: Choice) -> Equations | None:
    """Return the equations of a neuron type, which stand in the file or in the catalogue; None without."""
    given: Equations | None = neuron.options.get(KIND)
    return catalogue().get(neuron.kind) if given is None else given


def cell_of(neuron: Choice) -> Cell:
    """Return what the model of a neuron type needs besides its parameters.

    Parameters
    ----------
    neuron : Choice
        Complete; for a type that a file gives by equations, resolved.
    """
    cell = equations_of(neuron)
    if cell is None:
        return CELLS[neuron.kind]
    offset = cell.parameters[cell.offset].unit if cell.offset else "nA"
    return Cell(next(iter(cell.state.values())), cell.weight, offset, conductance=cell.conductance)


ONE_CURRENT = frozenset({"LIF", "LI"})
"""Models with one synaptic current, whose initial value is ``i``; others have ``i_exc`` and ``i_inh``."""


def _order(choice: Choice) -> tuple[str, str]:
    """Return the parameters of a model of which the first must lie below the second."""
    cell = equations_of(choice)
    if cell is not None:
        return (cell.order[0], cell.order[1]) if cell.order else ("", "")
    return "v_reset", "v_threshold" if choice.kind == "LIF" else "v_thresh"


def neuron_of(choice: Choice) -> Neuron:
    """Return the record of a neuron type.

    Parameters
    ----------
    choice : Choice
        Model with its options, complete.
    """
    if choice.kind == KIND:
        from netdesc.description.sections.equations import neuron_of_equations

        return neuron_of_equations(choice)
    options = dict(choice.options)
    reset = options.pop("reset", "to_value")
    return Neuron(choice.kind, options, reset, catalogue().get(choice.kind))


def resolve_neuron(name: str, choice: Choice, path: str, reading: Reading) -> Choice | None:
    """Return a neuron type with its equations read; its threshold must lie above its reset.

    The name is that of the type, or of the population that it is written in; the path is without the model.
    """
    resolved: Choice | None = choice
    if choice.kind == KIND:
        from netdesc.description.sections.equations import resolve_equations

        resolved = resolve_equations(name, choice, path, reading)
    if resolved is not None:
        check_order(resolved, path, reading)
    return resolved


def check_order(choice: Choice, path: str, reading: Reading) -> None:
    """Note a fault where the threshold is not above the reset."""
    bottom, top = _order(choice)
    high, low = _range(choice.options.get(top)), _range(choice.options.get(bottom))
    if high is None or low is None or low[1] < high[0]:
        return
    unit = cell_of(choice).voltage
    reset, threshold = units.format_quantity(low[1], unit), units.format_quantity(high[0], unit)
    inner = f"{path}.{choice.kind}{'.parameters' if choice.kind == KIND else ''}"
    at = next((f"{inner}.{name}" for name in (bottom, top) if f"{inner}.{name}" in reading.places), inner)
    reading.fail(
        f"{bottom} {reset} is not below {top} {threshold}; a neuron would spike endlessly. "
        f"Lower {bottom} or raise {top}",
        at,
    )


def check_sizes(choice: Choice, size: int, path: str, reading: Reading) -> None:
    """Note a fault where a list of parameters is not as long as a population of ``size`` neurons."""
    for name, parameter in choice.options.items():
        if isinstance(parameter, Parameter) and isinstance(parameter.init, Explicit):
            inner = f"{path}.neuron.{choice.kind}.{name}"
            check_list(parameter.init, size, inner if inner in reading.places else path, reading, name)


def check_list(value: Value, size: int, path: str, reading: Reading, what: str) -> None:
    """Note a fault where a written-out value, named ``what``, does not fit ``size`` neurons."""
    if isinstance(value, Explicit) and check_shape(
        value.values, (size,), path, reading, f"one {what} per neuron"
    ):
        missing = np.flatnonzero(np.isnan(value.values))
        if missing.size:
            reading.fail(f"{what} of neuron {missing[0]} is missing (null); every neuron needs one", path)


def _range(parameter: object) -> tuple[float, float] | None:
    if not isinstance(parameter, Parameter):
        return None
    match parameter.init:
        case Constant(value=value):
            return value, value
        case Explicit(values=values):
            return float(np.nanmin(values)), float(np.nanmax(values))
    return None
