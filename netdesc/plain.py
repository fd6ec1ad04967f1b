"""Arrays, mappings and sequences as plain JSON data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def plain(value: object) -> Json:
    """Return arrays, mappings, sequences and numbers, nested at will, as plain JSON data.

    It has ``None`` where a number is not finite, for JSON has no word for it.

    Raises
    ------
    TypeError
        If the value holds something that JSON cannot say.
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
