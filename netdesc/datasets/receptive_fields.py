"""Features as populations of neurons with Gaussian receptive fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.datasets.latency import place
from netdesc.events import Events, Floats


def receptive_fields(values: Floats, options: Mapping[str, Any], first_source: int) -> Events:
    """Encode every feature x by n neurons, neuron j with the activation ``a = exp(-(x - c_j)^2 / (2 s^2))``.

    The centres ``c_j = j / (n - 1)`` are evenly spaced from 0 to 1, and ``s`` is ``width`` times their
    distance. A neuron spikes at ``t_early + (1 - a) (t_late - t_early)``: the nearer, the earlier.

    Parameters
    ----------
    values : ndarray of float64, shape (samples, features)
        Dimensionless, 0 to 1.
    options : mapping
        ``neurons``: n, at least 2; ``width``; ``threshold``: activations below it make no spike; ``t_early``
        and ``t_late`` in ms; ``bias``: time in ms of a spike of one more neuron, or None.
    first_source : int
        Program-wide index of the first neuron of the first feature; neuron j of feature f has the index
        f n + j from there.

    Returns
    -------
    Events
        One sample per row.

    Raises
    ------
    NumericsError
        If a feature is not finite.

    Notes
    -----
    Bohte, Kok and La Poutré (2002), Error-backpropagation in temporally encoded networks of spiking neurons.
    """
    early, late, threshold = float(options["t_early"]), float(options["t_late"]), float(options["threshold"])
    centres = np.linspace(0.0, 1.0, int(options["neurons"]))
    spread = float(options["width"]) * (centres[1] - centres[0])

    def find_times(rows: Floats) -> Floats:
        distance = (rows[:, :, None] - centres) / spread
        activation = np.exp(-0.5 * distance * distance).reshape(len(rows), -1)
        times = early + (1.0 - activation) * (late - early)
        return np.where(activation < threshold, np.inf, times)

    return place(values, find_times, options.get("bias"), first_source)
