"""Squared distance of sampled voltages from target voltages."""

from __future__ import annotations

import numpy as np

from netdesc.description.model import Loss
from netdesc.dynamics.outputs import Term
from netdesc.errors import BackendError
from netdesc.events import Floats
from netdesc.losses.requirements import CLOSE
from netdesc.trace import Trace


def voltage_mse(voltages: Floats, targets: Floats) -> Term:
    """Compute ``1/2 sum over j of the mean over k of (v_j(t_k) - y_jk)^2``.

    Parameters
    ----------
    voltages : ndarray of float64, shape (batch, n, steps)
        Sampled at the times t_k, in the voltage of the cell.
    targets : ndarray of float64, shape (batch, n, steps)
        NaN where there is no target. The mean of an output is over the times that have one; an output
        without any adds nothing.

    Returns
    -------
    Term
        Slopes of shape (batch, n, steps), with respect to each sampled voltage.
    """
    wanted = ~np.isnan(targets)
    counts = np.maximum(wanted.sum(axis=2, keepdims=True), 1)
    distance = np.where(wanted, voltages - targets, 0.0)
    values = 0.5 * (distance * distance / counts).sum(axis=(1, 2))
    return Term(values, distance / counts)


def read_voltages(loss: Loss, trace: Trace) -> Floats:
    """Return the sampled voltages that a loss reads, shape (batch, n, steps).

    Raises
    ------
    BackendError
        If the run has none, or sampled them at other times.
    """
    key, interval = f"{loss.population}.v", float(loss.options["interval"])
    found = trace.recordings.get(key)
    if found is None:
        raise BackendError(
            f"the run has no samples of {key}; use a backend that records voltages, such as numba",
            path=f"losses.{loss.name}",
        )
    due = np.arange(len(found.times)) * interval
    if (np.abs(found.times - due) > CLOSE * interval).any():
        raise BackendError(
            f"expected samples of {key} every {interval:g} ms, got them at other times; use a backend that "
            "samples at this interval, such as numba",
            path=f"losses.{loss.name}",
        )
    return found.values
