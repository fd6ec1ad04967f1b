"""Cross entropy of the times to the first spike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from netdesc.dynamics.jit import kernel
from netdesc.events import Floats, Integers, frozen
from netdesc.losses.term import Term


def time_to_first_spike(
    options: Mapping[str, Any], times: Floats, labels: Integers | None, *, duration: float
) -> Term:
    """Compute ``-log softmax(-t / tau_0)[label] + alpha (exp(t_label / tau_1) - 1)``.

    A silent neuron has t = infinity: it adds nothing to the softmax and has slope 0. Where the label's
    own neuron is silent the cross entropy is infinite, whatever the others do. Such a sample counts as if
    all neurons spiked at the end of it: log(size) plus the regularizer there, a finite constant, so that all
    its slopes are 0. (Slopes that only delay the other neurons would in the end silence them as well.)
    The options ``tau_0`` and ``tau_1`` are in ms, slopes in 1/ms; ``alpha`` and values are dimensionless.

    Raises
    ------
    ValueError
        If there are no labels.
    """
    if labels is None:
        raise ValueError("time_to_first_spike needs labels; give the loss a target, or the model a dataset")
    scales = Scales(float(options["tau_0"]), float(options["tau_1"]), float(options["alpha"]), duration)
    term = Term(np.empty(len(labels)), np.empty(times.shape))
    compare_first(frozen(times, np.float64), frozen(labels, np.int64), scales, term)
    return term


class Scales(NamedTuple):
    """Numbers of the loss.

    Parameters
    ----------
    tau_0, tau_1 : float
        In ms.
    alpha : float
    duration : float
        Of the run in ms.
    """

    tau_0: float
    tau_1: float
    alpha: float
    duration: float


@kernel
def compare_first(times: Floats, labels: Integers, scales: Scales, term: Term) -> None:
    """Compute the loss of every sample and its slopes; see ``time_to_first_spike``.

    Parameters
    ----------
    times : ndarray of float64, shape (batch, size)
        In ms, infinity where a neuron is silent.
    labels : ndarray of int64, shape (batch,)
    scales : Scales
    term : Term
        Results.
    """
    tau_0, tau_1, alpha, duration = scales
    size = times.shape[1]
    for b in range(len(labels)):
        label, earliest = labels[b], duration
        for cell in range(size):
            earliest = min(earliest, times[b, cell])
        own = times[b, label]
        fired = own < np.inf
        total = 0.0
        for cell in range(size):
            odds = math.exp((earliest - times[b, cell]) / tau_0)
            term.slopes[b, cell] = odds
            total += odds
        if not fired:
            own, total = duration, float(size)
        late = math.exp(own / tau_1)
        lag = (own - earliest) / tau_0 if fired else 0.0
        term.values[b] = lag + math.log(total) + alpha * (late - 1.0)
        for cell in range(size):
            term.slopes[b, cell] *= -1.0 / (tau_0 * total) if fired else 0.0
        if fired:
            term.slopes[b, label] += 1.0 / tau_0 + (alpha / tau_1) * late
