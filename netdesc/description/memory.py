"""How much memory the drawn network would take, told before any of it is allocated."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

from netdesc.description.model import Choice
from netdesc.description.reading import Reading
from netdesc.units import format_memory

PER_SYNAPSE = 32.0
"""Bytes: weight, delay, index, and gradient of the weight."""

PER_NEURON = 200.0
"""Bytes: parameters, state and adjoint."""


def check_memory(
    populations: Mapping[str, dict[str, Any] | None],
    projections: Mapping[str, dict[str, Any] | None],
    limit: float,
    reading: Reading,
) -> bool:
    """Note a fault where the network would exceed ``simulation.max_memory``.

    Parameters
    ----------
    populations, projections : mapping of str to dict or None
        As read; objects with faults are left out of the sum.
    limit : float
        In bytes.
    reading : Reading
        Receives the fault, at the largest part.

    Returns
    -------
    bool
        Whether the network fits.
    """
    sizes = {
        name: float(prod(item["size"])) for name, item in populations.items() if item and item.get("size")
    }
    parts = {
        f"populations.{name}": (size * PER_NEURON, f"{size:.4g} neurons") for name, size in sizes.items()
    }
    for name, item in projections.items():
        count = _synapses(item, sizes) if item else 0.0
        parts[f"projections.{name}"] = (count * PER_SYNAPSE, f"{count:.4g} synapses")
    need = sum(part[0] for part in parts.values())
    if need <= limit:
        return True
    path, (largest, what) = max(parts.items(), key=lambda item: item[1][0])
    reading.fail(
        f"the network would need {format_memory(need)} of memory, more than simulation.max_memory, "
        f"{format_memory(limit)}; the largest part is this one with {what}, {format_memory(largest)}. "
        "Make it smaller or sparser, or raise simulation.max_memory",
        path,
    )
    return False


def _synapses(data: dict[str, Any], sizes: Mapping[str, float]) -> float:
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
        case "one_to_one":
            return min(pre, post)
        case "list":
            return float(len(options.get("pairs") or ()))
    return pre * post
