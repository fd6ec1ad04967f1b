"""All trainable parameters as one vector, so that an update is a handful of array operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from netdesc.block import Block
from netdesc.errors import DescriptionError, Diagnostic, NumericsError
from netdesc.events import Floats, Integers
from netdesc.program import Program


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each trainable parameter stands in the vector.

    Parameters
    ----------
    keys : tuple of str
        Keys of the parameters, in the order of the program's blocks.
    offsets : tuple of int
        Parameter k is elements ``offsets[k]`` to ``offsets[k + 1] - 1``.
    low, high : ndarray of float64, shape (n,)
        Bounds of every element.
    delays : ndarray of bool, shape (n,)
        Whether the element is a delay.
    targets : ndarray of int64, shape (n,)
        Program-wide index of the neuron that a weight leads to; -1 for a delay.
    signs : ndarray of float64, shape (n,)
        +1, or -1 for magnitudes of inhibition; 0 for a delay.
    """

    keys: tuple[str, ...]
    offsets: tuple[int, ...]
    low: Floats
    high: Floats
    delays: NDArray[np.bool_]
    targets: Integers
    signs: Floats

    @classmethod
    def of(cls, program: Program) -> Layout:
        """Lay out the parameters of a program.

        Raises
        ------
        DescriptionError
            If nothing is trainable.
        """
        parts = [part for block in program.blocks for part in lay_out_block(block, program)]
        if not parts:
            raise DescriptionError(
                Diagnostic(
                    "no parameter is trained; set train: true for a weight or a delay", path="projections"
                )
            )
        keys, bounds, delays, targets, signs = zip(*parts, strict=True)
        sizes = [len(part) for part in targets]
        return cls(
            keys=keys,
            offsets=(0, *accumulate(sizes)),
            low=np.repeat([low for low, _ in bounds], sizes),
            high=np.repeat([high for _, high in bounds], sizes),
            delays=np.repeat(np.array(delays, dtype=np.bool_), sizes),
            targets=np.concatenate(targets),
            signs=np.repeat(signs, sizes),
        )

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
        """Return the parts of a vector by key, as views.

        Parameters
        ----------
        vector : ndarray of float64, shape (n,)

        Returns
        -------
        dict of str to ndarray of float64, shape (k,)
        """
        return {
            key: vector[start:stop]
            for key, (start, stop) in zip(self.keys, pairwise(self.offsets), strict=True)
        }


Part = tuple[str, tuple[float, float], bool, Integers, float]


def lay_out_block(block: Block, program: Program) -> list[Part]:
    """Return key, bounds, whether it is a delay, targets and sign of each trainable part of a block.

    Returns
    -------
    list of tuple
        Empty where the block is not trained.
    """
    parts: list[Part] = []
    if block.train_weight:
        targets = block.sparse()[1] + program.populations[block.post].start
        parts.append((block.weight_key, block.weight_bounds, False, targets, block.sign))
    if block.train_delay:
        nowhere = np.full(len(block.delays), -1, dtype=np.int64)
        parts.append((block.delay_key, block.delay_bounds, True, nowhere, 0.0))
    return parts
