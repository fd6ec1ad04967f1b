"""Squared distance of the first spikes of every neuron from the target times of a sample."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.events import Events, Floats, Integers
from netdesc.losses.term import Term


class OrderedSpikes(NamedTuple):
    """The first k spikes of every neuron in every sample, in order of time.

    Parameters
    ----------
    times : ndarray of float64, shape (batch, size, k)
        In ms; infinity where a neuron has fewer spikes.
    events : ndarray of int64, shape (batch, size, k)
        Position of the spike in the events; the number of events where there is no such spike.
    """

    times: Floats
    events: Integers

    @classmethod
    def find(cls, spikes: Events, size: int, count: int) -> OrderedSpikes:
        """Find the first spikes of a batch.

        Parameters
        ----------
        spikes : Events
            Ordered by time within a sample, as events are.
        size : int
            Number of neurons.
        count : int
            Number of spikes of each, k.
        """
        cells = spikes.samples() * size + spikes.sources
        order = np.argsort(cells, kind="stable")
        before = np.concatenate(([0], np.cumsum(np.bincount(cells, minlength=spikes.batch * size))))
        ranks = np.arange(len(cells)) - before[cells[order]]
        kept = ranks < count
        places = cells[order][kept] * count + ranks[kept]
        events = np.full(spikes.batch * size * count, len(spikes), dtype=np.int64)
        events[places] = order[kept]
        times = np.full(len(events), np.inf)
        times[places] = spikes.times[order[kept]]
        shape = (spikes.batch, size, count)
        return cls(times.reshape(shape), events.reshape(shape))

    def scatter(self, slopes: Floats, count: int) -> Floats:
        """Lay slopes out along the events.

        Parameters
        ----------
        slopes : ndarray of float64, shape (batch, size, k)
            In 1/ms; those of absent spikes are ignored.
        count : int
            Number of events.

        Returns
        -------
        ndarray of float64, shape (count,)
            0 for every spike after the first k.
        """
        result = np.zeros(count + 1)
        result[self.events] = slopes
        return result[:count]


def ordered_spike_time_mse(times: Floats, targets: Floats, *, duration: float) -> Term:
    """Compute ``1/2 sum_jn (t_jn - target_jn)^2``, with t_jn spike n of neuron j.

    A spike that is absent counts in the value with t = duration, and has slope 0. Spikes after the last
    target of a neuron are not in the loss.

    Parameters
    ----------
    times : ndarray of float64, shape (batch, size, k)
        In ms; infinity where a neuron has fewer spikes.
    targets : ndarray of float64, shape (batch, size, k)
        In ms; NaN where there is no target.
    duration : float
        Length of a sample in ms.

    Returns
    -------
    Term
        Values in ms^2; slopes in ms, shape (batch, size, k).
    """
    fired = np.isfinite(times)
    distance = np.where(fired, times, duration) - targets
    distance = np.where(np.isnan(targets), 0.0, distance)
    return Term(0.5 * (distance * distance).sum(axis=(1, 2)), distance * fired)
