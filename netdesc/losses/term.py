"""What every kind of loss looks like to the code that sums losses up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from netdesc.dynamics.outputs import Term
from netdesc.events import Floats, Integers


class Kind(Protocol):
    """A kind of loss with predictions: on first spike times, or on readings of voltages."""

    def __call__(
        self, options: Mapping[str, Any], times: Floats, labels: Integers | None, /, *, duration: float
    ) -> Term:
        """Compute the loss and its slopes.

        Parameters
        ----------
        options : mapping
            Of the loss in the file, units resolved.
        times : ndarray of float64, shape (batch, size)
            First spike times in ms, infinity where a neuron is silent; or voltages.
        labels : ndarray of int64, shape (batch,), or None
            Index of the neuron that should win in each sample.
        duration : float
            Length of a sample in ms.
        """
        ...
