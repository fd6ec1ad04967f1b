"""First spikes of a population, found in one pass over its events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.dynamics.outputs import find_first
from netdesc.events import Events, Floats, Integers


class FirstSpikes(NamedTuple):
    """The first spike, or the first k in order of time, of every neuron in every sample.

    Parameters
    ----------
    times : ndarray of float64, shape (batch, size) or (batch, size, k)
        In ms; infinity where there is no such spike.
    events : ndarray of int64, of the same shape
        Position of the spike in the events; -1 where there is no such spike.
    """

    times: Floats
    events: Integers

    @classmethod
    def find(cls, spikes: Events, size: int) -> FirstSpikes:
        """Find the first spike of each of ``size`` neurons, shape (batch, size)."""
        times = np.empty((spikes.batch, size))
        events = np.empty((spikes.batch, size), dtype=np.int64)
        find_first(spikes.times, spikes.sources, spikes.offsets, times, events)
        return cls(times, events)

    @classmethod
    def find_several(cls, spikes: Events, size: int, count: int) -> FirstSpikes:
        """Find the first ``count`` spikes of each of ``size`` neurons, shape (batch, size, count)."""
        cells = spikes.samples() * size + spikes.sources
        order = np.argsort(cells, kind="stable")
        before = np.concatenate(([0], np.cumsum(np.bincount(cells, minlength=spikes.batch * size))))
        ranks = np.arange(len(cells)) - before[cells[order]]
        kept = ranks < count
        places = cells[order][kept] * count + ranks[kept]
        events = np.full(spikes.batch * size * count, -1, dtype=np.int64)
        events[places] = order[kept]
        times = np.full(len(events), np.inf)
        times[places] = spikes.times[order[kept]]
        shape = (spikes.batch, size, count)
        return cls(times.reshape(shape), events.reshape(shape))

    def scatter(self, slopes: Floats, count: int) -> Floats:
        """Lay slopes of these spikes out along the events.

        Parameters
        ----------
        slopes : ndarray of float64
            In 1/ms, in the shape of ``times``; those of absent spikes are ignored.
        count : int
            Number of events.

        Returns
        -------
        ndarray of float64, shape (count,)
            In 1/ms; 0 for every other spike.
        """
        result = np.zeros(count + 1)
        result[self.events] = slopes
        return result[:count]
