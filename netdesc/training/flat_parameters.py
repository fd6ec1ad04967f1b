"""All trainable parameters as one vector, so that an update is a handful of array operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np

from netdesc.errors import DescriptionError, NumericsError
from netdesc.events import Floats, Integers
from netdesc.program import Program


@dataclass(frozen=True, slots=True)
class FlatParameters:
    """Where each trainable parameter stands in the vector.

    Parameters
    ----------
    keys : tuple of str
        Keys of the parameters, in the order of the program's blocks.
    offsets : tuple of int
        Parameter k is elements ``offsets[k]`` to ``offsets[k + 1] - 1``.
    low, high : ndarray of float64, shape (n,)
        Bounds of every element.
    quantities : tuple of str
        What each parameter is: its learning-rate group.
    targets : ndarray of int64, shape (n,)
        Program-wide index of the neuron that a weight leads to; -1 for a delay, or a weight that synapses
        share.
    signs : ndarray of float64, shape (n,)
        +1, or -1 for magnitudes of inhibition; 0 where there is no target.

    Attributes
    ----------
    bounded : bool
        Whether any element has a bound.
    """

    keys: tuple[str, ...]
    offsets: tuple[int, ...]
    low: Floats
    high: Floats
    quantities: tuple[str, ...]
    targets: Integers
    signs: Floats
    bounded: bool = field(init=False)

    def __post_init__(self) -> None:
        bounded = bool(np.isfinite(self.low).any() or np.isfinite(self.high).any())
        object.__setattr__(self, "bounded", bounded)

    @classmethod
    def of(cls, program: Program) -> FlatParameters:
        """Lay out the parameters of a program.

        Raises
        ------
        DescriptionError
            If nothing is trainable.
        """
        trained = [item for item in program.declared().values() if item.trained]
        if not trained:
            raise DescriptionError(
                "no parameter is trained; set train: true for a weight or a delay", path="projections"
            )
        sizes = [len(item.values) for item in trained]
        targets = [np.full(size, -1, dtype=np.int64) for size in sizes]
        signs = [0.0] * len(trained)
        places = {item.key: k for k, item in enumerate(trained)}
        for block in program.blocks:
            if block.train_weight and block.weight_of is None:
                place = places[block.weight_key]
                targets[place] = block.sparse()[1].astype(np.int64) + program.populations[block.post].start
                signs[place] = block.sign
        return cls(
            keys=tuple(places),
            offsets=(0, *accumulate(sizes)),
            low=np.repeat([item.bounds[0] for item in trained], sizes),
            high=np.repeat([item.bounds[1] for item in trained], sizes),
            quantities=tuple(item.quantity for item in trained),
            targets=np.concatenate(targets),
            signs=np.repeat(signs, sizes),
        )

    def by_quantity(self, values: Mapping[str, float]) -> Floats:
        """Return values by quantity, such as rates of ``weight`` and ``delay``, for every element."""
        return np.repeat([values[name] for name in self.quantities], np.diff(self.offsets)).astype(float)

    def clip(self, values: Floats) -> Floats:
        """Return values, shape (n,), within their bounds."""
        return np.minimum(np.maximum(values, self.low), self.high) if self.bounded else values

    def join(self, values: Mapping[str, Floats]) -> Floats:
        """Return parameters as one vector.

        Parameters
        ----------
        values : mapping of str to ndarray, shape (k,)
            By key; other keys are ignored.

        Returns
        -------
        ndarray of float64, shape (n,)

        Raises
        ------
        NumericsError
            If a parameter has another size than the program's.
        """
        vector = np.concatenate([values[key] for key in self.keys])
        if len(vector) != self.offsets[-1]:
            raise NumericsError(
                f"there are {len(vector)} values, but {self.offsets[-1]} trainable "
                "parameters; both must belong to one program"
            )
        return vector

    def split(self, vector: Floats) -> dict[str, Floats]:
        """Return the parts of a vector, shape (n,), by key, as views of shape (k,)."""
        return {
            key: vector[start:stop]
            for key, (start, stop) in zip(self.keys, pairwise(self.offsets), strict=True)
        }
