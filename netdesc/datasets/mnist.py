"""MNIST, and any other set of images in four IDX files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from netdesc.datasets.records import Table
from netdesc.errors import DescriptionError
from netdesc.events import Floats, Integers
from netdesc.formats.idx import read_idx
from netdesc.formats.source import at
from netdesc.streams import stream
from netdesc.sums import blend

CHUNK = 4096
"""Images that are averaged at once, so that few of them are held as floats."""


def cover(old: int, new: int) -> Floats:
    """Return what share each old pixel has in each new one, along one side.

    The result has the shape (new, old); rows sum to 1.
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


def find_idx(folder: Path, name: str, axes: int, path: str) -> Path:
    """Find an IDX file by its usual names, such as ``train-images``; it has 3 axes for images, 1 for labels.

    Raises
    ------
    DescriptionError
        If none of the names is there; the message lists all of them.
    """
    names = [f"{name}{link}idx{axes}-ubyte{ending}" for link in "-." for ending in (".gz", "")]
    for candidate in names:
        if (folder / candidate).is_file():
            return folder / candidate
    what = "is not a folder" if not folder.is_dir() else f"holds none of {', '.join(names)}"
    raise DescriptionError(
        f"{folder} {what}; use the files of the original set; paths are "
        "relative to the folder of the YAML file",
        path=path,
    )


PATH = "data.dataset.mnist"

Images = NDArray[np.uint8]


def mnist(options: Mapping[str, Any], directory: Path, seed: int) -> dict[str, Table]:
    """Read images and labels, and hold some of the training samples out for validation.

    Parameters
    ----------
    options : mapping
        ``path`` of the folder; ``train``, ``validation`` and ``test``: numbers of samples, 0 for none;
        ``size``: rows and columns to average to, or None.
    directory : Path
        Where a relative path begins.
    seed : int
        Root of the stream that draws which samples are held out.

    Returns
    -------
    dict of str to Table
        One value per pixel, 0 to 1, row after row; no entry for a split of no samples.

    Raises
    ------
    DescriptionError
        If files are missing or damaged, do not belong together, or hold too few samples.
    """
    folder = directory / str(options["path"])
    size = tuple(options["size"]) if options.get("size") else None
    train, validation, test = (int(options[name]) for name in ("train", "validation", "test"))
    images, labels = read_pair(folder, "train")
    require_enough(len(images), {"train": train, "validation": validation}, folder)
    order = stream(seed, "data.validation").permutation(len(images))
    chosen = {
        "train": np.sort(order[validation : validation + train]),
        "validation": np.sort(order[:validation]),
    }
    tables = {name: choose(images, labels, which, size) for name, which in chosen.items() if len(which)}
    if test:
        images, labels = read_pair(folder, "t10k")
        require_enough(len(images), {"test": test}, folder)
        tables["test"] = choose(images, labels, np.arange(test), size)
    return tables


def read_pair(folder: Path, name: str) -> tuple[Images, Images]:
    """Read the images, uint8, shape (samples, rows, columns), and labels of ``train`` or ``t10k``.

    Raises
    ------
    DescriptionError
        If a file is missing or damaged, or the two do not belong together.
    """
    with at(f"{PATH}.path"):
        images = read_idx(find_idx(folder, f"{name}-images", 3, f"{PATH}.path"), 3)
        labels = read_idx(find_idx(folder, f"{name}-labels", 1, f"{PATH}.path"), 1)
    if len(images) != len(labels):
        raise DescriptionError(
            f"{folder} has {len(images)} images but {len(labels)} labels of {name}; use two files of one set",
            path=f"{PATH}.path",
        )
    return images, labels


def require_enough(found: int, wanted: Mapping[str, int], folder: Path) -> None:
    """Refuse to draw more samples than there are.

    Parameters
    ----------
    found : int
    wanted : mapping of str to int
        Numbers of samples by split.
    folder : Path
        Where they are, for the message.

    Raises
    ------
    DescriptionError
    """
    total = sum(wanted.values())
    if total <= found:
        return
    first = next(iter(wanted))
    sum_of = " and ".join(f"{name}: {count}" for name, count in wanted.items())
    fix = (
        f"set {first} to {found - total + wanted[first]}"
        if found > total - wanted[first]
        else (f"reduce {' and '.join(wanted)} to {found} together")
    )
    raise DescriptionError(
        f"{sum_of} need {total} samples, but {folder} holds {found}; {fix}", path=f"{PATH}.{first}"
    )


def choose(images: Images, labels: Images, which: Integers, size: tuple[int, ...] | None) -> Table:
    """Return some of the samples as numbers.

    Parameters
    ----------
    images : ndarray of uint8, shape (samples, rows, columns)
    labels : ndarray of uint8, shape (samples,)
    which : ndarray of int64, shape (n,)
    size : tuple of int, or None
    """
    target = None if size is None else (int(size[0]), int(size[1]))
    return Table(average(images[which], target), labels[which].astype(np.int64))
