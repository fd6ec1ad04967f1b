"""The clock of every processing element, tick by tick."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats
from netdesc_spinnaker2.options import Options


@dataclass(frozen=True, slots=True)
class Pace:
    """How long processing elements are busy, and at which clock.

    Parameters
    ----------
    high : ndarray of bool, shape (pes, columns)
        Whether the high clock is on.
    busy : ndarray of float64, shape (pes, columns)
        Busy time in a tick, ms; longer than a tick where the element overruns.
    tick : float
        Length of a tick in ms.
    """

    high: NDArray[np.bool_]
    busy: Floats
    tick: float

    @property
    def overrun(self) -> NDArray[np.bool_]:
        """Whether the work of a tick takes longer than a tick, shape (pes, columns)."""
        # Counts are whole, so that work of exactly one tick must not overrun by a rounding error.
        return np.asarray(self.busy > self.tick * (1.0 + 1e-12))


def choose_pace(cycles: Floats, options: Options) -> Pace:
    """Choose the clock of every processing element in every tick.

    Parameters
    ----------
    cycles : ndarray of float64, shape (pes, columns)
        Work of a tick.
    options : Options
        ``clock`` is ``high``, ``low`` or ``auto``: high only where the work exceeds ``clock_threshold`` of
        what the low clock does in a tick. An element knows its work when a tick begins, for the packets of
        the tick before wait in its FIFO.
    """
    profile, tick = options.profile, options.step
    low = profile.clock_low.value * tick * 1e-3
    high = {"high": np.ones(cycles.shape, dtype=np.bool_), "low": np.zeros(cycles.shape, dtype=np.bool_)}.get(
        options.clock, np.asarray(cycles > profile.clock_threshold.value * low)
    )
    rate = np.where(high, profile.clock_high.value, profile.clock_low.value)
    return Pace(high, cycles / rate * 1e3, tick)
