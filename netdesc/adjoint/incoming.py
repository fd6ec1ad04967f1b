"""The spikes that enter a stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdesc.adjoint.arrivals import Incoming
from netdesc.events import Floats, Integers


@dataclass(frozen=True, slots=True)
class Stream:
    """What enters a stage: for a layer arrivals by weight row, otherwise spikes by slot.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        In ms, ascending within a sample.
    slots : ndarray of int64, shape (k,)
    offsets : ndarray of int64, shape (batch + 1,)
    parts : tuple of (int, ndarray or None)
        For each source population in turn its index and the positions of its spikes in the stream,
        None where the stream is just its spikes.
    """

    times: Floats
    slots: Integers
    offsets: Integers
    parts: tuple[tuple[int, Integers | None], ...]

    @property
    def arrays(self) -> Incoming:
        """The spikes as kernels take them."""
        return Incoming(self.times, self.slots, self.offsets)


def merge(parts: list[tuple[int, Floats, Integers, Integers]], batch: int) -> Stream:
    """Merge the spikes of several populations into one stream.

    Parameters
    ----------
    parts : list of (population, times, slots, offsets)
    batch : int
        Number of samples.

    Returns
    -------
    Stream
    """
    if len(parts) == 1:
        population, times, slots, offsets = parts[0]
        return Stream(times, slots, offsets, ((population, None),))
    if not parts:
        empty = np.empty(0, dtype=np.int64)
        return Stream(np.empty(0), empty, np.zeros(batch + 1, dtype=np.int64), ())
    times = np.concatenate([part[1] for part in parts])
    slots = np.concatenate([part[2] for part in parts])
    samples = np.concatenate([np.repeat(np.arange(batch), np.diff(part[3])) for part in parts])
    order = np.lexsort((slots, times, samples))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    bounds = np.cumsum([0] + [len(part[1]) for part in parts])
    positions = tuple(
        (part[0], place[a:b]) for part, a, b in zip(parts, bounds[:-1], bounds[1:], strict=True)
    )
    offsets = np.sum([part[3] for part in parts], axis=0)
    return Stream(times[order], slots[order], offsets, positions)
