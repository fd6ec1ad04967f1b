"""Raises the last voltage of the correct output if it is silent."""

from __future__ import annotations

import numpy as np

from netdesc.description.model import Loss
from netdesc.errors import BackendError
from netdesc.events import Floats, Integers
from netdesc.observation import Reading
from netdesc.program import Program
from netdesc.trace import Trace


def pull_of(loss: Loss) -> float:
    """Return the strength of a loss's pull; 0 where it has none."""
    return float(loss.options.get("pull") or 0.0)


def pull_silent(
    loss: Loss, times: Floats, labels: Integers | None, trace: Trace, program: Program
) -> tuple[Floats, Floats]:
    """Compute ``pull (th - v(T)) / (th - E)`` of the label's neuron where it does not spike.

    No gradient of spike times sees a spike that does not happen. This term does: the last voltage of a silent
    neuron depends on arrivals alone, and its gradient is exact.

    Parameters
    ----------
    loss : Loss
        Its option ``pull``.
    times : ndarray of float64, shape (batch, size)
        First spike times in ms; infinity where a neuron is silent.
    labels : ndarray of int64, shape (batch,), or None
    trace : Trace
        With the last voltages of the loss's population.
    program : Program

    Returns
    -------
    values : ndarray of float64, shape (batch,)
    slopes : ndarray of float64, shape (batch, size)
        By the last voltages.

    Raises
    ------
    BackendError
        If the trace has no last voltages.
    """
    key = Reading(loss.population, "final").key
    if key not in trace.readings:
        raise BackendError(
            "the run has no voltages at its end, which pull needs; set pull: 0, or use a backend that reads "
            "them, such as numba",
            path=f"losses.{loss.name}",
        )
    values, slopes = np.zeros(len(times)), np.zeros(times.shape)
    if labels is None:
        return values, slopes
    rows = np.flatnonzero(np.isinf(times[np.arange(len(times)), labels]))
    chosen = labels[rows]
    cells = program.population(loss.population).start + chosen
    threshold, rest = program.parameters["threshold"][cells], program.parameters["rest"][cells]
    strength = pull_of(loss) / (threshold - rest)
    values[rows] = strength * (threshold - trace.readings[key].values[rows, chosen])
    slopes[rows, chosen] = -strength
    return values, slopes
