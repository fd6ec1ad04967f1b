"""Values of populations and projections: constants, distributions, lists, files, and what is trained."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from netdesc import units
from netdesc.description.model import Constant, Distribution, Explicit, Parameter, Value
from netdesc.description.reading.context import Reading
from netdesc.description.reading.tree import Node
from netdesc.description.schema.numbers import check_range, quantity
from netdesc.description.sections.matrices import read_array, read_file, read_list

DISTRIBUTIONS: dict[str, dict[str, bool]] = {
    "normal": {"mu": True, "sigma": True},
    "uniform": {"low": True, "high": True},
    "lognormal": {"mu": False, "sigma": False},
    "normal_clipped": {"mu": True, "sigma": True, "low": True, "high": True},
    "gamma": {"k": False, "theta": True},
    "exponential": {"beta": True},
}
"""Parameters of every distribution (PyNN's names), and whether each has the unit of the value."""

_LONG = ("init", "train", "min", "max")


def read_parameter(
    node: Node, unit: str, path: str, reading: Reading, *, sign: str | None = None, needed_by: str = ""
) -> Parameter | None:
    """Read a value that may be trained.

    Parameters
    ----------
    node : Node
        A value, or ``{init, train, min, max}``.
    unit : str
        Base unit; empty where numbers without unit are due.
    path : str
    reading : Reading
        Receives the faults.
    sign : str or None
        ``positive``, ``nonnegative`` or None.
    needed_by : str
        Who needs it, for messages.

    Returns
    -------
    Parameter or None
        None where a fault was noted. Bounds that the file does not give follow from the sign.
    """
    least = 0.0 if sign else -math.inf
    if not any(key in node.mapping for key in _LONG):
        init = read_value(node, unit, path, reading, sign=sign, needed_by=needed_by)
        return None if init is None else Parameter(init, low=least)
    before = len(reading.diagnostics)
    bounds = [_bound(node, key, unit, path, reading) for key in ("min", "max")]
    init = read_value(node.mapping["init"], unit, f"{path}.init", reading, sign=sign, needed_by=needed_by)
    low, high = (least if bounds[0] is None else bounds[0]), (math.inf if bounds[1] is None else bounds[1])
    if low > high:
        reading.fail(
            f"min {units.format_quantity(low, unit)} is greater than max "
            f"{units.format_quantity(high, unit)}; swap them",
            path,
        )
    if sign and low < 0:
        reading.fail(
            f"min {units.format_quantity(low, unit)} is negative; values here are at least 0", f"{path}.min"
        )
    train = "train" in node.mapping and node.mapping["train"].value is True
    if init is None or len(reading.diagnostics) > before:
        return None
    _check_within(init, low, high, unit, path, reading)
    return Parameter(init, train, low, high)


def read_value(
    node: Node, unit: str, path: str, reading: Reading, *, sign: str | None = None, needed_by: str = ""
) -> Value | None:
    """Read a value: a number or quantity, a distribution, a list, an array, or a file.

    Parameters
    ----------
    node, unit, path, reading, sign, needed_by
        As for `read_parameter`.

    Returns
    -------
    Constant, Distribution, Explicit or None
        None where a fault was noted.
    """
    if isinstance(node.value, np.ndarray):
        values = read_array(node, path, reading)
        return None if values is None else _checked(values, sign, unit, path, reading)
    if isinstance(node.value, list):
        values = read_list(node, unit, path, reading, needed_by)
        return None if values is None else _checked(values, sign, unit, path, reading)
    if "file" in node.mapping:
        values = read_file(node, path, reading)
        return None if values is None else _checked(values, sign, unit, path, reading)
    if isinstance(node.value, dict):
        return _distribution(node, unit, path, reading, sign=sign, needed_by=needed_by)
    value = quantity(node, unit, path, reading, needed_by)
    if value is None or not check_range(value, {"x-unit": unit, "x-sign": sign}, path, reading, node.place):
        return None
    return Constant(value)


def lowest(value: Value) -> float:
    """Return a lower bound of what a value may be; minus infinity where it has none.

    Returns
    -------
    float
        In the base unit.
    """
    match value:
        case Constant():
            return value.value
        case Explicit():
            return float(np.nanmin(value.values)) if np.isfinite(value.values).any() else math.inf
        case Distribution(kind="uniform" | "normal_clipped"):
            return value.parameters["low"]
        case Distribution(kind="lognormal" | "gamma" | "exponential"):
            return 0.0
        case _:
            return value.parameters["mu"] if value.parameters["sigma"] == 0 else -math.inf


def _checked(values: Any, sign: str | None, unit: str, path: str, reading: Reading) -> Explicit | None:
    present = values[~np.isnan(values)]
    if sign and present.size and (present.min() < 0 or (sign == "positive" and present.min() == 0)):
        least = "greater than 0" if sign == "positive" else "at least 0"
        reading.fail(
            f"the smallest value is {units.format_quantity(float(present.min()), unit)}; all must be {least}",
            path,
        )
        return None
    values.flags.writeable = False
    return Explicit(values)


def _distribution(
    node: Node, unit: str, path: str, reading: Reading, *, sign: str | None, needed_by: str
) -> Distribution | None:
    kind, options = next(iter(node.mapping.items()))
    found = {
        name: quantity(
            options.mapping[name], unit if has_unit else "", f"{path}.{kind}.{name}", reading, needed_by
        )
        for name, has_unit in DISTRIBUTIONS[kind].items()
    }
    numbers = {name: value for name, value in found.items() if value is not None}
    if len(numbers) < len(found):
        return None
    result = Distribution(kind, numbers)
    fault = _distribution_fault(result, sign)
    if fault:
        reading.fail(fault, f"{path}.{kind}")
        return None
    return result


def _distribution_fault(value: Distribution, sign: str | None) -> str:
    numbers = value.parameters
    for name in ("sigma", "k", "theta", "beta"):
        if numbers.get(name, 1.0) < 0:
            return f"{name} is negative; it must be at least 0"
    if "low" in numbers and numbers["low"] > numbers["high"]:
        return "low is greater than high; swap them"
    least = lowest(value)
    if sign and (-math.inf < least < 0 or (numbers.get("mu", 0.0) < 0 and value.kind != "lognormal")):
        return "this distribution draws negative values; values here must be at least 0"
    return ""


def _bound(node: Node, key: str, unit: str, path: str, reading: Reading) -> float | None:
    bound = node.mapping.get(key)
    return None if bound is None or bound.value is None else quantity(bound, unit, f"{path}.{key}", reading)


def _check_within(init: Value, low: float, high: float, unit: str, path: str, reading: Reading) -> None:
    if isinstance(init, Distribution):
        return
    values = np.asarray(init.value if isinstance(init, Constant) else init.values)
    present = values[~np.isnan(values)]
    outside = present[(present < low) | (present > high)]
    if outside.size:
        reading.fail(
            f"init {units.format_quantity(float(outside.flat[0]), unit)} is outside of min and max; "
            "widen them or change init",
            f"{path}.init",
        )
