"""Populations: records, and what must hold between size, neuron, source and state."""

from __future__ import annotations

from math import prod
from typing import Any

from netdesc import units
from netdesc.description.model import Choice, Constant, Population, Value
from netdesc.description.reading.context import Reading
from netdesc.description.reading.tree import Node
from netdesc.description.reading.written import written_value
from netdesc.description.sections.cells import (
    ONE_CURRENT,
    cell_of,
    check_list,
    check_sizes,
    neuron_of,
    resolve_neuron,
)
from netdesc.description.sections.matrices import read_spikes
from netdesc.description.sections.values import read_value
from netdesc.dynamics.equations import KIND, OFFSET


def resolve_population(
    name: str, data: dict[str, Any], types: dict[str, Choice | None], duration: float | None, reading: Reading
) -> None:
    """Replace what depends on other sections, in place, and note all faults of a population.

    Parameters
    ----------
    name : str
    data : dict
        As read by the schema; afterwards ``neuron`` is a complete Choice, ``source`` has no file, and
        ``initial`` and ``current`` hold values.
    types : dict of str to Choice or None
        Section ``neurons``.
    duration : float or None
        Of a sample, in ms; None where it is not known.
    reading : Reading
        Receives the faults.
    """
    path = f"populations.{name}"
    if data.get("neuron") is not None and data.get("source") is not None:
        reading.fail(
            "expected either neuron or source, got both; remove source, or neuron for an input", path
        )
    if "neuron" not in data and "source" not in data:
        reading.fail(
            "expected either neuron or source, got neither; write neuron: TYPE, or source: dataset for "
            "an input",
            path,
        )
    size = prod(data["size"]) if data.get("size") else None
    if isinstance(data.get("neuron"), str):
        data["neuron"] = types.get(data["neuron"])
    elif isinstance(data.get("neuron"), Choice):
        data["neuron"] = resolve_neuron(name, data["neuron"], f"{path}.neuron", reading)
    neuron, source = data.get("neuron"), data.get("source")
    if isinstance(neuron, Choice) and size is not None:
        check_sizes(neuron, size, path, reading)
    if isinstance(source, Choice) and size is not None:
        data["source"] = _resolved_source(source, size, duration, f"{path}.source", reading)
    _resolve_state(data, neuron, size, path, reading)


def population_of(name: str, data: dict[str, Any]) -> Population:
    """Return the record of a population without faults.

    Parameters
    ----------
    name : str
    data : dict
        After `resolve_population`.
    """
    neuron, source = data.get("neuron"), data.get("source")
    if source is not None and source.kind == "spike_times":
        source = Choice("spike_times", {"times": tuple(tuple(row) for row in source.options["times"])})
    return Population(
        name,
        prod(data["size"]),
        tuple(data["size"]),
        None if neuron is None else neuron_of(neuron),
        source,
        data["initial"],
        data.get("current") or Constant(0.0),
    )


def write_population(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a population with its state as plain values.

    Parameters
    ----------
    data : dict
        After `resolve_population`.

    Returns
    -------
    dict
        For `netdesc.description.reading.written.written`.
    """
    result = {key: item for key, item in data.items() if item is not None}
    result["size"] = list(data["size"]) if len(data["size"]) > 1 else data["size"][0]
    if data.get("neuron") is None:
        return {key: item for key, item in result.items() if key not in ("initial", "current")}
    cell = cell_of(data["neuron"])
    if data["neuron"].kind == KIND:
        from netdesc.description.sections.equations import write_equations

        result["neuron"] = write_equations(data["neuron"])
    result["initial"] = {
        key: written_value(value, _state_unit(key, cell)) for key, value in data["initial"].items()
    }
    if data["neuron"].kind != KIND or data["neuron"].options[KIND].offset:
        result["current"] = written_value(data.get("current") or Constant(0.0), cell.current)
    return result


def _state_unit(key: str, cell: Any) -> str:
    return str(cell.voltage if key == "v" else cell.weight)


def _resolve_state(data: dict[str, Any], neuron: Any, size: int | None, path: str, reading: Reading) -> None:
    state: dict[str, Any] = {
        key: node for key, node in (data.get("initial") or {}).items() if node is not None
    }
    current = data.pop("current", None)
    data["initial"] = {}
    if not isinstance(neuron, Choice):
        if data.get("source") is not None and (state or current is not None):
            what = "initial" if state else "current"
            reading.fail(f"a source has no {what}; remove it", f"{path}.{what}")
        return
    cell = cell_of(neuron)
    equations = neuron.options[KIND] if neuron.kind == KIND else None
    if current is not None and equations is not None and not equations.offset:
        reading.fail(
            f"the cell has no parameter {OFFSET} to add this to; declare it, or remove current",
            f"{path}.current",
        )
    for key, node in state.items():
        if equations is not None and key not in equations.state:
            reading.fail(
                f"the cell has no state variable {key} of its own; write initial values under its state",
                f"{path}.initial.{key}",
            )
            continue
        if neuron.kind in ONE_CURRENT and key in ("i_exc", "i_inh"):
            reading.fail(
                f"expected i or v, got {key}; {neuron.kind} has one synaptic current, use i",
                f"{path}.initial.{key}",
            )
            continue
        value = _state(node, _state_unit(key, cell), size, f"{path}.initial.{key}", reading, neuron.kind)
        if value is not None:
            data["initial"][key] = value
    if current is not None:
        data["current"] = _state(current, cell.current, size, f"{path}.current", reading, neuron.kind)


def _state(node: Node, unit: str, size: int | None, path: str, reading: Reading, model: str) -> Value | None:
    value = read_value(node, unit, path, reading, needed_by=model)
    if value is not None and size is not None:
        check_list(value, size, path, reading, path.rpartition(".")[2])
    return value


def _resolved_source(
    source: Choice, size: int, duration: float | None, path: str, reading: Reading
) -> Choice | None:
    inner = f"{path}.{source.kind}"
    if not reading.sound(inner):
        return source
    match source.kind:
        case "poisson":
            check_list(source.options["rate"], size, f"{inner}.rate", reading, "rate")
            _check_window(source, f"{inner}.stop", reading)
            return source
        case "spike_file":
            times = read_spikes(source.options["path"], size, f"{inner}.path", reading)
            if times is None:
                return None
            source, inner = Choice("spike_times", {"times": times}), f"{inner}.path"
        case "dataset":
            return source
    _check_times(source.options["times"], size, duration, inner, reading)
    return Choice("spike_times", {"times": [sorted(row) for row in source.options["times"]]})


def _check_window(source: Choice, path: str, reading: Reading) -> None:
    start, stop = source.options["start"], source.options["stop"]
    if stop is not None and stop < start:
        reading.fail(
            f"stop {units.format_quantity(stop, 'ms')} is before start {units.format_quantity(start, 'ms')}; "
            "swap them",
            path,
        )


def _check_times(
    times: list[list[float]], size: int, duration: float | None, path: str, reading: Reading
) -> None:
    if len(times) != size:
        reading.fail(
            f"expected {size} lists of times, one per neuron, got {len(times)}; use [] for a silent neuron",
            path,
        )
    late = [
        (time, index)
        for index, row in enumerate(times)
        for time in row
        if duration is not None and time > duration
    ]
    if late and duration is not None:
        reading.fail(
            f"neuron {late[0][1]} spikes at {units.format_quantity(late[0][0], 'ms')}, after the end of the "
            f"sample at {units.format_quantity(duration, 'ms')}; raise simulation.duration or remove it",
            path,
        )
