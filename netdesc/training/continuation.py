"""What may change between a training and its continuation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from netdesc.description.model import Training
from netdesc.errors import RunDirectoryError
from netdesc.training.checkpoint import Past
from netdesc.training.origin import Origin, Stage, compare_wiring

HARMLESS = ("name", "description", "record", "expect", "sweep", "simulation.max_memory")
"""Settings and sections that change nothing about the model."""

EXTENDABLE = (
    *HARMLESS,
    "training.epochs",
    "training.early_stopping",
    "training.on_device",
    "training.on_dead",
    "training.backend",
)
"""Settings and sections that may change when a run goes on; the backend itself is compared by its name."""

SAMPLES = ("data.dataset", "data.encoder")
"""Sections that say nothing more once the samples themselves are the same."""


def require_same(past: Past, origin: Origin, *, backend: str, path: Path) -> tuple[str, ...]:
    """Refuse to go on with the run of another model.

    Parameters
    ----------
    past : Past
        The run so far.
    origin : Origin
        What is to go on.
    backend : str
        That goes on.
    path : Path
        The run directory.

    Returns
    -------
    tuple of str
        What differs and does not matter much.

    Raises
    ------
    RunDirectoryError
        With every difference that matters.
    """
    before = past.origin
    known = before is not None and before.data == origin.data
    faults = find_differences(
        past.resolved,
        origin.resolved,
        free=SAMPLES if known else (),
        backends=(past.stages[-1]["backend"], backend),
    )
    if before is not None:
        faults += [] if faults else compare_wiring(before.wiring, origin.wiring)
        if not known and not faults:
            faults.append("the samples differ because a data file has changed")
    if faults:
        raise RunDirectoryError(
            f"{path} holds the run of another model: {'; '.join(faults)}. Only training.epochs, "
            "training.early_stopping, training.on_device, training.on_dead, the backend, and what does not "
            "change the model may differ; change the rest back, or use another directory"
        )
    if before is None:
        return (f"{past.path} has no checksum; it was written by an earlier version of netdesc",)
    changed = [
        f"{name} {before.versions.get(name)} (now {now})"
        for name, now in origin.versions.items()
        if before.versions.get(name) != now
    ]
    return (
        (f"the run so far was trained with {', '.join(changed)}; results may differ in the last digits",)
        if changed
        else ()
    )


def find_differences(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    backends: tuple[str, str],
    free: tuple[str, ...] = (),
) -> list[str]:
    """Return what differs between the resolved files of a run and of what is to go on with it.

    There is one text per setting that must not differ; those of ``free`` may, and between two backends (of
    the run so far, and the one that is to go on) their own options.
    """
    free = (*EXTENDABLE, *free)
    if backends[0] != backends[1]:
        free = (*free, *(f"backends.{name}" for name in backends))
    if flatten(now).get("training.schedule.cosine.epochs") == "null":
        # The learning rate depends on the number of epochs.
        free = tuple(path for path in free if path != "training.epochs")
    return compare_settings(before, now, free=free)


def compare_settings(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    free: tuple[str, ...],
    sections: tuple[str, ...] = (),
) -> list[str]:
    """Return how the settings of two resolved files differ: path, old and new value.

    Settings and sections in ``free``, by their dotted paths, may differ; only ``sections`` are compared, or
    all where it is empty.
    """
    old, new = flatten(before), flatten(now)
    return [
        f"{path} was {shorten(old.get(path, 'absent'))}, now it is {shorten(new.get(path, 'absent'))}"
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
        and not is_free(path, free)
        and (not sections or path.split(".")[0] in sections)
    ]


def shorten(text: str, limit: int = 60) -> str:
    """Return a value as it fits into a message."""
    return text if len(text) <= limit else f"{text[: limit - 4]} ..."


def is_free(path: str, free: tuple[str, ...]) -> bool:
    """Return whether a setting may differ, by the dotted paths of the settings and sections that may."""
    # An empty section is a leaf of its own, which turns up or goes with the first key in it.
    return any(path == item or path.startswith(f"{item}.") for item in free) or (
        path == "backends" and any(item.startswith("backends.") for item in free)
    )


def note_stage(
    old: Sequence[Stage], training: Training | None, backend: str, *, epochs: int
) -> tuple[Stage, ...]:
    """Return on what a run has been trained so far: the stages before, and the one that goes on.

    A stage has ``backend``, ``on_device`` and ``epochs``, the number that were over when it began.
    """
    stage = {"backend": backend, "on_device": bool(training and training.options.get("on_device"))}
    kept = [item for item in old if item["epochs"] < epochs]
    if kept and {name: kept[-1][name] for name in stage} == stage:
        return tuple(kept)
    return (*kept, {**stage, "epochs": epochs})


def describe_stages(stages: Sequence[Stage]) -> tuple[str, ...]:
    """Describe on what a run was trained, where that changed on the way; empty where it did not."""
    if len(stages) < 2:
        return ()
    parts = [
        f"from epoch {item['epochs'] + 1} on {item['backend']}{', on the device' * item['on_device']}"
        for item in stages
    ]
    return (f"trained {'; '.join(parts)}",)


def flatten(tree: object, path: str = "") -> dict[str, str]:
    """Return the leaves of plain data as JSON text by dotted path, below ``path``; a list is a leaf."""
    if not isinstance(tree, Mapping) or not tree:
        return {path: json.dumps(tree)}
    inner = (flatten(branch, f"{path}.{key}" if path else str(key)) for key, branch in tree.items())
    return {name: text for leaves in inner for name, text in leaves.items()}
