"""Shapes that stand in for the derivative of a spike by the voltage."""

from __future__ import annotations

import numpy as np

from netdesc.events import Floats
from netdesc.program import Surrogate


def differentiate(surrogate: Surrogate, voltages: Floats, threshold: Floats, rest: Floats) -> Floats:
    """Return the stand-in for the derivative of spikes by the voltage.

    With ``x = (v - threshold) / (threshold - rest)`` and slope b it is, over ``threshold - rest``,
    ``1 / (b |x| + 1)^2`` for ``superspike``, ``s (1 - s)`` with ``s = 1 / (1 + exp(-b x))`` for
    ``sigmoid``, and ``max(0, 1 - b |x|)`` for ``triangle``.

    Parameters
    ----------
    surrogate : Surrogate
    voltages : ndarray of float64, shape (..., n)
        Overwritten.
    threshold, rest : ndarray of float64, shape (n,)

    Returns
    -------
    ndarray of float64, shape (..., n)
        In 1 over the voltage of the cell.

    Notes
    -----
    Zenke and Vogels (2021), The remarkable robustness of surrogate gradient learning.
    """
    scale = 1.0 / (threshold - rest)
    steep = np.multiply(np.subtract(voltages, threshold, out=voltages), surrogate.slope * scale, out=voltages)
    np.abs(steep, out=steep)
    if surrogate.shape == "superspike":
        steep += 1.0
        return np.divide(scale, np.multiply(steep, steep, out=steep), out=steep)
    if surrogate.shape == "triangle":
        return np.multiply(scale, np.maximum(0.0, np.subtract(1.0, steep, out=steep), out=steep), out=steep)
    # s (1 - s) is even in x, and exp of a negative number does not overflow.
    decay = np.exp(np.negative(steep, out=steep), out=steep)
    result: Floats = scale * decay / (1.0 + decay) ** 2
    return result
