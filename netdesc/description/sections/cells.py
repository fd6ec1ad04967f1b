"""Neuron types: their units, records and what must hold between their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from netdesc import units
from netdesc.description.model import Choice, Constant, Explicit, Neuron, Parameter, Value
from netdesc.description.reading.context import Reading
from netdesc.description.sections.matrices import check_shape


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
    "IF_curr_alpha": Cell("mV", "nA", "nA"),
    "IF_cond_exp": Cell("mV", "uS", "nA", conductance=True),
    "IF_cond_alpha": Cell("mV", "uS", "nA", conductance=True),
    "EIF_cond_exp_isfa_ista": Cell("mV", "uS", "nA", conductance=True),
    "Izhikevich": Cell("mV", "mV", "nA"),
}
"""Every model of language version 1."""

ONE_CURRENT = frozenset({"LIF", "LI"})
"""Models with one synaptic current, whose initial value is ``i``; others have ``i_exc`` and ``i_inh``."""

# Models name threshold and reset differently; EIF_cond_exp_isfa_ista spikes at v_spike.
_THRESHOLDS = {"LIF": "v_threshold", "EIF_cond_exp_isfa_ista": "v_spike"}


def neuron_of(choice: Choice) -> Neuron:
    """Return the record of a neuron type.

    Parameters
    ----------
    choice : Choice
        Model with its options, complete.

    Returns
    -------
    Neuron
    """
    options = dict(choice.options)
    reset = options.pop("reset", "to_value")
    return Neuron(choice.kind, options, reset)


def check_neuron(choice: Choice, path: str, reading: Reading) -> None:
    """Note a fault where the threshold is not above the reset.

    Parameters
    ----------
    choice : Choice
    path : str
        Dotted path of the type, without the model.
    reading : Reading
        Receives the faults.
    """
    top, bottom = _THRESHOLDS.get(choice.kind, "v_thresh"), "v_reset"
    high, low = _range(choice.options.get(top)), _range(choice.options.get(bottom))
    if high is None or low is None or low[1] < high[0]:
        return
    unit = CELLS[choice.kind].voltage
    reset, threshold = units.format_quantity(low[1], unit), units.format_quantity(high[0], unit)
    inner = f"{path}.{choice.kind}"
    at = next((f"{inner}.{name}" for name in (bottom, top) if f"{inner}.{name}" in reading.places), inner)
    reading.fail(
        f"v_reset {reset} is not below {top} {threshold}; a neuron would spike endlessly. "
        f"Lower v_reset or raise {top}",
        at,
    )


def check_sizes(choice: Choice, size: int, path: str, reading: Reading) -> None:
    """Note a fault where a list of parameters is not as long as the population.

    Parameters
    ----------
    choice : Choice
    size : int
        Number of neurons.
    path : str
        Dotted path of the population.
    reading : Reading
        Receives the faults.
    """
    for name, parameter in choice.options.items():
        if isinstance(parameter, Parameter) and isinstance(parameter.init, Explicit):
            inner = f"{path}.neuron.{choice.kind}.{name}"
            check_list(parameter.init, size, inner if inner in reading.places else path, reading, name)


def check_list(value: Value, size: int, path: str, reading: Reading, what: str) -> None:
    """Note a fault where a written-out value does not fit the number of neurons.

    Parameters
    ----------
    value : Constant, Distribution or Explicit
    size : int
        Number of neurons.
    path : str
    reading : Reading
        Receives the fault.
    what : str
        Name of the value, for the message.
    """
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
