"""First spikes of a population, found in one pass over its events."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.events import Events, Floats, Integers


class FirstSpikes(NamedTuple):
    """The first spike of every neuron in every sample.

    Parameters
    ----------
    times : ndarray of float64, shape (batch, size)
        In ms; infinity where a neuron is silent.
    events : ndarray of int64, shape (batch, size)
        Position of the spike in the events; -1 where a neuron is silent.
    """

    times: Floats
    events: Integers

    @classmethod
    def find(cls, spikes: Events, size: int) -> FirstSpikes:
        """Find the first spikes of a batch.

        Parameters
        ----------
        spikes : Events
            Ordered by time within a sample, as events are.
        size : int
            Number of neurons.
        """
        cells = np.repeat(np.arange(0, spikes.batch * size, size), np.diff(spikes.offsets))
        cells += spikes.sources
        events = np.full(spikes.batch * size, -1, dtype=np.int64)
        # NumPy keeps the last of several values assigned to one place: backwards, that is the first spike.
        events[cells[::-1]] = np.arange(len(spikes) - 1, -1, -1)
        times = np.full(spikes.batch * size, np.inf)
        fired = events >= 0
        times[fired] = spikes.times[events[fired]]
        return cls(times.reshape(-1, size), events.reshape(-1, size))

    def scatter(self, slopes: Floats, count: int) -> Floats:
        """Lay slopes of first spikes out along the events.

        Parameters
        ----------
        slopes : ndarray of float64, shape (batch, size)
            In 1/ms; those of silent neurons are ignored.
        count : int
            Number of events.

        Returns
        -------
        ndarray of float64, shape (count,)
            In 1/ms; 0 for every spike that is not the first of its neuron.
        """
        result = np.zeros(count + 1)
        result[self.events] = slopes
        return result[:count]
