"""Cross entropy of voltages that were read from non-spiking neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.description.model import Loss
from netdesc.dynamics.outputs import Term, compare_voltages
from netdesc.events import Floats, Integers, frozen
from netdesc.observation import Reading


def voltage_cross_entropy(
    options: Mapping[str, Any], voltages: Floats, labels: Integers | None, *, duration: float
) -> Term:
    """Compute ``-log softmax(v)[label]`` of one voltage per neuron: its maximum or mean over a sample.

    Options and duration are not used; slopes ``p - delta_label`` are with respect to the voltages.

    Raises
    ------
    ValueError
        If there are no labels.
    """
    if labels is None:
        raise ValueError(
            "a cross entropy of voltages needs labels; give the loss a target, or the model a dataset"
        )
    term = Term(np.empty(len(labels)), np.empty(voltages.shape))
    compare_voltages(frozen(voltages, np.float64), frozen(labels, np.int64), term)
    return term


def reading_of(loss: Loss) -> Reading:
    """Return what a loss of voltages reads.

    Parameters
    ----------
    loss : Loss
        Of kind ``max_voltage`` or ``mean_voltage``.
    """
    if loss.kind == "max_voltage":
        return Reading(loss.population, "maximum")
    weighting = loss.options["weighting"]
    tau = float(weighting.options["tau"]) if weighting.kind == "exponential" else np.inf
    return Reading(loss.population, "mean", tau)
