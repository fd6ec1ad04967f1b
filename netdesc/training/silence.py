"""Neurons that never spike, which exact gradients cannot see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats
from netdesc.program import Program
from netdesc.trace import Trace
from netdesc.training.layout import Layout


def find_silent(trace: Trace, program: Program) -> NDArray[np.bool_]:
    """Find the spiking neurons that are silent in every sample of a batch.

    Returns
    -------
    ndarray of bool, shape (n + 1,)
        By program-wide index; False for sources and read-outs, and in the last element.
    """
    silent = np.zeros(program.size + 1, dtype=np.bool_)
    for population in program.populations:
        if population.kind == "spiking":
            part = silent[population.start : population.stop]
            part[:] = True
            part[trace.spikes[population.name].sources] = False
    return silent


def bump_weights(values: Floats, layout: Layout, silent: NDArray[np.bool_], *, amount: float) -> Floats:
    """Raise the drive of silent neurons.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Trainable parameters.
    layout : Layout
    silent : ndarray of bool
        From ``find_silent``.
    amount : float
        Added to every trainable weight onto a silent neuron, in the units of the file; subtracted where
        the weight is a magnitude of inhibition.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    if not silent.any():
        return values
    return values + amount * layout.signs * silent[layout.targets]
