"""A user's recorded spikes: splits from files or by the seed, checked against the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from netdesc.datasets.classes import Classes, number_classes
from netdesc.datasets.partition import divide
from netdesc.datasets.preparation import shares_of
from netdesc.datasets.recorded import Recorded, keep_inside, note_early, require_channels
from netdesc.datasets.records import Split
from netdesc.datasets.spike_files import read_spikes
from netdesc.errors import DescriptionError
from netdesc.formats.source import at
from netdesc.program import PopulationSlice
from netdesc.units import UNITS_OF_TIME

PATH = "data.dataset.spikes"


def load_spikes(
    options: Mapping[str, Any], directory: Path, seed: int, *, duration: float, sources: PopulationSlice
) -> tuple[dict[str, Split], tuple[str, ...]]:
    """Read the files of recorded spikes.

    Parameters
    ----------
    options : mapping
        Of the dataset ``spikes``.
    directory : Path
        Where relative paths begin.
    seed : int
        Root of the stream that divides samples.
    duration : float
        Length of a sample in ms.
    sources : PopulationSlice
        The population that receives the spikes, one neuron per channel.

    Returns
    -------
    splits : dict of str to Split
    notes : tuple of str
        How many spikes were dropped, and the numbers of the classes.

    Raises
    ------
    DescriptionError
        If a file is missing or damaged, or does not fit the program.
    """
    channels, unit = options.get("channels"), str(options["unit"])
    if channels is not None and channels != sources.size:
        raise DescriptionError(
            f"the population has {sources.size} neurons, but the recordings have {channels} channels; "
            f"set size: {channels}",
            path=f"{sources.path}.size",
        )
    parts, notes = dict[str, Recorded](), list[str]()
    for name in ("train", "validation", "test"):
        if not isinstance(options.get(name), str):
            continue
        labels = options.get(f"{name}_labels")
        with at(f"{PATH}.{name}"):
            recorded = read_spikes(
                directory / str(options[name]),
                None if labels is None else directory / str(labels),
                UNITS_OF_TIME[unit],
                interval=options.get("target_interval"),
            )
        require_channels(recorded, sources.size, f"{PATH}.{name}")
        parts[name], lost = keep_inside(
            recorded, duration, drop=options["outside"] == "drop", unit=unit, path=f"{PATH}.{name}"
        )
        if lost:
            notes.append(
                f"{lost} of {len(recorded.events)} spikes of {name} are outside of the sample, 0 ms to "
                f"{duration:g} ms, and are dropped"
            )
        notes += note_early(parts[name], duration, unit)
    splits, more = divide_recorded(parts, shares_of(options), seed, sources.start, PATH)
    return splits, (*notes, *more)


def divide_recorded(
    parts: Mapping[str, Recorded], shares: Mapping[str, float], seed: int, first_source: int, path: str
) -> tuple[dict[str, Split], list[str]]:
    """Take validation and test samples out of those for training, and number the classes.

    Parameters
    ----------
    parts : mapping of str to Recorded
        With ``train``.
    shares : mapping of str to float
        Fractions of the training samples.
    seed : int
    first_source : int
        Program-wide index of the source of channel 0.
    path : str
        Dotted path of the dataset, for messages.

    Returns
    -------
    splits : dict of str to Split
    notes : list of str

    Raises
    ------
    DescriptionError
        If a split has no samples, or labels or targets that do not fit those for training.
    """
    whole = parts["train"]
    for name, part in parts.items():
        require_same_goals(whole, part, name, path)
    drawn = divide(len(whole), shares, seed, classes=number_classes(whole.labels, path), path=path)
    chosen = {
        **{name: whole.take(which) for name, which in drawn.items()},
        **{name: part for name, part in parts.items() if name != "train"},
    }
    train = chosen["train"].labels
    classes = None if train is None else Classes.find(train)
    splits = {}
    for name, part in chosen.items():
        events = replace(part.events, sources=part.events.sources + first_source)
        labels = (
            None
            if classes is None or part.labels is None
            else classes.number(part.labels, split=name, path=f"{path}.{name}")
        )
        splits[name] = Split(labels, events, None, part.times, part.traces)
    return splits, [] if classes is None else list(classes.notes())


def require_same_goals(train: Recorded, part: Recorded, name: str, path: str) -> None:
    """Refuse a split whose labels or targets are of another form than those for training.

    Raises
    ------
    DescriptionError
    """
    for field, words in (("labels", "labels"), ("times", "target times"), ("traces", "target voltages")):
        wanted, found = getattr(train, field), getattr(part, field)
        if (wanted is None) != (found is None):
            raise DescriptionError(
                f"expected {words} in all splits or in none, got them only in "
                f"{'train' if found is None else name}; add them to the other",
                path=f"{path}.{name}",
            )
        if wanted is not None and field != "traces" and wanted.shape[1:2] != found.shape[1:2]:
            raise DescriptionError(
                f"expected targets of {wanted.shape[1]} outputs as in train, got {found.shape[1]}; write "
                "the same outputs in all files",
                path=f"{path}.{name}",
            )
