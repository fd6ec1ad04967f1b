"""The synapses of a projection as flat arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from netdesc.connection import Connection
from netdesc.events import Floats, Integers, frozen


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
    sign : float
        +1, or -1 where the file gives magnitudes of inhibition.
    indptr : ndarray of int64, shape (n_pre + 1,), or None
        Synapses ``indptr[i]`` to ``indptr[i + 1] - 1`` leave source i. None for a dense block.
    indices : ndarray of int64, shape (k,), or None
        Target of every synapse. None for a dense block.
    weights : ndarray of float64, shape (k,)
        In the units of the file, before ``sign`` and the targets' ``resistance``.
    delays : ndarray of float64, shape (k,) or (1,)
        In ms; one element where all synapses share it.
    train_weight, train_delay : bool
    weight_bounds, delay_bounds : tuple of float
        Bounds kept during training, in the units of ``weights`` and in ms.
    """

    name: str
    path: str
    pre: int
    post: int
    n_pre: int
    n_post: int
    receptor: int
    sign: float
    indptr: Integers | None
    indices: Integers | None
    weights: Floats
    delays: Floats
    train_weight: bool = False
    train_delay: bool = False
    weight_bounds: tuple[float, float] = (-np.inf, np.inf)
    delay_bounds: tuple[float, float] = (0.0, np.inf)

    def __post_init__(self) -> None:
        for name in ("weights", "delays"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))
        for name in ("indptr", "indices"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name), np.int64))

    @property
    def dense(self) -> bool:
        """Whether every source reaches every target."""
        return self.indptr is None

    @property
    def size(self) -> int:
        """Number of synapses."""
        return len(self.weights)

    @property
    def uniform_delay(self) -> bool:
        """Whether all synapses share one delay."""
        return len(self.delays) == 1

    @property
    def weight_key(self) -> str:
        """Key of the weights in ``Machine.write`` and ``Gradient.parameters``."""
        return f"{self.name}.weight"

    @property
    def delay_key(self) -> str:
        """Key of the delays in ``Machine.write`` and ``Gradient.parameters``."""
        return f"{self.name}.delay"

    def sparse(self) -> tuple[Integers, Integers]:
        """Return ``indptr`` and ``indices``, made up for a dense block.

        Returns
        -------
        indptr : ndarray of int64, shape (n_pre + 1,)
        indices : ndarray of int64, shape (k,)
        """
        if self.indptr is not None and self.indices is not None:
            return self.indptr, self.indices
        return (
            np.arange(self.n_pre + 1, dtype=np.int64) * self.n_post,
            np.tile(np.arange(self.n_post, dtype=np.int64), self.n_pre),
        )

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
        indptr, indices = self.sparse()
        sources = np.repeat(np.arange(self.n_pre, dtype=np.int64), np.diff(indptr))
        return Connection(pre, post, shape, sources, indices)

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
