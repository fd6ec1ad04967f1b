"""What the numbers of a device can hold."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from netdesc.errors import Diagnostic
from netdesc.events import Floats
from netdesc.parameters import Parameter

FLOAT32 = float(np.finfo(np.float32).max)
"""The largest number of single precision."""


def beyond_float32(
    values: Floats,
    path: str,
    *,
    scale: Floats | float = 1.0,
    code: str = "",
) -> list[Diagnostic]:
    """Return a fault where numbers do not fit into single precision.

    Parameters
    ----------
    values : ndarray
        As written.
    path : str
        Dotted path or key of the values.
    scale : ndarray or float
        By what the device multiplies them.
    code : str
        Of the diagnostic.

    Returns
    -------
    list of Diagnostic
        Empty, or one that names the value that is furthest beyond.
    """
    factor = np.abs(np.asarray(scale, dtype=np.float64))
    try:
        np.broadcast_shapes(np.shape(values), factor.shape)
    except ValueError:
        # Values of another shape are refused where they are written.
        return []
    limit = np.divide(FLOAT32, factor, out=np.full(factor.shape, np.inf), where=factor > 1.0)
    limit = np.minimum(limit, FLOAT32)
    if np.size(values) and max(np.max(values), -np.min(values)) <= np.min(limit, initial=FLOAT32):
        return []
    wrong = np.flatnonzero(np.abs(values) > limit)
    if not len(wrong):
        return []
    values = np.broadcast_to(values, np.broadcast_shapes(np.shape(values), factor.shape))
    worst = float(values[wrong[int(np.argmax(np.abs(values[wrong])))]])
    return [
        Diagnostic(
            f"expected a magnitude of at most {float(np.min(limit)):.3g}, got {worst:g}, beyond float32, in "
            "which this run computes; use a smaller value",
            path,
            code,
        )
    ]


def fits_float32(parameter: Parameter, values: Floats) -> Iterator[Diagnostic]:
    """Yield a fault where a parameter is beyond single precision; a check of ``ParameterStore``."""
    yield from beyond_float32(values, parameter.key, scale=parameter.scale)
