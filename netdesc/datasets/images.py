"""Images of another size: every new pixel is the mean of the area that it covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from netdesc.events import Floats
from netdesc.sums import blend

CHUNK = 4096
"""Images that are averaged at once, so that few of them are held as floats."""


def cover(old: int, new: int) -> Floats:
    """Return what share each old pixel has in each new one, along one side.

    Parameters
    ----------
    old, new : int
        Pixels of the side before and after.

    Returns
    -------
    ndarray of float64, shape (new, old)
        Rows sum to 1.
    """
    edges = np.arange(new + 1)[:, None] * old
    pixels = np.arange(old)[None, :] * new
    low, high = np.maximum(edges[:-1], pixels), np.minimum(edges[1:], pixels + new)
    # Whole numbers, in units of 1 / (old * new) of the side, so that the shares are exact.
    shares: Floats = np.maximum(high - low, 0) / old
    return shares


def average(images: NDArray[np.uint8], size: tuple[int, int] | None) -> Floats:
    """Average images over areas and scale them to 0 to 1.

    Parameters
    ----------
    images : ndarray of uint8, shape (samples, rows, columns)
    size : tuple of int, or None
        Rows and columns of the result; None to leave them.

    Returns
    -------
    ndarray of float64, shape (samples, rows * columns)
        Row after row; the same bits on every machine.
    """
    rows, columns = images.shape[1:]
    height, width = size or (rows, columns)
    if (height, width) == (rows, columns):
        return images.reshape(len(images), -1) / 255.0
    down, across = cover(rows, height), cover(columns, width) / 255.0
    result = np.empty((len(images), height * width))
    for start in range(0, len(images), CHUNK):
        part = images[start : start + CHUNK].astype(np.float64)
        narrow = np.ascontiguousarray(blend(part, across).swapaxes(1, 2))
        result[start : start + CHUNK] = blend(narrow, down).swapaxes(1, 2).reshape(len(part), -1)
    # A white area may exceed 1 by a rounding, and no encoder takes that.
    return np.minimum(result, 1.0, out=result)
