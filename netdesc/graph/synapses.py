"""Which neurons of one population reach which neurons of another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdesc.events import Integers, frozen


@dataclass(frozen=True, slots=True)
class Synapses:
    """The synapses between two populations.

    Parameters
    ----------
    n_pre, n_post : int
        Sizes of the two populations.
    indptr : ndarray of int64, shape (n_pre + 1,), or None
        Synapses ``indptr[i]`` to ``indptr[i + 1] - 1`` leave source i. None where all are connected.
    indices : ndarray of int64, shape (k,), or None
        Target of every synapse, ascending for each source; a target that stands several times has several
        synapses from that source. None where every pair has exactly one.
    """

    n_pre: int
    n_post: int
    indptr: Integers | None = None
    indices: Integers | None = None

    def __post_init__(self) -> None:
        for name in ("indptr", "indices"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

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
        indptr = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=n_pre))))
        return cls(n_pre, n_post, indptr, columns)
