"""Derivatives that an adjoint sweep computes."""

from __future__ import annotations

from typing import Any, NamedTuple

from netdesc.dynamics.jit import inlined
from netdesc.events import Floats, Integers


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
