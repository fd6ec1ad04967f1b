"""Losses, training and recordings: records, and what must hold between them and the network."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from netdesc import units
from netdesc.description.model import Choice, Data, Loss, Recording, Training
from netdesc.description.reading.context import Reading
from netdesc.description.reading.suggestion import did_you_mean
from netdesc.description.reading.tree import Node
from netdesc.description.sections.cells import cell_of
from netdesc.description.sections.traces import check_interval, may_have_targets

Populations = Mapping[str, dict[str, Any] | None]

_VOLTAGE_LOSSES = frozenset(("max_voltage", "mean_voltage", "voltage_mse", "per_time_cross_entropy"))
_UNLABELLED = frozenset(("firing_rate",))
_TRAINING_RECORD = (
    "gradient",
    "optimizer",
    "schedule",
    "epochs",
    "batch_size",
    "silent_neurons",
    "early_stopping",
)


def check_loss(
    name: str, loss: Choice, populations: Populations, samples: Mapping[str, Any] | None, reading: Reading
) -> None:
    """Note all faults of a loss, after the populations are resolved.

    The samples are the section ``data``, empty where only the caller knows them; None where there are none.
    """
    path = f"losses.{name}.{loss.kind}"
    target = loss.options.get("population")
    if target is not None and target not in populations:
        reading.fail(
            f"there is no population '{target}'{did_you_mean(target, populations)}", f"{path}.population"
        )
    population = populations.get(target) if isinstance(target, str) else None
    if population is not None:
        _check_read_out(loss, str(target), population, path, reading)
    _check_target(loss, population, samples, path, reading)


def loss_of(name: str, loss: Choice, data: Data | None) -> Loss:
    """Return the record of a loss without faults; ``target`` is None where the label serves."""
    options = {key: item for key, item in loss.options.items() if key not in ("population", "weight")}
    options.setdefault("target", None)
    if loss.kind == "voltage_mse" and options["interval"] is None and data is not None:
        options["interval"] = data.option("target_interval")
    return Loss(name, loss.kind, loss.options["population"], loss.options["weight"], options)


def _check_read_out(loss: Choice, name: str, population: dict[str, Any], path: str, reading: Reading) -> None:
    if population.get("source") is not None:
        reading.fail(
            f"population '{name}' is a source; a loss needs a population of neurons",
            f"{path}.population",
        )
    neuron = population.get("neuron")
    if not isinstance(neuron, Choice):
        return
    spiking = cell_of(neuron).spiking
    if loss.kind in _VOLTAGE_LOSSES and spiking:
        reading.fail(
            f"{loss.kind} reads voltages without resets, but {neuron.kind} of population '{name}' spikes; "
            "use the neuron LI, or a loss of spike times",
            f"{path}.population",
        )
    elif loss.kind not in _VOLTAGE_LOSSES and not spiking:
        reading.fail(
            f"{loss.kind} reads spikes, but {neuron.kind} of population '{name}' never spikes; "
            "use a neuron that spikes such as LIF, or a loss of voltages",
            f"{path}.population",
        )


def _check_target(
    loss: Choice,
    population: dict[str, Any] | None,
    samples: Mapping[str, Any] | None,
    path: str,
    reading: Reading,
) -> None:
    target = loss.options.get("target")
    if loss.kind in _UNLABELLED:
        return
    if loss.kind == "voltage_mse":
        check_interval(loss, samples, path, reading)
        return
    if target is None and samples is None and reading.sound(f"{path}.target"):
        reading.fail(
            "without a dataset there is no label; write a target, for example target: 0, or add data", path
        )
    size = prod(population["size"]) if population and population.get("size") else None
    if isinstance(target, int) and size is not None and target >= size:
        reading.fail(
            f"target {target} is outside of the population, which has {size} neurons, counted from 0",
            f"{path}.target",
        )
    if isinstance(target, list) and size is not None and len(target) != size:
        reading.fail(
            f"expected {size} target times, one per neuron, got {len(target)}; use null for a neuron that is "
            "not in the loss",
            f"{path}.target",
        )
    if loss.kind == "spike_time_mse":
        _check_times(loss, target, may_have_targets(samples), path, reading)


def _check_times(loss: Choice, target: Any, targeted: bool, path: str, reading: Reading) -> None:
    missing = [key for key in ("correct", "wrong") if loss.options.get(key) is None]
    if targeted and target is None and len(missing) == 2:
        return
    if not isinstance(target, list) and missing:
        reading.fail(
            f"{' and '.join(missing)} missing; write a list of times as target, or correct and wrong times, "
            "for example correct: 10 ms and wrong: 20 ms",
            path,
        )
    if isinstance(target, list) and len(missing) < 2:
        reading.fail("target already holds the times; remove correct and wrong", path)


def training_of(data: dict[str, Any] | None) -> Training | None:
    """Return the record of the section ``training``, or None where there is none."""
    if data is None:
        return None
    early = data.get("early_stopping")
    return Training(
        gradient=data["gradient"],
        optimizer=data["optimizer"],
        schedule=data["schedule"],
        epochs=data["epochs"],
        batch_size=data["batch_size"],
        silent_neurons=data["silent_neurons"],
        early_stopping=Choice(early["metric"], {"patience": early["patience"], "metric": early["metric"]})
        if early
        else None,
        options={key: item for key, item in data.items() if key not in _TRAINING_RECORD},
    )


def recordings_of(
    record: Mapping[str, list[Choice | None] | None], populations: Populations, reading: Reading
) -> tuple[Recording, ...]:
    """Return the recordings, and note all their faults.

    Parameters
    ----------
    record : mapping
        The section, as read; ``neurons`` is still a Node or text.
    populations : mapping of str to dict or None
    reading : Reading
        Receives the faults.
    """
    result = []
    for name, items in record.items():
        path = f"record.{name}"
        if name not in populations:
            reading.fail(f"there is no population '{name}'{did_you_mean(name, populations)}", path)
            continue
        population = populations[name]
        for index, item in enumerate(items or ()):
            inner = f"{path}.{index}"
            if item is not None and population is not None:
                _check_variable(item, name, population, inner if inner in reading.places else path, reading)
                result.append(_recording(name, item, population, inner, reading))
    return tuple(result)


def write_recording(item: Recording) -> dict[str, Any]:
    """Return a recording as plain data of the language."""
    options: dict[str, Any] = {"neurons": "all" if item.neurons is None else list(item.neurons)}
    if item.every is not None:
        options["every"] = units.format_quantity(item.every, "ms")
    return {item.variable: options}


def _check_variable(item: Choice, name: str, population: dict[str, Any], path: str, reading: Reading) -> None:
    neuron = population.get("neuron")
    if population.get("source") is not None and item.kind != "spikes":
        reading.fail(f"population '{name}' is a source and has no {item.kind}; record spikes", path)
    if isinstance(neuron, Choice) and item.kind == "spikes" and not cell_of(neuron).spiking:
        reading.fail(f"{neuron.kind} of population '{name}' never spikes; record v", path)


def _recording(name: str, item: Choice, population: dict[str, Any], path: str, reading: Reading) -> Recording:
    size = prod(population["size"]) if population.get("size") else None
    neurons = item.options.get("neurons")
    chosen = _chosen(neurons, size, path, reading) if isinstance(neurons, Node) else None
    return Recording(name, item.kind, chosen, item.options.get("every"))


def _chosen(node: Node, size: int | None, path: str, reading: Reading) -> tuple[int, ...] | None:
    if node.value == "all" or size is None:
        return None
    if isinstance(node.value, str):
        return _sliced(node, size, path, reading)
    items = node.items if isinstance(node.value, list) else [node]
    chosen = tuple(round(item.value) for item in items)  # type: ignore[arg-type]
    for index in chosen:
        if index >= size:
            reading.fail(
                f"neuron {index} is outside of the population, which has {size} neurons, counted from 0",
                path,
                node.place,
            )
            return None
    return chosen


def _sliced(node: Node, size: int, path: str, reading: Reading) -> tuple[int, ...] | None:
    parts = str(node.value).split(":")
    chosen = range(size)[slice(*(int(part) if part else None for part in parts))]
    if not chosen or (parts[1] and int(parts[1]) > size):
        reading.fail(
            f"the slice {node.value} exceeds the population of {size} neurons, counted from 0",
            path,
            node.place,
        )
        return None
    return tuple(chosen)
