"""Arrays and records as plain data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def flatten(data: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Yield every value of JSON data with its path: keys and indices, separated by slashes."""
    if isinstance(data, dict | list):
        for key, item in data.items() if isinstance(data, dict) else enumerate(data):
            yield from flatten(item, f"{path}/{key}" if path else str(key))
    else:
        yield path, data


def plain(value: Any) -> Any:
    """Return arrays, mappings and sequences, nested at will, as JSON data; None where not finite."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value
