"""The synapses of a projection as flat arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from netdesc.budget import PER_DELAY, PER_SYNAPSE, PER_WEIGHT
from netdesc.connection import Connection
from netdesc.events import Floats, Indices, Integers, frozen
from netdesc.parameters import DELAY, WEIGHT, Parameter, key_of

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Block:
    """The synapses of one projection between two populations.

    Element k of ``weights`` and ``delays`` belongs to synapse k, by source, then by target; a pair of
    neurons may have several. A dense block has one synapse for each pair and no index arrays.

    Parameters
    ----------
    name : str
        Name of the projection; ``projection.target`` where the projection has several targets.
    path : str
        Dotted path in the description.
    pre, post : int
        Indices into ``Program.populations``.
    n_pre, n_post : int
        Sizes of the two populations.
    receptor : int
        Which synaptic current of the targets a spike enters.
    charge : ndarray of float64, shape (n_post,)
        Voltage of each target per unit of weight; negative where weights are magnitudes of inhibition.
    indptr : ndarray of int64, shape (n_pre + 1,), or None
        Synapses ``indptr[i]`` to ``indptr[i + 1] - 1`` leave source i. None for a dense block.
    indices : ndarray of int32, shape (k,), or None
        Target of every synapse. None for a dense block.
    weights : ndarray of float64, shape (k,), or (w,) where synapses share them
        In the units of the file; see ``charges``.
    delays : ndarray of float64, shape (k,) or (1,)
        In ms; one element where all synapses share it.
    train_weight, train_delay : bool
    weight_bounds, delay_bounds : tuple of float
        Bounds kept during training, in the units of ``weights`` and in ms.
    weight_of : ndarray of int64, shape (k,), or None
        Which element of ``weights`` every synapse has. None where each has its own.
    """

    name: str
    path: str
    pre: int
    post: int
    n_pre: int
    n_post: int
    receptor: int
    charge: Floats
    indptr: Integers | None
    indices: Indices | None
    weights: Floats
    delays: Floats
    train_weight: bool = False
    train_delay: bool = False
    weight_bounds: tuple[float, float] = (-np.inf, np.inf)
    delay_bounds: tuple[float, float] = (0.0, np.inf)
    weight_of: Integers | None = None

    def __post_init__(self) -> None:
        for name in ("charge", "weights", "delays"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))
        for name, dtype in (("indptr", np.int64), ("indices", np.int32), ("weight_of", np.int64)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name), dtype))

    @property
    def dense(self) -> bool:
        """Whether every source reaches every target."""
        return self.indptr is None

    @property
    def size(self) -> int:
        """Number of synapses."""
        return self.n_pre * self.n_post if self.indices is None else len(self.indices)

    @property
    def memory(self) -> float:
        """Bytes that the synapses take in the program and on a machine."""
        own = PER_WEIGHT * len(self.weights) + PER_DELAY * (len(self.delays) > 1) * len(self.delays)
        return PER_SYNAPSE * self.size + own

    @property
    def sign(self) -> float:
        """-1 where weights are magnitudes of inhibition, otherwise +1."""
        return -1.0 if self.charge[:1].sum() < 0.0 else 1.0

    @property
    def uniform_delay(self) -> bool:
        """Whether all synapses share one delay."""
        return len(self.delays) == 1

    @property
    def weight_key(self) -> str:
        """Key of the weights in ``Machine.write`` and ``Gradient.parameters``."""
        return key_of(self.name, WEIGHT)

    @property
    def delay_key(self) -> str:
        """Key of the delays in ``Machine.write`` and ``Gradient.parameters``."""
        return key_of(self.name, DELAY)

    def parameters(self) -> tuple[Parameter, Parameter]:
        """Return the weights and the delays as parameters."""
        scale = float(np.max(np.abs(self.charge), initial=0.0))
        trained, bounds = self.train_weight, self.weight_bounds
        return (
            Parameter(self.name, WEIGHT, self.path, self.weights, trained, bounds, scale),
            Parameter(self.name, DELAY, self.path, self.delays, self.train_delay, self.delay_bounds),
        )

    def spread(self, weights: NDArray[T]) -> NDArray[T]:
        """Return the weight of every synapse.

        Parameters
        ----------
        weights : ndarray, shape of ``self.weights``

        Returns
        -------
        ndarray, shape (k,)
        """
        return weights if self.weight_of is None else weights[self.weight_of]

    def collect(self, values: Floats) -> Floats:
        """Return the sums of values of synapses over those that share a weight.

        Parameters
        ----------
        values : ndarray of float64, shape (k,)

        Returns
        -------
        ndarray of float64, shape of ``self.weights``
        """
        if self.weight_of is None:
            return values
        return np.asarray(np.bincount(self.weight_of, weights=values, minlength=len(self.weights)), float)

    def charges(self, weights: Floats) -> Floats:
        """Return by how much a spike raises the voltage, or the current in the same unit, of every target.

        Parameters
        ----------
        weights : ndarray of float64, shape of ``self.weights``
            In the units of the file.

        Returns
        -------
        ndarray of float64, shape (k,)
        """
        return self._times_charge(self.spread(weights))

    def write_charges(self, weights: Floats, result: NDArray[Any], order: Indices | None = None) -> None:
        """Write what ``charges`` returns into an array, piece by piece where the block is sparse.

        Parameters
        ----------
        weights : ndarray of float64, shape of ``self.weights``
        result : ndarray, shape (k,)
            Each charge is rounded once, to its type.
        order : ndarray of int32, shape (k,), or None
            Number of the synapse at each place of the result; None where it is that place.
        """
        if self.indices is None:
            charges = self.charges(weights)
            result[:] = charges if order is None else charges[order]
            return
        for begin in range(0, self.size, PIECE):
            part = slice(begin, begin + PIECE)
            taken = part if order is None else order[part]
            mine = weights[taken] if self.weight_of is None else weights[self.weight_of[taken]]
            result[part] = mine * self.charge[self.indices[taken]]

    def charges_adjoint(self, values: Floats) -> Floats:
        """Return the derivative by the weights from that by the charges.

        Parameters
        ----------
        values : ndarray of float64, shape (k,)

        Returns
        -------
        ndarray of float64, shape of ``self.weights``
            The values themselves where the charges are the weights.
        """
        plain = bool(np.all(self.charge == 1.0))
        return self.collect(values if plain else self._times_charge(values))

    def _times_charge(self, values: Floats) -> Floats:
        if self.indices is not None:
            result = np.empty(self.size)
            for begin in range(0, self.size, PIECE):
                part = slice(begin, begin + PIECE)
                np.multiply(values[part], self.charge[self.indices[part]], out=result[part])
            return result
        return np.asarray(values.reshape(self.n_pre, self.n_post) * self.charge).reshape(-1)

    def sparse(self) -> tuple[Integers, Indices]:
        """Return ``indptr`` and ``indices``, made up for a dense block.

        Returns
        -------
        indptr : ndarray of int64, shape (n_pre + 1,)
        indices : ndarray of int32, shape (k,)
        """
        if self.indptr is not None and self.indices is not None:
            return self.indptr, self.indices
        return (
            np.arange(self.n_pre + 1, dtype=np.int64) * self.n_post,
            np.tile(np.arange(self.n_post, dtype=np.int32), self.n_pre),
        )

    def count_synapses(self, sources: Integers) -> int:
        """Return over how many synapses spikes of some sources travel."""
        if self.indptr is None:
            return len(sources) * self.n_post
        return int(np.diff(self.indptr)[sources].sum())

    def connection(self, pre: str = "", post: str = "") -> Connection:
        """Return which neurons the synapses join.

        Parameters
        ----------
        pre, post : str
            Names of the two populations.

        Returns
        -------
        Connection
        """
        shape = (self.n_pre, self.n_post)
        if self.dense:
            return Connection(pre, post, shape)
        return Connection(pre, post, shape, self.indptr, self.indices)

    def matrix(self, values: Floats) -> Floats:
        """Spread values of the synapses over a matrix.

        Parameters
        ----------
        values : ndarray, shape (k,) or (1,)
            One value per synapse, or one for all.

        Returns
        -------
        ndarray of float64, shape (n_pre, n_post)
            NaN where there is no synapse.

        Raises
        ------
        GraphError
            If a pair of neurons has several synapses.
        """
        return self.connection().matrix(values, self.path)


PIECE = 2**20
"""Synapses that are converted at once."""


def join_charges(
    blocks: Sequence[Block],
    values: Mapping[str, Floats],
    dtype: type[T] = np.float64,  # type: ignore[assignment]
    orders: Sequence[Indices | None] | None = None,
) -> NDArray[T]:
    """Return the charges of all synapses of blocks, one block after the other.

    Parameters
    ----------
    blocks : sequence of Block
    values : mapping of str to ndarray
        Weights by key.
    dtype : type
        Of the result, to which each charge is rounded once.
    orders : sequence of ndarray of int32, shape (k,), or None
        Order of the synapses of each block, see ``Block.write_charges``; None for their own throughout.

    Returns
    -------
    ndarray, shape (k,)
        See ``Block.charges``.
    """
    result, begin = np.empty(sum(block.size for block in blocks), dtype=dtype), 0
    for block, order in zip(blocks, orders or [None] * len(blocks), strict=True):
        block.write_charges(values[block.weight_key], result[begin : begin + block.size], order)
        begin += block.size
    return result


def split_gradients(blocks: Sequence[Block], charges: Floats, delays: Floats) -> dict[str, Floats]:
    """Return the derivatives by the trained parameters of blocks, by key.

    Parameters
    ----------
    blocks : sequence of Block
    charges, delays : ndarray of float64, shape (k,)
        Derivatives by what ``join_charges`` returns, and by the delay of every synapse.

    Returns
    -------
    dict of str to ndarray of float64
    """
    result, begin = {}, 0
    for block in blocks:
        span = slice(begin, begin + block.size)
        if block.train_weight:
            result[block.weight_key] = block.charges_adjoint(charges[span])
        if block.train_delay:
            result[block.delay_key] = delays[span]
        begin += block.size
    return result
