"""Which neurons of one population reach which neurons of another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from netdesc.events import Indices, Integers, frozen


@dataclass(frozen=True, slots=True)
class Synapses:
    """The synapses between two populations.

    Parameters
    ----------
    n_pre, n_post : int
        Sizes of the two populations.
    indptr : ndarray of int64, shape (n_pre + 1,), or None
        Synapses ``indptr[i]`` to ``indptr[i + 1] - 1`` leave source i. None where all are connected.
    indices : ndarray of int32, shape (k,), or None
        Target of every synapse, ascending for each source; a target that stands several times has several
        synapses from that source. None where every pair has exactly one.
    """

    n_pre: int
    n_post: int
    indptr: Integers | None = None
    indices: Indices | None = None

    def __post_init__(self) -> None:
        if self.indptr is not None:
            object.__setattr__(self, "indptr", frozen(self.indptr, np.int64))
        if self.indices is not None:
            object.__setattr__(self, "indices", frozen(self.indices, np.int32))

    @property
    def dense(self) -> bool:
        """Whether every source has exactly one synapse with every target."""
        return self.indices is None

    @property
    def size(self) -> int:
        """Number of synapses."""
        return self.n_pre * self.n_post if self.indices is None else len(self.indices)

    def flat(self) -> Integers:
        """Return the place of every synapse in the row-major matrix pre by post, shape (k,)."""
        if self.indptr is None or self.indices is None:
            return np.arange(self.size, dtype=np.int64)
        rows = np.repeat(np.arange(self.n_pre, dtype=np.int64), np.diff(self.indptr))
        return rows * self.n_post + self.indices

    @classmethod
    def from_flat(cls, places: Integers, n_pre: int, n_post: int) -> Synapses:
        """Build synapses from their places in the row-major matrix pre by post, in any order.

        A place that is repeated has several synapses; there are no index arrays where each of the
        ``n_pre * n_post`` places has one.
        """
        places = np.sort(places)
        if len(places) == n_pre * n_post and np.array_equal(places, np.arange(len(places))):
            return cls(n_pre, n_post)
        rows, columns = np.divmod(places, n_post)
        return cls(n_pre, n_post, ends_of(np.bincount(rows, minlength=n_pre)), columns.astype(np.int32))

    @classmethod
    def from_pieces(cls, pieces: Iterable[Integers], n_pre: int, n_post: int, expected: int) -> Synapses:
        """Build synapses from their places, ascending and each once, piece by piece.

        No more memory is used than the result and one piece take.

        Parameters
        ----------
        pieces : iterable of ndarray of int64
        n_pre, n_post : int
        expected : int
            Their number, roughly; room is made in one piece where it is not too low.
        """
        counts = np.zeros(n_pre, dtype=np.int64)
        indices, size = np.empty(expected, dtype=np.int32), 0
        for places in pieces:
            if not len(places):
                continue
            rows, columns = np.divmod(places, n_post)
            first = int(rows[0])
            found = np.bincount(rows - first)
            counts[first : first + len(found)] += found
            if size + len(columns) > len(indices):
                indices.resize(size + len(columns) + len(indices) // 8, refcheck=False)
            indices[size : size + len(columns)] = columns
            size += len(columns)
        if size == n_pre * n_post:
            return cls(n_pre, n_post)
        indices.resize(size, refcheck=False)
        return cls(n_pre, n_post, ends_of(counts), indices)


def ends_of(counts: Integers) -> Integers:
    """Return where the synapses of each source begin, and where the last ones end."""
    return np.concatenate(([0], np.cumsum(counts)))
