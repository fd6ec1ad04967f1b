"""Synapses that were drawn by target, grouped by source."""

from __future__ import annotations

from netdesc.dynamics.jit import kernel
from netdesc.events import Indices, Integers


@kernel
def group_by_source(sources: Indices, place: Integers, indices: Indices) -> None:
    """Write the targets of every source, in ascending order.

    Parameters
    ----------
    sources : ndarray of int32, shape (n_post, n)
        Of every target.
    place : ndarray of int64, shape (n_pre,)
        Where the targets of each source begin; overwritten.
    indices : ndarray of int32, shape (k,)
        Result.
    """
    for target in range(len(sources)):
        for source in sources[target]:
            indices[place[source]] = target
            place[source] += 1
