"""Ragged batches of spikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from netdesc.display import html_table, summarize
from netdesc.errors import NumericsError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Indices = NDArray[np.int32]


def frozen(array: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
    """Return a read-only, contiguous view or copy of an array.

    Parameters
    ----------
    array : ndarray
        Any array; it is not copied where it already has the type and layout, or repeats one number that is
        stored once (``numpy.broadcast_to``).
    dtype : numpy scalar type
        Type of the result.

    Returns
    -------
    ndarray
        Read-only.
    """
    if isinstance(array, np.ndarray) and array.dtype.type is dtype:
        flags = array.flags
        if flags.c_contiguous and not flags.writeable:
            return array
    repeated = isinstance(array, np.ndarray) and array.strides == (0,) and array.dtype == dtype
    view = array.view() if repeated else np.ascontiguousarray(array, dtype=dtype).view()
    view.flags.writeable = False
    return view


def all_finite(array: NDArray[np.float64]) -> bool:
    """Return whether all numbers of an array are finite, without an array in between."""
    return not array.size or bool(-np.inf < array.min() and array.max() < np.inf)


def is_fixed(array: object) -> bool:
    """Return whether an array and all arrays that it is a view of are read-only."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None


def fixed(array: ArrayLike, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a read-only array that no other array changes.

    Parameters
    ----------
    array : array_like
        Not copied where it is such an array already; see ``is_fixed``.
    dtype : numpy scalar type
        Type of the result.

    Returns
    -------
    ndarray
    """
    if isinstance(array, np.ndarray) and array.dtype == dtype and is_fixed(array):
        return array
    copy = np.array(array, dtype=dtype)
    copy.flags.writeable = False
    return copy


@lru_cache(maxsize=16)
def number_samples(batch: int) -> Integers:
    """Return the numbers of samples that are numbered from 0, shape (batch,), read-only."""
    return frozen(np.arange(batch), np.int64)


@dataclass(frozen=True, slots=True, repr=False)
class Events:
    """Spikes of a batch of samples, sample after sample.

    Within a sample events are ordered by time, ties by source.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        Spike times in ms.
    sources : ndarray of int64, shape (k,)
        Index of the neuron that spiked.
    offsets : ndarray of int64, shape (batch + 1,)
        Sample ``b`` holds events ``offsets[b]`` to ``offsets[b + 1] - 1``.
    identities : ndarray of int64, shape (batch,)
        Number of each sample, which determines its random numbers: a sample with the same number gets the
        same noise in any batch. If empty, samples are numbered from 0.

    Raises
    ------
    NumericsError
        If there is not one identity for each sample.
    """

    times: Floats
    sources: Integers
    offsets: Integers
    identities: Integers = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", frozen(self.times, np.float64))
        object.__setattr__(self, "sources", frozen(self.sources, np.int64))
        object.__setattr__(self, "offsets", frozen(self.offsets, np.int64))
        batch = len(self.offsets) - 1
        numbers = self.identities if len(self.identities) else number_samples(batch)
        if len(numbers) != batch:
            raise NumericsError(f"expected an identity for each of {batch} samples, got {len(numbers)}")
        object.__setattr__(self, "identities", frozen(numbers, np.int64))

    @property
    def batch(self) -> int:
        """Number of samples."""
        return len(self.offsets) - 1

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        span = f"{self.times.min():g} to {self.times.max():g} ms" if len(self.times) else ""
        return summarize("Events", {"batch": self.batch, "spikes": len(self.times), "times": span})

    def _repr_html_(self) -> str:
        rows = zip(self.samples().tolist(), self.sources.tolist(), self.times.tolist(), strict=True)
        title = f"Events: {len(self.times)} spikes in {self.batch} samples"
        return html_table(title, ("sample", "neuron", "time (ms)"), rows)

    @classmethod
    def from_arrays(
        cls,
        times: Floats,
        sources: Integers,
        samples: Integers,
        batch: int,
        *,
        identities: Integers | None = None,
    ) -> Events:
        """Sort loose spikes into a batch.

        Parameters
        ----------
        times : ndarray, shape (k,)
            Spike times in ms.
        sources : ndarray, shape (k,)
            Neuron indices.
        samples : ndarray, shape (k,)
            Sample of each spike, 0 to ``batch - 1``.
        batch : int
            Number of samples.
        identities : ndarray of int64, shape (batch,), or None
            Number of each sample; None to number them from 0.

        Returns
        -------
        Events

        Raises
        ------
        NumericsError
            If a time is not finite.
        """
        times = np.asarray(times, dtype=np.float64)
        if not np.all(np.isfinite(times)):
            raise NumericsError("a spike time is not finite; every spike time must be a number of ms")
        order = np.lexsort((sources, times, samples))
        offsets = np.concatenate(([0], np.cumsum(np.bincount(samples, minlength=batch))))
        numbers = np.arange(batch) if identities is None else identities
        return cls(times[order], np.asarray(sources)[order], offsets, numbers)

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[Sequence[float]]]) -> Events:
        """Build events from spike times per sample and neuron.

        Parameters
        ----------
        lists : nested sequences
            ``lists[sample][neuron]`` holds spike times in ms.

        Returns
        -------
        Events

        Raises
        ------
        NumericsError
            If a time is not finite.
        """
        rows = [(t, n, b) for b, sample in enumerate(lists) for n, times in enumerate(sample) for t in times]
        times, sources, samples = (
            (np.array(column) for column in zip(*rows, strict=True))
            if rows
            else (np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
        )
        return cls.from_arrays(times, sources.astype(np.int64), samples.astype(np.int64), len(lists))

    def lists(self, size: int) -> list[list[list[float]]]:
        """Return spike times per sample and neuron.

        Parameters
        ----------
        size : int
            Number of neurons.

        Returns
        -------
        list
            ``result[sample][neuron]`` is a list of times in ms, ascending.
        """
        result: list[list[list[float]]] = [[[] for _ in range(size)] for _ in range(self.batch)]
        for sample in range(self.batch):
            span = slice(self.offsets[sample], self.offsets[sample + 1])
            for time, source in zip(self.times[span].tolist(), self.sources[span].tolist(), strict=True):
                result[sample][source].append(time)
        return result

    def samples(self) -> Integers:
        """Return the sample of every event, shape (k,)."""
        return np.repeat(np.arange(self.batch), np.diff(self.offsets))

    def select(self, start: int, stop: int) -> Events:
        """Return the events of a range of sources, with sources counted from ``start``.

        Parameters
        ----------
        start, stop : int
            Range of source indices, ``stop`` excluded.

        Returns
        -------
        Events
            A batch of the same size.
        """
        kept = self.keep((self.sources >= start) & (self.sources < stop))
        return replace(kept, sources=kept.sources - start)

    def keep(self, flags: NDArray[np.bool_]) -> Events:
        """Return some of the events.

        Parameters
        ----------
        flags : ndarray of bool, shape (k,)
            Which.

        Returns
        -------
        Events
            A batch of the same samples.
        """
        counts = np.concatenate(([0], np.cumsum(flags)))
        return replace(
            self, times=self.times[flags], sources=self.sources[flags], offsets=counts[self.offsets]
        )

    def take(self, indices: Integers) -> Events:
        """Return some of the samples, each with its identity.

        Parameters
        ----------
        indices : ndarray of int64, shape (n,)
            Which, in the order wanted.

        Returns
        -------
        Events
            A batch of n samples.
        """
        starts = self.offsets[indices]
        counts = self.offsets[indices + 1] - starts
        offsets = np.concatenate(([0], np.cumsum(counts)))
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)
        return Events(self.times[places], self.sources[places], offsets, self.identities[indices])

    def head(self, count: int) -> Events:
        """Return the first ``count`` samples, or all if there are fewer."""
        return self.take(np.arange(min(count, self.batch)))

    def move(self, times: Floats) -> Events:
        """Return the same spikes at other times, sorted.

        Parameters
        ----------
        times : ndarray of float64, shape (k,)
            In ms, in the order of the events.

        Returns
        -------
        Events

        Raises
        ------
        NumericsError
            If a time is not finite.
        """
        return Events.from_arrays(times, self.sources, self.samples(), self.batch, identities=self.identities)

    def first_spikes(self, size: int) -> Floats:
        """Return the time of the first spike of every neuron.

        Parameters
        ----------
        size : int
            Number of neurons.

        Returns
        -------
        ndarray of float64, shape (batch, size)
            In ms; infinity where a neuron is silent.
        """
        first = np.full((self.batch, size), np.inf)
        np.minimum.at(first, (self.samples(), self.sources), self.times)
        return first
