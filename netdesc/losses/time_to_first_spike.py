"""Cross entropy of the times to the first spike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.events import Floats, Integers
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
    tau_0, tau_1, alpha = float(options["tau_0"]), float(options["tau_1"]), float(options["alpha"])
    rows = np.arange(len(labels))
    earliest = np.minimum(times.min(axis=1), duration)
    odds = np.exp((earliest[:, None] - times) / tau_0)
    own = times[rows, labels]
    fired = np.isfinite(own)
    total = np.where(fired, odds.sum(axis=1), times.shape[1])
    own = np.where(fired, own, duration)
    late = np.exp(own / tau_1)
    values = np.where(fired, (own - earliest) / tau_0, 0.0) + np.log(total) + alpha * (late - 1.0)
    slopes = odds * (fired / (-tau_0 * total))[:, None]
    slopes[rows, labels] += fired * (1.0 / tau_0 + (alpha / tau_1) * late)
    return Term(values, slopes)
