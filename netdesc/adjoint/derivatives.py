"""Derivatives that an adjoint sweep computes."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from netdesc.dynamics.jit import inlined
from netdesc.events import Floats, Integers
from netdesc.threads import split

# The batch is summed in this many parts whatever the number of threads, so that sums do not depend on it.
PARTS = 8
# Numbers in all partial sums together.
LARGEST_SUM = 2**27


class Derivatives(NamedTuple):
    """Results of a sweep over samples, to which it adds.

    Parameters
    ----------
    arrival : ndarray of float64, shape (k,)
        dL/dt of each spike that enters the stage.
    weight, delay : ndarray of float64, shape (synapses,)
        By synapse number; for a layer ``weight`` has shape (rows, n), and ``delay`` is empty.
    """

    arrival: Floats
    weight: Any
    delay: Floats


class PartialSums(NamedTuple):
    """Derivatives summed over parts of the batch, so that sums do not depend on the number of threads.

    Parameters
    ----------
    arrival
        See ``Derivatives``.
    weight, delay : ndarray of float64, shape (parts, ...)
        See ``Derivatives``.
    part : ndarray of int64, shape (batch,)
        Part that each sample belongs to.
    """

    arrival: Floats
    weight: Any
    delay: Floats
    part: Integers


@inlined
def select_part(b: int, sums: PartialSums) -> Derivatives:
    """Return where sample b adds its derivatives."""
    return Derivatives(sums.arrival, sums.weight[sums.part[b]], sums.delay[sums.part[b]])


def split_batch(batch: int, synapses: int) -> list[tuple[int, int]]:
    """Return first and one past the last sample of each part of the batch that is summed by itself."""
    return split(batch, min(PARTS, max(1, LARGEST_SUM // max(1, synapses))))


def share_parts(batch: int, parts: int, threads: int) -> list[tuple[int, int]]:
    """Return first and one past the last sample of each task of several threads: some whole parts each."""
    edges = split(batch, parts)
    tasks = split(len(edges), 1 if threads == 1 else 2 * threads)
    return [(edges[begin][0], edges[end - 1][1]) for begin, end in tasks]


@cache
def number_parts(batch: int, synapses: int) -> Integers:
    """Return the part of the batch that each sample belongs to."""
    part = np.empty(batch, dtype=np.int64)
    for k, (first, last) in enumerate(split_batch(batch, synapses)):
        part[first:last] = k
    return part


def make_sums(
    arrival: Floats, batch: int, synapses: int, *, shape: tuple[int, ...] | None = None
) -> PartialSums:
    """Return where a stage adds its derivatives.

    Parameters
    ----------
    arrival : ndarray of float64
        Receives dL/dt of the spikes that enter.
    batch, synapses : int
        Numbers of samples and of synapses.
    shape : tuple of int, optional
        Of the weights of a layer, which has no derivatives by delays.
    """
    part = number_parts(batch, synapses)
    count = int(part.max(initial=0)) + 1
    weight = np.zeros((count, *((synapses,) if shape is None else shape)))
    return PartialSums(arrival, weight, np.zeros((count, synapses if shape is None else 0)), part)
