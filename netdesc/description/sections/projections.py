"""Projections: records, units of weights, shapes, and what must hold between a projection and its cells."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from netdesc import units
from netdesc.description.model import Choice, Constant, Explicit, Parameter, Projection
from netdesc.description.reading.context import Reading
from netdesc.description.reading.suggestion import did_you_mean
from netdesc.description.reading.tree import Node
from netdesc.description.reading.written import written_parameter
from netdesc.description.sections.cells import cell_of
from netdesc.description.sections.connectors import resolve_connector
from netdesc.description.sections.matrices import check_shape
from netdesc.description.sections.values import read_parameter
from netdesc.dynamics.equations import KIND

Populations = Mapping[str, dict[str, Any] | None]


def resolve_projection(name: str, data: dict[str, Any], populations: Populations, reading: Reading) -> None:
    """Replace the weight by its record, in place, and note all faults of a projection.

    The populations are those after `netdesc.description.sections.populations.resolve_population`.
    """
    path = f"projections.{name}"
    known = _check_names(data, populations, path, reading)
    weight = data.pop("weight", None)
    models = [populations[target]["neuron"] for target in known if _has_neuron(populations, target)]  # type: ignore[index]
    if isinstance(weight, Node) and models:
        _check_units(known, models, path, reading)
        data["weight"] = _weight(weight, models, data, path, reading)
        data["x-weight-unit"] = cell_of(models[0]).weight
    resolve_connector(data, _shape(data, populations), path, reading)
    _check_shapes(data, _shape(data, populations), path, reading)


def projection_of(name: str, data: dict[str, Any]) -> Projection:
    """Return the record of a projection without faults.

    Parameters
    ----------
    name : str
    data : dict
        After `resolve_projection`.
    """
    connector = data["connector"]
    if connector.kind == "list":
        connector = Choice("list", {"pairs": tuple((pre, post) for pre, post in connector.options["pairs"])})
    return Projection(
        name, data["pre"], data["post"], connector, data["receptor"], data["weight"], data["delay"]
    )


def write_projection(data: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a resolved projection with its weight and connector as plain values."""
    result = {key: item for key, item in data.items() if key != "x-weight-unit"}
    delay = result.pop("delay")
    result |= {"weight": written_parameter(data["weight"], data["x-weight-unit"]), "delay": delay}
    if data["connector"].kind == "array":
        result["connector"] = Choice("array", {"values": data["connector"].options["values"].tolist()})
    return result


def _is_source(population: dict[str, Any]) -> bool:
    return population.get("source") is not None and population.get("neuron") is None


def _has_neuron(populations: Populations, name: str) -> bool:
    population = populations[name]
    return population is not None and isinstance(population.get("neuron"), Choice)


def _check_names(data: dict[str, Any], populations: Populations, path: str, reading: Reading) -> list[str]:
    pre, targets = data.get("pre"), data.get("post") or ()
    if pre is not None and pre not in populations:
        reading.fail(f"there is no population '{pre}'{did_you_mean(pre, populations)}", f"{path}.pre")
    known = []
    for index, target in enumerate(targets):
        place = f"{path}.post"
        if target not in populations:
            reading.fail(f"there is no population '{target}'{did_you_mean(target, populations)}", place)
        elif target in targets[:index]:
            reading.fail(f"population '{target}' is listed twice; keep one", place)
        elif (population := populations[target]) is not None and _is_source(population):
            reading.fail(
                f"population '{target}' is a source and receives no input; use a population of neurons",
                place,
            )
        else:
            known.append(target)
    return known


def _check_units(targets: list[str], models: list[Choice], path: str, reading: Reading) -> None:
    first = models[0]
    for target, model in zip(targets, models, strict=False):
        if cell_of(model).weight != cell_of(first).weight:
            reading.fail(
                f"post holds {first.kind} ({targets[0]}), whose weight is {_name(first)}, and {model.kind} "
                f"({target}), whose weight is {_name(model)}; write one projection for each",
                f"{path}.post",
            )
            return


def _name(model: Choice) -> str:
    return units.DIMENSIONS[cell_of(model).weight].name


