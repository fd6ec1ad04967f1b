"""How fast a training advances: the forecast before it, and the measured one after its first batches."""

from __future__ import annotations

import logging
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from netdesc.forecast import HostForecast, Outline, tell_forecast

LOG = logging.getLogger("netdesc.forecast")
"""Reports at the level ``INFO``: a forecast before the first batch if it is long, then what is measured."""

LONG = 60.0
"""Seconds of an epoch from which the forecast is reported before it is measured."""

ENOUGH = 1.0
"""Seconds of batches that are measured, and at least `FEWEST` of them."""

FEWEST = 2
"""Batches that are measured at least; the first one, which compiles, does not count."""


def peak_memory() -> float:
    """Return the largest resident memory of this process so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


@dataclass(slots=True)
class Pace:
    """What is known of the time and the memory of a training.

    Parameters
    ----------
    outline : Outline
    clock, memory : callable
        Return seconds, and the largest resident memory so far in bytes.
    forecast : HostForecast or None
        The latest.
    """

    outline: Outline
    clock: Callable[[], float] = perf_counter
    memory: Callable[[], float] = peak_memory
    forecast: HostForecast | None = None
    batches: int = 0
    samples: int = 0
    spent: float = 0.0
    _begin: float | None = field(default=None, repr=False)
    _done: bool = field(default=False, repr=False)

    def announce(self) -> None:
        """Forecast the training, and report it if it is long."""
        if not self.outline.timed:
            return
        self.forecast = self.outline.forecast()
        if self.forecast.seconds > LONG:
            LOG.info("forecast: %s", tell_forecast(self.forecast))

    def begin(self) -> None:
        """Note that a batch begins."""
        self._begin = self.clock()

    def observe(self, samples: int) -> None:
        """Note that a batch of so many samples is over; report the forecast as soon as it is measured."""
        if self._done or self._begin is None:
            return
        self.batches += 1
        if self.batches > 1:
            self.spent += self.clock() - self._begin
            self.samples += samples
        if self.batches > FEWEST and self.spent >= ENOUGH:
            self.conclude()

    def conclude(self) -> None:
        """Report the forecast from what is measured so far, once."""
        if self._done or self.batches < 2:
            return
        self._done = True
        ratio = self.spent / max(self.outline.step_seconds(self.batches - 1, self.samples), 1e-9)
        memory = self.memory() + self.outline.later_memory()
        self.forecast = self.outline.forecast(ratio=ratio, memory=memory)
        if self.forecast.seconds * self.forecast.epochs > ENOUGH:
            LOG.info("%s", tell_forecast(self.forecast))
