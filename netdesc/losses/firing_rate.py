"""Regularizer of mean numbers of spikes towards a target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.dynamics.outputs import Term
from netdesc.events import Events, Floats


def count_spikes(spikes: Events, size: int) -> Floats:
    """Return how often each of ``size`` neurons spikes in every sample, float64, shape (batch, size)."""
    cells = spikes.samples() * size + spikes.sources
    return np.bincount(cells, minlength=spikes.batch * size).reshape(-1, size).astype(np.float64)


def firing_rate(options: Mapping[str, Any], counts: Floats) -> Term:
    """Compute ``strength / 2 sum_j (mean_j - target)^2``, where mean_j is over the batch.

    Parameters
    ----------
    options : mapping
        ``target``: spikes per neuron and sample; ``strength``: dimensionless.
    counts : ndarray of float64, shape (batch, size)

    Returns
    -------
    Term
        The same value for every sample; slopes ``strength (mean_j - target)``, by the number of spikes.

    Notes
    -----
    As in Nowotny, Turner and Knight (2025), Loss shaping enhances exact gradient learning with EventProp in
    spiking neural networks. Numbers of spikes have no derivative: what an adjoint makes of these slopes is a
    heuristic, and without effect on a neuron that never spikes.
    """
    excess = counts.mean(axis=0) - float(options["target"])
    strength = float(options["strength"])
    value = 0.5 * strength * float((excess * excess).sum())
    return Term(np.full(len(counts), value), np.broadcast_to(strength * excess, counts.shape))
