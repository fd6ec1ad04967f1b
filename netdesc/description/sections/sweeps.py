"""The section ``sweep``: whether its paths are in the language."""

from __future__ import annotations

from collections.abc import Iterator

from netdesc.description.reading.context import Reading
from netdesc.description.reading.overrides import overridden
from netdesc.description.reading.tree import Node, plain
from netdesc.errors import DescriptionError


def check_sweep(root: Node, reading: Reading) -> None:
    """Note every path of a sweep that an override could not have.

    Parameters
    ----------
    root : Node
        The file.
    reading : Reading
        Receives the faults.
    """
    sweep = root.mapping.get("sweep")
    for place, path, value in _paths(sweep) if sweep is not None else ():
        try:
            overridden(root, {path: value})
        except DescriptionError as error:
            reading.absorb(error, place)


def _paths(sweep: Node) -> Iterator[tuple[str, str, object]]:
    """Yield the place in the file, the path that is varied and its first value."""
    for path, values in sweep.mapping.get("matrix", Node({}, sweep.place)).mapping.items():
        yield f"sweep.matrix.{path}", path, plain(values.items[0]) if values.items else plain(values)
    for section in ("include", "exclude"):
        for index, item in enumerate(sweep.mapping.get(section, Node([], sweep.place)).items):
            for path, value in item.mapping.items():
                yield f"sweep.{section}.{index}.{path}", path, plain(value)
    for section in ("random", "optuna"):
        # Keys without a dot are settings of the search itself.
        for path, value in sweep.mapping.get(section, Node({}, sweep.place)).mapping.items():
            if "." in path:
                yield f"sweep.{section}.{path}", path, plain(value)
