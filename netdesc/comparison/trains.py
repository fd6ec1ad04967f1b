"""Distances between spike trains, for all neurons of all samples at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from netdesc.comparison.kernels import match_trains, measure_van_rossum, measure_victor_purpura
from netdesc.errors import NumericsError
from netdesc.events import Events, Floats, Integers


class Trains(NamedTuple):
    """Spike times, train after train.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In ms, ascending within a train.
    offsets : ndarray of int64, shape (batch * size + 1,)
        Train ``sample * size + neuron`` holds times ``offsets[train]`` to ``offsets[train + 1] - 1``.
    batch, size : int
        Samples, and neurons.
    """

    times: Floats
    offsets: Integers
    batch: int
    size: int

    @classmethod
    def of(cls, events: Events, size: int) -> Trains:
        """Sort spikes by sample and neuron.

        Parameters
        ----------
        events : Events
            Neurons 0 to ``size - 1``.
        size : int
        """
        keys = events.samples() * size + events.sources
        order = np.argsort(keys, kind="stable")
        counts = np.bincount(keys, minlength=events.batch * size)
        return cls(events.times[order], np.concatenate(([0], np.cumsum(counts))), events.batch, size)

    @property
    def counts(self) -> Integers:
        """Spikes of every train, shape (batch, size)."""
        return np.diff(self.offsets).reshape(self.batch, self.size)


class Matches(NamedTuple):
    """Matched and unmatched spikes of two runs.

    Parameters
    ----------
    matched, missing, extra : ndarray of int64, shape (batch, size)
        Spikes that both have, that only the reference has, that only the other has.
    deviations : ndarray of float64, shape (k,)
        Time in the other minus time in the reference, of every match, in ms.
    trains : ndarray of int64, shape (k,)
        Train of every match: ``sample * size + neuron``.
    """

    matched: Integers
    missing: Integers
    extra: Integers
    deviations: Floats
    trains: Integers


class Counts(NamedTuple):
    """Numbers of spikes that both runs have, that only the reference has, and that only the other has."""

    matched: int
    missing: int
    extra: int

    @property
    def unmatched(self) -> int:
        """Spikes that only one of the runs has."""
        return self.missing + self.extra

    @property
    def matched_fraction(self) -> float | None:
        """Matched spikes over the spikes of the reference; None where it has none."""
        return self.matched / (self.matched + self.missing) if self.matched + self.missing else None

    @property
    def unmatched_fraction(self) -> float | None:
        """Missing and extra spikes over the spikes of both runs; None where there are none."""
        total = 2 * self.matched + self.unmatched
        return self.unmatched / total if total else None


def count(matches: Iterable[Matches]) -> Counts:
    """Count the spikes of one or more populations."""
    found = list(matches)
    return Counts(*(sum(int(getattr(item, name).sum()) for item in found) for name in Counts._fields))


def match(reference: Trains, other: Trains, window: float) -> Matches:
    """Match spikes that lie at most a window apart.

    Spikes of a train are matched in order, so that as many as possible are matched; no pairing has
    more pairs.

    Parameters
    ----------
    reference, other : Trains
        Of the same samples and neurons.
    window : float
        In ms.
    """
    _require_same(reference, other)
    most = min(len(reference.times), len(other.times))
    deviations, trains = np.empty(most), np.empty(most, dtype=np.int64)
    matched = np.zeros(len(reference.offsets) - 1, dtype=np.int64)
    found = match_trains(*reference[:2], *other[:2], window, deviations, trains, matched)
    shape = (reference.batch, reference.size)
    both = matched.reshape(shape)
    return Matches(both, reference.counts - both, other.counts - both, deviations[:found], trains[:found])


def van_rossum(reference: Trains, other: Trains, tau: float) -> Floats:
    """Compute the distance of van Rossum.

    Parameters
    ----------
    reference, other : Trains
    tau : float
        Of the exponential kernel, in ms.

    Returns
    -------
    ndarray of float64, shape (batch, size)
        Scaled so that a spike and silence are 1 apart: ``D^2 = sum_ij k(x_i - x_j) + sum_ij k(y_i - y_j) -
        2 sum_ij k(x_i - y_j)`` with ``k(t) = exp(-|t| / tau)`` (van Rossum, Neural Computation 13, 2001,
        as scaled by Houghton and Kreuz, Network 23, 2012).
    """
    _require_same(reference, other)
    result = np.empty(reference.batch * reference.size)
    measure_van_rossum(*reference[:2], *other[:2], tau, result)
    return result.reshape(reference.batch, reference.size)


def victor_purpura(reference: Trains, other: Trains, cost: float) -> Floats:
    """Compute the spike-time distance of Victor and Purpura.

    Parameters
    ----------
    reference, other : Trains
    cost : float
        Of moving a spike, per ms; taking one out or putting one in costs 1.

    Returns
    -------
    ndarray of float64, shape (batch, size)
        The cheapest way from one train to the other (Victor and Purpura, J Neurophysiol 76, 1996).
    """
    _require_same(reference, other)
    result = np.empty(reference.batch * reference.size)
    longest = int(np.diff(other.offsets).max(initial=0))
    measure_victor_purpura(*reference[:2], *other[:2], cost, np.empty(longest + 1), result)
    return result.reshape(reference.batch, reference.size)


def first_deviation(reference: Events, other: Events, size: int) -> Floats:
    """Return how much later the first spike of every neuron is.

    Returns
    -------
    ndarray of float64, shape (batch, size)
        In ms; NaN where a neuron is silent in one of them.
    """
    before, after = reference.first_spikes(size), other.first_spikes(size)
    both = np.isfinite(before) & np.isfinite(after)
    return np.where(both, np.where(both, after, 0.0) - np.where(both, before, 0.0), np.nan)


def _require_same(reference: Trains, other: Trains) -> None:
    if reference[2:] != other[2:]:
        raise NumericsError(
            f"{reference.batch} samples of {reference.size} neurons cannot be compared with {other.batch} "
            f"samples of {other.size}; run both on the same stimulus"
        )
