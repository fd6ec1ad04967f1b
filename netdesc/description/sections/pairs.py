"""Pairs of neurons for the connector ``list``: written out, from Python, or from a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netdesc.description.reading.context import Reading
from netdesc.description.reading.tree import Node
from netdesc.description.sections.matrices import read_array, read_file

Pairs = list[list[int]]


def read_pairs(node: Node, path: str, reading: Reading) -> Pairs | None:
    """Read pairs of indices.

    Parameters
    ----------
    node : Node
        A list of pairs, an array of two columns, or ``{file: NAME}`` of a table whose first two columns
        are source and target.
    path : str
    reading : Reading
        Receives the faults.

    Returns
    -------
    list of [int, int], or None
        None where a fault was noted.
    """
    if "file" in node.mapping or isinstance(node.value, np.ndarray):
        values = (read_file if node.mapping else read_array)(node, path, reading)
        return None if values is None else _of_table(values, path, reading)
    return [[round(item.value) for item in row.items] for row in node.items]  # type: ignore[arg-type]


def check_pairs(pairs: Pairs, sizes: tuple[int, float], path: str, reading: Reading) -> None:
    """Note a fault where an index is beyond its population.

    Parameters
    ----------
    pairs : list of [int, int]
    sizes : tuple of int
        Of pre and post; infinity where there are several populations as post.
    path : str
    reading : Reading
        Receives the fault.
    """
    if not pairs:
        return
    outside = (np.array(pairs, dtype=np.int64) >= np.array(sizes)).any(axis=1)
    if outside.any():
        row = int(outside.argmax())
        more = int(outside.sum()) - 1
        reading.fail(
            f"pair {row + 1} of the list, [{pairs[row][0]}, {pairs[row][1]}], is outside of {sizes[0]} x "
            f"{sizes[1]} neurons{f', and {more} more are' if more else ''}; indices begin at 0",
            path,
        )


def _of_table(values: NDArray[np.float64], path: str, reading: Reading) -> Pairs | None:
    if values.ndim != 2 or values.shape[1] < 2:
        reading.fail("expected two columns, index of the source and of the target, got one", path)
        return None
    indices = values[:, :2]
    with np.errstate(invalid="ignore"):
        wrong = ~((indices >= 0) & (indices % 1 == 0) & (indices < 2**53)).all(axis=1)
    if wrong.any():
        row = int(wrong.argmax())
        reading.fail(
            f"expected whole numbers of at least 0 as indices, got {indices[row, 0]:g} and "
            f"{indices[row, 1]:g} in row {row + 1}",
            path,
        )
        return None
    found: Pairs = indices.astype(np.int64).tolist()
    return found
