"""Cross entropy of voltages that were read from non-spiking neurons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.description.model import Loss
from netdesc.events import Floats, Integers
from netdesc.losses.term import Term
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
    rows = np.arange(len(labels))
    highest = voltages.max(axis=1, keepdims=True)
    odds = np.exp(voltages - highest)
    total = odds.sum(axis=1)
    values = np.log(total) - (voltages[rows, labels] - highest[:, 0])
    slopes = odds / total[:, None]
    slopes[rows, labels] -= 1.0
    return Term(values, slopes)


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
