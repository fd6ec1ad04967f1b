"""Derivatives that an adjoint sweep computes."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from netdesc.dynamics.jit import inlined
from netdesc.events import Floats, Integers
from netdesc.threads import split

# Samples of a part of the batch that is summed by itself, at least, and parts at most: both whatever the
# number of threads, so that sums do not depend on it.
BLOCK, PARTS = 8, 8
# Numbers in all partial sums together: where a part alone has as many, there is no other.
LARGEST_SUM = 2**25
# Numbers where what nobody asks for is added: as many as keep the parts of two threads out of one cache line.
SPARE = 16


class Derivatives(NamedTuple):
    """Results of a sweep over samples, to which it adds.

    Parameters
    ----------
    arrival : ndarray of float64, shape (k,)
        dL/dt of each spike that enters the stage.
    weight, delay : ndarray of float64, shape (synapses,)
        By synapse number; of at most `SPARE` numbers without meaning where they are not asked for. For a
        layer ``weight`` has shape (rows, n), and ``delay`` is empty.
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


@inlined
def add_gains(number: int, by_weight: float, by_delay: float, gains: Derivatives) -> None:
    """Add the derivatives by weight and delay of a synapse; what nobody asks for goes to a spare place."""
    gains.weight[min(number, len(gains.weight) - 1)] += by_weight
    gains.delay[min(number, len(gains.delay) - 1)] += by_delay


def split_batch(batch: int, synapses: int) -> list[tuple[int, int]]:
    """Return first and one past the last sample of each part of the batch that is summed by itself."""
    parts = min(PARTS, max(1, LARGEST_SUM // max(1, synapses)))
    block = max(BLOCK, -(-batch // parts))
    return [(first, min(first + block, batch)) for first in range(0, batch, block)]


@lru_cache(maxsize=64)
def share_batch(batch: int, synapses: int, threads: int) -> tuple[tuple[int, int], ...]:
    """Return first and one past the last sample of each task of several threads: some whole parts each."""
    return tuple(share_parts(split_batch(batch, synapses), threads))


def share_parts(parts: list[tuple[int, int]], threads: int) -> list[tuple[int, int]]:
    """Return first and one past the last sample of each task of several threads: some whole parts each."""
    tasks = split(len(parts), 1 if threads == 1 else 2 * threads)
    return [(parts[begin][0], parts[end - 1][1]) for begin, end in tasks]


def add_parts(sums: Floats) -> Floats:
    """Return the sum of partial sums, shape (parts, ...), over the parts; a single one is not copied."""
    return sums[0] if len(sums) == 1 else np.asarray(sums.sum(axis=0))


@lru_cache(maxsize=64)
def number_parts(batch: int, synapses: int) -> tuple[Integers, int]:
    """Return the part of the batch that each sample belongs to, and the number of parts, at least 1."""
    part, parts = np.empty(batch, dtype=np.int64), split_batch(batch, synapses)
    for k, (first, last) in enumerate(parts):
        part[first:last] = k
    return part, max(len(parts), 1)


def make_sums(
    arrival: Floats,
    batch: int,
    synapses: int,
    *,
    shape: tuple[int, ...] | None = None,
    asked: tuple[bool, bool] = (True, True),
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
    asked : tuple of (bool, bool)
        Whether derivatives by weights and by delays are asked for, of a stage that is no layer.
    """
    part, count = number_parts(batch, synapses)
    if shape is not None:
        return PartialSums(arrival, np.zeros((count, *shape)), np.zeros((count, 0)), part)
    by_weight, by_delay = (synapses if one else min(synapses, SPARE) for one in asked)
    return PartialSums(arrival, np.zeros((count, by_weight)), np.zeros((count, by_delay)), part)
