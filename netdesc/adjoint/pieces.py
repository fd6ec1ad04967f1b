"""The time around the spikes of a layer, cut at arrivals and at the other spikes of the neuron."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.cells import Constants
from netdesc.adjoint.neuron import OwnEvents
from netdesc.adjoint.segments import Segments, measure_intervals
from netdesc.dynamics.jit import inlined, int64
from netdesc.events import Floats, Integers


class Pieces(NamedTuple):
    """The time around each spike of a sample; arrays may be longer.

    Parameters
    ----------
    first, size : int
        Spikes ``first`` to ``first + size - 1`` of the stage.
    later : ndarray of float64, shape (size,)
        From each spike to what follows in its segment, the neuron's next spike or the edge, in ms.
    earlier : ndarray of float64, shape (size,)
        From each spike back to the edge in ms; -1 where the neuron has an earlier spike in the segment.
    by_later, by_earlier : ndarray of float64, shape (3, size)
        What these intervals do to the adjoints; see ``adjoint_factors``.
    """

    first: int
    size: int
    later: Floats
    earlier: Floats
    by_later: Floats
    by_earlier: Floats


@inlined
def make_pieces(spikes: int) -> Pieces:
    """Return arrays for a sample with up to so many spikes."""
    return Pieces(
        int64(0), int64(0), np.empty(spikes), np.empty(spikes), np.empty((3, spikes)), np.empty((3, spikes))
    )


@inlined
def cut_at_spikes(segments: Segments, pieces: Pieces, spikes: OwnEvents, upper: Integers) -> None:
    """Find the intervals around each spike of a sample.

    Parameters
    ----------
    segments : Segments
    pieces : Pieces
        Results: ``later`` and ``earlier``.
    spikes : OwnEvents
    upper : ndarray of int64, shape (n,)
        -1 for every neuron, before and after.
    """
    first, edges = pieces.first, segments.edges
    q = pieces.size - 1
    for j in range(segments.size - 1, -1, -1):
        top = q
        while q >= 0 and spikes.times[first + q] > edges[j]:
            moment = spikes.times[first + q]
            cell = spikes.neurons[first + q]
            after = upper[cell]
            pieces.later[q] = (edges[j + 1] if after < 0 else spikes.times[first + after]) - moment
            pieces.earlier[q] = moment - edges[j]
            if after >= 0:
                pieces.earlier[after] = -1.0
            upper[cell] = q
            q -= 1
        for r in range(q + 1, top + 1):
            upper[spikes.neurons[first + r]] = -1


@inlined
def measure_pieces(
    b: int, segments: Segments, spikes: OwnEvents, constants: Constants, upper: Integers, room: Pieces
) -> Pieces:
    """Return the time around the spikes of a sample.

    Parameters
    ----------
    b : int
        The sample.
    segments : Segments
    spikes : OwnEvents
    constants : Constants
    upper : ndarray of int64, shape (n,)
        -1 for every neuron, before and after.
    room : Pieces
        Its arrays are overwritten and returned.
    """
    first = spikes.offsets[b]
    count = spikes.offsets[b + 1] - first
    pieces = Pieces(first, count, room.later, room.earlier, room.by_later, room.by_earlier)
    cut_at_spikes(segments, pieces, spikes, upper)
    measure_intervals(count, room.later, room.by_later, constants.tau_m, constants.tau_s)
    measure_intervals(count, room.earlier, room.by_earlier, constants.tau_m, constants.tau_s)
    return pieces
