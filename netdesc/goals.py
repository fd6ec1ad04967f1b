"""What a network is to do in each sample: its class, the times of its spikes, or its voltages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats, Integers, frozen


@dataclass(frozen=True, slots=True)
class Traces:
    """Target voltages of read-outs, sampled at 0 and every multiple of an interval.

    Parameters
    ----------
    values : ndarray of float64, shape (batch, steps, outputs)
        In the voltage of the cell; NaN where there is no target.
    interval : float
        In ms.
    """

    values: Floats
    interval: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values, np.float64))

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, which: Integers | slice) -> Traces:
        return Traces(self.values[which], self.interval)


@dataclass(frozen=True, slots=True)
class Goals:
    """Labels and targets of the samples of a batch.

    Parameters
    ----------
    labels : ndarray of int64, shape (batch,), or None
        Class of each sample, counted from 0.
    times : ndarray of float64, shape (batch, outputs, k), or None
        Target times in ms of the first k spikes of every output; NaN where there is no target.
    traces : Traces or None
        Target voltages.
    """

    labels: Integers | None = None
    times: Floats | None = None
    traces: Traces | None = None

    def __post_init__(self) -> None:
        for name, dtype in (("labels", np.int64), ("times", np.float64)):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, frozen(given, dtype))

    @classmethod
    def of(cls, given: Goals | Integers | None) -> Goals:
        """Return goals from labels alone, or goals as they are.

        Parameters
        ----------
        given : Goals, ndarray of int64, shape (batch,), or None
        """
        return given if isinstance(given, Goals) else cls(given)

    def take(self, which: Integers | slice) -> Goals:
        """Return the goals of some of the samples.

        Parameters
        ----------
        which : ndarray of int64, shape (n,), or slice
        """

        def some(values: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if values is None else values[which]

        traces = None if self.traces is None else self.traces[which]
        return Goals(some(self.labels), some(self.times), traces)
