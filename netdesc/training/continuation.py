"""What may change between a training and its continuation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from netdesc.description.model import Training

EXTENDABLE = ("training.epochs", "training.early_stopping", "training.on_device")
"""Settings that may change."""


def find_differences(before: object, now: object, *, backends: tuple[str, str]) -> list[str]:
    """Tell what differs between a run and what is to go on with it.

    Parameters
    ----------
    before, now : object
        The resolved files, as plain data.
    backends : tuple of str
        Backend of the run so far, and the one that is to go on.

    Returns
    -------
    list of str
        One text per setting that must not differ. Between two backends their own options may.
    """
    old, new = flatten(before), flatten(now)
    moved = ("training.backend", *(f"backends.{name}" for name in backends))
    free = EXTENDABLE if backends[0] == backends[1] else (*EXTENDABLE, *moved)
    return [f"{path} was {old.get(path, 'absent')}, now it is {new.get(path, 'absent')}"
            for path in sorted(old.keys() | new.keys())
            if old.get(path) != new.get(path) and not may_change(path, new, free=free)]


def may_change(path: str, now: Mapping[str, str], *, free: tuple[str, ...]) -> bool:
    """Return whether a setting may differ when a run goes on.

    Parameters
    ----------
    path : str
        Dotted.
    now : mapping of str to str
        All settings, flat.
    free : tuple of str
        Dotted paths of settings and sections that may differ.

    Returns
    -------
    bool
        False for the number of epochs where the learning rate depends on it.
    """
    if path == "training.epochs" and now.get("training.schedule.cosine.epochs") == "null":
        return False
    # An empty section is a leaf of its own, which turns up or goes with the first key in it.
    return any(path == item or path.startswith(f"{item}.") for item in free) or (
        path == "backends" and any(item.startswith("backends.") for item in free))


def note_stage(record: Mapping[str, Any] | None, training: Training | None, backend: str, *,
               epochs: int) -> list[dict[str, Any]]:
    """Return on what a run has been trained so far.

    Parameters
    ----------
    record : mapping or None
        Of the run so far; None for a new run.
    training : Training or None
    backend : str
        That goes on.
    epochs : int
        Epochs that are over.

    Returns
    -------
    list of dict
        ``backend``, ``on_device`` and ``epochs``, the number that were over when it began.
    """
    old = [] if record is None else record["stages"]
    stage = {"backend": backend, "on_device": bool(training and training.options.get("on_device"))}
    kept = [item for item in old if item["epochs"] < epochs]
    if kept and {name: kept[-1][name] for name in stage} == stage:
        return kept
    return [*kept, {**stage, "epochs": epochs}]


def tell_stages(stages: list[dict[str, Any]]) -> tuple[str, ...]:
    """Say on what a run was trained, where that changed on the way.

    Parameters
    ----------
    stages : list of dict
        From ``note_stage``.

    Returns
    -------
    tuple of str
        Empty where it was one backend all along.
    """
    if len(stages) < 2:
        return ()
    parts = [f"from epoch {item['epochs'] + 1} on {item['backend']}{', on the device' * item['on_device']}"
             for item in stages]
    return (f"trained {'; '.join(parts)}",)


def flatten(tree: object, path: str = "") -> dict[str, str]:
    """Return the leaves of plain data by dotted path.

    Parameters
    ----------
    tree : object
        Mappings and leaves; a list counts as a leaf.
    path : str
        Of the tree itself.

    Returns
    -------
    dict of str to str
        Leaves as JSON text.
    """
    return dict(iterate_leaves(tree, path))


def iterate_leaves(tree: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield dotted path and JSON text of every leaf; see ``flatten``."""
    if isinstance(tree, Mapping) and tree:
        for key, branch in tree.items():
            yield from iterate_leaves(branch, f"{path}.{key}" if path else str(key))
    else:
        yield path, json.dumps(tree)
