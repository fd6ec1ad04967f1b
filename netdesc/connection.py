"""Which neurons the values of a parameter join."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from netdesc.display import html_table
from netdesc.errors import DescriptionError, Diagnostic, GraphError
from netdesc.events import Floats, Indices, Integers


class SynapseTable(NamedTuple):
    """Values of synapses with the neurons that they connect.

    Parameters
    ----------
    pre, post : ndarray of int64, shape (k,)
        Indices within the two populations, by source, then by target.
    value : ndarray of float64, shape (k,)
    """

    pre: Integers
    post: Integers
    value: Floats


@dataclass(frozen=True, slots=True, repr=False)
class Connection:
    """The synapses between two populations, without their values.

    Parameters
    ----------
    pre, post : str
        Names of the two populations.
    shape : tuple of int
        Their sizes.
    indptr : ndarray of int64, shape (n_pre + 1,), or None
        Synapses ``indptr[i]`` to ``indptr[i + 1] - 1`` leave source i; None where every pair of neurons has
        exactly one synapse.
    targets : ndarray of int32, shape (k,), or None
        Target of every synapse, ascending for each source.
    """

    pre: str
    post: str
    shape: tuple[int, int]
    indptr: Integers | None = None
    targets: Indices | None = None

    def __repr__(self) -> str:
        return f"Connection({self.pre} {self.shape[0]} -> {self.post} {self.shape[1]}, {self.size} synapses)"

    @property
    def dense(self) -> bool:
        """Whether every pair of neurons has exactly one synapse."""
        return self.targets is None

    @property
    def size(self) -> int:
        """Number of synapses."""
        return self.shape[0] * self.shape[1] if self.targets is None else len(self.targets)

    def pairs(self) -> tuple[Integers, Integers | Indices]:
        """Return source and target of every synapse, each of shape (k,)."""
        if self.indptr is not None and self.targets is not None:
            return np.repeat(np.arange(self.shape[0], dtype=np.int64), np.diff(self.indptr)), self.targets
        places = np.arange(self.size, dtype=np.int64)
        return places // self.shape[1], places % self.shape[1]

    def find_repeated(self) -> tuple[int, int] | None:
        """Return the first source and target with several synapses; None where there are none."""
        if self.dense:
            return None
        pre, post = self.pairs()
        again = np.flatnonzero((np.diff(pre) == 0) & (np.diff(post) == 0))
        return (int(pre[again[0]]), int(post[again[0]])) if len(again) else None

    def table(self, values: Floats) -> SynapseTable:
        """Return values with the neurons that they connect.

        Parameters
        ----------
        values : ndarray, shape (k,) or (1,)
            One value per synapse, or one for all.

        Returns
        -------
        SynapseTable
        """
        pre, post = self.pairs()
        return SynapseTable(
            pre, post.astype(np.int64), np.array(np.broadcast_to(values, pre.shape), dtype=np.float64)
        )

    def matrix(self, values: Floats, path: str = "") -> Floats:
        """Spread values over a matrix.

        Parameters
        ----------
        values : ndarray, shape (k,) or (1,)
            One value per synapse, or one for all.
        path : str
            Dotted path of the projection, for messages.

        Returns
        -------
        ndarray of float64, shape (n_pre, n_post)
            NaN where there is no synapse.

        Raises
        ------
        GraphError
            If a pair of neurons has several synapses.
        """
        repeated = self.find_repeated()
        if repeated is not None:
            raise GraphError(
                Diagnostic(
                    f"expected at most one synapse per pair of neurons in a matrix, got several from neuron "
                    f"{repeated[0]} to neuron {repeated[1]}; use the list of synapses",
                    path,
                )
            )
        matrix = np.full(self.shape, np.nan)
        matrix[self.pairs()] = values
        return matrix

    def sums(self, values: Floats) -> Floats:
        """Return values as a matrix, summed over the synapses of a pair.

        Parameters
        ----------
        values : ndarray, shape (k,)

        Returns
        -------
        ndarray of float64, shape (n_pre, n_post)
            Zero where there is no synapse.
        """
        if self.dense:
            return np.array(values, dtype=np.float64).reshape(self.shape)
        matrix = np.zeros(self.shape)
        np.add.at(matrix, self.pairs(), values)
        return matrix

    def flat(self, values: Floats) -> Floats:
        """Return the values of the synapses in a matrix, or values that are one per synapse already.

        Parameters
        ----------
        values : ndarray, shape (k,), (1,) or (n_pre, n_post)

        Returns
        -------
        ndarray of float64, shape (k,) or (1,)

        Raises
        ------
        GraphError
            If a matrix has another shape, or a pair of neurons has several synapses.
        """
        if values.ndim != 2:
            return values
        if values.shape != self.shape:
            raise GraphError(
                f"expected a matrix of shape {self.shape}, {self.pre} by {self.post}, got {values.shape}"
            )
        if self.find_repeated() is not None:
            raise GraphError(
                f"expected one value for each of the {self.size} synapses, got a matrix; a pair of neurons "
                "has several synapses"
            )
        picked: Floats = values[self.pairs()]
        return picked


class SynapseValues:
    """Values of parameters by name, with the neurons that they connect."""

    __slots__ = ()

    connections: Mapping[str, Connection]

    def _values(self) -> Mapping[str, Floats]:
        raise NotImplementedError

    def _repr_html_(self) -> str:
        rows = []
        for key, array in self._values().items():
            ends = self.connections.get(key)
            size = f"{len(array)} of {ends.shape[0]} x {ends.shape[1]}" if ends else str(len(array))
            names = (ends.pre, ends.post) if ends else ("", "")
            norm, largest = float(np.sqrt(np.sum(array**2))), float(np.max(np.abs(array), initial=0.0))
            rows.append((key, *names, size, f"{norm:.4g}", f"{largest:.4g}"))
        title = type(self).__name__
        return html_table(title, ("parameter", "from", "to", "size", "norm", "largest"), rows)

    def matrix(self, key: str) -> Floats:
        """Return the values of a parameter as a matrix.

        Parameters
        ----------
        key : str
            For example ``input_to_hidden.weight``.

        Returns
        -------
        ndarray of float64, shape (n_pre, n_post)
            NaN where there is no synapse.

        Raises
        ------
        DescriptionError
            If there is no such parameter.
        GraphError
            If a pair of neurons has several synapses.
        """
        return self._connection(key).matrix(self._values()[key])

    def synapses(self, key: str) -> SynapseTable:
        """Return the values of a parameter with the neurons that they connect.

        Parameters
        ----------
        key : str
            For example ``input_to_hidden.weight``.

        Returns
        -------
        SynapseTable
            Arrays ``pre``, ``post`` and ``value``, each of shape (k,).

        Raises
        ------
        DescriptionError
            If there is no such parameter.
        """
        return self._connection(key).table(self._values()[key])

    def _connection(self, key: str) -> Connection:
        if key not in self._values():
            known = ", ".join(self._values()) or "none"
            raise DescriptionError(f"expected the name of a parameter, got '{key}'; use one of {known}")
        if key not in self.connections:
            raise DescriptionError(
                f"expected {key} with the neurons that it joins, got values alone; use "
                "CompiledProgram.backward, netdesc.grad or a newer weights.h5"
            )
        return self.connections[key]
