"""A stage that runs as a layer: uniform neurons that all see one stream of arrivals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.dynamics.membrane import Membrane
from netdesc.events import Floats


class Constants(NamedTuple):
    """Parameters that all neurons of a layer share.

    Parameters
    ----------
    tau_m, tau_s : float
        In ms.
    gap, reset : float
        Threshold and reset minus the resting voltage.
    """

    tau_m: float
    tau_s: float
    gap: float
    reset: float


class UniformLayer(NamedTuple):
    """A layer, as kernels take it.

    Parameters
    ----------
    constants : Constants
    weights : ndarray of float64, shape (rows, n)
        An arrival adds its row to the currents.
    start, current : ndarray of float64, shape (n,)
        Voltage above rest and current at 0.
    """

    constants: Constants
    weights: Floats
    start: Floats
    current: Floats


def make_layer(cells: Membrane) -> UniformLayer:
    """Return a layer of uniform cells without arrivals; see ``netdesc.adjoint.cells.are_uniform``."""
    constants = Constants(
        float(cells.tau_m[0]), float(cells.tau_s[0, 0]), float(cells.gap[0]), float(cells.reset[0])
    )
    return UniformLayer(constants, np.empty((0, len(cells.tau_m))), cells.start, cells.current.sum(axis=1))
