"""The IDX files of a set of images, found by their usual names."""

from __future__ import annotations

from pathlib import Path

from netdesc.errors import DescriptionError


def find_idx(folder: Path, name: str, axes: int, path: str) -> Path:
    """Find an IDX file by its usual names.

    Parameters
    ----------
    folder : Path
    name : str
        For example ``train-images``.
    axes : int
        3 for images, 1 for labels.
    path : str
        Dotted path in the description, for the message.

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
