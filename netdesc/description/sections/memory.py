"""How much memory a model would take, computed before any of it is allocated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any

import numpy as np

from netdesc.budget import (
    PER_DELAY,
    PER_NEURON,
    PER_RECORDED_VALUE,
    PER_SAMPLE_VALUE,
    PER_SPIKE,
    PER_STATE,
    PER_SYNAPSE,
    PER_WEIGHT,
    PER_WRITTEN_SPIKE,
    Item,
    find_excess,
)
from netdesc.description.model import Choice, Constant, Distribution, Explicit, Parameter, Recording
from netdesc.description.reading.context import Reading
from netdesc.description.reading.tree import Node

Sections = Mapping[str, Any]

YIN_YANG_VALUES = 5.0
"""Numbers of a sample of the Yin-Yang set: four coordinates and its label, or a spike of bias."""


def check_network(sections: Sections, reading: Reading) -> bool:
    """Return whether neurons and synapses fit into the memory; note a fault at the largest item if not.

    The sections are those of the file, as read; objects with faults are left out of the sum.
    """
    return _fits(_network(sections), sections, reading)


def check_run(sections: Sections, recordings: Iterable[Recording], reading: Reading) -> bool:
    """Return whether a run of one batch fits into the memory; note a fault at the largest item if not.

    Network, stimulus and recordings count together; the sections are without faults.
    """
    batch = _batch(sections)
    sizes = _sizes(sections)
    duration = float(sections["simulation"]["duration"])
    items = [*_network(sections), *_stimulus(sections, duration, batch), *_data(sections)]
    if batch > 1:
        neurons = sum(sizes.values())
        items.append(
            Item(
                "training.batch_size",
                batch * neurons,
                f"states of neurons, {batch} samples",
                PER_STATE,
                "train smaller batches",
            )
        )
    for item in recordings:
        if item.every:
            neurons = sizes[item.population] if item.neurons is None else float(len(item.neurons))
            count = neurons * (duration // item.every + 1.0) * batch
            items.append(
                Item(
                    f"record.{item.population}",
                    count,
                    f"values of {item.variable}",
                    PER_RECORDED_VALUE,
                    "record fewer neurons or less often",
                )
            )
    return _fits(items, sections, reading)


def _fits(items: Iterable[Item], sections: Sections, reading: Reading) -> bool:
    max_memory = (sections.get("simulation") or {}).get("max_memory") or float("inf")
    excess = find_excess(list(items), max_memory)
    if excess is not None:
        reading.fail(excess.message, excess.path)
    return excess is None


def _sizes(sections: Sections) -> dict[str, float]:
    populations = sections.get("populations") or {}
    return {
        name: float(prod(item["size"])) for name, item in populations.items() if item and item.get("size")
    }


def _network(sections: Sections) -> Iterator[Item]:
    sizes = _sizes(sections)
    for name, size in sizes.items():
        yield Item(f"populations.{name}", size, "neurons", PER_NEURON, "make it smaller")
    for name, item in (sections.get("projections") or {}).items():
        if item:
            yield Item(
                f"projections.{name}",
                _synapses(item, sizes),
                "synapses",
                _bytes(item),
                "make it smaller or sparser",
            )


def _bytes(projection: Mapping[str, Any]) -> float:
    """Return the bytes of a synapse; a weight or a delay that is one number is that of all of them."""
    own = {"weight": PER_WEIGHT, "delay": PER_DELAY}
    return PER_SYNAPSE + sum(size for name, size in own.items() if _is_own(projection.get(name)))


def _is_own(value: object) -> bool:
    """Return whether every synapse has a value of its own, as far as it is read already."""
    if isinstance(value, Parameter):
        return value.train or not isinstance(value.init, Constant)
    return isinstance(value, Node) and not isinstance(value.value, int | float | str)


def _stimulus(sections: Sections, duration: float, batch: int) -> Iterator[Item]:
    for name, item in (sections.get("populations") or {}).items():
        source = item.get("source") if item else None
        if not isinstance(source, Choice):
            continue
        path, options = f"populations.{name}.source", source.options
        if source.kind == "poisson":
            start = max(float(options.get("start") or 0.0), 0.0)
            stop = options.get("stop")
            length = max(min(duration if stop is None else float(stop), duration) - start, 0.0)
            count = _sum(options["rate"], float(prod(item["size"]))) * length * batch
            yield Item(path, count, "expected spikes", PER_SPIKE, "lower the rate or shorten the run")
        elif source.kind == "spike_times":
            count = float(sum(len(row) for row in options["times"]))
            yield Item(
                path, count, "written spikes", PER_WRITTEN_SPIKE + PER_SPIKE * batch, "write fewer spikes"
            )


def _sum(rate: Constant | Explicit | Distribution, size: float) -> float:
    """Return the sum of the rates of a population, per ms; an upper bound where they are drawn."""
    match rate:
        case Constant():
            return rate.value * size
        case Explicit():
            return float(np.nansum(rate.values))
    numbers = rate.parameters
    typical = numbers.get("mu", 0.0) + 2.0 * numbers.get("sigma", 0.0)
    if rate.kind == "lognormal":
        typical = float(np.exp(min(typical, 700.0)))
    return size * max(
        typical,
        numbers.get("high", 0.0),
        numbers.get("beta", 0.0),
        numbers.get("k", 0.0) * numbers.get("theta", 0.0),
    )


def _batch(sections: Sections) -> int:
    training = sections.get("training")
    drawn = _samples(sections)
    # Files say how many samples there are only once they are read.
    return min(int(training["batch_size"]), max(int(drawn), 1)) if training and drawn else 1


def _samples(sections: Sections) -> float:
    """Return the number of samples of a data set that is drawn; 0 where only its files say it."""
    dataset = (sections.get("data") or {}).get("dataset")
    if not isinstance(dataset, Choice) or dataset.kind != "yin_yang":
        return 0.0
    return float(sum(float(dataset.options.get(name) or 0) for name in ("train", "validation", "test")))


def _data(sections: Sections) -> Iterator[Item]:
    samples = _samples(sections)
    if samples:
        yield Item(
            "data.dataset", samples, "samples", YIN_YANG_VALUES * PER_SAMPLE_VALUE, "use fewer samples"
        )


def _synapses(data: Mapping[str, Any], sizes: Mapping[str, float]) -> float:
    pre = sizes.get(data.get("pre") or "", 0.0)
    post = sum(sizes.get(name, 0.0) for name in data.get("post") or ())
    connector = data.get("connector")
    if not isinstance(connector, Choice):
        return 0.0
    options = connector.options
    match connector.kind:
        case "fixed_probability":
            return pre * post * (options.get("p") or 0.0)
        case "fixed_number_pre":
            return post * float(options.get("n") or 0)
        case "fixed_number_post":
            return pre * float(options.get("n") or 0) * len(data.get("post") or ())
        case "fixed_total_number":
            return float(options.get("n") or 0) * len(data.get("post") or ())
        case "one_to_one":
            return min(pre, post)
        case "list":
            return float(len(options.get("pairs") or ()))
    return pre * post
