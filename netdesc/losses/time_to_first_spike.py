"""Cross entropy of the times to the first spike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from netdesc.dynamics.outputs import Scales, Term, compare_first
from netdesc.events import Floats, Integers, frozen


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