def _weight(
    node: Node, models: list[Choice], data: dict[str, Any], path: str, reading: Reading
) -> Parameter | None:
    model, receptor = models[0], data.get("receptor")
    magnitude = receptor in ("excitatory", "inhibitory")
    before = len(reading.diagnostics)
    weight = read_parameter(
        node,
        cell_of(model).weight,
        f"{path}.weight",
        reading,
        sign="nonnegative" if magnitude else None,
        needed_by=model.kind,
    )
    if magnitude:
        _explain_magnitude(reading, before, str(receptor))
    if receptor == "signed" and any(cell_of(item).conductance for item in models):
        reading.fail(
            f"{model.kind} has an excitatory and an inhibitory conductance; write receptor: excitatory or "
            "receptor: inhibitory",
            path,
        )
    elif receptor == "signed" and weight is not None and weight.train:
        _check_receptor(models, path, reading)
    return weight


def _explain_magnitude(reading: Reading, before: int, receptor: str) -> None:
    for index in range(before, len(reading.diagnostics)):
        item = reading.diagnostics[index]
        if "at least 0" in item.message:
            reading.diagnostics[index] = type(item)(
                f"{item.message} because receptor: {receptor} takes magnitudes; "
                "write receptor: signed for weights of either sign",
                item.path,
                item.code,
                item.location,
            )


def _check_receptor(models: list[Choice], path: str, reading: Reading) -> None:
    for model in models:
        if model.kind == KIND and len(model.options[KIND].receptors) > 1:
            reading.fail(
                "a trained weight may change its sign, but the receptors of the cell differ; write "
                "receptor: excitatory or receptor: inhibitory",
                path,
            )
            return
        excitatory, inhibitory = (model.options.get(f"tau_syn_{side}") for side in "EI")
        if (
            model.kind in ("IF_curr_exp", "IF_curr_alpha")
            and excitatory is not None
            and inhibitory is not None
            and (not _same(excitatory.init, inhibitory.init))
        ):
            reading.fail(
                f"a trained weight may change its sign, but tau_syn_E and tau_syn_I of {model.kind} differ; "
                "write receptor: excitatory or receptor: inhibitory, or make the two equal",
                path,
            )
            return


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, Explicit) and isinstance(right, Explicit):
        return bool(np.array_equal(left.values, right.values))
    return isinstance(left, Constant) and left == right


def _shape(data: dict[str, Any], populations: Populations) -> tuple[int, int] | None:
    names = [data.get("pre"), *(data.get("post") or ())]
    sizes = []
    for name in names:
        population = populations.get(name) if isinstance(name, str) else None
        if population is None or not population.get("size"):
            return None
        sizes.append(prod(population["size"]))
    return (sizes[0], sizes[1]) if len(sizes) == 2 else (sizes[0], -1) if len(sizes) > 2 else None


def _check_shapes(data: dict[str, Any], shape: tuple[int, int] | None, path: str, reading: Reading) -> None:
    for key in ("weight", "delay"):
        parameter = data.get(key)
        if not isinstance(parameter, Parameter) or not isinstance(parameter.init, Explicit) or shape is None:
            continue
        inner = f"{path}.{key}.init" if f"{path}.{key}.init" in reading.places else f"{path}.{key}"
        if _listed(data, parameter.init.values):
            _check_listed(data, key, parameter.init.values, path=inner, reading=reading)
        elif shape[1] < 0:
            reading.fail(
                f"a list or matrix as {key} needs a single population as post; write one projection for each",
                inner,
            )
        else:
            check_shape(
                parameter.init.values,
                shape,
                inner,
                reading,
                f"pre by post ({data['pre']} by {data['post'][0]})",
            )


def _listed(data: dict[str, Any], values: Any) -> bool:
    """Return whether values belong to the pairs of a list, one each."""
    connector = data.get("connector")
    return isinstance(connector, Choice) and connector.kind == "list" and values.ndim == 1


def _check_listed(data: dict[str, Any], key: str, values: Any, *, path: str, reading: Reading) -> None:
    pairs = data["connector"].options.get("pairs")
    if pairs is None:
        return
    if len(values) != len(pairs):
        reading.fail(
            f"expected a {key} for each of the {len(pairs)} pairs of the list, got {len(values)}; write them "
            "in the order of the pairs",
            path,
        )
    elif np.isnan(values).any():
        row = int(np.isnan(values).argmax()) + 1
        reading.fail(f"expected a {key} for pair {row} of the list, got none; write a number", path)
