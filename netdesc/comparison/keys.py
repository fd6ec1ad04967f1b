"""The keys of a comparison as plain data: paths, and former names, kept for one version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netdesc.plain import Json

FORMER = {
    "accuracy_ties_as_errors": "accuracy_ties_wrong",
    "largest_source": "cause",
    "source_of_deviation": "cause",
    "norm_ratio": "length",
    "type": "kind",
    "placement": "map",
    "trained_separately": "trained_apart",
}
"""Former name of each key, wherever it occurs."""

GRADIENT = {"norm_ratio": "ratio", "norm_ratios": "ratios"}
"""Former names in the gradients of an agreement, where they were others."""


def flatten(data: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every value of JSON data with its path: keys and indices, separated by slashes."""
    if isinstance(data, dict | list):
        for key, item in data.items() if isinstance(data, dict) else enumerate(data):
            yield from flatten(item, f"{path}/{key}" if path else str(key))
    else:
        yield path, data


def with_former_keys(data: Any, path: tuple[str, ...] = ()) -> Any:
    """Return JSON data of a comparison in which every renamed key also has its former name, new names first.

    The path has the keys that lead to the data.
    """
    if isinstance(data, list):
        return [with_former_keys(item, path) for item in data]
    if not isinstance(data, dict):
        return data
    names = GRADIENT if path[:1] == ("agreements",) and path[2:3] == ("gradients",) else FORMER
    result = {key: with_former_keys(item, (*path, key)) for key, item in data.items()}
    return result | {names[key]: item for key, item in result.items() if key in names}
