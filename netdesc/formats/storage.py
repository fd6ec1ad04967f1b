"""Where the values of an HDF5 dataset are: resolved within its file, and stored as announced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netdesc.errors import NetdescError
from netdesc.formats.source import amount, fault, shape_text

if TYPE_CHECKING:
    import h5py

MOST_LINKS = 16
"""Soft links that are followed for one name."""

Shape = tuple[int | None, ...]
"""A shape that is expected; None for a side of any length."""


def find(group: h5py.Group, name: str, file: Path) -> Any:
    """Follow a name link by link.

    Parameters
    ----------
    group : h5py.Group
        Where the name begins.
    name : str
        Path within the file.
    file : Path
        For messages.

    Returns
    -------
    h5py.Group, h5py.Dataset or None
        None where there is nothing of that name.

    Raises
    ------
    DescriptionError
        If the name leads out of the file, or in a circle.
    """
    import h5py

    where = f"{str(group.name).rstrip('/')}/{name.lstrip('/')}"
    here: Any = group
    steps, links = split(name), 0
    with reading(file, where):
        while steps:
            step = steps.pop(0)
            if not isinstance(here, h5py.Group) or step not in set(here):
                return None
            link = here.get(step, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise fault(
                    file,
                    f"expected {where} within the file, got a link to another file, "
                    f"{link.filename!r:.80}; copy the values into this one",
                )
            if not isinstance(link, h5py.SoftLink):
                here = here[step]
                continue
            links += 1
            if links > MOST_LINKS:
                raise fault(
                    file,
                    f"expected {where} to lead to a dataset, got more than {MOST_LINKS} links; "
                    "copy the values into this file",
                )
            here = here.file["/"] if link.path.startswith("/") else here
            steps = split(link.path) + steps
    return here


def split(name: str) -> list[str]:
    """Return the steps of a path within a file."""
    return [step for step in name.split("/") if step not in ("", ".")]


def require_shape(data: h5py.Dataset, file: Path, shape: Shape | None) -> None:
    """Refuse a dataset of another shape than expected; None for any."""
    if shape is None or (
        len(shape) == len(data.shape)
        and all(wanted in (None, side) for wanted, side in zip(shape, data.shape, strict=True))
    ):
        return
    wanted = " x ".join("any" if side is None else str(side) for side in shape) or "a single number"
    raise fault(
        file,
        f"expected {data.name} to have the shape {wanted}, got {shape_text(data.shape)}; "
        "use the file that belongs to this model",
    )


def require_stored(data: h5py.Dataset, file: Path) -> None:
    """Refuse a dataset whose values are in another file, or are not stored at all.

    Raises
    ------
    DescriptionError
    """
    if data.is_virtual or data.external:
        kind = "a virtual dataset" if data.is_virtual else "values in another file"
        raise fault(
            file,
            f"expected the values of {data.name} in this file, got {kind}; "
            "copy the values into an ordinary dataset",
        )
    logical, stored = data.size * data.dtype.itemsize, data.id.get_storage_size()
    if not data.chunks:
        complete = stored >= logical
    else:
        wanted = prod(-(-side // step) for side, step in zip(data.shape, data.chunks, strict=True))
        complete = not logical or data.id.get_num_chunks() >= wanted
    if not complete:
        raise fault(
            file,
            f"expected {amount(logical)} of {data.name}, shape {shape_text(data.shape)}, got "
            f"{amount(stored)} on the disk; some of it was never written, write the file again",
        )


@contextmanager
def reading(file: Path, where: str) -> Iterator[None]:
    """Turn whatever h5py raises about a damaged file into a message about what is being read."""
    try:
        yield
    except NetdescError:
        raise
    except MemoryError:
        raise fault(file, f"{where} needs more memory than there is; use a smaller file") from None
    except Exception as error:  # noqa: BLE001 - the library raises nearly everything for damaged files
        raise fault(
            file, f"expected a complete HDF5 file, but {where} cannot be read: {reason(error)}"
        ) from None


def reason(error: Exception) -> str:
    """Return why HDF5 could not read something, and a fix."""
    text = str(error).lower()
    if "truncated" in text:
        return "it is cut off; copy it again"
    if "filter" in text and ("not registered" in text or "required" in text):
        return "its compression needs a plugin that is not installed; write it with gzip"
    if isinstance(error, BlockingIOError) or "unable to lock" in text:
        return "another program is writing to it; wait until it has finished"
    return "it is damaged; write it again"
