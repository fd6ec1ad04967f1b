"""From a tree to a `Description`: form, then meaning, then records, with every fault noted."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from netdesc.budget import allowance
from netdesc.description.model import Choice, Description, Simulation
from netdesc.description.reading.context import Reading
from netdesc.description.reading.expressions import evaluate
from netdesc.description.reading.overrides import overridden
from netdesc.description.reading.suggestion import did_you_mean
from netdesc.description.reading.tree import Node, places, plain
from netdesc.description.reading.written import written
from netdesc.description.schema.document import schema
from netdesc.description.schema.form import shaped
from netdesc.description.sections.cells import resolve_neuron
from netdesc.description.sections.data import check_data, data_of, is_fed
from netdesc.description.sections.loops import check_loops
from netdesc.description.sections.memory import check_network, check_run
from netdesc.description.sections.populations import population_of, resolve_population, write_population
from netdesc.description.sections.projections import projection_of, resolve_projection, write_projection
from netdesc.description.sections.studies import (
    check_loss,
    loss_of,
    recordings_of,
    training_of,
    write_recording,
)
from netdesc.description.sections.traces import find_needed
from netdesc.errors import DescriptionError, Diagnostic, Location


def check_sweep(root: Node, reading: Reading) -> None:
    """Note every path of a sweep that an override could not have.

    Parameters
    ----------
    root : Node
        The file.
    reading : Reading
        Receives the faults.
    """
    sweep = root.mapping.get("sweep")
    for place, path, value in _paths(sweep) if sweep is not None else ():
        try:
            overridden(root, {path: value})
        except DescriptionError as error:
            reading.absorb(error, place)


def _paths(sweep: Node) -> Iterator[tuple[str, str, object]]:
    """Yield the place in the file, the path that is varied and its first value."""
    for path, values in sweep.mapping.get("matrix", Node({}, sweep.place)).mapping.items():
        yield f"sweep.matrix.{path}", path, plain(values.items[0]) if values.items else plain(values)
    for section in ("include", "exclude"):
        for index, item in enumerate(sweep.mapping.get(section, Node([], sweep.place)).items):
            for path, value in item.mapping.items():
                yield f"sweep.{section}.{index}.{path}", path, plain(value)
    for section in ("random", "optuna"):
        # Keys without a dot are settings of the search itself.
        for path, value in sweep.mapping.get(section, Node({}, sweep.place)).mapping.items():
            if "." in path:
                yield f"sweep.{section}.{path}", path, plain(value)


TEXTS = ("name", "description")
"""Keys of the description whose text is for people."""

QUANTITY = re.compile(r"[-+.0-9eE]+ \S+")
"""A number with its unit, of which a description may have many."""


def list_mentions(root: Node) -> tuple[str, ...]:
    """Return every text of a description that may be the name of a file, each once.

    For example ``weights.h5:matrix``; many of them name nothing.
    """
    sections = (node for key, node in root.mapping.items() if key not in TEXTS)
    return tuple(dict.fromkeys(text for node in sections for text in _texts(node, set())))


def _texts(node: Node, seen: set[int]) -> Iterator[str]:
    if isinstance(node.value, str):
        if not QUANTITY.fullmatch(node.value):
            yield node.value
    elif isinstance(node.value, dict | list) and id(node.value) not in seen:
        # An alias is visited once, however often it is used.
        seen.add(id(node.value))
        for item in node.mapping.values() or node.items:
            yield from _texts(item, seen)


_ACCURACIES = frozenset(
    ("train_accuracy", "validation_accuracy", "test_accuracy", "loss", "gradient_deviation")
)


def build(root: Node, file: str, directory: Path) -> Description:
    """Turn a tree into a description.

    Parameters
    ----------
    root : Node
        The file with its overrides.
    file : str
        Name for places in messages, and of the model where the file gives none.
    directory : Path
        Where relative paths of the file begin.

    Raises
    ------
    DescriptionError
        With every fault of the file.
    """
    found: list[Diagnostic] = []
    root = evaluate(root, found)
    table = dict(places(root))
    table[""] = Location(file, 1, 1)
    types = root.mapping.get("neurons", Node({}, root.place)).mapping
    reading = Reading(table, directory, frozenset(types))
    sections = shaped(root, schema(), "", reading)
    # A fault in an expression shows again as a fault of form; the first word on a place is the better one.
    reading.diagnostics = found + [
        item for item in reading.diagnostics if item.location not in {other.location for other in found}
    ]
    if sections is not None:
        check_sweep(root, reading)
        recordings = _resolve(sections, reading)
    if reading.diagnostics:
        raise DescriptionError(_sorted(reading.diagnostics))
    described = _description(sections, recordings, file, _with_aliases(table, root), directory=directory)
    return replace(described, mentions=list_mentions(root))


def _resolve(sections: dict[str, Any], reading: Reading) -> Any:
    simulation = sections.get("simulation") or {}
    populations, projections = sections.get("populations") or {}, sections.get("projections") or {}
    types = sections.get("neurons") or {}
    reading.limit = allowance(simulation.get("max_memory") or float("inf")).size
    if not check_network(sections, reading):
        # Nothing of the size of this network may be made, not even a list of recorded neurons.
        raise DescriptionError(_sorted(reading.diagnostics))
    for name, choice in types.items():
        if isinstance(choice, Choice):
            types[name] = resolve_neuron(name, choice, f"neurons.{name}", reading)
    for name, data in populations.items():
        if data is not None:
            resolve_population(name, data, types, simulation.get("duration"), reading)
    for name, data in projections.items():
        if data is not None:
            resolve_projection(name, data, populations, reading)
    samples = (sections.get("data") or {}) if "data" in sections else {} if is_fed(populations) else None
    for name, loss in (sections.get("losses") or {}).items():
        if loss is not None:
            check_loss(name, loss, populations, samples, reading)
    check_data(sections.get("data"), reading)
    check_loops(sections.get("backends") or {}, simulation.get("loop_delay"), projections, reading)
    _check_expectations(sections, populations, reading)
    recordings = recordings_of(sections.get("record") or {}, populations, reading)
    needed = find_needed(sections, recordings, reading)
    if not reading.diagnostics:
        check_run(sections, [*recordings, *needed], reading)
    return recordings


def _check_expectations(sections: dict[str, Any], populations: Mapping[str, Any], reading: Reading) -> None:
    for name in sections.get("expect") or {}:
        if name not in _ACCURACIES and name not in populations:
            known = [*populations, *sorted(_ACCURACIES)]
            reading.fail(
                f"there is no population and no result '{name}'{did_you_mean(name, known)}", f"expect.{name}"
            )


def _description(
    sections: dict[str, Any], recordings: Any, file: str, table: Mapping[str, Location], *, directory: Path
) -> Description:
    sections.setdefault("name", Path(file).stem)
    resolved, data = _resolved(sections, recordings), data_of(sections.get("data"), directory)
    return Description(
        name=sections["name"],
        description=sections["description"],
        simulation=Simulation(**sections["simulation"]),
        populations={name: population_of(name, data) for name, data in sections["populations"].items()},
        projections={name: projection_of(name, data) for name, data in sections["projections"].items()},
        losses={name: loss_of(name, loss, data) for name, loss in sections["losses"].items()},
        data=data,
        training=training_of(sections.get("training")),
        record=recordings,
        backends=sections["backends"],
        expect=sections["expect"],
        sweep=sections["sweep"],
        locations=table,
        resolved=resolved,
        digest=_digest(resolved),
    )


def _resolved(sections: dict[str, Any], recordings: Any) -> dict[str, Any]:
    data = {key: item for key, item in sections.items() if key not in ("parameters", "neurons")}
    data["populations"] = {name: write_population(item) for name, item in sections["populations"].items()}
    data["projections"] = {name: write_projection(item) for name, item in sections["projections"].items()}
    record: dict[str, list[Any]] = {}
    for item in recordings:
        record.setdefault(item.population, []).append(write_recording(item))
    data["record"] = record
    result: dict[str, Any] = written(data, schema())
    order = {name: index for index, name in enumerate(schema()["properties"])}
    return dict(sorted(result.items(), key=lambda item: order[item[0]]))


def _digest(resolved: Mapping[str, Any]) -> str:
    # Keys are in the order of the schema, names in that of the file, which decides ties between spikes.
    text = json.dumps(resolved, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _with_aliases(table: dict[str, Location], root: Node) -> dict[str, Location]:
    """Add paths without the model's name, by which later steps know the neuron of a population."""
    types = root.mapping.get("neurons")
    for name, population in root.mapping["populations"].mapping.items():
        neuron = population.mapping.get("neuron")
        if neuron is not None and isinstance(neuron.value, str) and types is not None:
            neuron = types.mapping.get(neuron.value)
        for model in neuron.mapping.values() if neuron is not None else ():
            for path, place in places(model, f"populations.{name}.neuron"):
                table.setdefault(path, place)
    return table


def _sorted(diagnostics: list[Diagnostic]) -> list[Diagnostic]:
    unique = list(dict.fromkeys(diagnostics))
    return sorted(unique, key=lambda item: item.location or Location("", 0, 0))
