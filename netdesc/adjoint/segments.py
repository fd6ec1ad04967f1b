"""The intervals of a sample between the arrivals of a layer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from netdesc.adjoint.arrivals import Incoming
from netdesc.adjoint.cells import Constants
from netdesc.dynamics.jit import inlined, int64, shared
from netdesc.dynamics.lif_adjoint import adjoint_factors
from netdesc.events import Floats


class Segments(NamedTuple):
    """The intervals of a sample between arrivals; arrays may be longer.

    Parameters
    ----------
    first : int
        First arrival of the sample; segment j > 0 starts at arrival ``first + j - 1``.
    size : int
        Number of segments.
    edges : ndarray of float64, shape (size + 1,)
        0, arrivals before the end, and the end, in ms.
    span : ndarray of float64, shape (size,)
        Lengths in ms.
    factors : ndarray of float64, shape (3, size)
        See ``adjoint_factors``.
    """

    first: int
    size: int
    edges: Floats
    span: Floats
    factors: Floats


@inlined
def make_segments(arrivals: int) -> Segments:
    """Return arrays for a sample with up to so many arrivals."""
    room = arrivals + 2
    return Segments(int64(0), int64(0), np.empty(room), np.empty(room), np.empty((3, room)))


@shared
def measure_intervals(count: int, span: Floats, factors: Floats, tau_m: float, tau_s: float) -> None:
    """Compute what several intervals do to the adjoints.

    Parameters
    ----------
    size : int
        Number of intervals.
    span : ndarray of float64, shape (capacity,)
        Lengths in ms.
    factors : ndarray of float64, shape (3, capacity)
        Results; see ``adjoint_factors``.
    tau_m, tau_s : float
        In ms.
    """
    for q in range(count):
        a, d, gain = adjoint_factors(span[q], tau_m, tau_s)
        factors[0, q] = a
        factors[1, q] = d
        factors[2, q] = gain


@inlined
def cut_at_arrivals(
    b: int, incoming: Incoming, constants: Constants, duration: float, room: Segments
) -> Segments:
    """Return the segments of a sample.

    Parameters
    ----------
    b : int
        The sample.
    incoming : Incoming
    constants : Constants
    duration : float
        In ms.
    room : Segments
        Its arrays are overwritten and returned.
    """
    first = incoming.offsets[b]
    count = int64(1)
    room.edges[0] = 0.0
    for e in range(first, incoming.offsets[b + 1]):
        if incoming.times[e] < duration:
            room.edges[count] = incoming.times[e]
            count += 1
    room.edges[count] = duration
    for j in range(count):
        room.span[j] = room.edges[j + 1] - room.edges[j]
    measure_intervals(count, room.span, room.factors, constants.tau_m, constants.tau_s)
    return Segments(first, count, room.edges, room.span, room.factors)
