"""The synapses of a block on a grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from netdesc.block import Block
from netdesc.events import Events, Floats, Integers
from netdesc.program import Program
from netdesc.steps import count_steps
from netdesc.surrogate.grid import Grid
from netdesc.surrogate.kernels import gather_dense, gather_sparse, return_sparse

LARGEST_MATRIX = 1 << 23
"""Elements that a matrix with zeros for absent synapses may have; beyond it a loop over synapses serves."""


@dataclass(frozen=True, slots=True)
class Link:
    """A block on a grid.

    Parameters
    ----------
    block : Block
    lags : ndarray of int64, shape (k,) or (1,)
        Steps from that of a spike to the current that holds it: 1, and the delay.
    charges : ndarray of float64, shape (k,)
        Weights as run, in the voltage of the target.
    matrix : ndarray of float64, shape (n_post, n_pre), or None
        The same with 0 where there is no synapse; None where synapses differ in delay, or it is too large.
    rounded : int
        Delays that were no whole number of steps.
    """

    block: Block
    lags: Integers
    charges: Floats
    matrix: Floats | None
    rounded: int


def link(program: Program, block: Block, as_run: Mapping[str, Floats], grid: Grid) -> Link:
    """Lay a block out on a grid, with the weights and delays that the device used, or those of the block."""
    charges = block.charges(as_run.get(block.weight_key, block.weights))
    delays = np.asarray(as_run.get(block.delay_key, block.delays))
    steps = count_steps(delays, grid.step)
    whole = np.rint(steps)
    # what arrives after the end counts as one step later
    lags = 1 + np.minimum(whole, grid.steps).astype(np.int64)
    if (lags == lags[:1]).all():
        lags = lags[:1]
    small = block.n_pre * block.n_post <= LARGEST_MATRIX
    matrix = block.connection().sums(charges).T.copy() if len(lags) == 1 and small else None
    return Link(block, lags, charges, matrix, int(np.count_nonzero(np.abs(steps - whole) > 1e-6)))


def add_spike_adjoints(synapses: Link, currents: Floats, span: tuple[int, int], result: Floats) -> None:
    """Add the derivative by the spikes of a span of steps.

    Parameters
    ----------
    synapses : Link
    currents : ndarray of float64, shape (batch, steps, n_post)
        Adjoints of the current that the synapses feed, complete from the first arrival on.
    span : tuple of int
        First and one past the last step of the spikes.
    result : ndarray of float64, shape (batch, steps, n_pre)
        Added to, within the span.
    """
    first, steps = span[0], currents.shape[1]
    if synapses.matrix is not None:
        lag = int(synapses.lags[0])
        last = min(span[1], steps - lag)
        if last > first:
            result[:, first:last] += currents[:, first + lag : last + lag] @ synapses.matrix
        return
    indptr, indices = synapses.block.sparse()
    lags = np.ascontiguousarray(np.broadcast_to(synapses.lags, synapses.charges.shape))
    return_sparse(indptr, indices, (synapses.charges, lags), span, currents, result)


def find_slope(synapses: Link, events: Events, bins: Integers, currents: Floats) -> Floats:
    """Return the derivative by the weights.

    Parameters
    ----------
    synapses : Link
    events : Events
        Spikes of the sources of the block.
    bins : ndarray of int64, shape (spikes,)
        Step of each.
    currents : ndarray of float64, shape (batch, steps, n_post)
        Adjoints of the current that the synapses feed.

    Returns
    -------
    ndarray of float64, shape (k,)
        Per unit of the file.
    """
    block, samples, sources = synapses.block, events.samples(), np.asarray(events.sources)
    if block.dense and len(synapses.lags) == 1:
        table = np.zeros((block.n_pre, block.n_post))
        gather_dense(samples, sources, bins + synapses.lags[0], currents, table)
        return block.charges_adjoint(table.ravel())
    indptr, indices = block.sparse()
    result = np.zeros(block.size)
    lags = np.ascontiguousarray(np.broadcast_to(synapses.lags, result.shape))
    gather_sparse((samples, sources, bins), indptr, indices, lags, currents, result)
    return block.charges_adjoint(result)
