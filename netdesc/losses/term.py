"""What every kind of loss looks like to the code that sums losses up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from netdesc.events import Floats, Integers


class Term(NamedTuple):
    """One loss, sample by sample, before its weight and the mean over the batch.

    Parameters
    ----------
    values : ndarray of float64, shape (batch,)
        Always finite where what it reads and the options are.
    slopes : ndarray of float64, shape (batch, size)
        Derivative of each value with respect to what is read of each neuron: its first spike time, in 1/ms,
        0 where it is silent; its voltage; or its number of spikes.
    """

    values: Floats
    slopes: Floats


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
